/* Negative sampling: x against rows of an embedding, the word itself and noise words.
 *
 * loss = mean over rows r of [-log sigmoid(x_r . w_target(r)) - sum_k log sigmoid(-x_r .
 * w_noise(r,k))]
 *
 * One operation gives the loss and its gradients; backward only scales them by the gradient that
 * comes from above. Of the table, the rows that were named alone have a gradient.
 */
#include <string.h>

#include "nn/layers.h"
#include "nn/row_groups.h"

typedef struct loss_node {
    rki_node node;
    rnnkit_model *model;
    const rki_embedding_layer *layer;
    rnnkit_tensor *x, *loss;
    int64_t rows;
    rki_row_groups groups;
    void *dx, *dtable; /* of the loss: [rows][width], [groups.unique][width] */
} loss_node;

/* What the caller names, as one list. */
typedef struct candidates {
    int64_t rows, each; /* each: 1 + negatives */
    int32_t *ids;       /* [rows][each] */
} candidates;

/* Backward. */

/* values * factor, in place when there is nothing to do. */
static int32_t scale(rnnkit_tape *tape, int64_t count, double factor, void **values)
{
    const rki_device *device = tape->device;
    void *scaled;
    if (factor == 1) return RNNKIT_OK;
    RKI_TRY(rki_tape_device(tape, count, &scaled));
    RKI_TRY(device->ops->zero(device->self, scaled, rki_device_bytes(device, count)));
    RKI_TRY(device->ops->add_scaled(device->self, count, factor, *values, scaled));
    *values = scaled;
    return RNNKIT_OK;
}

static int32_t add_to_table(loss_node *self, rnnkit_tape *tape, double factor)
{
    rki_parameter *weight = self->layer->weight;
    int64_t unique = self->groups.unique, width = self->layer->layer.sizes[1];
    void *block, *values = self->dtable;
    if (unique == 0) return RNNKIT_OK;
    RKI_TRY(scale(tape, unique * width, factor, &values));
    RKI_TRY(rki_tape_host(tape, unique + 1, sizeof(int32_t), &block));
    int32_t *counting = block;
    for (int64_t u = 0; u <= unique; u++)
        counting[u] = (int32_t)u;
    rki_scatter call = {.unique = unique,
        .width = width,
        .rows = self->groups.rows,
        .starts = counting,
        .order = counting,
        .dy = values};
    RKI_TRY(rki_model_gradient(self->model, weight, &call.gradient));
    RKI_TRY(tape->device->ops->scatter(tape->device->self, &call));
    rki_parameter_touch_rows(weight, self->groups.rows, unique);
    return RNNKIT_OK;
}

static int32_t loss_backward(rki_node *node, rnnkit_tape *tape)
{
    loss_node *self = (loss_node *)node;
    double factor;
    void *dx = self->dx;
    if (self->loss->gradient == NULL) return RNNKIT_OK;
    RKI_TRY(rki_device_read_number(tape->device, self->loss->gradient, &factor));
    RKI_TRY(add_to_table(self, tape, factor));
    if (!self->x->needs_gradient) return RNNKIT_OK;
    RKI_TRY(scale(tape, self->rows * self->layer->layer.sizes[1], factor, &dx));
    return rki_tape_gradient_adopt(self->x, dx);
}

/* Forward. */

static int32_t gradient_rooms(
    rnnkit_tape *tape, loss_node *node, const candidates *from, rki_negative_sampling *call)
{
    const rki_embedding_layer *layer = node->layer;
    RKI_TRY(rki_tape_device(tape, call->rows * call->width, &call->dx));
    if (!layer->weight->frozen)
        RKI_TRY(rki_row_groups_make(tape, from->ids, from->rows * from->each, layer->layer.sizes[0],
            layer->settings.padding, &node->groups));
    if (node->groups.unique > 0)
        RKI_TRY(rki_tape_device(tape, node->groups.unique * call->width, &call->dtable));
    call->unique = node->groups.unique;
    call->starts = node->groups.starts;
    call->order = node->groups.order;
    node->dx = call->dx;
    node->dtable = call->dtable;
    return RNNKIT_OK;
}

static int32_t run(rnnkit_tape *tape, loss_node *node, const candidates *from, double *mean)
{
    const rki_device *device = tape->device;
    double sum = 0;
    rki_negative_sampling call = {.rows = from->rows,
        .candidates = from->each,
        .width = node->layer->layer.sizes[1],
        .scale = 1 / (double)from->rows,
        .x = node->x->data,
        .table = node->layer->weight->value,
        .ids = from->ids,
        .loss = &sum};
    if (tape->train) RKI_TRY(gradient_rooms(tape, node, from, &call));
    rki_arena_mark mark = rki_arena_here(&tape->device_arena);
    size_t bytes = device->ops->negative_sampling_scratch(device->self, &call);
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &call.scratch));
    int32_t status = device->ops->negative_sampling(device->self, &call);
    rki_arena_rewind(&tape->device_arena, mark);
    *mean = sum / (double)from->rows;
    return status;
}

static int32_t check_ids(
    const char *name, const int32_t *ids, int64_t count, int64_t least, int64_t words)
{
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < least || ids[i] >= words)
            return rki_fail(RNNKIT_E_ARGUMENT, "%s[%lld] is %d, expected %lld to %lld", name,
                (long long)i, (int)ids[i], (long long)least, (long long)words - 1);
    return RNNKIT_OK;
}

static int32_t gather_candidates(rnnkit_tape *tape, const int32_t *targets, const int32_t *noise,
    int64_t rows, int64_t negatives, candidates *out)
{
    void *block;
    RKI_TRY(rki_tape_host(tape, rows * (1 + negatives), sizeof(int32_t), &block));
    *out = (candidates){rows, 1 + negatives, block};
    for (int64_t r = 0; r < rows; r++) {
        int32_t *ids = out->ids + r * out->each;
        ids[0] = targets[r];
        if (negatives > 0) memcpy(ids + 1, noise + r * negatives, (size_t)negatives * sizeof *ids);
    }
    return RNNKIT_OK;
}

static int32_t check(rnnkit_embedding *embedding, rnnkit_tape *tape, const rnnkit_tensor *x,
    const int32_t *targets, const int32_t *noise, int64_t count, int64_t negatives)
{
    char text[RKI_SHAPE_TEXT];
    int64_t words = embedding->handle.layer->sizes[0], width = embedding->handle.layer->sizes[1];
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check(tape, x, "x"));
    RKI_TRY(rki_tape_check_device(tape, embedding->handle.model->context->device));
    RKI_TRY(rki_check_pointer(targets, "targets"));
    RKI_TRY(rki_model_check_plain(embedding->handle.model, "use negative sampling"));
    if (negatives < 0)
        return rki_fail(RNNKIT_E_ARGUMENT, "negatives is %lld, below 0", (long long)negatives);
    if (negatives > 0) RKI_TRY(rki_check_pointer(noise, "noise"));
    if (x->shape.dims[x->shape.rank - 1] != width)
        return rki_fail(RNNKIT_E_SHAPE, "x has shape %s, the last dimension must be width = %lld",
            rki_shape_text(&x->shape, text), (long long)width);
    if (count != rki_shape_count(&x->shape) / width)
        return rki_fail(RNNKIT_E_SHAPE, "there are %lld targets, but x has shape %s",
            (long long)count, rki_shape_text(&x->shape, text));
    if (negatives >= INT32_MAX / count)
        return rki_fail(RNNKIT_E_SHAPE, "%lld rows with %lld noise words each are too many",
            (long long)count, (long long)negatives);
    RKI_TRY(check_ids("targets", targets, count, 0, words));
    return check_ids("noise", noise, count * negatives, -1, words);
}

static int32_t record(
    rnnkit_embedding *embedding, rnnkit_tape *tape, const candidates *from, loss_node *self)
{
    double mean = 0;
    RKI_TRY(run(tape, self, from, &mean));
    RKI_TRY(rki_device_write_number(tape->device, self->loss->data, mean));
    if (!tape->train) return RNNKIT_OK;
    RKI_TRY(rki_tape_keep_model(tape, embedding->handle.model));
    rki_tape_record(tape, &self->node);
    return RNNKIT_OK;
}

static int32_t forward(rnnkit_embedding *embedding, rnnkit_tape *tape, rnnkit_tensor *x,
    const int32_t *targets, const int32_t *noise, int64_t count, int64_t negatives,
    rnnkit_tensor **out)
{
    const int64_t one = 1;
    rki_shape shape;
    rnnkit_tensor *loss;
    rki_node *node;
    candidates from;
    RKI_TRY(check(embedding, tape, x, targets, noise, count, negatives));
    RKI_TRY(rki_check_pointer(out, "loss"));
    RKI_TRY(gather_candidates(tape, targets, noise, count, negatives, &from));
    RKI_TRY(rki_shape_make(&one, 1, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &loss));
    RKI_TRY(rki_tape_node(tape, sizeof(loss_node), loss_backward, &node));
    loss_node *self = (loss_node *)node;
    self->model = embedding->handle.model;
    self->layer = rki_embedding_of(embedding);
    self->x = x;
    self->loss = loss;
    self->rows = count;
    RKI_TRY(record(embedding, tape, &from, self));
    *out = loss;
    return RNNKIT_OK;
}

int32_t rnnkit_embedding_negative_sampling(rnnkit_embedding *embedding, rnnkit_tape *tape,
    rnnkit_tensor *x, const int32_t *targets, const int32_t *noise, int64_t count,
    int64_t negatives, rnnkit_tensor **loss)
{
    int32_t status = rki_check(embedding, RKI_KIND_EMBEDDING, "embedding");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward(embedding, tape, x, targets, noise, count, negatives, loss);
    return rki_leave(embedding->handle.model->context, __func__, status);
}
