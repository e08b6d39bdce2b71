/* The limits of the machine. See measure.h. */
#include "measure.h"

#include <stdlib.h>
#include <string.h>

#include "timing.h"

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

#elif defined(__aarch64__)
#include <arm_neon.h>

static void chains_neon(void *user)
{
    float *out = user;
    float32x4_t x[CHAINS], a = vdupq_n_f32(0.999f), b = vdupq_n_f32(0.001f);
    for (int i = 0; i < CHAINS; i++)
        x[i] = vdupq_n_f32((float)i);
    for (int s = 0; s < STEPS; s++)
#pragma GCC unroll 16
        for (int i = 0; i < CHAINS; i++)
            x[i] = vfmaq_f32(b, x[i], a);
    for (int i = 0; i < CHAINS; i++)
        vst1q_f32(out, vaddq_f32(vld1q_f32(out), x[i]));
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
#elif defined(__aarch64__)
    if (isa == RKI_ISA_NEON) {
        run = chains_neon;
        flops = 2.0 * 4 * CHAINS * STEPS;
    }
#endif
    (void)isa;
    return flops / timing_take(run, out, 0.2).least;
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
        speed = 3.0 * (double)bytes / timing_take(add_arrays, &a, 0.3).least;
    }
    free(a.x);
    free(a.y);
    return speed;
}

/* The same array again and again, so that it is read from the cache that it fits in. */
typedef struct reading {
    const float *x;
    int64_t count, times;
    volatile float sum;
} reading;

typedef float sixteen __attribute__((vector_size(64)));

enum { SUMS = 4, BLOCK = SUMS * 16 };

static inline __attribute__((always_inline)) void read_array(reading *r)
{
    sixteen sums[SUMS] = {0};
    for (int64_t n = 0; n < r->times; n++)
        for (int64_t i = 0; i < r->count; i += BLOCK)
            for (int k = 0; k < SUMS; k++)
                sums[k] += *(const sixteen *)(r->x + i + 16 * k);
    sixteen sum = sums[0] + sums[1] + sums[2] + sums[3];
    r->sum = sum[0];
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static void read_avx512(void *user)
{
    read_array(user);
}

__attribute__((target("avx2"))) static void read_avx2(void *user)
{
    read_array(user);
}
#endif

static void read_portable(void *user)
{
    read_array(user);
}

double measure_reading(rki_isa isa, int64_t bytes)
{
    enum { AT_ONCE = 1 << 24 };
    void (*run)(void *user) = read_portable;
    int64_t size = (bytes + BLOCK * 4 - 1) / (BLOCK * 4) * (BLOCK * 4);
    float *x = aligned_alloc(64, (size_t)size);
    if (x == NULL) return 0.0;
    memset(x, 0, (size_t)size);
#if defined(__x86_64__)
    if (isa >= RKI_ISA_AVX2) run = read_avx2;
    if (isa >= RKI_ISA_AVX512) run = read_avx512;
#endif
    (void)isa;
    reading r = {x, size / 4, AT_ONCE / size + 1, 0.0f};
    double speed = (double)(size * r.times) / timing_take(run, &r, 0.1).least;
    free(x);
    return speed;
}
