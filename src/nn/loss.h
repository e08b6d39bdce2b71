/* What the losses share: how elements become one number, and what a weight may be. */
#ifndef RKI_NN_LOSS_H
#define RKI_NN_LOSS_H

#include "base/options.h"

#define RKI_REDUCTIONS "mean|sum"
typedef enum rki_reduction { RKI_REDUCTION_MEAN, RKI_REDUCTION_SUM } rki_reduction;

/* RNNKIT_E_ARGUMENT, with the place, unless each weight is finite and at least 0. */
int32_t rki_check_weights(const float *weights, int64_t count, const char *argument);

extern const rki_option_table rki_cross_entropy_options, rki_pointwise_loss_options;

#endif
