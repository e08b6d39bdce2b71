/* Linear: y = x W^T + b over the last dimension; the weight is its own or an embedding's (tied). */
#include <math.h>
#include <string.h>

#include "io/safetensors.h"
#include "nn/layers.h"

static const rki_option rows[] = {
    {"bias", RKI_OPTION_FLAG, offsetof(rki_linear_settings, bias), 0, 1, "1", NULL, "0.1",
        "0: no bias"},
    {"tie", RKI_OPTION_TEXT, offsetof(rki_linear_settings, tie), 0, 0, "", NULL, "0.1",
        "name of an embedding of the same model whose table is this layer's weight"},
};
const rki_option_table rki_linear_options = {"linear", rows, sizeof rows / sizeof *rows};

static int32_t tie(rnnkit_model *model, rki_linear_layer *self)
{
    char shown[RKI_ST_SHOWN];
    const char *name = self->settings.tie;
    const rki_layer *other = rki_model_layer(model, name);
    if (other == NULL || other->kind != &rki_embedding_kind)
        return rki_fail(RNNKIT_E_NOT_FOUND, "option tie: the model has no embedding \"%s\"",
            rki_st_shown(name, shown));
    int64_t inputs = self->layer.sizes[0], outputs = self->layer.sizes[1];
    if (other->sizes[0] != outputs || other->sizes[1] != inputs)
        return rki_fail(RNNKIT_E_SHAPE,
            "option tie: embedding \"%s\" has shape [%lld, %lld], expected [%lld, %lld]",
            rki_st_shown(name, shown), (long long)other->sizes[0], (long long)other->sizes[1],
            (long long)outputs, (long long)inputs);
    self->weight = ((const rki_embedding_layer *)other)->weight;
    return rki_model_share_table(model, self->weight);
}

static int32_t build(rnnkit_model *model, rki_layer *layer)
{
    rki_linear_layer *self = (rki_linear_layer *)layer;
    const int64_t dims[2] = {layer->sizes[1], layer->sizes[0]};
    rki_parameter_wish wish = {.layer = layer->name,
        .suffix = "weight",
        .dims = dims,
        .rank = 2,
        .role = RKI_ROLE_WEIGHT,
        .initial = RKI_INITIAL_UNIFORM,
        .scale = 1 / sqrt((double)layer->sizes[0])};
    if (layer->sizes[1] > INT32_MAX)
        return rki_fail(
            RNNKIT_E_SHAPE, "outputs is %lld, but targets are int32", (long long)layer->sizes[1]);
    if (self->settings.tie[0] != '\0')
        RKI_TRY(tie(model, self));
    else
        RKI_TRY(rki_model_add_parameter(model, &wish, &self->weight));
    wish.suffix = "bias";
    wish.rank = 1;
    wish.role = RKI_ROLE_OTHER;
    return self->settings.bias ? rki_model_add_parameter(model, &wish, &self->bias) : RNNKIT_OK;
}

static int32_t create_layer(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_linear_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_linear_kind = {
    .name = "linear",
    .sizes = 2,
    .options = &rki_linear_options,
    .settings = offsetof(rki_linear_layer, settings),
    .bytes = sizeof(rki_linear_layer),
    .handle = RKI_KIND_LINEAR,
    .build = build,
    .create = create_layer,
};

/* Handles. */

int32_t rnnkit_linear_create(rnnkit_model *model, const char *name, int64_t inputs, int64_t outputs,
    const char *text, rnnkit_linear **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {inputs, outputs};
    status = rki_layer_create(model, &rki_linear_kind, name, sizes, text, (void **)out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_linear_find(rnnkit_model *model, const char *name, rnnkit_linear **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_find(model, RKI_KIND_LINEAR, name, (void **)out);
    return rki_leave(model->context, __func__, status);
}

void rnnkit_linear_destroy(rnnkit_linear *linear)
{
    rki_layer_handle_destroy(linear, RKI_KIND_LINEAR);
}

int32_t rnnkit_linear_size(const rnnkit_linear *linear, int64_t *inputs, int64_t *outputs)
{
    int32_t status = rki_check(linear, RKI_KIND_LINEAR, "linear");
    if (status < 0) return rki_leave(NULL, __func__, status);
    if (inputs != NULL) *inputs = linear->handle.layer->sizes[0];
    if (outputs != NULL) *outputs = linear->handle.layer->sizes[1];
    return RNNKIT_OK;
}

/* Forward and backward. */

typedef struct linear_node {
    rki_node node;
    rnnkit_model *model;
    const rki_linear_layer *layer;
    int64_t rows;
    rnnkit_tensor *x, *y;
} linear_node;

static int32_t add_weight_gradients(linear_node *self, rnnkit_tape *tape)
{
    const rki_linear_layer *layer = self->layer;
    int64_t inputs = layer->layer.sizes[0], outputs = layer->layer.sizes[1];
    void *dweight, *dbias;
    if (!layer->weight->frozen) {
        RKI_TRY(rki_model_gradient(self->model, layer->weight, &dweight));
        RKI_TRY(rki_tape_gemm(tape, (rki_gemm){.transpose_a = 1,
                                        .accumulate = 1,
                                        .m = outputs,
                                        .n = inputs,
                                        .k = self->rows,
                                        .a = self->y->gradient,
                                        .lda = outputs,
                                        .b = self->x->data,
                                        .ldb = inputs,
                                        .c = dweight,
                                        .ldc = inputs}));
        rki_parameter_touch_everything(layer->weight);
    }
    if (layer->bias == NULL) return RNNKIT_OK;
    RKI_TRY(rki_model_gradient(self->model, layer->bias, &dbias));
    rki_parameter_touch_everything(layer->bias);
    return tape->device->ops->column_sum(
        tape->device->self, self->rows, outputs, self->y->gradient, 1, dbias);
}

static int32_t linear_backward(rki_node *node, rnnkit_tape *tape)
{
    linear_node *self = (linear_node *)node;
    int64_t inputs = self->layer->layer.sizes[0], outputs = self->layer->layer.sizes[1];
    void *dx;
    if (self->y->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(add_weight_gradients(self, tape));
    if (!self->x->needs_gradient) return RNNKIT_OK;
    RKI_TRY(rki_tape_gradient_room(self->x, &dx));
    RKI_TRY(rki_tape_gemm(tape, (rki_gemm){.m = self->rows,
                                    .n = inputs,
                                    .k = outputs,
                                    .a = self->y->gradient,
                                    .lda = outputs,
                                    .b = self->layer->weight->value,
                                    .ldb = inputs,
                                    .c = dx,
                                    .ldc = inputs}));
    return rki_tape_gradient_adopt(self->x, dx);
}

static int32_t record(
    rnnkit_linear *linear, rnnkit_tape *tape, int64_t rows_of_x, rnnkit_tensor *x, rnnkit_tensor *y)
{
    rki_node *node;
    RKI_TRY(rki_tape_keep_model(tape, linear->handle.model));
    RKI_TRY(rki_tape_node(tape, sizeof(linear_node), linear_backward, &node));
    linear_node *self = (linear_node *)node;
    self->model = linear->handle.model;
    self->layer = rki_linear_of(linear);
    self->rows = rows_of_x;
    self->x = x;
    self->y = y;
    rki_tape_record(tape, node);
    return RNNKIT_OK;
}

int32_t rki_linear_check_input(
    const rnnkit_linear *linear, rnnkit_tape *tape, const rnnkit_tensor *x)
{
    char text[RKI_SHAPE_TEXT];
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    RKI_TRY(rki_tape_check_device(tape, linear->handle.model->context->device));
    int64_t inputs = linear->handle.layer->sizes[0];
    if (x->shape.dims[x->shape.rank - 1] == inputs) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "x has shape %s, the last dimension must be inputs = %lld",
        rki_shape_text(&x->shape, text), (long long)inputs);
}

static int32_t forward(
    rnnkit_linear *linear, rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out)
{
    rki_shape shape;
    rnnkit_tensor *y;
    RKI_TRY(rki_linear_check_input(linear, tape, x));
    RKI_TRY(rki_check_pointer(out, "out"));
    const rki_linear_layer *layer = rki_linear_of(linear);
    int64_t inputs = layer->layer.sizes[0], outputs = layer->layer.sizes[1];
    int64_t count = rki_shape_count(&x->shape) / inputs;
    int64_t dims[RKI_RANK];
    memcpy(dims, x->shape.dims, sizeof dims);
    dims[x->shape.rank - 1] = outputs;
    RKI_TRY(rki_shape_make(dims, x->shape.rank, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &y));
    RKI_TRY(rki_tape_gemm(tape, (rki_gemm){.transpose_b = 1,
                                    .m = count,
                                    .n = outputs,
                                    .k = inputs,
                                    .a = x->data,
                                    .lda = inputs,
                                    .b = layer->weight->value,
                                    .ldb = inputs,
                                    .bias = layer->bias == NULL ? NULL : layer->bias->value,
                                    .c = y->data,
                                    .ldc = outputs,
                                    .b_format = layer->weight->format,
                                    .b_rows = outputs}));
    if (tape->train) RKI_TRY(record(linear, tape, count, x, y));
    *out = y;
    return RNNKIT_OK;
}

int32_t rnnkit_linear_forward(
    rnnkit_linear *linear, rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out)
{
    int32_t status = rki_check(linear, RKI_KIND_LINEAR, "linear");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward(linear, tape, x, out);
    return rki_leave(linear->handle.model->context, __func__, status);
}
