/* The model: parameters by name, layers in the order of creation, and what it carries. */
#ifndef RKI_NN_MODEL_H
#define RKI_NN_MODEL_H

#include "base/context.h"
#include "nn/entries.h"
#include "nn/layer.h"
#include "nn/parameter.h"
#include "rnnkit/model.h"

struct rki_st;

struct rnnkit_model {
    rki_object object;
    rnnkit_context *context;
    rki_parameter **parameters;
    int64_t parameter_count, parameter_capacity;
    rki_layer **layers;
    int64_t layer_count, layer_capacity;
    rnnkit_vocab *vocab; /* or NULL */
    rki_entries entries;
    const struct rki_st *source; /* while the model is opened: the file its parameters come from */
    rki_format format;           /* of the weights of layers that have them in formats */
};

int32_t rki_model_new(rnnkit_context *context, rnnkit_model **out);
void rki_model_retain(rnnkit_model *model);
void rki_model_release(rnnkit_model *model);

/* What a parameter is for says in which formats it is held. */
typedef enum rki_role {
    RKI_ROLE_OTHER,  /* none: a bias, a vector, a state */
    RKI_ROLE_FACTOR, /* of products alone, also with some of its columns: those that pack, and for
                      * int8 RKI_PACKED_BF16 */
    RKI_ROLE_WEIGHT, /* of products alone: all */
    RKI_ROLE_TABLE   /* rows are looked up: those that round; when linear layers share it, it is a
                      * RKI_ROLE_WEIGHT */
} rki_role;

/* What a new parameter is. */
typedef struct rki_parameter_wish {
    const char *layer, *suffix; /* together the name: "<layer>.<suffix>" */
    const int64_t *dims;
    int64_t rank;
    int by_rows;
    rki_role role;
    rki_initial initial;
    double scale;
} rki_parameter_wish;

/* Adds a parameter and sets its first values: drawn, or from the model's source. RNNKIT_E_ARGUMENT
 * when the name is used already. */
int32_t rki_model_add_parameter(
    rnnkit_model *model, const rki_parameter_wish *wish, rki_parameter **out);

/* A table that becomes a factor of products too: from now on it is in the model's format. */
int32_t rki_model_share_table(rnnkit_model *model, rki_parameter *parameter);

/* RNNKIT_E_ORDER when the model was opened to run alone; `what` it was wanted for: "be trained". */
int32_t rki_model_check_plain(const rnnkit_model *model, const char *what);

/* Takes back all but the first `count` parameters. */
void rki_model_drop_parameters(rnnkit_model *model, int64_t count);

/* NULL when there is none. */
rki_parameter *rki_model_parameter(const rnnkit_model *model, const char *name);
rki_layer *rki_model_layer(const rnnkit_model *model, const char *name);

#endif
