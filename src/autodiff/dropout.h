/* Dropout as layers use it between themselves. */
#ifndef RKI_AUTODIFF_DROPOUT_H
#define RKI_AUTODIFF_DROPOUT_H

#include "autodiff/tape.h"

/* *out is x itself when the tape does not train or the rate is 0. With a period above 0 the mask
 * repeats: element i has that of element i % period. */
int32_t rki_dropout_apply(
    rnnkit_tape *tape, rnnkit_tensor *x, double rate, int64_t period, rnnkit_tensor **out);

#endif
