/* The forward pass of the recurrent layer over a whole sequence.
 *
 * Z = X W_ih^T + biases is one product for many steps; then each thread takes its rows through
 * time, a step being one kernel over the packed weight_hh (kernels/cell_forward.h) or, with options
 * that no kernel has, composed (recurrent_composed.h). When training, Z is computed where the stash
 * keeps the gates and gives way to them step by step; else it is a buffer for a stretch of steps.
 * The h of a step is read where the step before put it: in y, or with lengths in packed rows.
 */
#include <string.h>

#include "base/float_mode.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "cpu/recurrent_composed.h"
#include "cpu/recurrent_split.h"

/* Rows of Z of a stretch, about: enough for a good product, few enough to stay in a cache. */
enum { STRETCH_ROWS = 1024 };

typedef struct layout {
    float *z; /* NULL when training */
    float *panels, *panels_hr, *bias;
    float *x, *h, *h0, *c0, *c; /* with lengths or starts */
    void *gemm;
    rki_split_layer split; /* on tiles: weight_hh, instead of panels */
} layout;

typedef struct pass {
    rki_forward_pass p;
    const rki_recurrent_forward *call;
    layout at;
    int fused;
    int64_t begin, end; /* this stretch's steps */
} pass;

static int64_t stretch_rows(const rki_recurrent *layer)
{
    int64_t all = layer->steps * layer->batch;
    int64_t rows = layer->batch > STRETCH_ROWS ? layer->batch : STRETCH_ROWS;
    return rows < all ? rows : all;
}

static rki_gemm input_product(const rki_recurrent *layer, int64_t rows)
{
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    return (rki_gemm){.transpose_b = 1,
        .training = layer->training,
        .m = rows,
        .n = gates,
        .k = layer->input,
        .lda = layer->input,
        .ldb = layer->input,
        .ldc = gates,
        .b_format = layer->format,
        .b_rows = gates};
}

/* Few rows gain nothing from packed weights being packed once more: composed steps read them where
 * they lie. */
static int is_fused(const rki_cpu *cpu, const rki_recurrent *layer)
{
    int few = layer->batch <= cpu->kernels->tile_rows;
    return rki_recurrent_fused(layer) && !(rki_format_packed(layer->format) && few);
}

static int64_t panel_floats(const rki_cpu *cpu, const rki_recurrent *layer)
{
    int64_t lanes = cpu->kernels->lanes;
    if (!is_fused(cpu, layer)) return rki_composed_panels(cpu, layer);
    return (layer->hidden + lanes - 1) / lanes * lanes * rki_cell_gates(layer->cell) *
           layer->hidden;
}

static layout cut_scratch(rki_cpu *cpu, const rki_recurrent *layer, rki_pieces *pieces)
{
    layout at = {0};
    int64_t rows = stretch_rows(layer), batch = layer->batch;
    int packed = layer->lengths || layer->starts, lstm = layer->cell == RKI_CELL_LSTM;
    rki_gemm product = input_product(layer, rows);
    if (!layer->training) at.z = rki_take_floats(pieces, rows * product.n);
    int on_tiles = rki_split_steps_suit(cpu, layer);
    if (on_tiles) at.split = rki_split_layer_cut(cpu, layer, 1, pieces);
    if ((layer->format == RKI_PLAIN || is_fused(cpu, layer)) && !on_tiles)
        at.panels = rki_take_floats(pieces, panel_floats(cpu, layer));
    if (layer->format == RKI_PLAIN && layer->output != layer->hidden)
        at.panels_hr = rki_take_floats(pieces, rki_packed_count(cpu, layer->hidden, layer->output));
    at.bias = rki_take_floats(pieces, product.n);
    if (packed) {
        at.x = rki_take_floats(pieces, rows * layer->input);
        at.h0 = rki_take_floats(pieces, batch * layer->output);
    }
    if (packed && !layer->training)
        at.h = rki_take_floats(pieces, layer->steps * batch * layer->output);
    if (packed && lstm) at.c0 = rki_take_floats(pieces, batch * layer->hidden);
    if (packed && lstm && !layer->training) at.c = rki_take_floats(pieces, batch * layer->hidden);
    at.gemm = rki_pieces_take(pieces, rki_cpu_gemm_scratch(cpu, &product));
    return at;
}

size_t rki_cpu_recurrent_stash(void *self, const rki_recurrent *layer)
{
    rki_pieces pieces = {NULL, 0};
    if (!layer->training) return 0;
    rki_plan_make(self, layer, &pieces, 1);
    rki_stash_cut(&pieces, layer);
    return pieces.used;
}

static pass start(rki_cpu *cpu, const rki_recurrent_forward *call, rki_pieces *pieces)
{
    const rki_recurrent *layer = &call->layer;
    rki_pieces stash = {call->stash, 0};
    pass f = {.call = call, .fused = is_fused(cpu, layer)};
    rki_forward_pass *p = &f.p;
    p->cpu = cpu;
    p->layer = layer;
    p->weights = &call->weights;
    p->plan = rki_plan_make(cpu, layer, layer->training ? &stash : pieces, 1);
    f.at = cut_scratch(cpu, layer, pieces);
    if (!f.fused) p->room = rki_composed_cut(pieces, layer);
    if (layer->training) p->stash = rki_stash_cut(&stash, layer);
    return f;
}

size_t rki_cpu_recurrent_forward_scratch(void *self, const rki_recurrent *layer)
{
    rki_pieces pieces = {NULL, 0};
    rki_recurrent_forward call = {.layer = *layer};
    start(self, &call, &pieces);
    return pieces.used;
}

static void pack(pass *f)
{
    rki_forward_pass *p = &f->p;
    const rki_recurrent *layer = p->layer;
    const rki_kernels *kernels = p->cpu->kernels;
    const float *weight_hh = p->weights->weight_hh;
    int64_t hidden = layer->hidden;
    if (layer->format != RKI_PLAIN && !f->fused) return; /* read where they lie */
    if (f->at.split.all.parts) {
        rki_split_layer_make(p->cpu, layer, 1, weight_hh, &f->at.split);
        return;
    }
    if (rki_format_packed(layer->format))
        kernels->pack_again(
            layer->format, rki_cell_gates(layer->cell), hidden, weight_hh, f->at.panels);
    else if (!f->fused)
        rki_composed_pack(p->cpu, layer, weight_hh, f->at.panels);
    else if (layer->cell >= RKI_CELL_GRU)
        kernels->pack_gates(rki_cell_gates(layer->cell), hidden, weight_hh, f->at.panels);
    else
        kernels->pack_b(hidden, hidden, weight_hh, hidden, 1, NULL, f->at.panels);
    p->panels = f->at.panels;
    if (layer->output == hidden) return;
    rki_packed_make(
        p->cpu, hidden, layer->output, p->weights->weight_hr, hidden, 1, f->at.panels_hr);
    p->panels_hr = f->at.panels_hr;
}

/* Where h and c are while the sequence runs. */
static void place_states(pass *f)
{
    rki_forward_pass *p = &f->p;
    const rki_recurrent *layer = p->layer;
    int dense = p->plan.order == NULL;
    p->h0 = rki_plan_batch(&p->plan, f->call->h0, layer->output, f->at.h0);
    p->c0 = rki_plan_batch(&p->plan, f->call->c0, layer->hidden, f->at.c0);
    p->h = dense ? f->call->y : layer->training ? p->stash.h : f->at.h;
    p->ldh = dense ? f->call->ldy : layer->output;
    p->c = dense ? f->call->cn : f->at.c;
}

/* Z of the steps of this stretch. */
static void run_input(pass *f)
{
    rki_forward_pass *p = &f->p;
    const rki_recurrent *layer = p->layer;
    int64_t last = f->end - 1, from = rki_plan_first(&p->plan, f->begin), rows = 0;
    if (rki_plan_first(&p->plan, last) < from) from = rki_plan_first(&p->plan, last);
    for (int64_t k = f->begin; k < f->end; k++)
        rows += rki_plan_count(&p->plan, k);
    p->z_first = layer->training ? 0 : from;
    p->z = layer->training ? p->stash.gates : f->at.z;
    rki_gemm product = input_product(layer, rows);
    product.a = rki_plan_rows(
        p->cpu, &p->plan, f->call->x, layer->input, layer->input, from, rows, f->at.x);
    product.b = p->weights->weight_ih;
    if (!layer->layer_norm) product.bias = rki_recurrent_bias(layer, p->weights, f->at.bias);
    product.c = p->z + (from - p->z_first) * p->plan.gates;
    product.scratch = f->at.gemm;
    rki_gemm_run(p->cpu, &product, NULL);
}

/* What a step's kernel would sum, summed before it. */
static void step_on_tiles(const pass *f, int64_t task, const rki_cell_step *step)
{
    const rki_split_layer *split = &f->at.split;
    rki_split_step sum = {.task = task,
        .rows = step->count,
        .a = step->h,
        .lda = step->ldh,
        .add = 1,
        .c = step->z,
        .ldc = f->p.plan.gates};
    rki_split_step_run(f->p.cpu, split, &split->all, &sum);
    if (split->n.parts == NULL) return;
    sum.bias = step->bias_n;
    sum.add = 0;
    sum.c = step->reset;
    sum.ldc = step->hidden;
    rki_split_step_run(f->p.cpu, split, &split->n, &sum);
}

static void fused_step(const pass *f, int64_t task, int64_t k, int64_t begin, int64_t end)
{
    const rki_forward_pass *p = &f->p;
    int64_t hidden = p->layer->hidden, first = rki_plan_first(&p->plan, k) + begin;
    rki_cell_step step = {.cell = p->layer->cell,
        .hidden = hidden,
        .count = end - begin,
        .panels = p->panels,
        .bias_n = rki_recurrent_bias_n(p->layer, p->weights),
        .z = p->z + (first - p->z_first) * p->plan.gates,
        .keep = p->layer->training,
        .h_next = p->h + first * p->ldh,
        .ldh_next = p->ldh};
    step.h = rki_h_before(p, k, begin, &step.ldh);
    if (p->stash.reset) step.reset = p->stash.reset + first * hidden;
    if (p->layer->cell == RKI_CELL_LSTM && p->layer->training) {
        step.c_next = p->stash.cells + first * hidden;
        step.c = k > 0 ? p->stash.cells + (rki_plan_first(&p->plan, k - 1) + begin) * hidden
                       : p->c0 + begin * hidden;
    } else if (p->layer->cell == RKI_CELL_LSTM) {
        step.c_next = p->c + begin * hidden;
        step.c = (k > 0 ? p->c : p->c0) + begin * hidden;
    }
    if (f->at.split.all.parts) step_on_tiles(f, task, &step);
    p->cpu->kernels->cell_step(&step);
}

static void run_rows(void *user, int64_t index, int64_t unused)
{
    (void)unused;
    const pass *f = user;
    int64_t begin, end;
    rki_plan_share(&f->p.plan, index, &begin, &end);
    for (int64_t k = f->begin; k < f->end; k++) {
        int64_t count = rki_plan_count(&f->p.plan, k);
        if (end < count) count = end;
        if (count <= begin) return;
        if (f->fused)
            fused_step(f, index, k, begin, count);
        else
            rki_composed_step(&f->p, k, begin, count);
    }
}

/* As many steps from f->begin on as have rows for a stretch; one at least. */
static int64_t stretch_end(const pass *f)
{
    int64_t k = f->begin, rows = 0, most = stretch_rows(f->p.layer);
    while (k < f->p.plan.steps && (k == f->begin || rows + rki_plan_count(&f->p.plan, k) <= most))
        rows += rki_plan_count(&f->p.plan, k++);
    return k;
}

/* hn and cn, from where the last step of each row left them. */
static void copy_last(const pass *f)
{
    const rki_forward_pass *p = &f->p;
    const rki_recurrent *layer = p->layer;
    int64_t output = layer->output, hidden = layer->hidden, begin;
    for (int64_t i = 0; i < layer->batch; i++) {
        int64_t b = p->plan.order ? p->plan.order[i] : i, stride;
        int64_t length = p->plan.order ? rki_recurrent_life(
                                             layer->starts, layer->lengths, layer->steps, b, &begin)
                                       : layer->steps;
        const float *h = rki_h_before(p, length, i, &stride);
        memcpy((float *)f->call->hn + b * output, h, (size_t)output * sizeof(float));
        if (layer->cell != RKI_CELL_LSTM) continue;
        const float *c = length == 0 ? p->c0 + i * hidden
                         : layer->training
                             ? p->stash.cells + (rki_plan_first(&p->plan, length - 1) + i) * hidden
                             : p->c + i * hidden;
        float *cn = (float *)f->call->cn + b * hidden;
        if (cn != c) memcpy(cn, c, (size_t)hidden * sizeof(float));
    }
}

int32_t rki_cpu_recurrent_forward(void *self, const rki_recurrent_forward *call)
{
    uint64_t mode = rki_float_enter();
    rki_pieces pieces = {call->scratch, 0};
    pass f = start(self, call, &pieces);
    rki_forward_pass *p = &f.p;
    pack(&f);
    place_states(&f);
    for (f.begin = 0; f.begin < p->plan.steps; f.begin = f.end) {
        f.end = stretch_end(&f);
        run_input(&f);
        rki_parallel_blocks(p->cpu->threads, p->plan.tasks, 1, run_rows, &f);
    }
    copy_last(&f);
    if (p->plan.order)
        rki_plan_return(p->cpu, &p->plan, p->h, call->layer.output, call->y, call->ldy, 0);
    rki_float_leave(mode);
    return RNNKIT_OK;
}
