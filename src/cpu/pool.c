/* Pooling over time: each thread takes rows of the batch, and goes through their steps in order. */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/parallel.h"
#include "cpu/recurrent.h"

typedef struct work {
    const rki_pool *call;
    const rki_pool_backward *backward; /* NULL in the forward pass */
} work;

/* Whether a value takes the place of the largest so far: it is larger, or the first NaN. */
static int beats(float value, float largest)
{
    return value > largest || (isnan(value) && !isnan(largest));
}

static void sum_row(const rki_pool *call, int64_t b, int64_t begin, int64_t length, float *out)
{
    memset(out, 0, (size_t)call->width * sizeof(float));
    for (int64_t t = begin; t < begin + length; t++) {
        const float *x = (const float *)call->x + (t * call->batch + b) * call->width;
        for (int64_t j = 0; j < call->width; j++)
            out[j] += x[j];
    }
    for (int64_t j = 0; j < call->width && length > 0; j++)
        out[j] /= (float)length;
}

static void largest_row(const rki_pool *call, int64_t b, int64_t begin, int64_t length, float *out)
{
    for (int64_t t = begin; t < begin + length; t++) {
        const float *x = (const float *)call->x + (t * call->batch + b) * call->width;
        for (int64_t j = 0; j < call->width; j++)
            if (t == begin || beats(x[j], out[j])) out[j] = x[j];
    }
}

static void last_row(const rki_pool *call, int64_t b, int64_t begin, int64_t length, float *out)
{
    const float *first = (const float *)call->x + (begin * call->batch + b) * call->width;
    const float *last = first + (length - 1) * call->batch * call->width;
    int64_t forward = call->forward;
    memcpy(out, last, (size_t)forward * sizeof(float));
    memcpy(out + forward, first + forward, (size_t)(call->width - forward) * sizeof(float));
}

static void pool_rows(void *user, int64_t from, int64_t to)
{
    const rki_pool *call = ((const work *)user)->call;
    for (int64_t b = from; b < to; b++) {
        int64_t begin, length;
        float *out = (float *)call->out + b * call->width;
        length = rki_recurrent_life(call->starts, call->lengths, call->steps, b, &begin);
        if (length == 0)
            memset(out, 0, (size_t)call->width * sizeof(float));
        else if (call->pooling == RKI_POOL_MEAN)
            sum_row(call, b, begin, length, out);
        else if (call->pooling == RKI_POOL_MAX)
            largest_row(call, b, begin, length, out);
        else
            last_row(call, b, begin, length, out);
    }
}

/* Gives `down` to the step that the column was taken from. */
static void give_back(const rki_pool_backward *call, int64_t b, int64_t begin, int64_t length)
{
    const rki_pool *of = &call->forward;
    int64_t step = of->batch * of->width, row = (begin * of->batch + b) * of->width;
    const float *down = (const float *)call->dout + b * of->width;
    for (int64_t j = 0; j < of->width; j++) {
        const float *x = (const float *)of->x + row + j;
        int64_t chosen = j < of->forward ? length - 1 : 0;
        if (of->pooling == RKI_POOL_MAX) {
            chosen = 0;
            for (int64_t k = 1; k < length; k++)
                if (beats(x[k * step], x[chosen * step])) chosen = k;
        }
        ((float *)call->dx)[row + chosen * step + j] = down[j];
    }
}

static void spread(const rki_pool_backward *call, int64_t b, int64_t begin, int64_t length)
{
    const rki_pool *of = &call->forward;
    const float *down = (const float *)call->dout + b * of->width;
    for (int64_t t = begin; t < begin + length; t++) {
        float *dx = (float *)call->dx + (t * of->batch + b) * of->width;
        for (int64_t j = 0; j < of->width; j++)
            dx[j] = down[j] / (float)length;
    }
}

static void unpool_rows(void *user, int64_t from, int64_t to)
{
    const rki_pool_backward *call = ((const work *)user)->backward;
    const rki_pool *of = &call->forward;
    for (int64_t b = from; b < to; b++) {
        int64_t begin, length;
        length = rki_recurrent_life(of->starts, of->lengths, of->steps, b, &begin);
        for (int64_t t = 0; t < of->steps; t++)
            memset((float *)call->dx + (t * of->batch + b) * of->width, 0,
                (size_t)of->width * sizeof(float));
        if (length == 0) continue;
        if (of->pooling == RKI_POOL_MEAN)
            spread(call, b, begin, length);
        else
            give_back(call, b, begin, length);
    }
}

/* Rows that are worth another thread. */
static int64_t block_rows(const rki_pool *call)
{
    int64_t rows = (1 << 15) / (call->steps * call->width);
    return rows < 1 ? 1 : rows;
}

int32_t rki_cpu_pool(void *self, const rki_pool *call)
{
    work w = {call, NULL};
    const rki_cpu *cpu = self;
    rki_parallel_blocks(cpu->threads, call->batch, block_rows(call), pool_rows, &w);
    return RNNKIT_OK;
}

int32_t rki_cpu_pool_backward(void *self, const rki_pool_backward *call)
{
    work w = {&call->forward, call};
    const rki_cpu *cpu = self;
    rki_parallel_blocks(
        cpu->threads, call->forward.batch, block_rows(&call->forward), unpool_rows, &w);
    return RNNKIT_OK;
}
