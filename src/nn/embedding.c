/* Embedding: out[i] = weight[ids[i]]; backward adds rows of the gradient up by id, in the order of
 * their places, so the sum of a row never depends on threads.
 */
#include <string.h>

#include "nn/layers.h"
#include "nn/row_groups.h"

static const rki_option rows[] = {
    {"padding", RKI_OPTION_INTEGER, offsetof(rki_embedding_settings, padding), -1, INT32_MAX, "-1",
        NULL, "0.1", "token id whose row stays zero and gets no gradient; -1: none"},
    {"sparse", RKI_OPTION_FLAG, offsetof(rki_embedding_settings, sparse), 0, 1, "1", NULL, "0.1",
        "1: an optimiser touches only rows that were used; 0: all rows"},
    {"scale", RKI_OPTION_NUMBER, offsetof(rki_embedding_settings, scale), 0, 1000, "1", NULL, "0.1",
        "standard deviation of the initial values"},
    {"frozen", RKI_OPTION_FLAG, offsetof(rki_embedding_settings, frozen), 0, 1, "0", NULL, "0.1",
        "1: the table gets no gradient"},
};
const rki_option_table rki_embedding_options = {"embedding", rows, sizeof rows / sizeof *rows};

static int32_t clear_padding(rnnkit_model *model, const rki_embedding_layer *self)
{
    const rki_device *device = model->context->device;
    size_t bytes = rki_device_bytes(device, self->layer.sizes[1]);
    if (self->settings.padding < 0 || model->source != NULL) return RNNKIT_OK;
    char *row = (char *)self->weight->value + (size_t)self->settings.padding * bytes;
    return device->ops->zero(device->self, row, bytes);
}

static int32_t build(rnnkit_model *model, rki_layer *layer)
{
    rki_embedding_layer *self = (rki_embedding_layer *)layer;
    if (layer->sizes[0] > INT32_MAX)
        return rki_fail(
            RNNKIT_E_SHAPE, "words is %lld, but ids are int32", (long long)layer->sizes[0]);
    if (self->settings.padding >= layer->sizes[0])
        return rki_fail(RNNKIT_E_OPTION, "option padding is %lld, but there are %lld words",
            (long long)self->settings.padding, (long long)layer->sizes[0]);
    rki_parameter_wish wish = {.layer = layer->name,
        .suffix = "weight",
        .dims = layer->sizes,
        .rank = 2,
        .role = RKI_ROLE_TABLE,
        .by_rows = self->settings.sparse,
        .initial = RKI_INITIAL_NORMAL,
        .scale = self->settings.scale};
    RKI_TRY(rki_model_add_parameter(model, &wish, &self->weight));
    self->weight->frozen = self->settings.frozen;
    return clear_padding(model, self);
}

static int32_t create_layer(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_embedding_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_embedding_kind = {
    .name = "embedding",
    .sizes = 2,
    .options = &rki_embedding_options,
    .settings = offsetof(rki_embedding_layer, settings),
    .bytes = sizeof(rki_embedding_layer),
    .handle = RKI_KIND_EMBEDDING,
    .build = build,
    .create = create_layer,
};

/* Handles. */

int32_t rnnkit_embedding_create(rnnkit_model *model, const char *name, int64_t words, int64_t width,
    const char *text, rnnkit_embedding **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {words, width};
    status = rki_layer_create(model, &rki_embedding_kind, name, sizes, text, (void **)out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_embedding_find(rnnkit_model *model, const char *name, rnnkit_embedding **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_find(model, RKI_KIND_EMBEDDING, name, (void **)out);
    return rki_leave(model->context, __func__, status);
}

void rnnkit_embedding_destroy(rnnkit_embedding *embedding)
{
    rki_layer_handle_destroy(embedding, RKI_KIND_EMBEDDING);
}

int32_t rnnkit_embedding_size(const rnnkit_embedding *embedding, int64_t *words, int64_t *width)
{
    int32_t status = rki_check(embedding, RKI_KIND_EMBEDDING, "embedding");
    if (status < 0) return rki_leave(NULL, __func__, status);
    if (words != NULL) *words = embedding->handle.layer->sizes[0];
    if (width != NULL) *width = embedding->handle.layer->sizes[1];
    return RNNKIT_OK;
}

/* Forward and backward. */

typedef struct embedding_node {
    rki_node node;
    rnnkit_model *model;
    const rki_embedding_layer *layer;
    int64_t count;
    const int32_t *ids;
    rnnkit_tensor *y;
} embedding_node;

static int32_t embedding_backward(rki_node *node, rnnkit_tape *tape)
{
    embedding_node *self = (embedding_node *)node;
    rki_parameter *weight = self->layer->weight;
    rki_row_groups groups;
    if (self->y->gradient == NULL || weight->frozen) return RNNKIT_OK;
    RKI_TRY(rki_row_groups_make(tape, self->ids, self->count, self->layer->layer.sizes[0],
        self->layer->settings.padding, &groups));
    if (groups.unique == 0) return RNNKIT_OK;
    rki_scatter call = {.unique = groups.unique,
        .width = self->layer->layer.sizes[1],
        .rows = groups.rows,
        .starts = groups.starts,
        .order = groups.order,
        .dy = self->y->gradient};
    RKI_TRY(rki_model_gradient(self->model, weight, &call.gradient));
    RKI_TRY(tape->device->ops->scatter(tape->device->self, &call));
    rki_parameter_touch_rows(weight, groups.rows, groups.unique);
    return RNNKIT_OK;
}

static int32_t check_ids(const rnnkit_embedding *embedding, const int32_t *ids, int64_t count)
{
    int64_t words = embedding->handle.layer->sizes[0];
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= words)
            return rki_fail(RNNKIT_E_ARGUMENT, "ids[%lld] is %d, expected 0 to %lld", (long long)i,
                (int)ids[i], (long long)words - 1);
    return RNNKIT_OK;
}

static int32_t record(rnnkit_embedding *embedding, rnnkit_tape *tape, const int32_t *ids,
    int64_t count, rnnkit_tensor *y)
{
    rki_node *node;
    void *copy;
    RKI_TRY(rki_tape_keep_model(tape, embedding->handle.model));
    RKI_TRY(rki_tape_host(tape, count, sizeof *ids, &copy));
    RKI_TRY(rki_tape_node(tape, sizeof(embedding_node), embedding_backward, &node));
    memcpy(copy, ids, (size_t)count * sizeof *ids);
    embedding_node *self = (embedding_node *)node;
    self->model = embedding->handle.model;
    self->layer = rki_embedding_of(embedding);
    self->count = count;
    self->ids = copy;
    self->y = y;
    rki_tape_record(tape, node);
    return RNNKIT_OK;
}

static int32_t forward(rnnkit_embedding *embedding, rnnkit_tape *tape, const int32_t *ids,
    int64_t steps, int64_t batch, rnnkit_tensor **out)
{
    rki_shape shape;
    rnnkit_tensor *y;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_check_pointer(ids, "ids"));
    RKI_TRY(rki_check_pointer(out, "out"));
    const rki_embedding_layer *layer = rki_embedding_of(embedding);
    const int64_t dims[3] = {steps, batch, layer->layer.sizes[1]};
    RKI_TRY(rki_shape_make(dims, 3, &shape));
    RKI_TRY(check_ids(embedding, ids, steps * batch));
    RKI_TRY(rki_tape_check_device(tape, embedding->handle.model->context->device));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &y));
    rki_gather call = {.count = steps * batch,
        .width = dims[2],
        .ids = ids,
        .table = layer->weight->value,
        .out = y->data,
        .format = layer->weight->format,
        .rows = layer->layer.sizes[0]};
    RKI_TRY(tape->device->ops->gather(tape->device->self, &call));
    if (tape->train) RKI_TRY(record(embedding, tape, ids, steps * batch, y));
    *out = y;
    return RNNKIT_OK;
}

int32_t rnnkit_embedding_forward(rnnkit_embedding *embedding, rnnkit_tape *tape, const int32_t *ids,
    int64_t steps, int64_t batch, rnnkit_tensor **out)
{
    int32_t status = rki_check(embedding, RKI_KIND_EMBEDDING, "embedding");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward(embedding, tape, ids, steps, batch, out);
    return rki_leave(embedding->handle.model->context, __func__, status);
}
