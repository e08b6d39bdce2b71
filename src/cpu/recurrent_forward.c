/* The forward pass of the recurrent layer: an LSTM over a whole sequence.
 *
 * Z = X W_ih^T + b_ih + b_hh is one product for many steps; then each thread takes its rows through
 * time, a step being one kernel over the packed weight_hh (kernels/lstm_forward.h). When training,
 * Z is computed where the stash keeps the gates and gives way to them step by step; else it is a
 * buffer for a stretch of steps. The h of a step is read from y, where the step before put it.
 */
#include <string.h>

#include "base/float_mode.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "cpu/recurrent.h"

/* Rows of Z (steps times batch) of a stretch, about: enough for a good product, few enough to stay
 * in a cache. */
enum { STRETCH_ROWS = 1024 };

typedef struct layout {
    float *z; /* NULL when training */
    float *panels, *bias;
    int32_t *rows;
    void *gemm;
} layout;

typedef struct pass {
    const rki_cpu *cpu;
    const rki_recurrent_forward *call;
    layout at;
    rki_stash stash;
    int64_t tasks, begin, end; /* this stretch's steps */
} pass;

static int64_t stretch_steps(const rki_recurrent *size)
{
    int64_t steps = STRETCH_ROWS / size->batch;
    if (steps < 1) steps = 1;
    return steps < size->steps ? steps : size->steps;
}

static rki_gemm input_product(const rki_recurrent *size, int64_t steps)
{
    return (rki_gemm){.transpose_b = 1,
        .m = steps * size->batch,
        .n = RKI_GATES * size->hidden,
        .k = size->input,
        .lda = size->input,
        .ldb = size->input,
        .ldc = RKI_GATES * size->hidden};
}

static layout cut_scratch(rki_cpu *cpu, const rki_recurrent *size, rki_pieces *pieces)
{
    layout at = {0};
    int64_t gates = RKI_GATES * size->hidden, steps = stretch_steps(size);
    rki_gemm product = input_product(size, steps);
    if (!size->training) at.z = rki_take_floats(pieces, steps * size->batch * gates);
    at.panels = rki_take_floats(pieces, rki_recurrent_panels(cpu, size->hidden));
    at.bias = rki_take_floats(pieces, gates);
    at.rows = rki_pieces_take(pieces, (size_t)size->batch * sizeof(int32_t));
    at.gemm = rki_pieces_take(pieces, rki_cpu_gemm_scratch(cpu, &product));
    return at;
}

size_t rki_cpu_recurrent_stash(void *self, const rki_recurrent *size)
{
    (void)self;
    rki_pieces pieces = {NULL, 0};
    if (size->training) rki_recurrent_cut_stash(&pieces, size);
    return pieces.used;
}

size_t rki_cpu_recurrent_forward_scratch(void *self, const rki_recurrent *size)
{
    rki_pieces pieces = {NULL, 0};
    cut_scratch(self, size, &pieces);
    return pieces.used;
}

/* Z of the steps of this stretch. */
static float *run_input(const pass *p)
{
    const rki_recurrent_forward *call = p->call;
    const rki_recurrent *size = &call->layer;
    rki_gemm product = input_product(size, p->end - p->begin);
    product.a = (const float *)call->x + p->begin * size->batch * size->input;
    product.b = call->weights.weight_ih;
    product.bias = rki_recurrent_bias(
        call->weights.bias_ih, call->weights.bias_hh, RKI_GATES * size->hidden, p->at.bias);
    product.c =
        p->at.z ? p->at.z : p->stash.gates + p->begin * size->batch * RKI_GATES * size->hidden;
    product.scratch = p->at.gemm;
    rki_gemm_run(p->cpu, &product, NULL);
    return product.c;
}

/* y of the rows that have ended. */
static void clear_ended(const pass *p, int64_t t, int64_t begin, int64_t end)
{
    int64_t hidden = p->call->layer.hidden;
    float *y = (float *)p->call->y + t * p->call->layer.batch * hidden;
    for (int64_t b = begin; b < end; b++)
        if (p->call->layer.lengths && p->call->layer.lengths[b] <= t)
            memset(y + b * hidden, 0, (size_t)hidden * sizeof(float));
}

static void run_step(const pass *p, float *z, int64_t t, const int32_t *rows, int64_t count)
{
    const rki_recurrent_forward *call = p->call;
    int64_t state = call->layer.batch * call->layer.hidden;
    float *y = (float *)call->y + t * state;
    rki_lstm_step step = {.hidden = call->layer.hidden,
        .count = count,
        .rows = rows,
        .panels = p->at.panels,
        .h = t > 0 ? y - state : call->h0,
        .z = z + (t - p->begin) * state * RKI_GATES,
        .keep = call->layer.training,
        .h_next = y};
    if (call->layer.training) {
        step.c_next = p->stash.cells + t * state;
        step.c = t > 0 ? step.c_next - state : call->c0;
    } else {
        step.c_next = call->cn;
        step.c = t > 0 ? call->cn : call->c0;
    }
    p->cpu->kernels->lstm_step(&step);
}

static void run_rows(void *user, int64_t index, int64_t unused)
{
    (void)unused;
    const pass *p = user;
    const rki_recurrent *size = &p->call->layer;
    float *z =
        p->at.z ? p->at.z : p->stash.gates + p->begin * size->batch * RKI_GATES * size->hidden;
    int64_t begin, end;
    rki_recurrent_share(size->batch, p->tasks, index, &begin, &end);
    int32_t *rows = p->at.rows + begin;
    for (int64_t t = p->begin; t < p->end; t++) {
        int64_t count = rki_recurrent_live(p->call->layer.lengths, t, begin, end, rows);
        if (count > 0) run_step(p, z, t, rows, count);
        if (count < end - begin) clear_ended(p, t, begin, end);
    }
}

/* hn and cn, from where the last step of each row left them. */
static void copy_last(const pass *p)
{
    const rki_recurrent_forward *call = p->call;
    int64_t hidden = call->layer.hidden, batch = call->layer.batch;
    size_t bytes = (size_t)hidden * sizeof(float);
    for (int64_t b = 0; b < batch; b++) {
        int64_t last = (call->layer.lengths ? call->layer.lengths[b] : call->layer.steps) - 1;
        int64_t at = (last * batch + b) * hidden, start = b * hidden;
        const float *h = last < 0 ? (const float *)call->h0 + start : (const float *)call->y + at;
        memcpy((float *)call->hn + start, h, bytes);
        if (last < 0)
            memcpy((float *)call->cn + start, (const float *)call->c0 + start, bytes);
        else if (call->layer.training)
            memcpy((float *)call->cn + start, p->stash.cells + at, bytes);
    }
}

int32_t rki_cpu_recurrent_forward(void *self, const rki_recurrent_forward *call)
{
    RKI_TRY(rki_recurrent_check(self, &call->layer));
    uint64_t mode = rki_float_enter();
    const rki_recurrent *size = &call->layer;
    rki_pieces scratch = {call->scratch, 0}, stash = {call->stash, 0};
    pass p = {.cpu = self, .call = call, .at = cut_scratch(self, size, &scratch)};
    if (size->training) p.stash = rki_recurrent_cut_stash(&stash, size);
    p.tasks = rki_recurrent_tasks(self, size);
    int64_t steps = rki_recurrent_steps(size, call->layer.lengths), stretch = stretch_steps(size);
    p.cpu->kernels->pack_lstm(size->hidden, call->weights.weight_hh, p.at.panels);
    for (p.begin = 0; p.begin < steps; p.begin = p.end) {
        p.end = p.begin + stretch < steps ? p.begin + stretch : steps;
        run_input(&p);
        rki_parallel_blocks(p.cpu->threads, p.tasks, 1, run_rows, &p);
    }
    int64_t state = size->batch * size->hidden;
    memset((float *)call->y + steps * state, 0,
        (size_t)((size->steps - steps) * state) * sizeof(float));
    copy_last(&p);
    rki_float_leave(mode);
    return RNNKIT_OK;
}
