/* The optimisers' update and the sum of squares for clipping, over dense arrays or chosen rows.
 *
 * Both are bound by memory. Work is cut into blocks of whole rows when rows are chosen, and of a
 * fixed number of elements else; a sum of squares adds up its blocks' sums in their order. */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/parallel.h"

enum {
    BLOCK = 1 << 14, /* elements, about */
    MOST_SUMS = 256  /* blocks whose sums wait at a time */
};

/* A dense array counts as one long row that may be cut anywhere. */
typedef struct range {
    const int32_t *rows; /* NULL: elements */
    int64_t count;       /* rows, or elements */
    int64_t width;       /* elements of one of them */
    int64_t block;       /* how many make a block */
} range;

static range make_range(int64_t row_count, int64_t width, const int32_t *rows)
{
    if (rows == NULL) return (range){NULL, row_count * width, 1, BLOCK};
    return (range){rows, row_count, width, (BLOCK + width - 1) / width};
}

typedef struct update {
    const rki_kernels *kernels;
    const rki_update *call;
    rki_update_scalars scalars;
    range range;
} update;

static rki_update_scalars prepare(const rki_update *call)
{
    double first = 1.0 - pow(call->beta1, (double)call->step);
    double second = 1.0 - pow(call->beta2, (double)call->step);
    int adam = call->rule == RKI_ADAM || call->rule == RKI_ADAMW;
    double decay = call->weight_decay * (call->rule == RKI_ADAMW ? call->rate : 1.0);
    return (rki_update_scalars){.rule = call->rule,
        .nesterov = call->nesterov,
        .rate = (float)(adam ? call->rate / first : call->rate),
        .decay = (float)decay,
        .momentum = (float)call->momentum,
        .beta1 = (float)call->beta1,
        .one_minus_beta1 = (float)(1.0 - call->beta1),
        .beta2 = (float)call->beta2,
        .one_minus_beta2 = (float)(1.0 - call->beta2),
        .alpha = (float)call->alpha,
        .one_minus_alpha = (float)(1.0 - call->alpha),
        .epsilon = (float)call->epsilon,
        .second_correction = (float)(1.0 / sqrt(second)),
        .clip_value = call->clip_value > 0.0 ? (float)call->clip_value : INFINITY,
        .gradient_scale = (float)call->gradient_scale};
}

static void update_elements(const update *u, int64_t at, int64_t count)
{
    const rki_update *call = u->call;
    float *first = call->first, *second = call->second;
    u->kernels->update(&u->scalars, count, (float *)call->value + at, (float *)call->gradient + at,
        first ? first + at : NULL, second ? second + at : NULL);
}

static void update_block(void *user, int64_t begin, int64_t end)
{
    const update *u = user;
    if (u->range.rows == NULL)
        update_elements(u, begin, end - begin);
    else
        for (int64_t i = begin; i < end; i++)
            update_elements(u, u->range.rows[i] * u->range.width, u->range.width);
}

int32_t rki_cpu_update(void *self, const rki_update *call)
{
    const rki_cpu *cpu = self;
    update u = {
        cpu->kernels, call, prepare(call), make_range(call->row_count, call->width, call->rows)};
    rki_parallel_blocks(cpu->threads, u.range.count, u.range.block, update_block, &u);
    return RNNKIT_OK;
}

typedef struct squares {
    const rki_kernels *kernels;
    const float *x;
    float limit;
    range range;
    int64_t start; /* of the blocks whose sums these are, in rows or elements */
    double sums[MOST_SUMS];
} squares;

static void square_block(void *user, int64_t begin, int64_t end)
{
    squares *s = user;
    const range *r = &s->range;
    double sum = 0.0;
    if (r->rows == NULL)
        sum = s->kernels->square_sum(end - begin, s->x + s->start + begin, s->limit);
    else
        for (int64_t i = s->start + begin; i < s->start + end; i++)
            sum += s->kernels->square_sum(r->width, s->x + r->rows[i] * r->width, s->limit);
    s->sums[begin / r->block] = sum;
}

static void sum_squares(const rki_cpu *cpu, const rki_square_sum *call)
{
    squares s = {.kernels = cpu->kernels,
        .x = call->x,
        .limit = call->clip_value > 0.0 ? (float)call->clip_value : INFINITY,
        .range = make_range(call->row_count, call->width, call->rows)};
    int64_t most = MOST_SUMS * s.range.block;
    double sum = 0.0;
    for (s.start = 0; s.start < s.range.count; s.start += most) {
        int64_t count = s.range.count - s.start < most ? s.range.count - s.start : most;
        rki_parallel_blocks(cpu->threads, count, s.range.block, square_block, &s);
        for (int64_t i = 0; i * s.range.block < count; i++)
            sum += s.sums[i];
    }
    *call->sum = sum;
}

int32_t rki_cpu_square_sum(void *self, int64_t count, const rki_square_sum *calls)
{
    for (int64_t i = 0; i < count; i++)
        sum_squares(self, &calls[i]);
    return RNNKIT_OK;
}
