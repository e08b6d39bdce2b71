/* Layer normalisation; equations in backend/norm.h. */
#include "cpu/cpu.h"
#include "cpu/parallel.h"

enum {
    VALUES = 1 << 14, /* values that are worth another thread */
    COLUMNS = 64      /* columns that are, when there are many rows */
};

static int64_t rows_of(int64_t width)
{
    return width < VALUES ? VALUES / width : 1;
}

typedef struct forward {
    const rki_kernels *kernels;
    const rki_norm_forward *call;
} forward;

static void forward_rows(void *user, int64_t begin, int64_t end)
{
    const forward *f = user;
    const rki_norm_forward *call = f->call;
    for (int64_t r = begin; r < end; r++)
        f->kernels->norm_forward(call->width, (float)call->epsilon,
            (const float *)call->x + r * call->width, call->weight, call->bias,
            (float *)call->y + r * call->width, (float *)call->stash + 2 * r);
}

int32_t rki_cpu_norm_forward(void *self, const rki_norm_forward *call)
{
    const rki_cpu *cpu = self;
    forward f = {cpu->kernels, call};
    rki_parallel_blocks(cpu->threads, call->rows, rows_of(call->width), forward_rows, &f);
    return RNNKIT_OK;
}

typedef struct backward {
    const rki_kernels *kernels;
    const rki_norm_backward *call;
} backward;

static void backward_rows(void *user, int64_t begin, int64_t end)
{
    const backward *f = user;
    const rki_norm_backward *call = f->call;
    for (int64_t r = begin; r < end; r++)
        f->kernels->norm_row(call->width, (const float *)call->x + r * call->width, call->weight,
            (const float *)call->stash + 2 * r, (const float *)call->dy + r * call->width,
            (float *)call->dx + r * call->width);
}

static void backward_columns(void *user, int64_t begin, int64_t end)
{
    const backward *f = user;
    const rki_norm_backward *call = f->call;
    f->kernels->norm_columns(call->rows, end - begin, call->width, (const float *)call->x + begin,
        call->stash, (const float *)call->dy + begin, (float *)call->dweight + begin,
        (float *)call->dbias + begin);
}

int32_t rki_cpu_norm_backward(void *self, const rki_norm_backward *call)
{
    const rki_cpu *cpu = self;
    backward f = {cpu->kernels, call};
    rki_parallel_blocks(cpu->threads, call->rows, rows_of(call->width), backward_rows, &f);
    int64_t threads = call->rows < VALUES / COLUMNS ? 1 : cpu->threads;
    rki_parallel_blocks(threads, call->width, COLUMNS, backward_columns, &f);
    return RNNKIT_OK;
}
