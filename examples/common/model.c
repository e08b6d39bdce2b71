/* Opening a model as --weights says. See model.h. */
#include "model.h"

#include <stdio.h>
#include <string.h>

#include "console.h"

int model_open(rnnkit_context *context, const char *path, const char *weights, rnnkit_model **out)
{
    char text[32];
    int on_cpu = strcmp(rnnkit_context_device(context), "cpu") == 0;

    if (strcmp(weights, "auto") == 0) weights = on_cpu ? "packed" : "f32";
    snprintf(text, sizeof text, "weights=%s", weights);
    return failed(rnnkit_model_open(context, path, text, out));
}
