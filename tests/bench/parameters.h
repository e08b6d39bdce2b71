/* The parameters of a model, or their gradients, in a file of floats (results.h). */
#ifndef BENCH_PARAMETERS_H
#define BENCH_PARAMETERS_H

#include "rnnkit/rnnkit.h"

typedef int32_t parameters_read(const rnnkit_model *, const char *, float *, int64_t);

/* Those whose names begin with `prefix`, in the order of the model; `read`:
 * rnnkit_model_parameter_read or rnnkit_model_gradient_read. */
void parameters_write(const rnnkit_model *model, const char *prefix, parameters_read *read,
    const char *folder, const char *name);

#endif
