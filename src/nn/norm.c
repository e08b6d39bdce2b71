/* Layer normalisation: parameters as PyTorch's nn.LayerNorm; one operation each way
 * (backend/norm.h). */
#include "rnnkit/norm.h"
#include "nn/layers.h"

typedef struct norm_settings {
    double epsilon;
} norm_settings;

typedef struct norm_layer {
    rki_layer layer; /* sizes: width */
    norm_settings settings;
    rki_parameter *weight, *bias;
} norm_layer;

struct rnnkit_norm {
    rki_layer_handle handle;
};

static const rki_option rows[] = {
    {"epsilon", RKI_OPTION_NUMBER, offsetof(norm_settings, epsilon), 1e-30, 1, "0.00001", NULL,
        "0.1", "added to the variance"},
};
const rki_option_table rki_norm_options = {"norm", rows, sizeof rows / sizeof *rows};

/* The layer. */

static int32_t set_ones(const rnnkit_model *model, const rki_parameter *weight)
{
    const rki_device *device = model->context->device;
    const rki_memory *memory = &model->context->memory;
    int64_t count = rki_shape_count(&weight->shape);
    void *block;
    if (model->source != NULL) return RNNKIT_OK;
    RKI_TRY(rki_allocate(memory, count, sizeof(float), "a norm's weight", &block));
    float *ones = block;
    for (int64_t j = 0; j < count; j++)
        ones[j] = 1;
    int32_t status = rki_device_write(device, memory, weight->value, ones, count);
    rki_release(memory, block);
    return status;
}

static int32_t build(rnnkit_model *model, rki_layer *layer)
{
    norm_layer *self = (norm_layer *)layer;
    rki_parameter_wish wish = {.layer = layer->name,
        .suffix = "weight",
        .dims = layer->sizes,
        .rank = 1,
        .initial = RKI_INITIAL_ZERO};
    RKI_TRY(rki_model_add_parameter(model, &wish, &self->weight));
    RKI_TRY(set_ones(model, self->weight));
    wish.suffix = "bias";
    return rki_model_add_parameter(model, &wish, &self->bias);
}

static int32_t create_layer(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_norm_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_norm_kind = {
    .name = "norm",
    .sizes = 1,
    .options = &rki_norm_options,
    .settings = offsetof(norm_layer, settings),
    .bytes = sizeof(norm_layer),
    .handle = RKI_KIND_NORM,
    .build = build,
    .create = create_layer,
};

int32_t rnnkit_norm_create(
    rnnkit_model *model, const char *name, int64_t width, const char *options, rnnkit_norm **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_create(model, &rki_norm_kind, name, &width, options, (void **)out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_norm_find(rnnkit_model *model, const char *name, rnnkit_norm **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_find(model, RKI_KIND_NORM, name, (void **)out);
    return rki_leave(model->context, __func__, status);
}

void rnnkit_norm_destroy(rnnkit_norm *norm)
{
    rki_layer_handle_destroy(norm, RKI_KIND_NORM);
}

/* The passes. */

typedef struct norm_node {
    rki_node node;
    rnnkit_model *model;
    const norm_layer *layer;
    int64_t rows;
    void *stash;
    rnnkit_tensor *x, *y;
} norm_node;

static int32_t norm_backward(rki_node *node, rnnkit_tape *tape)
{
    norm_node *self = (norm_node *)node;
    const norm_layer *layer = self->layer;
    if (self->y->gradient == NULL) return RNNKIT_OK;
    rki_norm_backward call = {.rows = self->rows,
        .width = layer->layer.sizes[0],
        .x = self->x->data,
        .weight = layer->weight->value,
        .stash = self->stash,
        .dy = self->y->gradient};
    RKI_TRY(rki_model_gradient(self->model, layer->weight, &call.dweight));
    RKI_TRY(rki_model_gradient(self->model, layer->bias, &call.dbias));
    rki_parameter_touch_everything(layer->weight);
    rki_parameter_touch_everything(layer->bias);
    RKI_TRY(rki_tape_gradient_room(self->x, &call.dx));
    RKI_TRY(tape->device->ops->norm_backward(tape->device->self, &call));
    return self->x->needs_gradient ? rki_tape_gradient_adopt(self->x, call.dx) : RNNKIT_OK;
}

static int32_t check_input(const rnnkit_norm *norm, rnnkit_tape *tape, const rnnkit_tensor *x)
{
    char text[RKI_SHAPE_TEXT];
    int64_t width = norm->handle.layer->sizes[0];
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check_device(tape, norm->handle.model->context->device));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    if (x->shape.dims[x->shape.rank - 1] == width) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "x has shape %s, the last dimension must be width = %lld",
        rki_shape_text(&x->shape, text), (long long)width);
}

static int32_t forward(rnnkit_norm *norm, rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out)
{
    const norm_layer *layer = (const norm_layer *)norm->handle.layer;
    rki_node *node;
    RKI_TRY(check_input(norm, tape, x));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_tape_node(tape, sizeof(norm_node), norm_backward, &node));
    norm_node *self = (norm_node *)node;
    self->model = norm->handle.model;
    self->layer = layer;
    self->rows = rki_shape_count(&x->shape) / layer->layer.sizes[0];
    self->x = x;
    RKI_TRY(rki_tape_tensor(tape, &x->shape, 1, &self->y));
    RKI_TRY(rki_tape_device(tape, 2 * self->rows, &self->stash));
    rki_norm_forward call = {.rows = self->rows,
        .width = layer->layer.sizes[0],
        .epsilon = layer->settings.epsilon,
        .x = x->data,
        .weight = layer->weight->value,
        .bias = layer->bias->value,
        .y = self->y->data,
        .stash = self->stash};
    RKI_TRY(tape->device->ops->norm_forward(tape->device->self, &call));
    if (tape->train) {
        RKI_TRY(rki_tape_keep_model(tape, self->model));
        rki_tape_record(tape, node);
    }
    *out = self->y;
    return RNNKIT_OK;
}

int32_t rnnkit_norm_forward(
    rnnkit_norm *norm, rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out)
{
    int32_t status = rki_check(norm, RKI_KIND_NORM, "norm");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(norm->handle.model->context, __func__, forward(norm, tape, x, out));
}
