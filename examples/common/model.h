/* Opening a model as --weights says. */
#ifndef COMMON_MODEL_H
#define COMMON_MODEL_H

#include <rnnkit/rnnkit.h>

/* `weights`: f32, bf16 or int8. Gives an outcome of console.h. */
int model_open(rnnkit_context *context, const char *path, const char *weights, rnnkit_model **out);

#endif
