/* Softmax cross-entropy fused with the output layer.
 *
 * loss = mean over valid rows r of [log sum_v exp(z_rv) - z_r,target(r)],  z = x W^T + b
 *
 * and, with class weights, label smoothing or as a sum, what docs/math/softmax-cross-entropy.md
 * says.
 *
 * The one operation behind it computes loss and gradients together, so that logits are never held
 * and never computed twice; backward only scales them by the gradient that comes from above. Rows
 * that do not count are left out before, so they cost nothing.
 */
#include <string.h>

#include "nn/layers.h"
#include "nn/loss.h"

/* What the loss is made with, beside targets. */
typedef struct loss_settings {
    int64_t ignore_index;
    double label_smoothing;
    int32_t reduction;          /* rki_reduction */
    const float *class_weights; /* HOST, or NULL: all 1 */
} loss_settings;

static const rki_option options[] = {
    {"ignore_index", RKI_OPTION_INTEGER, offsetof(loss_settings, ignore_index), INT32_MIN,
        INT32_MAX, "-1", NULL, "0.1", "a target that costs nothing and does not count"},
    {"label_smoothing", RKI_OPTION_NUMBER, offsetof(loss_settings, label_smoothing), 0, 1, "0",
        NULL, "0.1", "how much of each target is spread evenly over all classes"},
    {"reduction", RKI_OPTION_CHOICE, offsetof(loss_settings, reduction), 0, 0, "mean",
        RKI_REDUCTIONS, "0.1", "mean by the weights of the rows' targets, or sum"},
};
const rki_option_table rki_cross_entropy_options = {
    "cross_entropy", options, sizeof options / sizeof *options};

/* The rows that count, and what stands for them. */
typedef struct valid_rows {
    int64_t count, all;
    int32_t *places; /* [count]: which rows of x */
    int32_t *targets;
    double weight; /* what their loss is divided by: the sum of their targets' weights */
    const void *x; /* [count][inputs] */
} valid_rows;

typedef struct loss_node {
    rki_node node;
    rnnkit_model *model;
    const rki_linear_layer *layer;
    rnnkit_tensor *x, *loss;
    valid_rows rows;
    void *dx, *dweight, *dbias; /* of the loss */
} loss_node;

/* Forward. */

static int32_t check_targets(
    const int32_t *targets, int64_t count, int64_t outputs, int64_t ignore_index)
{
    for (int64_t i = 0; i < count; i++)
        if (targets[i] != ignore_index && (targets[i] < 0 || targets[i] >= outputs))
            return rki_fail(RNNKIT_E_ARGUMENT,
                "targets[%lld] is %d, expected 0 to %lld or ignore_index = %lld", (long long)i,
                (int)targets[i], (long long)outputs - 1, (long long)ignore_index);
    return RNNKIT_OK;
}

static int32_t select_rows(rnnkit_tape *tape, const rnnkit_tensor *x, const int32_t *targets,
    const loss_settings *settings, valid_rows *rows)
{
    int64_t inputs = x->shape.dims[x->shape.rank - 1];
    void *block, *room;
    RKI_TRY(rki_tape_host(tape, 2 * rows->all + 1, sizeof(int32_t), &block));
    rows->places = block;
    rows->targets = rows->places + rows->all;
    for (int64_t i = 0; i < rows->all; i++) {
        if (targets[i] == settings->ignore_index) continue;
        rows->weight += settings->class_weights ? (double)settings->class_weights[targets[i]] : 1.0;
        rows->places[rows->count] = (int32_t)i;
        rows->targets[rows->count++] = targets[i];
    }
    rows->x = x->data;
    if (rows->count == rows->all || rows->count == 0) return RNNKIT_OK;
    RKI_TRY(rki_tape_device(tape, rows->count * inputs, &room));
    rows->x = room;
    rki_gather call = {
        .count = rows->count, .width = inputs, .ids = rows->places, .table = x->data, .out = room};
    return tape->device->ops->gather(tape->device->self, &call);
}

static int32_t gradient_rooms(rnnkit_tape *tape, loss_node *node, rki_softmax_loss *call)
{
    RKI_TRY(rki_tape_device(tape, call->rows * call->inputs, &call->dx));
    RKI_TRY(rki_tape_device(tape, call->classes * call->inputs, &call->dweight));
    if (call->bias != NULL) RKI_TRY(rki_tape_device(tape, call->classes, &call->dbias));
    node->dx = call->dx;
    node->dweight = call->dweight;
    node->dbias = call->dbias;
    return RNNKIT_OK;
}

/* The class weights where the device can read them. */
static int32_t place_weights(
    rnnkit_tape *tape, const loss_settings *settings, rki_softmax_loss *call)
{
    void *room;
    call->smoothing = settings->label_smoothing;
    call->class_weight_sum = (double)call->classes;
    if (settings->class_weights == NULL) return RNNKIT_OK;
    call->class_weight_sum = 0;
    for (int64_t v = 0; v < call->classes; v++)
        call->class_weight_sum += (double)settings->class_weights[v];
    RKI_TRY(rki_tape_device(tape, call->classes, &room));
    call->class_weights = room;
    return rki_device_write(
        tape->device, &tape->context->memory, room, settings->class_weights, call->classes);
}

static int32_t run(rnnkit_tape *tape, loss_node *node, const loss_settings *settings, double *value)
{
    const rki_linear_layer *layer = node->layer;
    double sum = 0;
    rki_softmax_loss call = {.rows = node->rows.count,
        .inputs = layer->layer.sizes[0],
        .classes = layer->layer.sizes[1],
        .scale = settings->reduction == RKI_REDUCTION_SUM ? 1 : 1 / node->rows.weight,
        .x = node->rows.x,
        .weight = layer->weight->value,
        .bias = layer->bias == NULL ? NULL : layer->bias->value,
        .targets = node->rows.targets,
        .format = layer->weight->format,
        .loss = &sum};
    if (tape->train) RKI_TRY(gradient_rooms(tape, node, &call));
    rki_arena_mark mark = rki_arena_here(&tape->device_arena);
    RKI_TRY(place_weights(tape, settings, &call));
    size_t bytes = tape->device->ops->softmax_loss_scratch(tape->device->self, &call);
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &call.scratch));
    int32_t status = tape->device->ops->softmax_loss(tape->device->self, &call);
    rki_arena_rewind(&tape->device_arena, mark);
    *value = settings->reduction == RKI_REDUCTION_SUM ? sum : sum / node->rows.weight;
    return status;
}

/* Backward. */

/* target += factor * values, for a parameter. */
static int32_t add_to_parameter(
    loss_node *self, rnnkit_tape *tape, rki_parameter *parameter, double factor, void *values)
{
    void *gradient;
    if (parameter->frozen) return RNNKIT_OK;
    RKI_TRY(rki_model_gradient(self->model, parameter, &gradient));
    rki_parameter_touch_everything(parameter);
    return tape->device->ops->add_scaled(
        tape->device->self, rki_shape_count(&parameter->shape), factor, values, gradient);
}

/* dx stands for the valid rows alone: put its rows in their places, and scale. */
static int32_t spread(loss_node *self, rnnkit_tape *tape, double factor, void *room)
{
    const rki_device *device = tape->device;
    int64_t inputs = self->layer->layer.sizes[0], all = self->rows.all;
    RKI_TRY(device->ops->zero(device->self, room, rki_device_bytes(device, all * inputs)));
    if (self->rows.count == all)
        return device->ops->add_scaled(device->self, all * inputs, factor, self->dx, room);
    void *block;
    RKI_TRY(rki_tape_host(tape, self->rows.count + 1, sizeof(int32_t), &block));
    int32_t *counting = block;
    for (int64_t i = 0; i <= self->rows.count; i++)
        counting[i] = (int32_t)i;
    rki_scatter call = {.unique = self->rows.count,
        .width = inputs,
        .rows = self->rows.places,
        .starts = counting,
        .order = counting,
        .dy = self->dx,
        .gradient = room};
    if (factor != 1) {
        void *scaled;
        RKI_TRY(rki_tape_device(tape, self->rows.count * inputs, &scaled));
        size_t bytes = rki_device_bytes(device, self->rows.count * inputs);
        RKI_TRY(device->ops->zero(device->self, scaled, bytes));
        RKI_TRY(device->ops->add_scaled(
            device->self, self->rows.count * inputs, factor, self->dx, scaled));
        call.dy = scaled;
    }
    return device->ops->scatter(device->self, &call);
}

static int32_t loss_backward(rki_node *node, rnnkit_tape *tape)
{
    loss_node *self = (loss_node *)node;
    double factor;
    void *room = self->dx;
    if (self->loss->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(rki_device_read_number(tape->device, self->loss->gradient, &factor));
    RKI_TRY(add_to_parameter(self, tape, self->layer->weight, factor, self->dweight));
    if (self->dbias != NULL)
        RKI_TRY(add_to_parameter(self, tape, self->layer->bias, factor, self->dbias));
    if (!self->x->needs_gradient) return RNNKIT_OK;
    if (factor != 1 || self->rows.count != self->rows.all) {
        RKI_TRY(rki_tape_gradient_room(self->x, &room));
        RKI_TRY(spread(self, tape, factor, room));
    }
    return rki_tape_gradient_adopt(self->x, room);
}

/* Without a row that counts the loss is 0, and so is a mean over rows of no weight. */
static int32_t compute(rnnkit_linear *linear, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *targets, const loss_settings *settings, rnnkit_tensor *loss)
{
    rki_node *node;
    RKI_TRY(rki_tape_node(tape, sizeof(loss_node), loss_backward, &node));
    loss_node *self = (loss_node *)node;
    double value = 0;
    self->model = linear->handle.model;
    self->layer = rki_linear_of(linear);
    self->x = x;
    self->loss = loss;
    self->rows.all = rki_shape_count(&x->shape) / linear->handle.layer->sizes[0];
    RKI_TRY(select_rows(tape, x, targets, settings, &self->rows));
    int summed = settings->reduction == RKI_REDUCTION_SUM;
    int counts = self->rows.count > 0 && (summed || self->rows.weight > 0);
    if (counts) RKI_TRY(run(tape, self, settings, &value));
    RKI_TRY(rki_device_write_number(tape->device, loss->data, value));
    if (!tape->train || !counts) return RNNKIT_OK;
    RKI_TRY(rki_tape_keep_model(tape, linear->handle.model));
    rki_tape_record(tape, node);
    return RNNKIT_OK;
}

static int32_t forward(rnnkit_linear *linear, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *targets, int64_t count, const loss_settings *settings, rnnkit_tensor **out)
{
    const int64_t one = 1;
    char text[RKI_SHAPE_TEXT];
    rki_shape shape;
    rnnkit_tensor *loss;
    RKI_TRY(rki_linear_check_input(linear, tape, x));
    RKI_TRY(rki_check_pointer(targets, "targets"));
    RKI_TRY(rki_check_pointer(out, "loss"));
    int64_t rows = rki_shape_count(&x->shape) / linear->handle.layer->sizes[0];
    if (count != rows || rows > INT32_MAX)
        return rki_fail(RNNKIT_E_SHAPE, "there are %lld targets, but x has shape %s",
            (long long)count, rki_shape_text(&x->shape, text));
    RKI_TRY(check_targets(targets, count, linear->handle.layer->sizes[1], settings->ignore_index));
    RKI_TRY(rki_shape_make(&one, 1, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &loss));
    RKI_TRY(compute(linear, tape, x, targets, settings, loss));
    *out = loss;
    return RNNKIT_OK;
}

int32_t rnnkit_linear_cross_entropy(rnnkit_linear *linear, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *targets, int64_t count, int32_t ignore_index, rnnkit_tensor **loss)
{
    int32_t status = rki_check(linear, RKI_KIND_LINEAR, "linear");
    if (status < 0) return rki_leave(NULL, __func__, status);
    const loss_settings settings = {.ignore_index = ignore_index};
    status = forward(linear, tape, x, targets, count, &settings, loss);
    return rki_leave(linear->handle.model->context, __func__, status);
}

static int32_t check_class_weights(const float *weights, int64_t count, int64_t outputs)
{
    if (weights == NULL && count == 0) return RNNKIT_OK;
    RKI_TRY(rki_check_pointer(weights, "class_weights"));
    if (count != outputs)
        return rki_fail(RNNKIT_E_SHAPE, "there are %lld class weights, expected outputs = %lld",
            (long long)count, (long long)outputs);
    return rki_check_weights(weights, count, "class_weights");
}

static int32_t forward_with_options(rnnkit_linear *linear, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *targets, int64_t count, const float *class_weights, int64_t class_count,
    const char *text, rnnkit_tensor **loss)
{
    loss_settings settings;
    RKI_TRY(rki_options_parse(&rki_cross_entropy_options, text, &settings));
    settings.class_weights = class_weights;
    RKI_TRY(check_class_weights(class_weights, class_count, linear->handle.layer->sizes[1]));
    return forward(linear, tape, x, targets, count, &settings, loss);
}

int32_t rnnkit_linear_cross_entropy_with_options(rnnkit_linear *linear, rnnkit_tape *tape,
    rnnkit_tensor *x, const int32_t *targets, int64_t count, const float *class_weights,
    int64_t class_count, const char *text, rnnkit_tensor **loss)
{
    int32_t status = rki_check(linear, RKI_KIND_LINEAR, "linear");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward_with_options(
        linear, tape, x, targets, count, class_weights, class_count, text, loss);
    return rki_leave(linear->handle.model->context, __func__, status);
}
