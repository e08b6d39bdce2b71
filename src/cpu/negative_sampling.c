/* Negative sampling, in two passes: over the rows of x (scores, loss, dx), then over the rows of
 * the table that were used, whose sums run in the order that the caller gives. Threads share out
 * whole rows of both.
 */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/parallel.h"

/* Elements that are worth another thread. */
enum { BLOCK = 1 << 14 };

typedef struct work {
    const rki_kernels *kernels;
    const rki_negative_sampling *call;
    double *row_loss; /* [rows] */
    float *gradients; /* [rows][candidates]: g */
} work;

size_t rki_cpu_negative_sampling_scratch(void *self, const rki_negative_sampling *call)
{
    (void)self;
    size_t rows = (size_t)call->rows, candidates = (size_t)call->candidates;
    return rows * sizeof(double) + (call->dx ? rows * candidates * sizeof(float) : 0);
}

static void do_row(const work *w, int64_t r)
{
    const rki_negative_sampling *call = w->call;
    int64_t width = call->width;
    const float *x = (const float *)call->x + r * width;
    const int32_t *ids = call->ids + r * call->candidates;
    float *dx = call->dx ? (float *)call->dx + r * width : NULL;
    double sum = 0;
    if (dx != NULL) memset(dx, 0, (size_t)width * sizeof *dx);
    for (int64_t k = 0; k < call->candidates; k++) {
        if (ids[k] < 0) continue;
        const float *y = (const float *)call->table + ids[k] * width;
        double score = (double)w->kernels->dot(width, x, y), good = k == 0 ? score : -score;
        double e = exp(-fabs(good)), wrong = (good > 0 ? e : 1) / (1 + e);
        sum += log1p(e) + (good > 0 ? 0 : -good);
        if (dx == NULL) continue;
        float g = (float)((k == 0 ? -wrong : wrong) * call->scale);
        w->gradients[r * call->candidates + k] = g;
        w->kernels->add_scaled(width, g, y, dx);
    }
    w->row_loss[r] = sum;
}

static void do_rows(void *user, int64_t begin, int64_t end)
{
    for (int64_t r = begin; r < end; r++)
        do_row(user, r);
}

static void do_table(void *user, int64_t begin, int64_t end)
{
    const work *w = user;
    const rki_negative_sampling *call = w->call;
    int64_t width = call->width;
    for (int64_t u = begin; u < end; u++) {
        float *to = (float *)call->dtable + u * width;
        memset(to, 0, (size_t)width * sizeof *to);
        for (int32_t j = call->starts[u]; j < call->starts[u + 1]; j++) {
            int32_t place = call->order[j];
            const float *x = (const float *)call->x + place / call->candidates * width;
            w->kernels->add_scaled(width, w->gradients[place], x, to);
        }
    }
}

int32_t rki_cpu_negative_sampling(void *self, const rki_negative_sampling *call)
{
    const rki_cpu *cpu = self;
    work w = {.kernels = cpu->kernels, .call = call, .row_loss = call->scratch};
    w.gradients = (float *)(void *)(w.row_loss + call->rows);
    int64_t elements = call->candidates * call->width;
    rki_parallel_blocks(cpu->threads, call->rows, (BLOCK + elements - 1) / elements, do_rows, &w);
    double sum = 0;
    for (int64_t r = 0; r < call->rows; r++)
        sum += w.row_loss[r];
    *call->loss = sum;
    if (call->dx == NULL || call->unique == 0) return RNNKIT_OK;
    rki_parallel_blocks(
        cpu->threads, call->unique, (BLOCK + call->width - 1) / call->width, do_table, &w);
    return RNNKIT_OK;
}
