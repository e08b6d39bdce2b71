/* The backward pass of the recurrent layer over a whole sequence.
 *
 * Each thread takes its rows back through time, a step being one kernel over the packed weight_hh
 * (kernels/cell_backward.h) or composed (recurrent_composed_backward.c), and leaves the gates'
 * gradient dZ of all steps; then come the gradients of the weights (recurrent_gradients.c). Only
 * living rows are packed, so that padding neither costs nor counts, whatever it holds.
 */
#include "cpu/recurrent_backward.h"

#include <string.h>

#include "base/float_mode.h"
#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "cpu/recurrent_split.h"

typedef struct layout {
    float *panels, *panels_hr;
    rki_split_layer split; /* on tiles: weight_hh, instead of panels */
    float *h0, *c0, *dy;   /* with lengths or starts */
    rki_gradient_room gradients;
} layout;

typedef struct pass {
    rki_backward_pass p;
    layout at;
    int fused;
} pass;

const float *rki_gradient_h(const rki_backward_pass *p, int64_t k, int64_t begin, int64_t *stride)
{
    *stride = k > 0 ? p->ldh : p->layer->output;
    return k > 0 ? p->h + (rki_plan_first(&p->plan, k - 1) + begin) * p->ldh
                 : p->h0 + begin * p->layer->output;
}

const float *rki_gradient_c(const rki_backward_pass *p, int64_t k, int64_t begin)
{
    int64_t hidden = p->layer->hidden;
    return k > 0 ? p->stash.cells + (rki_plan_first(&p->plan, k - 1) + begin) * hidden
                 : p->c0 + begin * hidden;
}

static void cut_composed(rki_backward_pass *p, rki_pieces *pieces)
{
    const rki_recurrent *layer = p->layer;
    int64_t rows = layer->steps * layer->batch, units = rows * layer->hidden;
    int64_t widest = layer->output > layer->hidden ? layer->output : layer->hidden;
    p->room = rki_composed_cut(pieces, layer);
    p->down = rki_take_floats(pieces, 2 * layer->batch * layer->hidden);
    p->kept = rki_take_floats(pieces, layer->batch * widest);
    if (layer->output != layer->hidden) p->dshown = rki_take_floats(pieces, rows * layer->output);
    if (layer->cell == RKI_CELL_GRU_BEFORE) p->inside = rki_take_floats(pieces, units);
    if (layer->layer_norm) p->du = rki_take_floats(pieces, rows * p->plan.gates);
    if (layer->layer_norm && layer->cell == RKI_CELL_LSTM)
        p->dcell = rki_take_floats(pieces, units);
}

static pass start(rki_cpu *cpu, const rki_recurrent_backward *call, rki_pieces *pieces)
{
    const rki_recurrent *layer = &call->layer;
    int64_t rows = layer->steps * layer->batch;
    rki_pieces stash = {(char *)(uintptr_t)call->stash, 0};
    pass f = {.fused = rki_recurrent_fused(layer)};
    rki_backward_pass *p = &f.p;
    p->cpu = cpu;
    p->layer = layer;
    p->call = call;
    p->plan = rki_plan_make(cpu, layer, &stash, 0);
    p->stash = rki_stash_cut(&stash, layer);
    p->dz = rki_take_floats(pieces, rows * p->plan.gates);
    if (layer->cell == RKI_CELL_GRU) p->dn = rki_take_floats(pieces, rows * layer->hidden);
    p->dh = rki_take_floats(pieces, layer->batch * layer->output);
    p->carry = rki_take_floats(pieces, layer->batch * layer->hidden);
    if (rki_split_steps_suit(cpu, layer))
        f.at.split = rki_split_layer_cut(cpu, layer, 0, pieces);
    else
        f.at.panels = rki_take_floats(pieces, rki_gradient_panels(cpu, layer));
    if (layer->output != layer->hidden)
        f.at.panels_hr =
            rki_take_floats(pieces, rki_packed_count(cpu, layer->output, layer->hidden));
    if (layer->lengths || layer->starts) {
        f.at.h0 = rki_take_floats(pieces, layer->batch * layer->output);
        f.at.c0 = rki_take_floats(pieces, layer->batch * layer->hidden);
        f.at.dy = rki_take_floats(pieces, rows * layer->output);
    }
    if (!f.fused) cut_composed(p, pieces);
    f.at.gradients = rki_gradient_cut(cpu, pieces, layer);
    return f;
}

size_t rki_cpu_recurrent_backward_scratch(void *self, const rki_recurrent *layer)
{
    rki_pieces pieces = {NULL, 0};
    rki_recurrent_backward call = {.layer = *layer};
    start(self, &call, &pieces);
    return pieces.used;
}

static void pack(pass *f)
{
    rki_backward_pass *p = &f->p;
    const rki_recurrent *layer = p->layer;
    const float *weight_hh = p->call->weights.weight_hh;
    if (f->at.split.all.parts)
        rki_split_layer_make(p->cpu, layer, 0, weight_hh, &f->at.split);
    else if (f->fused)
        p->cpu->kernels->pack_b(
            p->plan.gates, layer->hidden, weight_hh, layer->hidden, 0, NULL, f->at.panels);
    else
        rki_gradient_pack(p->cpu, layer, weight_hh, f->at.panels);
    p->panels = f->at.panels;
    if (f->at.panels_hr)
        rki_packed_make(p->cpu, layer->output, layer->hidden, p->call->weights.weight_hr,
            layer->hidden, 0, f->at.panels_hr);
    p->panels_hr = f->at.panels_hr;
}

/* dh or carry, as a row's last step finds it. */
static void start_state(const pass *f, const float *from, int64_t width, float *to)
{
    const float *sorted = rki_plan_batch(&f->p.plan, from, width, to);
    size_t bytes = (size_t)(f->p.layer->batch * width) * sizeof(float);
    if (sorted == NULL)
        memset(to, 0, bytes);
    else if (sorted != to)
        memcpy(to, sorted, bytes);
}

static void place_states(pass *f)
{
    rki_backward_pass *p = &f->p;
    const rki_recurrent *layer = p->layer;
    const rki_recurrent_backward *call = p->call;
    int dense = p->plan.order == NULL;
    p->h0 = rki_plan_batch(&p->plan, call->h0, layer->output, f->at.h0);
    p->c0 = rki_plan_batch(&p->plan, call->c0, layer->hidden, f->at.c0);
    p->h = dense ? call->y : p->stash.h;
    p->ldh = dense ? call->ldy : layer->output;
    p->lddy = dense ? call->lddy : layer->output;
    if (call->dy)
        p->dy = rki_plan_rows(
            p->cpu, &p->plan, call->dy, call->lddy, layer->output, 0, p->plan.total, f->at.dy);
    start_state(f, call->dhn, layer->output, p->dh);
    start_state(f, call->dcn, layer->hidden, p->carry);
}

/* dh = weight_hh^T dz of the step after, and for a GRU what is carried: what the kernel would sum. */
static void sum_on_tiles(const pass *f, int64_t task, int64_t k, int64_t begin, int64_t end)
{
    const rki_backward_pass *p = &f->p;
    int64_t hidden = p->layer->hidden, gates = p->plan.gates;
    int gru = p->layer->cell == RKI_CELL_GRU;
    float *dh = p->dh + begin * hidden;
    rki_split_step sum = {.task = task,
        .rows = end - begin,
        .a = p->dz + (rki_plan_first(&p->plan, k + 1) + begin) * gates,
        .lda = gates,
        .add = gru,
        .c = dh,
        .ldc = hidden};
    if (gru)
        memcpy(dh, p->carry + begin * hidden, (size_t)((end - begin) * hidden) * sizeof(float));
    rki_split_step_run(p->cpu, &f->at.split, &f->at.split.all, &sum);
}

/* One kernel for rows begin .. end - 1 of step k, all of which go on to step k + 1 or all end. */
static void fused_gradient(
    const pass *f, int64_t task, int64_t k, int last, int64_t begin, int64_t end)
{
    const rki_backward_pass *p = &f->p;
    int64_t hidden = p->layer->hidden, first = rki_plan_first(&p->plan, k) + begin;
    rki_cell_gradient step = {.cell = p->layer->cell,
        .hidden = hidden,
        .count = end - begin,
        .dy = p->dy ? p->dy + first * p->lddy : NULL,
        .lddy = p->lddy,
        .gates = p->stash.gates + first * p->plan.gates,
        .carry = p->carry + begin * hidden,
        .dz = p->dz + first * p->plan.gates};
    int on_tiles = f->at.split.all.parts != NULL;
    if (!last && on_tiles) sum_on_tiles(f, task, k, begin, end);
    if (last || on_tiles)
        step.dh = p->dh + begin * hidden;
    else {
        step.panels = p->panels;
        step.dz_after = p->dz + (rki_plan_first(&p->plan, k + 1) + begin) * p->plan.gates;
    }
    if (p->layer->cell == RKI_CELL_LSTM) {
        step.c = p->stash.cells + first * hidden;
        step.c_before = rki_gradient_c(p, k, begin);
    }
    if (p->layer->cell == RKI_CELL_GRU) {
        step.reset = p->stash.reset + first * hidden;
        step.h_before = rki_gradient_h(p, k, begin, &step.ldh);
        step.dn = p->dn + first * hidden;
    }
    p->cpu->kernels->cell_gradient(&step);
}

static int64_t between(int64_t begin, int64_t value, int64_t end)
{
    return value < begin ? begin : value > end ? end : value;
}

static void run_rows(void *user, int64_t index, int64_t unused)
{
    (void)unused;
    const pass *f = user;
    const rki_plan *plan = &f->p.plan;
    int64_t begin, end;
    rki_plan_share(plan, index, &begin, &end);
    for (int64_t k = plan->steps - 1; k >= 0; k--) {
        int64_t all = between(begin, rki_plan_count(plan, k), end);
        int64_t going = between(begin, rki_plan_count(plan, k + 1), end);
        if (!f->fused && all > begin) rki_composed_gradient(&f->p, k, begin, all);
        if (!f->fused) continue;
        if (going > begin) fused_gradient(f, index, k, 0, begin, going);
        if (all > going) fused_gradient(f, index, k, 1, going, all);
    }
}

/* After fused steps, what the first step sends back: dh of the rows that live at all. */
static void finish_dh(const pass *f)
{
    const rki_backward_pass *p = &f->p;
    int64_t hidden = p->layer->hidden, rows = rki_plan_count(&p->plan, 0);
    int gru = p->layer->cell == RKI_CELL_GRU;
    if (!f->fused || p->call->dh0 == NULL || rows == 0) return;
    rki_gemm product = {.accumulate = gru,
        .m = rows,
        .n = hidden,
        .k = p->plan.gates,
        .a = p->dz + rki_plan_first(&p->plan, 0) * p->plan.gates,
        .lda = p->plan.gates,
        .b = p->call->weights.weight_hh,
        .ldb = hidden,
        .c = p->dh,
        .ldc = hidden,
        .scratch = f->at.gradients.gemm};
    if (gru) memcpy(p->dh, p->carry, (size_t)(rows * hidden) * sizeof(float));
    rki_gemm_run(p->cpu, &product, NULL);
}

int32_t rki_cpu_recurrent_backward(void *self, const rki_recurrent_backward *call)
{
    uint64_t mode = rki_float_enter();
    rki_pieces pieces = {call->scratch, 0};
    pass f = start(self, call, &pieces);
    const rki_backward_pass *p = &f.p;
    pack(&f);
    place_states(&f);
    rki_parallel_blocks(p->cpu->threads, p->plan.tasks, 1, run_rows, &f);
    finish_dh(&f);
    if (call->dh0) rki_plan_return_batch(&p->plan, p->dh, call->layer.output, call->dh0);
    if (call->dc0) rki_plan_return_batch(&p->plan, p->carry, call->layer.hidden, call->dc0);
    rki_weight_gradients(p, &f.at.gradients);
    rki_float_leave(mode);
    return RNNKIT_OK;
}
