/* What the gates of a recurrent layer were: read from what a run keeps for its way back. */
#include "nn/rnn_run.h"

/* The node of layer l of the run whose outputs are y. Layers are recorded from the first on, so
 * those of one run lie behind its last. */
static int32_t find_node(const rnnkit_tape *tape, const rki_rnn_layer *rnn, const rnnkit_tensor *y,
    int64_t l, const rki_rnn_node **out)
{
    int found = 0;
    for (const rki_node *node = tape->nodes; node != NULL; node = node->previous) {
        const rki_rnn_node *of = (const rki_rnn_node *)node;
        if (node->backward != rki_rnn_backward || of->rnn != rnn) continue;
        found |= of->y == y;
        if (!found || of->layer != l) continue;
        *out = of;
        return RNNKIT_OK;
    }
    return rki_fail(
        RNNKIT_E_ORDER, "y is not what \"%s\" gave on this tape, with train=1", rnn->layer.name);
}

static int32_t look(rnnkit_tape *tape, const rki_rnn_node *node, int64_t place,
    rnnkit_tensor **gates, rnnkit_tensor **cells)
{
    const rki_rnn_direction *d = &node->directed[place];
    const rki_recurrent *layer = &d->layer;
    const int64_t dims[2][3] = {
        {layer->steps, layer->batch, rki_cell_gates(layer->cell) * layer->hidden},
        {layer->steps, layer->batch, layer->hidden}};
    rki_shape shape;
    rnnkit_tensor *values, *c = NULL;
    RKI_TRY(rki_shape_make(dims[0], 3, &shape));
    RKI_TRY(rki_tape_tensor(tape, &shape, 0, &values));
    RKI_TRY(rki_shape_make(dims[1], 3, &shape));
    if (layer->cell == RKI_CELL_LSTM) RKI_TRY(rki_tape_tensor(tape, &shape, 0, &c));
    size_t at = rki_device_bytes(tape->device, place * layer->output);
    rki_recurrent_gates call = {.layer = *layer,
        .stash = d->stash,
        .y = (char *)node->y->data + at,
        .ldy = node->directions * layer->output,
        .gates = values->data,
        .cells = c == NULL ? NULL : c->data};
    RKI_TRY(tape->device->ops->recurrent_gates(tape->device->self, &call));
    *gates = values;
    if (cells != NULL) *cells = c;
    return RNNKIT_OK;
}

static int32_t gates_of(const rki_rnn_layer *rnn, rnnkit_tape *tape, rnnkit_tensor *y, int64_t l,
    int32_t reverse, rnnkit_tensor **gates, rnnkit_tensor **cells)
{
    const rki_rnn_node *node = NULL;
    RKI_TRY(rki_check(tape, RKI_KIND_TAPE, "tape"));
    RKI_TRY(rki_tape_check(tape, y, "y"));
    RKI_TRY(rki_check_pointer(gates, "gates"));
    if (l < 0 || l >= rnn->layers)
        return rki_fail(RNNKIT_E_ARGUMENT, "layer is %lld, expected 0 to %lld", (long long)l,
            (long long)rnn->layers - 1);
    if (reverse < 0 || reverse >= rnn->directions)
        return rki_fail(RNNKIT_E_ARGUMENT, "reverse is %d, expected 0 to %lld", (int)reverse,
            (long long)rnn->directions - 1);
    RKI_TRY(find_node(tape, rnn, y, l, &node));
    return look(tape, node, reverse, gates, cells);
}

int32_t rnnkit_rnn_gates(rnnkit_rnn *rnn, rnnkit_tape *tape, rnnkit_tensor *y, int64_t layer,
    int32_t reverse, rnnkit_tensor **gates, rnnkit_tensor **cells)
{
    int32_t status = rki_check(rnn, RKI_KIND_RNN, "rnn");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = gates_of(rki_rnn_of(rnn), tape, y, layer, reverse, gates, cells);
    return rki_leave(rnn->handle.model->context, __func__, status);
}
