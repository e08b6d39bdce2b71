/* tanh and ReLU of arrays, and the gradients through them by the values that came out. */
#include "cpu/cpu.h"
#include "cpu/parallel.h"

enum { VALUES = 1 << 14 /* values that are worth another thread */ };

typedef struct forward {
    void (*apply)(int64_t count, const float *x, float *y);
    const float *x;
    float *y;
} forward;

static void forward_block(void *user, int64_t begin, int64_t end)
{
    const forward *f = user;
    f->apply(end - begin, f->x + begin, f->y + begin);
}

typedef struct backward {
    void (*apply)(int64_t count, const float *y, const float *dy, float *dx);
    const float *y, *dy;
    float *dx;
} backward;

static void backward_block(void *user, int64_t begin, int64_t end)
{
    const backward *b = user;
    b->apply(end - begin, b->y + begin, b->dy + begin, b->dx + begin);
}

int32_t rki_cpu_tanh(void *self, int64_t count, const void *x, void *y)
{
    const rki_cpu *cpu = self;
    forward f = {cpu->kernels->tanh, x, y};
    rki_parallel_blocks(cpu->threads, count, VALUES, forward_block, &f);
    return RNNKIT_OK;
}

int32_t rki_cpu_relu(void *self, int64_t count, const void *x, void *y)
{
    const rki_cpu *cpu = self;
    forward f = {cpu->kernels->relu, x, y};
    rki_parallel_blocks(cpu->threads, count, VALUES, forward_block, &f);
    return RNNKIT_OK;
}

int32_t rki_cpu_tanh_backward(void *self, int64_t count, const void *y, const void *dy, void *dx)
{
    const rki_cpu *cpu = self;
    backward b = {cpu->kernels->tanh_gradient, y, dy, dx};
    rki_parallel_blocks(cpu->threads, count, VALUES, backward_block, &b);
    return RNNKIT_OK;
}

int32_t rki_cpu_relu_backward(void *self, int64_t count, const void *y, const void *dy, void *dx)
{
    const rki_cpu *cpu = self;
    backward b = {cpu->kernels->relu_gradient, y, dy, dx};
    rki_parallel_blocks(cpu->threads, count, VALUES, backward_block, &b);
    return RNNKIT_OK;
}
