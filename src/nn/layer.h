/* Layers: what a model is made of, and the handles that callers hold.
 *
 * A kind of layer is a row of a table: its name in model files, how many sizes it is created with,
 * its options, and how to create one. A layer belongs to its model for ever; a handle only points
 * at it and keeps the model alive, so any number of them may come and go.
 */
#ifndef RKI_NN_LAYER_H
#define RKI_NN_LAYER_H

#include "base/object.h"
#include "base/options.h"
#include "nn/parameter.h"
#include "rnnkit/api.h"

enum { RKI_LAYER_SIZES = 3 };

typedef struct rki_layer rki_layer;

typedef struct rki_layer_kind {
    const char *name; /* "lstm": as model files say it */
    int64_t sizes;    /* how many it is created with */
    const rki_option_table *options;
    size_t settings; /* where in the layer's struct the parsed options stand */
    size_t bytes;    /* of the layer's struct, which starts with an rki_layer */
    rki_kind handle; /* of the handles that point at it */
    /* Adds the parameters; the layer's sizes and options are set and were checked. */
    int32_t (*build)(rnnkit_model *model, rki_layer *layer);
    /* Adds such a layer to the model, from a file. */
    int32_t (*create)(
        rnnkit_model *model, const char *name, const int64_t *sizes, const char *options);
    /* Frees what the layer holds beside its parameters, or NULL. */
    void (*release)(rnnkit_model *model, rki_layer *layer);
} rki_layer_kind;

struct rki_layer {
    const rki_layer_kind *kind;
    char *name;
    int64_t sizes[RKI_LAYER_SIZES];
};

/* The kind of a name; NULL when there is none. */
const rki_layer_kind *rki_layer_kind_find(const char *name);

/* Adds a layer of a kind; on failure the model is as it was. */
int32_t rki_layer_add(rnnkit_model *model, const rki_layer_kind *kind, const char *name,
    const int64_t *sizes, const char *options, rki_layer **out);

/* Frees a layer, but for its parameters, which are the model's. */
void rki_layer_release(rnnkit_model *model, rki_layer *layer);

/* The layer's options that differ from their defaults, to be released with rki_release. */
int32_t rki_layer_options(const rki_layer *layer, const rki_memory *memory, char **out);

/* A layer's handle; every kind's own struct is of this shape. */
typedef struct rki_layer_handle {
    rki_object object;
    rnnkit_model *model;
    rki_layer *layer;
} rki_layer_handle;

/* Checks the arguments of a public create, adds the layer, makes its handle. All or nothing. */
int32_t rki_layer_create(rnnkit_model *model, const rki_layer_kind *kind, const char *name,
    const int64_t *sizes, const char *options, void **out);

/* The layer of that name whose handles are of that kind; else the model's layers are named. */
int32_t rki_layer_find(rnnkit_model *model, rki_kind handle, const char *name, void **out);

void rki_layer_handle_destroy(void *handle, rki_kind kind);

extern const rki_layer_kind rki_embedding_kind, rki_linear_kind, rki_lstm_kind, rki_gru_kind,
    rki_elman_kind, rki_attention_kind, rki_decoder_kind, rki_multihead_kind, rki_norm_kind;
extern const rki_option_table rki_embedding_options, rki_linear_options, rki_rnn_options,
    rki_attention_options, rki_decoder_options, rki_multihead_options, rki_norm_options;

#endif
