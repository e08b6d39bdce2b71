/* The gradients of the recurrent layer's weights and of x, from those of the gates' sums:
 *   dW_hh += dU^T H_before   dW_ih += dA^T X   dX = dA W_ih   db += column sums
 * as single products over all packed rows, in the order of their steps. */
#include <string.h>

#include "cpu/gemm.h"
#include "cpu/parallel.h"
#include "cpu/recurrent_backward.h"

enum { ROWS = 64 /* rows, or columns, that are worth another thread */ };

/* c[m][n] += a^T b over `count` rows. */
static rki_gemm weight_product(int64_t m, int64_t n, int64_t count)
{
    return (rki_gemm){.transpose_a = 1,
        .accumulate = 1,
        .m = m,
        .n = n,
        .k = count,
        .lda = m,
        .ldb = n,
        .ldc = n};
}

static rki_gemm back_product(const rki_recurrent *layer, int64_t width, int64_t count)
{
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    return (rki_gemm){.m = count, .n = width, .k = gates, .lda = gates, .ldb = width, .ldc = width};
}

rki_gradient_room rki_gradient_cut(rki_cpu *cpu, rki_pieces *pieces, const rki_recurrent *layer)
{
    int64_t count = layer->steps * layer->batch;
    int64_t gates = rki_cell_gates(layer->cell) * layer->hidden;
    rki_gemm all[] = {weight_product(gates, layer->input, count),
        weight_product(gates, layer->output, count),
        weight_product(layer->output, layer->hidden, count),
        back_product(layer, layer->input, count), back_product(layer, layer->output, layer->batch)};
    rki_gradient_room room = {0};
    size_t most = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        size_t bytes = rki_cpu_gemm_scratch(cpu, &all[i]);
        if (bytes > most) most = bytes;
    }
    if (layer->lengths || layer->starts) {
        room.x = rki_take_floats(pieces, count * layer->input);
        room.h_before = rki_take_floats(pieces, count * layer->output);
    }
    room.sum = rki_take_floats(pieces, gates);
    room.gemm = rki_pieces_take(pieces, most);
    return room;
}

static void run(const rki_backward_pass *p, const rki_gradient_room *room, rki_gemm product,
    const float *a, const float *b, void *c)
{
    if (product.m == 0 || product.k == 0) return;
    product.a = a;
    product.b = b;
    product.c = c;
    product.scratch = room->gemm;
    rki_gemm_run(p->cpu, &product, NULL);
}

/* target += column sums of a [total][width], the sum by itself first */
static void add_sums(const rki_backward_pass *p, const rki_gradient_room *room, int64_t width,
    const float *a, float *target)
{
    if (p->plan.total == 0) return;
    rki_cpu_column_sum((void *)(uintptr_t)p->cpu, p->plan.total, width, a, 0, room->sum);
    for (int64_t j = 0; j < width; j++)
        target[j] += room->sum[j];
}

static void add_bias(const rki_backward_pass *p, const rki_gradient_room *room, float *target)
{
    if (target) add_sums(p, room, p->plan.gates, p->dz, target);
}

/* What a sum of products of columns takes: target[j] += sum over rows of a[r][j] b[r][j]. */
typedef struct column_products {
    int64_t rows, width;
    const float *a, *b;
    float *target;
} column_products;

static void add_column_products(void *user, int64_t begin, int64_t end)
{
    const column_products *c = user;
    double sum[ROWS];
    int64_t n = end - begin;
    memset(sum, 0, sizeof sum);
    for (int64_t r = 0; r < c->rows; r++) {
        const float *a = c->a + r * c->width + begin, *b = c->b + r * c->width + begin;
        for (int64_t j = 0; j < n; j++)
            sum[j] += (double)a[j] * b[j];
    }
    for (int64_t j = 0; j < n; j++)
        c->target[begin + j] += (float)sum[j];
}

static void add_gain(
    const rki_backward_pass *p, int64_t width, const float *d, const float *normal, void *target)
{
    column_products c = {p->plan.total, width, d, normal, target};
    rki_parallel_blocks(p->cpu->threads, width, ROWS, add_column_products, &c);
}

/* h of the step before each packed row. */
static void copy_h_before(const rki_backward_pass *p, float *to)
{
    int64_t output = p->layer->output, stride;
    for (int64_t k = 0; k < p->plan.steps; k++) {
        int64_t count = rki_plan_count(&p->plan, k);
        const float *from = rki_gradient_h(p, k, 0, &stride);
        for (int64_t i = 0; i < count; i++, to += output)
            memcpy(to, from + i * stride, (size_t)output * sizeof(float));
    }
}

/* The part of dW_hh that belongs to `rows` of its rows, of which du has the gradients. */
static void add_weight_hh(const rki_backward_pass *p, const rki_gradient_room *room,
    const float *du, int64_t rows, float *target)
{
    int64_t output = p->layer->output, batch = p->layer->batch, total = p->plan.total;
    rki_gemm product = weight_product(rows, output, total);
    product.lda = p->plan.gates;
    if (p->plan.order) {
        run(p, room, product, du, room->h_before, target);
        return;
    }
    /* The first step by itself; then steps against h of those before them, in the order of time. */
    int64_t first = rki_plan_first(&p->plan, 0), rest = total - batch;
    product.k = batch;
    run(p, room, product, du + first * p->plan.gates, p->h0, target);
    product.k = rest;
    product.ldb = p->ldh;
    if (p->layer->reverse)
        run(p, room, product, du, p->h + batch * p->ldh, target);
    else
        run(p, room, product, du + batch * p->plan.gates, p->h, target);
}

static void add_recurrent_weight(const rki_backward_pass *p, const rki_gradient_room *room)
{
    int64_t hidden = p->layer->hidden, gates = p->plan.gates;
    float *target = p->call->gradients.weight_hh;
    int before = p->layer->cell == RKI_CELL_GRU_BEFORE;
    if (p->plan.order) copy_h_before(p, room->h_before);
    add_weight_hh(p, room, p->du ? p->du : p->dz, before ? 2 * hidden : gates, target);
    if (!before) return;
    rki_gemm product = weight_product(hidden, hidden, p->plan.total);
    product.lda = gates;
    run(p, room, product, p->dz + 2 * hidden, p->inside, target + 2 * hidden * hidden);
}

/* A GRU's n in dz changes from the gradient of u_n to that of a_n. */
static void take_dn(void *user, int64_t begin, int64_t end)
{
    const rki_backward_pass *p = user;
    int64_t hidden = p->layer->hidden, gates = p->plan.gates;
    for (int64_t r = begin; r < end; r++)
        memcpy(p->dz + r * gates + 2 * hidden, p->dn + r * hidden, (size_t)hidden * sizeof(float));
}

/* With layer norm, dz changes from the gradient of the sums to that of W_ih x. */
static void unwind_norm(void *user, int64_t begin, int64_t end)
{
    const rki_backward_pass *p = user;
    int64_t gates = p->plan.gates;
    const float *gain = p->call->weights.norm_ih;
    for (int64_t r = begin; r < end; r++) {
        float *dz = p->dz + r * gates;
        for (int64_t j = 0; j < gates; j++)
            dz[j] *= gain[j];
        rki_normalize_backward(p->stash.normal_a + r * gates, p->stash.scale[3 * r], gates, dz);
    }
}

static void compute_dx(const rki_backward_pass *p, const rki_gradient_room *room)
{
    const rki_recurrent_backward *call = p->call;
    int64_t input = p->layer->input;
    if (call->dx == NULL) return;
    rki_gemm product = back_product(p->layer, input, p->plan.total);
    product.accumulate = p->plan.order == NULL && call->accumulate_dx;
    run(p, room, product, p->dz, call->weights.weight_ih, p->plan.order ? room->x : call->dx);
    if (p->plan.order)
        rki_plan_return(p->cpu, &p->plan, room->x, input, call->dx, input, call->accumulate_dx);
}

void rki_weight_gradients(const rki_backward_pass *p, const rki_gradient_room *room)
{
    const rki_recurrent_gradients *to = &p->call->gradients;
    const rki_recurrent *layer = p->layer;
    int64_t gates = p->plan.gates, hidden = layer->hidden, total = p->plan.total;
    add_recurrent_weight(p, room);
    add_bias(p, room, to->bias_hh);
    if (layer->layer_norm) add_gain(p, gates, p->dz, p->stash.normal_u, to->norm_hh);
    if (p->dn) rki_parallel_blocks(p->cpu->threads, total, ROWS, take_dn, (void *)(uintptr_t)p);
    add_bias(p, room, to->bias_ih);
    if (layer->layer_norm) {
        add_gain(p, gates, p->dz, p->stash.normal_a, to->norm_ih);
        rki_parallel_blocks(p->cpu->threads, total, ROWS, unwind_norm, (void *)(uintptr_t)p);
    }
    if (p->dcell) {
        add_gain(p, hidden, p->dcell, p->stash.normal_c, to->norm_c);
        add_sums(p, room, hidden, p->dcell, to->norm_c_bias);
    }
    if (p->dshown)
        run(p, room, weight_product(layer->output, hidden, total), p->dshown, p->stash.shown,
            to->weight_hr);
    run(p, room, weight_product(gates, layer->input, total), p->dz,
        rki_plan_rows(p->cpu, &p->plan, p->call->x, layer->input, layer->input, 0, total, room->x),
        to->weight_ih);
    compute_dx(p, room);
}
