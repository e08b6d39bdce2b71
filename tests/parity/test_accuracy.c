/* How exact a float32 product is, against double: long sums, sums that cancel, values of all
 * magnitudes, on every instruction set. The error is measured in units of the sum of |a b|, which is
 * what the roundings of any order of summation are bounded by. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "cpu/isa.h"
#include "subject.h"

enum { M = 67, N = 70 };

/* What k values of a and of b are drawn from. */
typedef enum value_kind {
    PLAIN,      /* between -1 and 1 */
    POSITIVE,   /* between 0 and 1: errors of one sign add up */
    MAGNITUDES, /* 1e-15 .. 1e15, so that products are 1e-30 .. 1e30 */
    TINY,       /* up to 1e-30 and 1e30 */
    CANCELLING, /* each product comes twice, once with either sign, between small ones */
    HALFWAY,    /* large parts, all roundings of one sign */
    KINDS
} value_kind;

static const char *const kind_names[KINDS] = {
    "plain", "positive", "magnitudes", "tiny", "cancelling", "halfway"};

static double draw(uint64_t index, int b)
{
    return rki_random_uniform((rki_random){11, RKI_PURPOSE_SAMPLE, (uint32_t)b}, 0, index);
}

static float value(value_kind kind, uint64_t index, int64_t step, int b)
{
    double x = draw(index, b), y = draw(index, b + 2);
    switch (kind) {
    case POSITIVE: return (float)x;
    case MAGNITUDES: return (float)((2.0 * x - 1.0) * pow(10.0, 30.0 * y - 15.0));
    case TINY: return (float)((2.0 * x - 1.0) * (b ? 1e30 : 1e-30));
    case CANCELLING:
        if (step % 3 == 2) return (float)(1e-3 * (2.0 * x - 1.0));
        x = draw(index - (uint64_t)(step % 3), b);
        return (float)((2.0 * x - 1.0) * (b && step % 3 ? -1.0 : 1.0));
    case HALFWAY: return 1.0f + 0x1.fcp-9f + 0x1.fep-17f + (float)(x < 0.5) * 0x1p-23f;
    default: return (float)(2.0 * x - 1.0);
    }
}

/* Stored as the gradients of a layer have them: [m][k] by [k][n], or [k][m] by [k][n]. */
typedef struct problem {
    int64_t k;
    int transpose_a;
    float *a, *b, *c;
    double *exact, *size; /* of c: the sum, and that of |a b| */
} problem;

static float *floats(int64_t count)
{
    float *p = malloc((size_t)count * sizeof *p);
    assert_non_null(p);
    return p;
}

static double *doubles(int64_t count)
{
    double *p = calloc((size_t)count, sizeof *p);
    assert_non_null(p);
    return p;
}

static problem new_problem(value_kind kind, int64_t k, int transpose_a)
{
    problem p = {.k = k, .transpose_a = transpose_a};
    p.a = floats(M * k);
    p.b = floats(k * N);
    p.c = floats(M * N);
    p.exact = doubles(M * N);
    p.size = doubles(M * N);
    for (int64_t s = 0; s < k; s++) {
        for (int64_t i = 0; i < M; i++)
            p.a[transpose_a ? s * M + i : i * k + s] = value(kind, (uint64_t)(i * k + s), s, 0);
        for (int64_t j = 0; j < N; j++)
            p.b[s * N + j] = value(kind, (uint64_t)(j * k + s), s, 1);
        for (int64_t i = 0; i < M; i++)
            for (int64_t j = 0; j < N; j++) {
                double one =
                    (double)p.a[transpose_a ? s * M + i : i * k + s] * (double)p.b[s * N + j];
                p.exact[i * N + j] += one;
                p.size[i * N + j] += fabs(one);
            }
    }
    return p;
}

static void free_problem(problem *p)
{
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->exact);
    free(p->size);
}

typedef struct errors {
    double largest,
        mean; /* in units of 2^-24 times the sum of |a b|; the mean is a root of squares */
} errors;

static errors run(const subject *on, const problem *p)
{
    rki_gemm call = {.transpose_a = p->transpose_a,
        .m = M,
        .n = N,
        .k = p->k,
        .a = p->a,
        .lda = p->transpose_a ? M : p->k,
        .b = p->b,
        .ldb = N,
        .c = p->c,
        .ldc = N};
    size_t bytes = on->ops->gemm_scratch(on->self, &call);
    call.scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
    assert_non_null(call.scratch);
    assert_int_equal(on->ops->gemm(on->self, &call), 0);
    free(call.scratch);
    errors e = {0};
    for (int64_t i = 0; i < M * N; i++) {
        double error = fabs((double)p->c[i] - p->exact[i]) / p->size[i] * 0x1p24;
        assert_true(error >= 0.0);
        if (error > e.largest) e.largest = error;
        e.mean += error * error;
    }
    e.mean = sqrt(e.mean / (M * N));
    return e;
}

/* Plain sums of up to 512 steps may be off by more than a hundred units where all roundings have one
 * sign, and are by 69 here. Matrix tiles leave out up to 4 units (kernels/split.h), but round far
 * fewer times: 13 units is the most here, and in the mean they are no worse than vectors but for what
 * they leave out. */
static void check_sets(const problem *p, const char *what)
{
    errors vectors = {0};
    for (int32_t isa = 1; isa < isa_count(); isa++) {
        subject s = open_cpu(isa, 1);
        errors e = run(&s, p);
        int tiles = strcmp(rki_isa_name((rki_isa)isa), "amx") == 0;
        if (e.largest > (tiles ? 14.0 : 100.0) || (tiles && e.mean > vectors.mean * 1.5 + 2.0))
            fail_msg("%s, k=%d, transpose_a=%d: %s is off by %.3f units, %.3f in the mean", what,
                (int)p->k, p->transpose_a, s.name, e.largest, e.mean);
        if (!tiles) vectors = e;
        close_subject(&s);
    }
}

static void test_products(void **state)
{
    (void)state;
    static const int64_t lengths[] = {65, 650, 2600, 10000};
    for (size_t length = 0; length < sizeof lengths / sizeof lengths[0]; length++)
        for (int i = 0; i < 2 * KINDS; i++) {
            problem p = new_problem((value_kind)(i / 2), lengths[length], i % 2);
            check_sets(&p, kind_names[i / 2]);
            free_problem(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_products)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
