/* A model's layers as text (docs/file-format.md, `rnnkit.layers`). */
#ifndef RKI_NN_MODEL_LAYERS_H
#define RKI_NN_MODEL_LAYERS_H

#include "nn/model.h"

/* JSON, to be released with rki_release. */
int32_t rki_model_layers_write(const rnnkit_model *model, char **out);

/* Creates the layers that the text names; RNNKIT_E_FORMAT says which one cannot be, and why. The
 * caller releases the model on failure. */
int32_t rki_model_layers_read(rnnkit_model *model, const char *text);

#endif
