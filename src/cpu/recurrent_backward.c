/* The backward pass of the recurrent layer: the gradients of an LSTM over a whole sequence.
 *
 * Each thread takes its rows back through time, a step being one kernel over the packed weight_hh
 * (kernels/lstm_backward.h), and leaves the gates' gradient dZ of all steps. Then
 *   dW_ih += dZ^T X     dW_hh += dZ^T H_before     db += column sums of dZ     dX = dZ W_ih
 * are single products. The sums over rows run over the living ones alone, in the order of time, so
 * that padding neither costs nor counts, whatever it holds.
 */
#include <string.h>

#include "base/float_mode.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "cpu/recurrent.h"

typedef struct layout {
    float *dz; /* [steps][batch][4 hidden], zeros where a row has ended */
    float *dc; /* [batch][hidden] */
    float *panels, *bias;
    int32_t *rows;   /* [batch] */
    int32_t *living; /* [steps * batch]: place in [steps][batch] of each living row, by time */
    void *gemm;
} layout;

typedef struct pass {
    const rki_cpu *cpu;
    const rki_recurrent_backward *call;
    layout at;
    rki_stash stash;
    int64_t tasks, steps;
} pass;

/* The products in question, with all of their sizes. */
static rki_gemm weight_product(const rki_recurrent *size, int64_t width, int64_t count)
{
    int64_t gates = RKI_GATES * size->hidden;
    return (rki_gemm){.transpose_a = 1,
        .accumulate = 1,
        .m = gates,
        .n = width,
        .k = count,
        .lda = gates,
        .ldb = width,
        .ldc = width};
}

static rki_gemm input_product(const rki_recurrent *size, int64_t width, int64_t count)
{
    int64_t gates = RKI_GATES * size->hidden;
    return (rki_gemm){.m = count, .n = width, .k = gates, .lda = gates, .ldb = width, .ldc = width};
}

static size_t gemm_scratch(rki_cpu *cpu, const rki_recurrent *size)
{
    int64_t count = size->steps * size->batch;
    rki_gemm products[4] = {weight_product(size, size->input, count),
        weight_product(size, size->hidden, count), input_product(size, size->input, count),
        input_product(size, size->hidden, size->batch)};
    size_t most = 0;
    for (int i = 0; i < 4; i++) {
        size_t bytes = rki_cpu_gemm_scratch(cpu, &products[i]);
        if (bytes > most) most = bytes;
    }
    return most;
}

static layout cut_scratch(rki_cpu *cpu, const rki_recurrent *size, rki_pieces *pieces)
{
    layout at;
    int64_t count = size->steps * size->batch, gates = RKI_GATES * size->hidden;
    at.dz = rki_take_floats(pieces, count * gates);
    at.dc = rki_take_floats(pieces, size->batch * size->hidden);
    at.panels = rki_take_floats(pieces, rki_recurrent_panels(cpu, size->hidden));
    at.bias = rki_take_floats(pieces, gates);
    at.rows = rki_pieces_take(pieces, (size_t)size->batch * sizeof(int32_t));
    at.living = rki_pieces_take(pieces, (size_t)count * sizeof(int32_t));
    at.gemm = rki_pieces_take(pieces, gemm_scratch(cpu, size));
    return at;
}

size_t rki_cpu_recurrent_backward_scratch(void *self, const rki_recurrent *size)
{
    rki_pieces pieces = {NULL, 0};
    cut_scratch(self, size, &pieces);
    return pieces.used;
}

/* The rows that live at step t and at the one after it, or whose last step t is. */
static int64_t choose_rows(
    const pass *p, int64_t t, int last, int64_t begin, int64_t end, int32_t *rows)
{
    int64_t count = 0;
    for (int64_t b = begin; b < end; b++) {
        int64_t length = p->call->layer.lengths ? p->call->layer.lengths[b] : p->steps;
        if (last ? length == t + 1 : length > t + 1) rows[count++] = (int32_t)b;
    }
    return count;
}

static void run_step(const pass *p, int64_t t, int last, const int32_t *rows, int64_t count)
{
    const rki_recurrent_backward *call = p->call;
    int64_t state = call->layer.batch * call->layer.hidden;
    float *dz = p->at.dz + t * state * RKI_GATES;
    const float *c = p->stash.cells + t * state;
    rki_lstm_gradient step = {.hidden = call->layer.hidden,
        .count = count,
        .rows = rows,
        .panels = last ? NULL : p->at.panels,
        .dz_after = last ? NULL : dz + state * RKI_GATES,
        .dh = call->dhn,
        .dy = (const float *)call->dy + t * state,
        .gates = p->stash.gates + t * state * RKI_GATES,
        .c_before = t > 0 ? c - state : call->c0,
        .c = c,
        .dc = p->at.dc,
        .dz = dz};
    p->cpu->kernels->lstm_gradient(&step);
}

static void clear_ended(const pass *p, int64_t t, int64_t begin, int64_t end)
{
    int64_t gates = RKI_GATES * p->call->layer.hidden;
    float *dz = p->at.dz + t * p->call->layer.batch * gates;
    for (int64_t b = begin; b < end; b++)
        if (p->call->layer.lengths && p->call->layer.lengths[b] <= t)
            memset(dz + b * gates, 0, (size_t)gates * sizeof(float));
}

static void run_rows(void *user, int64_t index, int64_t unused)
{
    (void)unused;
    const pass *p = user;
    int64_t begin, end, hidden = p->call->layer.hidden;
    rki_recurrent_share(p->call->layer.batch, p->tasks, index, &begin, &end);
    size_t bytes = (size_t)((end - begin) * hidden) * sizeof(float);
    if (p->call->dcn)
        memcpy(p->at.dc + begin * hidden, (const float *)p->call->dcn + begin * hidden, bytes);
    else
        memset(p->at.dc + begin * hidden, 0, bytes);
    int32_t *rows = p->at.rows + begin;
    for (int64_t t = p->steps - 1; t >= 0; t--) {
        int64_t going = choose_rows(p, t, 0, begin, end, rows);
        if (going > 0) run_step(p, t, 0, rows, going);
        int64_t ending = choose_rows(p, t, 1, begin, end, rows);
        if (ending > 0) run_step(p, t, 1, rows, ending);
        if (going + ending < end - begin) clear_ended(p, t, begin, end);
    }
}

/* Where in [steps][batch] the rows are that live at step from + t, by time. */
static int64_t list_living(const pass *p, int64_t from, int64_t steps)
{
    int64_t count = 0, batch = p->call->layer.batch;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t b = 0; b < batch; b++)
            if (p->call->layer.lengths[b] > from + t)
                p->at.living[count++] = (int32_t)(t * batch + b);
    return count;
}

/* dweight += sum over the living rows from step `from` on of dz^T source, where source[0] belongs
 * to that step. */
static void add_weight(
    const pass *p, int64_t from, int64_t steps, int64_t width, const float *source, void *dweight)
{
    const rki_recurrent *size = &p->call->layer;
    const int32_t *list = NULL;
    int64_t count = steps * size->batch;
    if (p->call->layer.lengths) {
        count = list_living(p, from, steps);
        list = p->at.living;
    }
    if (count == 0) return;
    rki_gemm product = weight_product(size, width, count);
    product.a = p->at.dz + from * size->batch * RKI_GATES * size->hidden;
    product.b = source;
    product.c = dweight;
    product.scratch = p->at.gemm;
    rki_gemm_run(p->cpu, &product, list);
}

static void add_bias(const pass *p)
{
    const rki_recurrent_backward *call = p->call;
    int64_t gates = RKI_GATES * call->layer.hidden;
    if (call->gradients.bias_ih == NULL || p->steps == 0) return;
    rki_cpu_column_sum(
        (void *)(uintptr_t)p->cpu, p->steps * call->layer.batch, gates, p->at.dz, 0, p->at.bias);
    for (int64_t j = 0; j < gates; j++) {
        ((float *)call->gradients.bias_ih)[j] += p->at.bias[j];
        ((float *)call->gradients.bias_hh)[j] += p->at.bias[j];
    }
}

/* dx of the rows that have ended is 0 even where a weight is NaN. */
static void clear_ended_dx(const pass *p)
{
    const rki_recurrent_backward *call = p->call;
    const rki_recurrent *size = &call->layer;
    float *dx = call->dx;
    for (int64_t b = 0; call->layer.lengths && b < size->batch; b++)
        for (int64_t t = call->layer.lengths[b]; t < p->steps; t++)
            memset(
                dx + (t * size->batch + b) * size->input, 0, (size_t)size->input * sizeof(float));
}

static void compute_dx(const pass *p)
{
    const rki_recurrent_backward *call = p->call;
    const rki_recurrent *size = &call->layer;
    int64_t count = p->steps * size->batch;
    float *dx = call->dx;
    if (dx == NULL) return;
    if (count > 0) {
        rki_gemm product = input_product(size, size->input, count);
        product.a = p->at.dz;
        product.b = call->weights.weight_ih;
        product.c = dx;
        product.scratch = p->at.gemm;
        rki_gemm_run(p->cpu, &product, NULL);
        clear_ended_dx(p);
    }
    memset(dx + count * size->input, 0,
        (size_t)((size->steps * size->batch - count) * size->input) * sizeof(float));
}

/* What flows into a row's first state; for a row that never lived, what came from its last. */
static void compute_dstate(const pass *p)
{
    const rki_recurrent_backward *call = p->call;
    const rki_recurrent *size = &call->layer;
    size_t bytes = (size_t)size->hidden * sizeof(float);
    if (call->dc0) memcpy(call->dc0, p->at.dc, (size_t)size->batch * bytes);
    if (call->dh0 == NULL) return;
    if (p->steps > 0) {
        rki_gemm product = input_product(size, size->hidden, size->batch);
        product.a = p->at.dz;
        product.b = call->weights.weight_hh;
        product.c = call->dh0;
        product.scratch = p->at.gemm;
        rki_gemm_run(p->cpu, &product, NULL);
    }
    for (int64_t b = 0; b < size->batch; b++) {
        float *dh = (float *)call->dh0 + b * size->hidden;
        if (call->layer.lengths == NULL || call->layer.lengths[b] > 0) continue;
        if (call->dhn)
            memcpy(dh, (const float *)call->dhn + b * size->hidden, bytes);
        else
            memset(dh, 0, bytes);
    }
}

int32_t rki_cpu_recurrent_backward(void *self, const rki_recurrent_backward *call)
{
    RKI_TRY(rki_recurrent_check(self, &call->layer));
    uint64_t mode = rki_float_enter();
    const rki_recurrent *size = &call->layer;
    rki_pieces scratch = {call->scratch, 0}, stash = {(char *)(uintptr_t)call->stash, 0};
    pass p = {.cpu = self, .call = call, .at = cut_scratch(self, size, &scratch)};
    p.stash = rki_recurrent_cut_stash(&stash, size);
    p.tasks = rki_recurrent_tasks(self, size);
    p.steps = rki_recurrent_steps(size, call->layer.lengths);
    p.cpu->kernels->pack_b(RKI_GATES * size->hidden, size->hidden, call->weights.weight_hh,
        size->hidden, 0, NULL, p.at.panels);
    rki_parallel_blocks(p.cpu->threads, p.tasks, 1, run_rows, &p);
    if (p.steps > 0) {
        add_weight(&p, 0, p.steps, size->input, call->x, call->gradients.weight_ih);
        add_weight(&p, 0, 1, size->hidden, call->h0, call->gradients.weight_hh);
        add_weight(&p, 1, p.steps - 1, size->hidden, call->y, call->gradients.weight_hh);
        add_bias(&p);
    }
    compute_dx(&p);
    compute_dstate(&p);
    rki_float_leave(mode);
    return RNNKIT_OK;
}
