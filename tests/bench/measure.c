/* Timing, and the limits of the machine. See measure.h. */
#include "measure.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_RUNS = 4096, LEAST_RUNS = 5 };

static clockid_t used_clock = CLOCK_MONOTONIC;

void measure_processor_time(void)
{
    used_clock = CLOCK_PROCESS_CPUTIME_ID;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(used_clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

timing measure(void (*run)(void *user), void *user, double seconds)
{
    static double times[MOST_RUNS];
    int runs = 0;
    run(user);
    double start = now(), last = start;
    while (runs < MOST_RUNS && (runs < LEAST_RUNS || last - start < seconds)) {
        run(user);
        double end = now();
        times[runs++] = end - last;
        last = end;
    }
    qsort(times, (size_t)runs, sizeof times[0], compare);
    return (timing){times[0], times[runs / 2], runs};
}

/* Sixteen chains: two instructions at a time, each of up to eight clocks. */
enum { CHAINS = 16, STEPS = 100000 };

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx512f"))) static void chains_avx512(void *user)
{
    float *out = user;
    __m512 x[CHAINS], a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
    for (int i = 0; i < CHAINS; i++)
        x[i] = _mm512_set1_ps((float)i);
    for (int s = 0; s < STEPS; s++)
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS; i++)
            x[i] = _mm512_fmadd_ps(x[i], a, b);
    for (int i = 0; i < CHAINS; i++)
        _mm512_storeu_ps(out, _mm512_add_ps(_mm512_loadu_ps(out), x[i]));
}

__attribute__((target("avx2,fma"))) static void chains_avx2(void *user)
{
    float *out = user;
    __m256 x[CHAINS - 4], a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
    for (int i = 0; i < CHAINS - 4; i++)
        x[i] = _mm256_set1_ps((float)i);
    for (int s = 0; s < STEPS; s++)
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS - 4; i++)
            x[i] = _mm256_fmadd_ps(x[i], a, b);
    for (int i = 0; i < CHAINS - 4; i++)
        _mm256_storeu_ps(out, _mm256_add_ps(_mm256_loadu_ps(out), x[i]));
}
#endif

typedef float quad __attribute__((vector_size(16)));

static void chains_portable(void *user)
{
    quad x[CHAINS - 4], a = {0.999f, 0.999f, 0.999f, 0.999f}, b = a * a, sum = a;
    for (int i = 0; i < CHAINS - 4; i++)
        x[i] = a * (float)i;
    for (int s = 0; s < STEPS; s++)
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS - 4; i++)
            x[i] = x[i] * a + b;
    for (int i = 0; i < CHAINS - 4; i++)
        sum += x[i];
    memcpy(user, &sum, sizeof sum);
}

double measure_peak(rki_isa isa)
{
    static float out[RKI_MOST_LANES];
    void (*run)(void *user) = chains_portable;
    double flops = 2.0 * 4 * (CHAINS - 4) * STEPS;
#if defined(__x86_64__)
    if (isa == RKI_ISA_AVX2) {
        run = chains_avx2;
        flops = 2.0 * 8 * (CHAINS - 4) * STEPS;
    } else if (isa >= RKI_ISA_AVX512) {
        run = chains_avx512;
        flops = 2.0 * 16 * CHAINS * STEPS;
    }
#endif
    (void)isa;
    return flops / measure(run, out, 0.2).least;
}

typedef struct arrays {
    float *x, *y;
} arrays;

enum { ELEMENTS = 1 << 25 };

static void add_arrays(void *user)
{
    const arrays *a = user;
    for (int64_t i = 0; i < ELEMENTS; i++)
        a->y[i] += a->x[i];
}

double measure_memory(void)
{
    size_t bytes = ELEMENTS * sizeof(float);
    arrays a = {malloc(bytes), malloc(bytes)};
    double speed = 0.0;
    if (a.x && a.y) {
        memset(a.x, 0, bytes);
        memset(a.y, 0, bytes);
        speed = 3.0 * (double)bytes / measure(add_arrays, &a, 0.3).least;
    }
    free(a.x);
    free(a.y);
    return speed;
}
