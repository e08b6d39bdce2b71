/* The plan of a sequence: which row of the batch lives when. See recurrent.h. */
#include <string.h>

#include "cpu/parallel.h"
#include "cpu/recurrent.h"

enum {
    WORK_STEP = 1 << 19, /* multiply-adds of the recurrent products that are worth another thread */
    COPY_ROWS = 256      /* rows to copy that are */
};

int64_t rki_recurrent_life(
    const int32_t *starts, const int32_t *lengths, int64_t steps, int64_t b, int64_t *begin)
{
    *begin = starts ? starts[b] : 0;
    return lengths ? lengths[b] : steps - *begin;
}

static int64_t length_of(const rki_recurrent *layer, int64_t b)
{
    int64_t begin;
    return rki_recurrent_life(layer->starts, layer->lengths, layer->steps, b, &begin);
}

/* At least half a tile of rows for each: with fewer, all threads read all weights to little use. */
static int64_t choose_tasks(const rki_cpu *cpu, const rki_plan *plan)
{
    const rki_recurrent *layer = plan->layer;
    int64_t least_rows = (cpu->kernels->tile_rows + 1) / 2;
    int64_t tasks = layer->batch / least_rows;
    double work = (double)plan->total * (double)plan->gates * (double)layer->output / WORK_STEP;
    if (tasks > cpu->threads) tasks = cpu->threads;
    if ((double)tasks > work) tasks = (int64_t)work;
    return tasks < 1 ? 1 : tasks;
}

/* Counting sort by length, the longest first, rows of one length in their order. Afterwards
 * offsets[k] is the number of rows that live longer than k steps. */
static void sort_rows(rki_plan *plan)
{
    const rki_recurrent *layer = plan->layer;
    int64_t *longer = plan->offsets;
    memset(longer, 0, (size_t)(layer->steps + 1) * sizeof *longer);
    for (int64_t b = 0; b < layer->batch; b++) {
        int64_t length = length_of(layer, b);
        if (length > 0) longer[length - 1]++;
    }
    for (int64_t k = layer->steps - 1; k >= 0; k--)
        longer[k] += longer[k + 1];
    int64_t empty = longer[0];
    for (int64_t b = 0; b < layer->batch; b++) {
        int64_t length = length_of(layer, b);
        if (length == 0)
            plan->order[empty++] = (int32_t)b;
        else
            plan->order[longer[length]++] = (int32_t)b;
    }
    /* Each longer[length] has moved on by the rows of that very length: to longer[length - 1]. */
    for (int64_t k = 0; k < layer->steps; k++)
        longer[k] = longer[k + 1];
}

static void list_places(rki_plan *plan)
{
    const rki_recurrent *layer = plan->layer;
    int64_t first = 0;
    for (int64_t k = 0; k < layer->steps; k++) {
        int64_t count = plan->offsets[k];
        plan->offsets[k] = first;
        for (int64_t i = 0; i < count; i++) {
            int64_t b = plan->order[i], begin;
            int64_t length =
                rki_recurrent_life(layer->starts, layer->lengths, layer->steps, b, &begin);
            int64_t t = layer->reverse ? begin + length - 1 - k : begin + k;
            plan->places[first + i] = t * layer->batch + b;
        }
        first += count;
    }
    plan->offsets[layer->steps] = first;
}

static void count_steps(rki_plan *plan)
{
    plan->total = plan->offsets[plan->layer->steps];
    while (plan->steps > 0 && plan->offsets[plan->steps - 1] == plan->total)
        plan->steps--;
}

static int all_full(const rki_recurrent *layer)
{
    for (int64_t b = 0; b < layer->batch; b++)
        if (length_of(layer, b) != layer->steps) return 0;
    return 1;
}

rki_plan rki_plan_make(
    const rki_cpu *cpu, const rki_recurrent *layer, rki_pieces *pieces, int fresh)
{
    rki_plan plan = {.layer = layer,
        .gates = rki_cell_gates(layer->cell) * layer->hidden,
        .steps = layer->steps,
        .total = layer->steps * layer->batch};
    if (layer->lengths || layer->starts) {
        size_t steps = (size_t)layer->steps, batch = (size_t)layer->batch;
        plan.order = rki_pieces_take(pieces, batch * sizeof *plan.order);
        plan.offsets = rki_pieces_take(pieces, (steps + 1) * sizeof *plan.offsets);
        plan.places = rki_pieces_take(pieces, steps * batch * sizeof *plan.places);
    }
    if (pieces->block && plan.order && all_full(layer)) plan.order = NULL;
    if (pieces->block && plan.order && fresh) {
        sort_rows(&plan);
        list_places(&plan);
    }
    if (pieces->block && plan.order) count_steps(&plan);
    plan.tasks = choose_tasks(cpu, &plan);
    return plan;
}

int64_t rki_plan_count(const rki_plan *plan, int64_t k)
{
    if (k >= plan->steps) return 0;
    return plan->order ? plan->offsets[k + 1] - plan->offsets[k] : plan->layer->batch;
}

int64_t rki_plan_first(const rki_plan *plan, int64_t k)
{
    if (plan->order) return plan->offsets[k];
    return (plan->layer->reverse ? plan->steps - 1 - k : k) * plan->layer->batch;
}

int64_t rki_plan_place(const rki_plan *plan, int64_t row)
{
    return plan->order ? plan->places[row] : row;
}

/* The first row before which there are `share` packed rows. */
static int64_t boundary(const rki_plan *plan, double share)
{
    int64_t i = 0, before = 0;
    for (; i < plan->layer->batch && (double)before < share; i++)
        before += length_of(plan->layer, plan->order[i]);
    return i;
}

void rki_plan_share(const rki_plan *plan, int64_t index, int64_t *begin, int64_t *end)
{
    int64_t batch = plan->layer->batch, tasks = plan->tasks;
    *begin = batch * index / tasks;
    *end = batch * (index + 1) / tasks;
    if (plan->order == NULL) return;
    double part = (double)plan->total / (double)tasks;
    *begin = index == 0 ? 0 : boundary(plan, part * (double)index);
    *end = index == tasks - 1 ? batch : boundary(plan, part * (double)(index + 1));
}

/* Copies. */

typedef struct copying {
    const rki_plan *plan;
    const float *from;
    float *to;
    int64_t stride, width, first;
    int accumulate;
} copying;

static void take_rows(void *user, int64_t begin, int64_t end)
{
    const copying *c = user;
    for (int64_t i = begin; i < end; i++)
        memcpy(c->to + i * c->width, c->from + c->plan->places[c->first + i] * c->stride,
            (size_t)c->width * sizeof(float));
}

const float *rki_plan_rows(const rki_cpu *cpu, const rki_plan *plan, const float *from,
    int64_t stride, int64_t width, int64_t first, int64_t count, float *room)
{
    if (plan->order == NULL) return from + first * stride;
    copying c = {
        .plan = plan, .from = from, .to = room, .stride = stride, .width = width, .first = first};
    rki_parallel_blocks(cpu->threads, count, COPY_ROWS, take_rows, &c);
    return room;
}

const float *rki_plan_batch(const rki_plan *plan, const float *from, int64_t width, float *room)
{
    if (plan->order == NULL || from == NULL) return from;
    for (int64_t i = 0; i < plan->layer->batch; i++)
        memcpy(room + i * width, from + plan->order[i] * width, (size_t)width * sizeof(float));
    return room;
}

static void return_rows(void *user, int64_t begin, int64_t end)
{
    const copying *c = user;
    for (int64_t i = begin; i < end; i++) {
        const float *from = c->from + i * c->width;
        float *to = c->to + rki_plan_place(c->plan, i) * c->stride;
        if (!c->accumulate)
            memcpy(to, from, (size_t)c->width * sizeof(float));
        else
            for (int64_t j = 0; j < c->width; j++)
                to[j] += from[j];
    }
}

/* Zeros wherever rows of the batch begin .. end - 1 do not live. */
static void clear_padding(void *user, int64_t begin, int64_t end)
{
    const copying *c = user;
    const rki_recurrent *layer = c->plan->layer;
    for (int64_t b = begin; b < end; b++) {
        int64_t start;
        int64_t length = rki_recurrent_life(layer->starts, layer->lengths, layer->steps, b, &start);
        for (int64_t t = 0; t < layer->steps; t++)
            if (t < start || t >= start + length)
                memset(c->to + (t * layer->batch + b) * c->stride, 0,
                    (size_t)c->width * sizeof(float));
    }
}

void rki_plan_return(const rki_cpu *cpu, const rki_plan *plan, const float *packed, int64_t width,
    float *to, int64_t stride, int accumulate)
{
    copying c = {.plan = plan,
        .from = packed,
        .to = to,
        .stride = stride,
        .width = width,
        .accumulate = accumulate};
    rki_parallel_blocks(cpu->threads, plan->total, COPY_ROWS, return_rows, &c);
    if (!accumulate && plan->order)
        rki_parallel_blocks(cpu->threads, plan->layer->batch, 1 + COPY_ROWS / plan->layer->steps,
            clear_padding, &c);
}

void rki_plan_return_batch(const rki_plan *plan, const float *from, int64_t width, float *to)
{
    if (plan->order == NULL && from == to) return;
    for (int64_t i = 0; i < plan->layer->batch; i++)
        memcpy(to + (plan->order ? plan->order[i] : i) * width, from + i * width,
            (size_t)width * sizeof(float));
}
