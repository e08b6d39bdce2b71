/* Losses of each element by itself, on a tape. Equations: docs/math/pointwise-losses.md.
 *
 * Targets and weights are constants, so the one operation behind it computes the loss and the
 * gradient of x together; backward only scales it by what comes from above. The mean is weighted:
 * sum_i w_i l_i / sum_i w_i, so an element whose weight is 0 is as good as absent.
 */
#include <math.h>
#include <string.h>

#include "autodiff/tape.h"
#include "base/nearest.h"
#include "nn/loss.h"
#include "rnnkit/loss.h"

typedef struct loss_settings {
    int32_t reduction; /* rki_reduction */
    double pos_weight, delta;
} loss_settings;

static const rki_option rows[] = {
    {"reduction", RKI_OPTION_CHOICE, offsetof(loss_settings, reduction), 0, 0, "mean",
        RKI_REDUCTIONS, "0.1", "mean by the weights, or sum"},
    {"pos_weight", RKI_OPTION_NUMBER, offsetof(loss_settings, pos_weight), 0, 1e30, "1", NULL,
        "0.1", "binary_cross_entropy: how much a positive target weighs"},
    {"delta", RKI_OPTION_NUMBER, offsetof(loss_settings, delta), 1e-30, 1e30, "1", NULL, "0.1",
        "huber: the error at which the loss goes from square to linear"},
};
const rki_option_table rki_pointwise_loss_options = {
    "pointwise_loss", rows, sizeof rows / sizeof *rows};

int32_t rki_check_weights(const float *weights, int64_t count, const char *argument)
{
    for (int64_t i = 0; i < count; i++)
        if (!(weights[i] >= 0 && isfinite(weights[i])))
            return rki_fail(RNNKIT_E_ARGUMENT,
                "%s[%lld] is %g, expected a finite number of at least 0", argument, (long long)i,
                (double)weights[i]);
    return RNNKIT_OK;
}

/* The constants of one call, on the host. */
typedef struct constants {
    const float *targets;
    int64_t count;
    const float *weights; /* or NULL: all 1 */
    int64_t weight_count;
} constants;

typedef struct loss_node {
    rki_node node;
    rnnkit_tensor *x, *loss;
    void *dx; /* of the loss */
} loss_node;

static int32_t find_rule(const char *kind, rki_pointwise *rule)
{
    static const char *const names[] = {
        "binary_cross_entropy", "squared_error", "absolute_error", "huber"};
    RKI_TRY(rki_check_pointer(kind, "kind"));
    rki_nearest nearest = rki_nearest_start(kind, strlen(kind));
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
        if (strcmp(names[i], kind) == 0) {
            *rule = (rki_pointwise)i;
            return RNNKIT_OK;
        }
        rki_nearest_offer(&nearest, names[i]);
    }
    if (nearest.best == NULL)
        return rki_fail(RNNKIT_E_ARGUMENT,
            "kind is '%.40s', expected binary_cross_entropy, squared_error, absolute_error or "
            "huber",
            kind);
    return rki_fail(RNNKIT_E_ARGUMENT, "kind is '%.40s'; did you mean '%s'?", kind, nearest.best);
}

static double weight_of(const constants *c, int64_t i)
{
    return c->weights == NULL ? 1 : (double)c->weights[i / (c->count / c->weight_count)];
}

/* The weights say which targets are looked at. */
static int32_t check_targets(const constants *c, rki_pointwise rule)
{
    if (rule != RKI_BINARY_CROSS_ENTROPY) return RNNKIT_OK;
    for (int64_t i = 0; i < c->count; i++)
        if (weight_of(c, i) != 0 && !(c->targets[i] >= 0 && c->targets[i] <= 1))
            return rki_fail(RNNKIT_E_ARGUMENT, "targets[%lld] is %g, expected 0 to 1", (long long)i,
                (double)c->targets[i]);
    return RNNKIT_OK;
}

static int32_t check_constants(const constants *c, const rki_shape *shape)
{
    char text[RKI_SHAPE_TEXT];
    RKI_TRY(rki_check_pointer(c->targets, "targets"));
    if (c->count != rki_shape_count(shape))
        return rki_fail(RNNKIT_E_SHAPE, "there are %lld targets, but x has shape %s",
            (long long)c->count, rki_shape_text(shape, text));
    if (c->weights == NULL && c->weight_count == 0) return RNNKIT_OK;
    RKI_TRY(rki_check_pointer(c->weights, "weights"));
    if (c->weight_count < 1 || c->count % c->weight_count != 0)
        return rki_fail(RNNKIT_E_SHAPE,
            "there are %lld weights, which do not divide the %lld elements of x",
            (long long)c->weight_count, (long long)c->count);
    return rki_check_weights(c->weights, c->weight_count, "weights");
}

/* The sum of all elements' weights. */
static double total_weight(const constants *c)
{
    double sum = 0;
    if (c->weights == NULL) return (double)c->count;
    for (int64_t i = 0; i < c->weight_count; i++)
        sum += (double)c->weights[i];
    return sum * (double)(c->count / c->weight_count);
}

static int32_t place(rnnkit_tape *tape, const float *values, int64_t count, const void **out)
{
    void *room;
    RKI_TRY(rki_tape_device(tape, count, &room));
    *out = room;
    return rki_device_write(tape->device, &tape->context->memory, room, values, count);
}

static int32_t loss_backward(rki_node *node, rnnkit_tape *tape)
{
    loss_node *self = (loss_node *)node;
    const rki_device *device = tape->device;
    int64_t count = rki_shape_count(&self->x->shape);
    double factor;
    void *room = self->dx;
    if (self->loss->gradient == NULL || !self->x->needs_gradient) return RNNKIT_OK;
    RKI_TRY(rki_device_read_number(device, self->loss->gradient, &factor));
    if (factor != 1) {
        RKI_TRY(rki_tape_gradient_room(self->x, &room));
        RKI_TRY(device->ops->zero(device->self, room, rki_device_bytes(device, count)));
        RKI_TRY(device->ops->add_scaled(device->self, count, factor, self->dx, room));
    }
    return rki_tape_gradient_adopt(self->x, room);
}

static int32_t run(rnnkit_tape *tape, const loss_node *node, rki_pointwise rule,
    const loss_settings *settings, const constants *c, double *value)
{
    double sum = 0, weight = total_weight(c);
    if (weight == 0) return RNNKIT_OK;
    rki_pointwise_loss call = {.rule = rule,
        .count = c->count,
        .width = c->weights == NULL ? c->count : c->count / c->weight_count,
        .positive = settings->pos_weight,
        .delta = settings->delta,
        .scale = settings->reduction == RKI_REDUCTION_SUM ? 1 : 1 / weight,
        .x = node->x->data,
        .loss = &sum,
        .dx = node->dx};
    RKI_TRY(place(tape, c->targets, c->count, &call.targets));
    if (c->weights != NULL) RKI_TRY(place(tape, c->weights, c->weight_count, &call.weights));
    RKI_TRY(tape->device->ops->pointwise_loss(tape->device->self, &call));
    *value = settings->reduction == RKI_REDUCTION_SUM ? sum : sum / weight;
    return RNNKIT_OK;
}

static int32_t compute(rnnkit_tape *tape, rki_pointwise rule, const loss_settings *settings,
    rnnkit_tensor *x, const constants *c, rnnkit_tensor *loss)
{
    rki_node *node;
    RKI_TRY(rki_tape_node(tape, sizeof(loss_node), loss_backward, &node));
    loss_node *self = (loss_node *)node;
    double value = 0;
    self->x = x;
    self->loss = loss;
    if (x->needs_gradient) RKI_TRY(rki_tape_device(tape, c->count, &self->dx));
    rki_arena_mark mark = rki_arena_here(&tape->device_arena);
    int32_t status = run(tape, self, rule, settings, c, &value);
    rki_arena_rewind(&tape->device_arena, mark);
    RKI_TRY(status);
    RKI_TRY(rki_device_write_number(tape->device, loss->data, value));
    if (x->needs_gradient && total_weight(c) > 0) rki_tape_record(tape, node);
    return RNNKIT_OK;
}

static int32_t forward(rnnkit_tape *tape, const char *kind, rnnkit_tensor *x, const constants *c,
    const char *options, rnnkit_tensor **out)
{
    const int64_t one = 1;
    rki_pointwise rule = RKI_SQUARED_ERROR;
    loss_settings settings;
    rki_shape shape;
    rnnkit_tensor *loss;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(find_rule(kind, &rule));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    RKI_TRY(rki_check_pointer(out, "loss"));
    RKI_TRY(rki_options_parse(&rki_pointwise_loss_options, options, &settings));
    RKI_TRY(check_constants(c, &x->shape));
    RKI_TRY(check_targets(c, rule));
    RKI_TRY(rki_shape_make(&one, 1, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, x->needs_gradient, &loss));
    RKI_TRY(compute(tape, rule, &settings, x, c, loss));
    *out = loss;
    return RNNKIT_OK;
}

int32_t rnnkit_pointwise_loss(rnnkit_tape *tape, const char *kind, rnnkit_tensor *x,
    const float *targets, int64_t count, const float *weights, int64_t weight_count,
    const char *options, rnnkit_tensor **loss)
{
    const constants c = {targets, count, weights, weight_count};
    int32_t status = forward(tape, kind, x, &c, options, loss);
    return rki_leave(status == RNNKIT_E_HANDLE ? NULL : tape->context, __func__, status);
}
