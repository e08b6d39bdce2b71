/* Attention on a tape: a node for the source's keys, and one for all queries of a call. */
#include "nn/attention.h"

/* RNNKIT_OK when x is a tensor of this tape with three dimensions, the last of this width (0: of
 * any). */
static int32_t check_tensor(
    rnnkit_tape *tape, const rnnkit_tensor *x, const char *argument, int64_t width)
{
    char text[RKI_SHAPE_TEXT];
    RKI_TRY(rki_tape_check(tape, x, argument));
    if (x->shape.rank != 3)
        return rki_fail(RNNKIT_E_SHAPE, "%s has shape %s, expected [steps, batch, width]", argument,
            rki_shape_text(&x->shape, text));
    if (width == 0 || x->shape.dims[2] == width) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "%s has shape %s, the last dimension must be %lld", argument,
        rki_shape_text(&x->shape, text), (long long)width);
}

/* Keys. */

typedef struct keys_node {
    rki_node node;
    rnnkit_model *model;
    const rki_attention_weights *weights;
    int64_t rows;
    rnnkit_tensor *x, *y;
} keys_node;

static int32_t keys_backward(rki_node *node, rnnkit_tape *tape)
{
    keys_node *self = (keys_node *)node;
    void *dx, *d = self->y->gradient;
    if (d == NULL) return RNNKIT_OK;
    RKI_TRY(
        rki_attention_key_learn(tape, self->model, self->weights, self->rows, d, self->x->data));
    if (!self->x->needs_gradient) return RNNKIT_OK;
    RKI_TRY(rki_tape_gradient_room(self->x, &dx));
    RKI_TRY(rki_attention_key_input(tape, self->weights, self->rows, d, 0, dx));
    return rki_tape_gradient_adopt(self->x, dx);
}

static int32_t record_keys(rnnkit_attention *attention, rnnkit_tape *tape, int64_t count,
    rnnkit_tensor *x, rnnkit_tensor *y)
{
    rki_node *node;
    RKI_TRY(rki_tape_keep_model(tape, attention->handle.model));
    RKI_TRY(rki_tape_node(tape, sizeof(keys_node), keys_backward, &node));
    keys_node *self = (keys_node *)node;
    self->model = attention->handle.model;
    self->weights = &rki_attention_of(attention)->weights;
    self->rows = count;
    self->x = x;
    self->y = y;
    rki_tape_record(tape, node);
    return RNNKIT_OK;
}

static int32_t keys(
    rnnkit_attention *attention, rnnkit_tape *tape, rnnkit_tensor *x, rnnkit_tensor **out)
{
    const rki_attention_weights *weights = &rki_attention_of(attention)->weights;
    rki_shape shape;
    rnnkit_tensor *y;
    const void *unused;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check_device(tape, attention->handle.model->context->device));
    RKI_TRY(check_tensor(tape, x, "keys", weights->key_width));
    RKI_TRY(rki_check_pointer(out, "out"));
    if (weights->key == NULL) {
        *out = x;
        return RNNKIT_OK;
    }
    int64_t count = x->shape.dims[0] * x->shape.dims[1];
    const int64_t dims[3] = {x->shape.dims[0], x->shape.dims[1], weights->width};
    RKI_TRY(rki_shape_make(dims, 3, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &y));
    RKI_TRY(rki_attention_key(tape, weights, count, x->data, y->data, &unused));
    if (tape->train) RKI_TRY(record_keys(attention, tape, count, x, y));
    *out = y;
    return RNNKIT_OK;
}

int32_t rnnkit_attention_keys(
    rnnkit_attention *attention, rnnkit_tape *tape, rnnkit_tensor *keys_of, rnnkit_tensor **out)
{
    int32_t status = rki_check(attention, RKI_KIND_ATTENTION, "attention");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = keys(attention, tape, keys_of, out);
    return rki_leave(attention->handle.model->context, __func__, status);
}

/* Queries. */

typedef struct query_node {
    rki_node node;
    rnnkit_model *model;
    const rki_attention_weights *weights;
    rki_attention call;
    void *position; /* with a window: what its centers are made from */
    rnnkit_tensor *query, *keys, *values, *context, *seen;
} query_node;

static int32_t pass_to_center(
    query_node *self, rnnkit_tape *tape, const void *dcenters, void *dquery)
{
    int64_t count = self->call.queries * self->call.batch;
    void *dposition = NULL;
    if (dcenters == NULL) return RNNKIT_OK;
    RKI_TRY(rki_tape_device(tape, count * self->call.width, &dposition));
    RKI_TRY(rki_attention_center_input(
        tape, self->weights, count, dcenters, self->position, dposition, dquery));
    return rki_attention_center_learn(tape, self->model, self->weights, count, dcenters, dposition,
        self->position, self->query->data);
}

/* The gradients of what the operation was given for queries: to the projections and on, or straight
 * to the query. */
static int32_t pass_to_query(query_node *self, rnnkit_tape *tape, void *dq, const void *dcenters)
{
    int64_t count = self->call.queries * self->call.batch;
    void *dx = dq;
    RKI_TRY(
        rki_attention_query_learn(tape, self->model, self->weights, count, dq, self->query->data));
    if (!self->query->needs_gradient) return pass_to_center(self, tape, dcenters, NULL);
    if (self->weights->query) {
        RKI_TRY(rki_tape_gradient_room(self->query, &dx));
        RKI_TRY(rki_attention_query_input(tape, self->weights, count, dq, 0, dx));
    }
    RKI_TRY(pass_to_center(self, tape, dcenters, dx));
    return rki_tape_gradient_adopt(self->query, dx);
}

static int32_t pass_to_source(
    query_node *self, rnnkit_tape *tape, const void *dscores, const void *dcontext)
{
    rki_attention_source call = {.attention = self->call,
        .weights = self->seen->data,
        .dscores = dscores,
        .dcontext = dcontext};
    RKI_TRY(rki_attention_score_gradient(self->model, self->weights, &call.dv));
    if (self->keys->needs_gradient) RKI_TRY(rki_tape_gradient_room(self->keys, &call.dkeys));
    if (self->keys == self->values) { /* one gradient, not two and their sum */
        call.add_values = 1;
        call.dvalues = call.dkeys;
    } else if (self->values->needs_gradient) {
        RKI_TRY(rki_tape_gradient_room(self->values, &call.dvalues));
    }
    RKI_TRY(rki_attention_run_source(tape, call));
    if (call.dkeys) RKI_TRY(rki_tape_gradient_adopt(self->keys, call.dkeys));
    if (call.dvalues == NULL || call.add_values) return RNNKIT_OK;
    return rki_tape_gradient_adopt(self->values, call.dvalues);
}

static int32_t query_backward(rki_node *node, rnnkit_tape *tape)
{
    query_node *self = (query_node *)node;
    const rki_device *device = tape->device;
    void *dcontext = self->context->gradient;
    if (dcontext == NULL && self->seen->gradient == NULL) return RNNKIT_OK;
    if (dcontext == NULL) {
        int64_t count = rki_shape_count(&self->context->shape);
        RKI_TRY(rki_tape_device(tape, count, &dcontext));
        RKI_TRY(device->ops->zero(device->self, dcontext, rki_device_bytes(device, count)));
    }
    rki_attention_backward call = {.attention = self->call,
        .weights = self->seen->data,
        .dcontext = dcontext,
        .dweights = self->seen->gradient};
    RKI_TRY(rki_tape_device(tape, rki_shape_count(&self->seen->shape), &call.dscores));
    RKI_TRY(
        rki_tape_device(tape, self->call.queries * self->call.batch * self->call.width, &call.dq));
    if (self->call.window > 0)
        RKI_TRY(rki_tape_device(tape, self->call.queries * self->call.batch, &call.dcenters));
    RKI_TRY(device->ops->attention_backward(device->self, &call));
    RKI_TRY(pass_to_query(self, tape, call.dq, call.dcenters));
    return pass_to_source(self, tape, call.dscores, dcontext);
}

static int32_t check_batch(
    const rnnkit_tensor *x, const char *argument, int64_t positions, int64_t batch)
{
    char text[RKI_SHAPE_TEXT];
    int fits = x->shape.dims[1] == batch && (positions == 0 || x->shape.dims[0] == positions);
    if (fits) return RNNKIT_OK;
    if (positions == 0)
        return rki_fail(RNNKIT_E_SHAPE, "%s has shape %s, but the query has %lld rows", argument,
            rki_shape_text(&x->shape, text), (long long)batch);
    return rki_fail(RNNKIT_E_SHAPE, "%s has shape %s, expected [%lld, %lld, ...] as keys", argument,
        rki_shape_text(&x->shape, text), (long long)positions, (long long)batch);
}

static int32_t check_tensors(const rki_attention_weights *weights, rnnkit_tape *tape,
    const rnnkit_tensor *query, const rnnkit_tensor *key, const rnnkit_tensor *values)
{
    RKI_TRY(check_tensor(tape, query, "query", weights->query_width));
    RKI_TRY(check_tensor(tape, key, "keys", weights->width));
    RKI_TRY(check_tensor(tape, values, "values", 0));
    RKI_TRY(check_batch(key, "keys", 0, query->shape.dims[1]));
    return check_batch(values, "values", key->shape.dims[0], query->shape.dims[1]);
}

static int32_t prepare_center(rnnkit_tape *tape, query_node *self)
{
    int64_t count = self->call.queries * self->call.batch;
    void *centers = NULL;
    if (self->call.window == 0) return RNNKIT_OK;
    RKI_TRY(rki_tape_device(tape, count * self->call.width, &self->position));
    RKI_TRY(rki_tape_device(tape, count, &centers));
    self->call.centers = centers;
    return rki_attention_center(
        tape, self->weights, count, self->query->data, self->position, centers);
}

/* Makes the results and fills the operation's arguments. */
static int32_t prepare(rnnkit_tape *tape, query_node *self, const int32_t *lengths)
{
    const rki_attention_weights *weights = self->weights;
    const int64_t *query = self->query->shape.dims, *values = self->values->shape.dims;
    const int64_t context[3] = {query[0], query[1], values[2]};
    const int64_t seen[3] = {query[0], query[1], values[0]};
    rki_shape shape;
    void *room = NULL;
    self->call = rki_attention_call(weights, query[0], values[0], query[1], values[2]);
    RKI_TRY(rki_attention_lengths(tape, lengths, query[1], values[0], &self->call.lengths));
    RKI_TRY(rki_shape_make(context, 3, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &self->context));
    RKI_TRY(rki_shape_make(seen, 3, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, 1, &self->seen));
    if (weights->query) RKI_TRY(rki_tape_device(tape, query[0] * query[1] * weights->width, &room));
    RKI_TRY(rki_attention_query(
        tape, weights, query[0] * query[1], self->query->data, room, &self->call.q));
    RKI_TRY(prepare_center(tape, self));
    self->call.keys = self->keys->data;
    self->call.values = self->values->data;
    return RNNKIT_OK;
}

static int32_t forward(rnnkit_attention *attention, rnnkit_tape *tape, rnnkit_tensor *query,
    rnnkit_tensor *key, rnnkit_tensor *values, const int32_t *lengths, rnnkit_tensor **context,
    rnnkit_tensor **seen)
{
    const rki_attention_weights *weights = &rki_attention_of(attention)->weights;
    rki_node *node;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check_device(tape, attention->handle.model->context->device));
    RKI_TRY(check_tensors(weights, tape, query, key, values));
    RKI_TRY(rki_check_pointer(context, "context"));
    RKI_TRY(rki_tape_node(tape, sizeof(query_node), query_backward, &node));
    query_node *self = (query_node *)node;
    self->model = attention->handle.model;
    self->weights = weights;
    self->query = query;
    self->keys = key;
    self->values = values;
    RKI_TRY(prepare(tape, self, lengths));
    rki_attention_forward call = {self->call, self->seen->data, self->context->data};
    RKI_TRY(tape->device->ops->attention_forward(tape->device->self, &call));
    if (tape->train) {
        RKI_TRY(rki_tape_keep_model(tape, self->model));
        rki_tape_record(tape, node);
    }
    *context = self->context;
    if (seen != NULL) *seen = self->seen;
    return RNNKIT_OK;
}

int32_t rnnkit_attention_forward(rnnkit_attention *attention, rnnkit_tape *tape,
    rnnkit_tensor *query, rnnkit_tensor *keys_of, rnnkit_tensor *values, const int32_t *lengths,
    rnnkit_tensor **context, rnnkit_tensor **weights)
{
    int32_t status = rki_check(attention, RKI_KIND_ATTENTION, "attention");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = forward(attention, tape, query, keys_of, values, lengths, context, weights);
    return rki_leave(attention->handle.model->context, __func__, status);
}
