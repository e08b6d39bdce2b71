/* Rows of a table by their numbers, whatever its format, and the gradient's way back. The gradient
 * of a table's row is summed by one thread, in the order that the caller gives. */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/parallel.h"

/* Elements that are worth another thread. */
enum { BLOCK = 1 << 14 };

static void gather_rows(void *user, int64_t begin, int64_t end)
{
    const rki_gather *call = user;
    size_t bytes = (size_t)call->width * sizeof(float);
    const float *table = call->table;
    float *out = call->out;
    for (int64_t i = begin; i < end; i++)
        memcpy(out + i * call->width, table + call->ids[i] * call->width, bytes);
}

static void unpack_rows(void *user, int64_t begin, int64_t end)
{
    const rki_gather *call = user;
    for (int64_t i = begin; i < end; i++)
        rki_format_unpack(call->format, call->rows, call->width, call->ids[i], call->table,
            (float *)call->out + i * call->width);
}

int32_t rki_cpu_gather(void *self, const rki_gather *call)
{
    const rki_cpu *cpu = self;
    rki_gather copy = *call;
    rki_parallel_blocks(cpu->threads, call->count, (BLOCK + call->width - 1) / call->width,
        call->format == RKI_PLAIN ? gather_rows : unpack_rows, &copy);
    return RNNKIT_OK;
}

typedef struct scatter {
    const rki_kernels *kernels;
    const rki_scatter *call;
    int64_t tasks;
} scatter;

/* The first of the unique rows whose summands start at `place` or behind it. */
static int64_t find_start(const rki_scatter *call, int64_t place)
{
    int64_t low = 0, high = call->unique;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (call->starts[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Tasks have about as many summands each: a few rows of a vocabulary have most of them. */
static void scatter_rows(void *user, int64_t index, int64_t unused)
{
    (void)unused;
    const scatter *s = user;
    const rki_scatter *call = s->call;
    int64_t count = call->starts[call->unique];
    int64_t begin = find_start(call, count * index / s->tasks);
    int64_t end = find_start(call, count * (index + 1) / s->tasks);
    if (index + 1 == s->tasks) end = call->unique;
    for (int64_t u = begin; u < end; u++) {
        int32_t start = call->starts[u];
        s->kernels->sum_rows(call->starts[u + 1] - start, call->width, call->order + start,
            call->dy, (float *)call->gradient + call->rows[u] * call->width);
    }
}

int32_t rki_cpu_scatter(void *self, const rki_scatter *call)
{
    const rki_cpu *cpu = self;
    int64_t tasks = call->starts[call->unique] * call->width / BLOCK + 1;
    scatter s = {cpu->kernels, call, tasks < cpu->threads ? tasks : cpu->threads};
    rki_parallel_blocks(cpu->threads, s.tasks, 1, scatter_rows, &s);
    return RNNKIT_OK;
}
