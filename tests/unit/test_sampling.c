/* Sampling: each option and their order against probabilities worked out the plain way, ties, the
 * ends of every range, the statistics of real draws; and the window of the repetition penalty. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/text.h"
#include "base/random.h"
#include "generate/recent.h"
#include "generate/sampling.h"

enum { MOST = 40, GRID = 1000 };

static const rki_sampling plain = {.penalty = 1, .temperature = 1, .top_k = 0, .top_p = 1};
static const double last_uniform = 1 - 0x1p-53;

static int32_t sample_recent(const rki_sampling *options, const int32_t *counts,
    const double *logits, int64_t count, double uniform)
{
    rki_candidate candidates[MOST];
    for (int64_t i = 0; i < count; i++)
        candidates[i] = (rki_candidate){logits[i], (int32_t)i};
    return rki_sample(options, counts, candidates, count, uniform);
}

static int32_t sample(
    const rki_sampling *options, const double *logits, int64_t count, double uniform)
{
    return sample_recent(options, NULL, logits, count, uniform);
}

/* Each id's probability, to within 1 / GRID: what share of the uniform numbers leads to it. */
static void measure(const rki_sampling *options, const int32_t *counts, const double *logits,
    int64_t count, double *shares)
{
    memset(shares, 0, (size_t)count * sizeof *shares);
    for (int i = 0; i < GRID; i++) {
        double uniform = (i + 0.5) / GRID;
        int32_t id = sample_recent(options, counts, logits, count, uniform);
        assert_in_range(id, 0, count - 1);
        shares[id] += 1.0 / GRID;
    }
}

static void expect_shares(const rki_sampling *options, const int32_t *counts, const double *logits,
    int64_t count, const double *expected)
{
    double shares[MOST];
    measure(options, counts, logits, count, shares);
    for (int64_t i = 0; i < count; i++)
        if (fabs(shares[i] - expected[i]) > 1.001 / GRID)
            fail_msg("id %d has probability %g, expected %g", (int)i, shares[i], expected[i]);
}

/* The plain way: sort, cut, scale. */

static int by_value(const void *a, const void *b)
{
    const rki_candidate *left = a, *right = b;
    if (left->value > right->value) return -1;
    if (left->value < right->value) return 1;
    return left->id < right->id ? -1 : 1;
}

static int64_t cut(const rki_sampling *options, const rki_candidate *sorted, int64_t count)
{
    double total = 0, sum = 0;
    int64_t kept = 0;
    if (options->top_k > 0 && options->top_k < count) count = options->top_k;
    if (options->top_p >= 1) return count;
    for (int64_t i = 0; i < count; i++)
        total += sorted[i].value;
    while (kept < count && (kept == 0 || sum < options->top_p * total))
        sum += sorted[kept++].value;
    return kept;
}

static void work_out(const rki_sampling *options, const int32_t *counts, const double *logits,
    int64_t count, double *expected)
{
    rki_candidate sorted[MOST];
    double total = 0;
    for (int64_t i = 0; i < count; i++) {
        double z = logits[i];
        if (counts[i] > 0) z = z > 0 ? z / options->penalty : z * options->penalty;
        sorted[i] = (rki_candidate){exp(z / options->temperature), (int32_t)i};
    }
    qsort(sorted, (size_t)count, sizeof *sorted, by_value);
    int64_t kept = cut(options, sorted, count);
    for (int64_t i = 0; i < kept; i++)
        total += sorted[i].value;
    for (int64_t i = 0; i < count; i++)
        expected[sorted[i].id] = i < kept ? sorted[i].value / total : 0;
}

static void test_any_options(void **state)
{
    (void)state;
    uint64_t draws = 5;
    for (int round = 0; round < 200; round++) {
        double logits[MOST], expected[MOST];
        int32_t counts[MOST];
        int64_t count = 1 + (int64_t)text_draw(&draws, MOST);
        for (int64_t i = 0; i < count; i++) { /* few values, so that there are ties */
            logits[i] = ((double)text_draw(&draws, 15) - 7) / 2;
            counts[i] = (int32_t)text_draw(&draws, 3);
        }
        rki_sampling options = {.penalty = 0.5 + (double)text_draw(&draws, 8) / 4,
            .temperature = 0.25 + (double)text_draw(&draws, 8) / 4,
            .top_k = (int64_t)text_draw(&draws, (uint64_t)count + 3),
            .top_p = (double)text_draw(&draws, 14) / 13.001};
        work_out(&options, counts, logits, count, expected);
        expect_shares(&options, counts, logits, count, expected);
    }
}

/* Each option by itself, on numbers that can be followed by hand. */

static void test_temperature(void **state)
{
    (void)state;
    const double logits[3] = {0, log(3), 0}, even[3] = {0.2, 0.6, 0.2};
    const double cold[3] = {1.0 / 11, 9.0 / 11, 1.0 / 11};
    rki_sampling options = plain;
    expect_shares(&options, NULL, logits, 3, even);
    options.temperature = 0.5;
    expect_shares(&options, NULL, logits, 3, cold);
}

static void test_temperature_0_takes_the_first_of_the_largest(void **state)
{
    (void)state;
    const double logits[5] = {1, 7, 3, 7, 7};
    rki_sampling options = {.penalty = 1, .temperature = 0, .top_k = 3, .top_p = 0.9};
    assert_int_equal(sample(&options, logits, 5, 0), 1);
    assert_int_equal(sample(&options, logits, 5, last_uniform), 1);
    const int32_t counts[5] = {0, 1, 0, 0, 0};
    options.penalty = 1.1;
    assert_int_equal(sample_recent(&options, counts, logits, 5, 0.5), 3);
}

static void test_top_k(void **state)
{
    (void)state;
    const double logits[4] = {0, log(2), 0, 0}, two[4] = {1.0 / 3, 2.0 / 3, 0, 0};
    const double all[4] = {0.2, 0.4, 0.2, 0.2};
    rki_sampling options = plain;
    options.top_k = 2; /* of the equal ones, the lower id */
    expect_shares(&options, NULL, logits, 4, two);
    options.top_k = 4;
    expect_shares(&options, NULL, logits, 4, all);
    options.top_k = INT32_MAX;
    expect_shares(&options, NULL, logits, 4, all);
    options.top_k = 1;
    for (int i = 0; i <= 10; i++)
        assert_int_equal(sample(&options, logits, 4, i == 10 ? last_uniform : i / 10.0), 1);
}

static void test_top_p(void **state)
{
    (void)state;
    const double equal[4] = {0, 0, 0, 0};
    const double one[4] = {1}, two[4] = {0.5, 0.5}, three[4] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    rki_sampling options = plain;
    options.top_p = 0.5; /* exactly reached by two */
    expect_shares(&options, NULL, equal, 4, two);
    options.top_k = 4; /* and so of what top-k left */
    const double five[5] = {0, 0, 0, 0, -1}, two_of_five[5] = {0.5, 0.5};
    expect_shares(&options, NULL, five, 5, two_of_five);
    options.top_k = 0;
    options.top_p = 0.51;
    expect_shares(&options, NULL, equal, 4, three);
    const double tiny[] = {0, 5e-324, 1e-300, 1e-9};
    for (int i = 0; i < 4; i++) {
        options.top_p = tiny[i];
        expect_shares(&options, NULL, equal, 4, one);
    }
    const double likely[4] = {log(0.1), log(0.6), log(0.25), log(0.05)};
    const double nucleus[4] = {0, 0.6 / 0.85, 0.25 / 0.85, 0};
    options.top_p = 0.7;
    expect_shares(&options, NULL, likely, 4, nucleus);
}

static void test_penalty(void **state)
{
    (void)state;
    const double logits[4] = {2, 2, -1, -1}, last = 1 / (exp(1) + exp(2) + exp(-2) + exp(-1));
    const double expected[4] = {exp(1) * last, exp(2) * last, exp(-2) * last, exp(-1) * last};
    const int32_t once[4] = {1, 0, 1, 0}, often[4] = {9, 0, 4, 0};
    rki_sampling options = plain;
    options.penalty = 2;
    expect_shares(&options, once, logits, 4, expected);
    expect_shares(&options, often, logits, 4, expected);
    options.penalty = 1;
    double without[4], with[4];
    measure(&options, NULL, logits, 4, without);
    measure(&options, once, logits, 4, with);
    assert_memory_equal(without, with, sizeof with);
}

/* Each pair, where the other order would give something else. */
static void test_order(void **state)
{
    (void)state;
    rki_sampling options = {.penalty = 2, .temperature = 1, .top_k = 1, .top_p = 1};
    const double pair[2] = {2, 1.5};
    const int32_t first[2] = {1, 0};
    const double other[2] = {0, 1};
    expect_shares(&options, first, pair, 2, other); /* penalty, then top-k */
    options.top_k = 0;
    options.top_p = 0.3;
    expect_shares(&options, first, pair, 2, other); /* penalty, then top-p */

    const double slope[3] = {2, 1, 0}, alone[3] = {1, 0, 0};
    const double warm = 1 / (exp(0.5) + exp(0.25)),
                 both[3] = {exp(0.5) * warm, exp(0.25) * warm, 0};
    options = plain;
    options.top_p = 0.6;
    expect_shares(&options, NULL, slope, 3, alone);
    options.temperature = 4; /* temperature, then top-p */
    expect_shares(&options, NULL, slope, 3, both);

    const double four[4] = {log(0.4), log(0.3), log(0.2), log(0.1)}, single[4] = {1, 0, 0, 0};
    options = plain;
    options.top_k = 2; /* then top-p, of what top-k left */
    options.top_p = 0.5;
    expect_shares(&options, NULL, four, 4, single);
}

/* Ends of the ranges: nothing becomes NaN, nothing of weight 0 is drawn. */
static void test_extremes(void **state)
{
    (void)state;
    const double far[4] = {-3e38, 3e38, 0, 3e38}, same[2] = {-1e300, -1e300};
    const double uniforms[3] = {0, 0.5, last_uniform};
    const double temperatures[3] = {5e-324, 1e-9, 100};
    for (int t = 0; t < 3; t++)
        for (int u = 0; u < 3; u++) {
            rki_sampling options = plain;
            options.temperature = temperatures[t];
            assert_int_equal(sample(&options, far, 4, uniforms[u]), u == 0 ? 3 : 1);
            assert_int_equal(sample(&options, same, 2, uniforms[u]), u == 0 ? 1 : 0);
            options.top_p = 0.999;
            assert_int_equal(sample(&options, far, 1, uniforms[u]), 0);
        }
    const double steep[3] = {-1000, 0, -1000};
    assert_int_equal(sample(&plain, steep, 3, 0), 1);
    assert_int_equal(sample(&plain, steep, 3, last_uniform), 1);
}

/* Draws with the library's own numbers. */

static double chi_square(const rki_sampling *options, uint64_t seed, const double *expected)
{
    enum { DRAWS = 50000, WORDS = 8 };
    const double logits[WORDS] = {0.3, -1.2, 2.1, 0.3, 1.4, -0.7, 0, 0.9};
    int64_t seen[WORDS] = {0};
    double sum = 0;
    const rki_random random = {.seed = seed, .purpose = RKI_PURPOSE_SAMPLE};
    for (uint64_t i = 0; i < DRAWS; i++)
        seen[sample(options, logits, WORDS, rki_random_uniform(random, 0, i))]++;
    double own[WORDS];
    const int32_t none[WORDS] = {0};
    if (expected == NULL) work_out(options, none, logits, WORDS, own);
    for (int i = 0; i < WORDS; i++) {
        double wanted = (expected == NULL ? own[i] : expected[i]) * DRAWS;
        if (wanted > 0)
            sum += ((double)seen[i] - wanted) * ((double)seen[i] - wanted) / wanted;
        else
            assert_int_equal(seen[i], 0);
    }
    return sum;
}

/* 7 degrees of freedom exceed 29.9 once in 10,000 times; the seeds are fixed. A distribution that
 * is off by a hundredth is found. */
static void test_statistics(void **state)
{
    (void)state;
    rki_sampling options = plain;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        options = plain;
        options.temperature = 0.7;
        assert_true(chi_square(&options, seed, NULL) < 29.9);
        options.top_k = 5;
        assert_true(chi_square(&options, seed, NULL) < 29.9);
        options.top_k = 0;
        options.top_p = 0.9;
        assert_true(chi_square(&options, seed, NULL) < 29.9);
    }
    const double off[8] = {0.06, 0.0, 0.5, 0.06, 0.18, 0.02, 0.05, 0.12};
    double expected[8];
    memcpy(expected, off, sizeof off);
    expected[1] = 0.01;
    assert_true(chi_square(&plain, 1, expected) > 100);
}

static void test_not_finite(void **state)
{
    (void)state;
    const double bad[3] = {NAN, INFINITY, -INFINITY};
    double logits[5] = {0, -3e38, 3e38, 1, 2};
    text_ok(rki_check_logits(logits, 5));
    for (int i = 0; i < 3; i++) {
        logits[3] = bad[i];
        text_fails(rki_check_logits(logits, 5), RNNKIT_E_DIVERGED, "id 3 is");
        text_ok(rki_check_logits(logits, 3));
    }
}

static void test_probabilities(void **state)
{
    (void)state;
    const double logits[4] = {1000, 1000 + log(2), 1000, -1000};
    float probabilities[4];
    rki_probabilities(logits, 4, probabilities);
    assert_true(fabsf(probabilities[0] - 0.25f) < 1e-7f);
    assert_true(fabsf(probabilities[1] - 0.5f) < 1e-7f);
    assert_true(probabilities[2] == probabilities[0]);
    assert_true(probabilities[3] == 0);
}

/* The ring against a look back over the whole history. */
static void test_recent(void **state)
{
    (void)state;
    enum { WORDS = 5, TOKENS = 60 };
    const rki_memory memory = rki_default_memory();
    int32_t history[TOKENS];
    uint64_t draws = 9;
    for (int window = 1; window < 12; window++) {
        rki_recent recent = {0};
        text_ok(rki_recent_init(&recent, &memory, window, WORDS));
        for (int t = 0; t < TOKENS; t++) {
            int32_t expected[WORDS] = {0};
            history[t] = (int32_t)text_draw(&draws, WORDS);
            rki_recent_add(&recent, history[t]);
            for (int back = 0; back < window && back <= t; back++)
                expected[history[t - back]]++;
            assert_memory_equal(recent.counts, expected, sizeof expected);
        }
        rki_recent_release(&recent, &memory);
    }
    rki_recent off = {0};
    rki_recent_add(&off, 3);
    assert_null(off.counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_options),
        cmocka_unit_test(test_temperature),
        cmocka_unit_test(test_temperature_0_takes_the_first_of_the_largest),
        cmocka_unit_test(test_top_k),
        cmocka_unit_test(test_top_p),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_recent),
    };
    return cmocka_run_group_tests_name("sampling", tests, NULL, NULL);
}
