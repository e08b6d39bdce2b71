/* Opening a model as --weights says. */
#ifndef COMMON_MODEL_H
#define COMMON_MODEL_H

#include <rnnkit/rnnkit.h>

/* `weights`: f32, packed, bf16 or int8; or auto: packed where the context's device has it, which gives
 * what f32 gives. Gives an outcome of console.h. */
int model_open(rnnkit_context *context, const char *path, const char *weights, rnnkit_model **out);

#endif
