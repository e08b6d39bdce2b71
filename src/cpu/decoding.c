/* A cell by itself, and the most likely classes; equations in backend/decoding.h. */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/parallel.h"

enum {
    CELLS = 1 << 13, /* cells that are worth another thread */
    LOGITS = 1 << 15 /* logits that are */
};

/* Rows that together have about `enough` elements. */
static int64_t rows_of(int64_t enough, int64_t width)
{
    return width < enough ? enough / width : 1;
}

typedef struct forward {
    const rki_kernels *kernels;
    const rki_cell_forward *call;
} forward;

static void forward_rows(void *user, int64_t begin, int64_t end)
{
    const forward *f = user;
    const rki_cell_forward *call = f->call;
    int64_t at = begin * call->hidden, gates = call->gru ? 3 : 4;
    rki_cell_step step = {.cell = call->gru ? RKI_CELL_GRU : RKI_CELL_LSTM,
        .hidden = call->hidden,
        .count = end - begin,
        .ldh = call->hidden,
        .z = (float *)call->z + gates * at,
        .keep = 1,
        .h_next = (float *)call->h + at,
        .ldh_next = call->hidden};
    if (call->gru) {
        step.h = (const float *)call->h_before + at;
        step.reset = (float *)(uintptr_t)call->reset + at; /* written as it was read */
    } else {
        step.c = (const float *)call->c_before + at;
        step.c_next = (float *)call->c + at;
    }
    f->kernels->cell_step(&step);
}

int32_t rki_cpu_cell_forward(void *self, const rki_cell_forward *call)
{
    const rki_cpu *cpu = self;
    forward f = {cpu->kernels, call};
    rki_parallel_blocks(cpu->threads, call->batch, rows_of(CELLS, call->hidden), forward_rows, &f);
    return RNNKIT_OK;
}

typedef struct backward {
    const rki_kernels *kernels;
    const rki_cell_backward *call;
} backward;

static void backward_rows(void *user, int64_t begin, int64_t end)
{
    const backward *f = user;
    const rki_cell_backward *call = f->call;
    int64_t at = begin * call->hidden, gates = call->gru ? 3 : 4;
    rki_cell_gradient step = {.cell = call->gru ? RKI_CELL_GRU : RKI_CELL_LSTM,
        .hidden = call->hidden,
        .count = end - begin,
        .dy = (const float *)call->dh + at,
        .lddy = call->hidden,
        .gates = (const float *)call->gates + gates * at,
        .ldh = call->hidden,
        .carry = (float *)call->carry + at,
        .dz = (float *)call->dz + gates * at};
    if (call->gru) {
        step.reset = (const float *)call->reset + at;
        step.h_before = (const float *)call->h_before + at;
        step.dn = (float *)call->dn + at;
    } else {
        step.c_before = (const float *)call->c_before + at;
        step.c = (const float *)call->c + at;
    }
    f->kernels->cell_gradient(&step);
}

int32_t rki_cpu_cell_backward(void *self, const rki_cell_backward *call)
{
    const rki_cpu *cpu = self;
    backward f = {cpu->kernels, call};
    rki_parallel_blocks(cpu->threads, call->batch, rows_of(CELLS, call->hidden), backward_rows, &f);
    return RNNKIT_OK;
}

/* The most likely classes. */

typedef struct top {
    const rki_kernels *kernels;
    const rki_top *call;
} top;

static int is_banned(const rki_top *call, int64_t id)
{
    for (int64_t i = 0; i < call->banned_count; i++)
        if (call->banned[i] == id) return 1;
    return 0;
}

/* Puts a logit among the `count` largest so far, of which `have` are there already; a later one
 * goes behind those that are equal. */
static int64_t insert(
    const rki_top *call, int32_t id, double x, int32_t *ids, double *best, int64_t have)
{
    int64_t place = have < call->count ? have : call->count - 1;
    for (; place > 0 && best[place - 1] < x; place--) {
        best[place] = best[place - 1];
        ids[place] = ids[place - 1];
    }
    best[place] = x;
    ids[place] = id;
    return have < call->count ? have + 1 : have;
}

static void top_row(const top *t, int64_t row)
{
    const rki_top *call = t->call;
    float *x = (float *)(uintptr_t)call->x + row * call->classes, largest; /* only read */
    int32_t *ids = call->ids + row * call->count;
    double *best = call->values + row * call->count;
    int64_t have = 0;
    float sum = t->kernels->softmax_exp(call->classes, x, 0, &largest);
    double whole = (double)largest + log((double)sum), worst = 0.0;
    for (int64_t v = 0; v < call->classes; v++) {
        double value = (double)x[v];
        if ((have == call->count && !(value > worst)) || is_banned(call, v)) continue;
        have = insert(call, (int32_t)v, value, ids, best, have);
        worst = best[have - 1];
    }
    for (int64_t k = 0; k < call->count; k++)
        best[k] -= whole;
}

static void top_rows(void *user, int64_t begin, int64_t end)
{
    for (int64_t row = begin; row < end; row++)
        top_row(user, row);
}

int32_t rki_cpu_top(void *self, const rki_top *call)
{
    const rki_cpu *cpu = self;
    top t = {cpu->kernels, call};
    rki_parallel_blocks(cpu->threads, call->rows, rows_of(LOGITS, call->classes), top_rows, &t);
    return RNNKIT_OK;
}
