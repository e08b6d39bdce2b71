/* Multi-head self-attention (Vaswani et al. 2017), parameters as PyTorch's nn.MultiheadAttention:
 *
 *   [q; k; v] = W_in x + b_in, each head a block of columns in each of the three
 *   context = attention of q to k and v, scores q . k / sqrt(width / heads)
 *   out = W_out context + b_out
 */
#include <math.h>

#include "nn/attention.h"
#include "nn/columns.h"
#include "rnnkit/multihead.h"

typedef struct multihead_settings {
    int32_t bias, causal;
} multihead_settings;

typedef struct multihead_layer {
    rki_layer layer; /* sizes: width, heads */
    multihead_settings settings;
    rki_parameter *in_weight, *in_bias, *out_weight, *out_bias; /* biases or NULL */
} multihead_layer;

struct rnnkit_multihead {
    rki_layer_handle handle;
};

enum { PARTS = 3 /* q, k, v */ };

static const rki_option rows[] = {
    {"bias", RKI_OPTION_FLAG, offsetof(multihead_settings, bias), 0, 1, "1", NULL, "0.1",
        "0: no biases"},
    {"causal", RKI_OPTION_FLAG, offsetof(multihead_settings, causal), 0, 1, "0", NULL, "0.1",
        "1: a step looks at itself and those before it"},
};
const rki_option_table rki_multihead_options = {"multihead", rows, sizeof rows / sizeof *rows};

/* The layer. */

static int32_t add(rnnkit_model *model, const multihead_layer *self, const char *suffix,
    int64_t outputs, int64_t rank, double scale, rki_parameter **out)
{
    const int64_t dims[2] = {outputs, self->layer.sizes[0]};
    rki_parameter_wish wish = {.layer = self->layer.name,
        .suffix = suffix,
        .dims = dims,
        .rank = rank,
        .role = rank == 2 ? RKI_ROLE_FACTOR : RKI_ROLE_OTHER,
        .initial = rank == 2 ? RKI_INITIAL_UNIFORM : RKI_INITIAL_ZERO,
        .scale = scale};
    return rki_model_add_parameter(model, &wish, out);
}

static int32_t build(rnnkit_model *model, rki_layer *layer)
{
    multihead_layer *self = (multihead_layer *)layer;
    int64_t width = layer->sizes[0], heads = layer->sizes[1], all;
    if (width % heads != 0)
        return rki_fail(RNNKIT_E_SHAPE, "width is %lld, expected a multiple of heads = %lld",
            (long long)width, (long long)heads);
    RKI_TRY(rki_multiply(width, PARTS, &all));
    RKI_TRY(
        add(model, self, "in_proj_weight", all, 2, sqrt(1.5 / (double)width), &self->in_weight));
    if (self->settings.bias) RKI_TRY(add(model, self, "in_proj_bias", all, 1, 0, &self->in_bias));
    RKI_TRY(
        add(model, self, "out_proj.weight", width, 2, 1 / sqrt((double)width), &self->out_weight));
    if (!self->settings.bias) return RNNKIT_OK;
    return add(model, self, "out_proj.bias", width, 1, 0, &self->out_bias);
}

static int32_t create_layer(
    rnnkit_model *model, const char *name, const int64_t *sizes, const char *text)
{
    rki_layer *layer;
    return rki_layer_add(model, &rki_multihead_kind, name, sizes, text, &layer);
}

const rki_layer_kind rki_multihead_kind = {
    .name = "multihead",
    .sizes = 2,
    .options = &rki_multihead_options,
    .settings = offsetof(multihead_layer, settings),
    .bytes = sizeof(multihead_layer),
    .handle = RKI_KIND_MULTIHEAD,
    .build = build,
    .create = create_layer,
};

int32_t rnnkit_multihead_create(rnnkit_model *model, const char *name, int64_t width, int64_t heads,
    const char *options, rnnkit_multihead **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const int64_t sizes[2] = {width, heads};
    status = rki_layer_create(model, &rki_multihead_kind, name, sizes, options, (void **)out);
    return rki_leave(model->context, __func__, status);
}

int32_t rnnkit_multihead_find(rnnkit_model *model, const char *name, rnnkit_multihead **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = rki_layer_find(model, RKI_KIND_MULTIHEAD, name, (void **)out);
    return rki_leave(model->context, __func__, status);
}

void rnnkit_multihead_destroy(rnnkit_multihead *multihead)
{
    rki_layer_handle_destroy(multihead, RKI_KIND_MULTIHEAD);
}

/* The passes. */

typedef struct multihead_node {
    rki_node node;
    rnnkit_model *model;
    const multihead_layer *layer;
    int64_t rows;
    rki_attention call;
    void *context;
    rnnkit_tensor *x, *out, *seen;
} multihead_node;

static rki_columns in_columns(const multihead_layer *layer)
{
    return (rki_columns){layer->in_weight, 0, layer->layer.sizes[0]};
}

static rki_columns out_columns(const multihead_layer *layer)
{
    return (rki_columns){layer->out_weight, 0, layer->layer.sizes[0]};
}

/* dz, the gradient of [q; k; v], from that of the context. */
static int32_t through_attention(
    multihead_node *self, rnnkit_tape *tape, const void *dcontext, void *dz)
{
    const rki_device *device = tape->device;
    int64_t width = self->layer->layer.sizes[0];
    rki_attention_backward query = {.attention = self->call,
        .weights = self->seen->data,
        .dcontext = dcontext,
        .dweights = self->seen->gradient,
        .dq = dz};
    RKI_TRY(rki_tape_device(tape, rki_shape_count(&self->seen->shape), &query.dscores));
    RKI_TRY(device->ops->attention_backward(device->self, &query));
    return rki_attention_run_source(tape, (rki_attention_source){.attention = self->call,
                                              .weights = self->seen->data,
                                              .dscores = query.dscores,
                                              .dcontext = dcontext,
                                              .dkeys = rki_tape_at(tape, dz, width),
                                              .dvalues = rki_tape_at(tape, dz, 2 * width)});
}

/* The context's gradient; zeros when only weights were used. */
static int32_t through_output(multihead_node *self, rnnkit_tape *tape, void *dcontext)
{
    const rki_device *device = tape->device;
    const void *dy = self->out->gradient;
    if (dy == NULL)
        return device->ops->zero(device->self, dcontext,
            rki_device_bytes(device, self->rows * self->layer->layer.sizes[0]));
    RKI_TRY(rki_columns_learn(
        tape, self->model, out_columns(self->layer), self->rows, dy, self->context));
    RKI_TRY(rki_bias_learn(tape, self->model, self->layer->out_bias, self->rows, dy));
    return rki_columns_back(tape, out_columns(self->layer), self->rows, dy, 0, dcontext);
}

static int32_t multihead_backward(rki_node *node, rnnkit_tape *tape)
{
    multihead_node *self = (multihead_node *)node;
    int64_t width = self->layer->layer.sizes[0];
    void *dcontext, *dz, *dx;
    if (self->out->gradient == NULL && self->seen->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(rki_tape_device(tape, self->rows * width, &dcontext));
    RKI_TRY(rki_tape_device(tape, self->rows * width * PARTS, &dz));
    RKI_TRY(through_output(self, tape, dcontext));
    RKI_TRY(through_attention(self, tape, dcontext, dz));
    RKI_TRY(rki_columns_learn(
        tape, self->model, in_columns(self->layer), self->rows, dz, self->x->data));
    RKI_TRY(rki_bias_learn(tape, self->model, self->layer->in_bias, self->rows, dz));
    if (!self->x->needs_gradient) return RNNKIT_OK;
    RKI_TRY(rki_tape_gradient_room(self->x, &dx));
    RKI_TRY(rki_columns_back(tape, in_columns(self->layer), self->rows, dz, 0, dx));
    return rki_tape_gradient_adopt(self->x, dx);
}

static int32_t look(rnnkit_tape *tape, multihead_node *self)
{
    const multihead_layer *layer = self->layer;
    int64_t width = layer->layer.sizes[0];
    void *z;
    RKI_TRY(rki_tape_device(tape, self->rows * width * PARTS, &z));
    RKI_TRY(rki_tape_device(tape, self->rows * width, &self->context));
    RKI_TRY(rki_columns_product(
        tape, in_columns(layer), self->rows, self->x->data, layer->in_bias, 0, z));
    self->call.q = z;
    self->call.keys = rki_tape_at(tape, z, width);
    self->call.values = rki_tape_at(tape, z, 2 * width);
    rki_attention_forward call = {self->call, self->seen->data, self->context};
    RKI_TRY(tape->device->ops->attention_forward(tape->device->self, &call));
    return rki_columns_product(
        tape, out_columns(layer), self->rows, self->context, layer->out_bias, 0, self->out->data);
}

static rki_attention arguments(
    const multihead_layer *layer, int64_t steps, int64_t batch, const int32_t *lengths)
{
    int64_t width = layer->layer.sizes[0], heads = layer->layer.sizes[1];
    return (rki_attention){.score = RKI_SCORE_DOT,
        .causal = layer->settings.causal,
        .queries = steps,
        .positions = steps,
        .batch = batch,
        .heads = heads,
        .width = width,
        .value_width = width,
        .scale = 1 / sqrt((double)(width / heads)),
        .lengths = lengths,
        .query_lengths = lengths,
        .ldq = PARTS * width,
        .ldkeys = PARTS * width,
        .ldvalues = PARTS * width};
}

static int32_t check_input(
    const rnnkit_multihead *multihead, rnnkit_tape *tape, const rnnkit_tensor *x)
{
    char text[RKI_SHAPE_TEXT];
    int64_t width = multihead->handle.layer->sizes[0];
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check_device(tape, multihead->handle.model->context->device));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    if (x->shape.rank == 3 && x->shape.dims[2] == width) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "x has shape %s, expected [steps, batch, %lld]",
        rki_shape_text(&x->shape, text), (long long)width);
}

static int32_t forward(rnnkit_multihead *multihead, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_tensor **out, rnnkit_tensor **weights)
{
    const multihead_layer *layer = (const multihead_layer *)multihead->handle.layer;
    const int32_t *copy;
    rki_shape shape;
    rki_node *node;
    RKI_TRY(check_input(multihead, tape, x));
    RKI_TRY(rki_check_pointer(out, "out"));
    int64_t steps = x->shape.dims[0], batch = x->shape.dims[1];
    const int64_t seen[4] = {layer->layer.sizes[1], steps, batch, steps};
    RKI_TRY(rki_shape_make(seen, 4, &shape));
    RKI_TRY(rki_attention_lengths(tape, lengths, batch, steps, &copy));
    RKI_TRY(rki_tape_node(tape, sizeof(multihead_node), multihead_backward, &node));
    multihead_node *self = (multihead_node *)node;
    self->model = multihead->handle.model;
    self->layer = layer;
    self->rows = steps * batch;
    self->call = arguments(layer, steps, batch, copy);
    self->x = x;
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &self->seen));
    RKI_TRY(rki_tape_tensor(tape, &x->shape, 1, &self->out));
    RKI_TRY(look(tape, self));
    if (tape->train) {
        RKI_TRY(rki_tape_keep_model(tape, self->model));
        rki_tape_record(tape, node);
    }
    *out = self->out;
    if (weights != NULL) *weights = self->seen;
    return RNNKIT_OK;
}

int32_t rnnkit_multihead_forward(rnnkit_multihead *multihead, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *lengths, rnnkit_tensor **out, rnnkit_tensor **weights)
{
    int32_t status = rki_check(multihead, RKI_KIND_MULTIHEAD, "multihead");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward(multihead, tape, x, lengths, out, weights);
    return rki_leave(multihead->handle.model->context, __func__, status);
}
