/* Opening a model as --weights says. See model.h. */
#include "model.h"

#include <stdio.h>

#include "console.h"

int model_open(rnnkit_context *context, const char *path, const char *weights, rnnkit_model **out)
{
    char text[32];

    snprintf(text, sizeof text, "weights=%s", weights);
    return failed(rnnkit_model_open_with_options(context, path, text, out));
}
