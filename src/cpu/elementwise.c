/* Sums of vectors and of a matrix's columns. An element's sum is one thread's, in the order of
 * rows. */
#include "cpu/cpu.h"
#include "cpu/parallel.h"

enum {
    BLOCK = 1 << 14,  /* elements of a vector that are worth another thread */
    COLUMNS = 16 * 16 /* columns of a matrix that are */
};

typedef struct scaled {
    const rki_kernels *kernels;
    float alpha;
    const float *x;
    float *y;
} scaled;

static void add_block(void *user, int64_t begin, int64_t end)
{
    const scaled *s = user;
    s->kernels->add_scaled(end - begin, s->alpha, s->x + begin, s->y + begin);
}

int32_t rki_cpu_add_scaled(void *self, int64_t count, double alpha, const void *x, void *y)
{
    const rki_cpu *cpu = self;
    scaled s = {cpu->kernels, (float)alpha, x, y};
    rki_parallel_blocks(cpu->threads, count, BLOCK, add_block, &s);
    return RNNKIT_OK;
}

typedef struct matrix {
    const rki_kernels *kernels;
    int64_t rows, columns;
    const float *a;
    int accumulate;
    float *out;
} matrix;

static void sum_columns(void *user, int64_t begin, int64_t end)
{
    const matrix *m = user;
    m->kernels->column_sum(
        m->rows, end - begin, m->columns, m->a + begin, m->accumulate, m->out + begin);
}

int32_t rki_cpu_column_sum(
    void *self, int64_t m, int64_t n, const void *a, int accumulate, void *out)
{
    const rki_cpu *cpu = self;
    matrix all = {cpu->kernels, m, n, a, accumulate, out};
    int64_t threads = m < BLOCK / COLUMNS ? 1 : cpu->threads;
    rki_parallel_blocks(threads, n, COLUMNS, sum_columns, &all);
    return RNNKIT_OK;
}
