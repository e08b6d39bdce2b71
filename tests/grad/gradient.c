/* The gradient check and the arrays that it works on. */
#include "gradient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

/* src/reference/ */
const rki_backend *rnnkit_backend_entry(void);

const rki_backend *ops;
void *device;

static void *allocate(size_t bytes, size_t alignment, void *user)
{
    (void)user;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *block, void *user)
{
    (void)user;
    free(block);
}

static const rki_host host = {
    sizeof(rki_host), rki_fail, rki_random_words, allocate, release, NULL};

int open_device(void **state)
{
    (void)state;
    ops = rnnkit_backend_entry();
    const rki_open call = {.dtype = RKI_FLOAT64, .threads = 1, .isa = "auto"};
    return ops->open(&host, &call, &device) < 0;
}

int close_device(void **state)
{
    (void)state;
    ops->close(device);
    return 0;
}

enum { MOST_ARRAYS = 128 };
static void *arrays[MOST_ARRAYS];
static int array_count;
static uint64_t random_index;

void *bytes_of(size_t size)
{
    if (array_count == MOST_ARRAYS) fail_msg("a check has room for %d arrays", MOST_ARRAYS);
    void *array = calloc(size ? size : 1, 1);
    assert_non_null(array);
    arrays[array_count++] = array;
    return array;
}

void free_arrays(void)
{
    while (array_count > 0)
        free(arrays[--array_count]);
}

double *zeros(int64_t count)
{
    return bytes_of((size_t)count * sizeof(double));
}

static const rki_random source = {.seed = 11, .purpose = RKI_PURPOSE_INITIAL};

double *randoms(int64_t count, double scale)
{
    double *values = zeros(count);
    for (int64_t i = 0; i < count; i++)
        values[i] = scale * (2.0 * rki_random_uniform(source, 0, random_index++) - 1.0);
    return values;
}

uint32_t draw(uint32_t below)
{
    uint32_t words[4];
    rki_random_draw(source, 1, random_index++, words);
    return words[0] % below;
}

double dot(const double *a, const double *b, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static const double step = 1e-5, tolerance = 1e-7;

static double difference(const gradient_check *check, double *x)
{
    double at = *x;
    *x = at + step;
    double above = check->loss(check->problem);
    *x = at - step;
    double below = check->loss(check->problem);
    *x = at;
    return (above - below) / (2.0 * step);
}

void check_gradients(const gradient_check *check)
{
    check->loss(check->problem);
    check->backward(check->problem);
    for (int v = 0; v < check->count; v++) {
        const variable *x = &check->variables[v];
        for (int64_t i = 0; i < x->count; i++) {
            double numeric = difference(check, &x->values[i]), given = x->gradient[i];
            if (!(fabs(numeric - given) <= tolerance * fmax(1.0, fabs(numeric))))
                fail_msg("%s: d%s[%lld] is %.12g, differences say %.12g", check->name, x->name,
                    (long long)i, given, numeric);
        }
    }
    free_arrays();
}
