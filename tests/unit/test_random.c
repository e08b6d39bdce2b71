/* Random numbers: Philox's known answer, independence of the parts of a key, uniformity, and
 * permutations that are permutations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

/* The known answer that comes with Random123 (kat_vectors, philox4x32 with 10 rounds): the digits
 * of pi as counter and key. */
static void test_known_answer(void **state)
{
    (void)state;
    const uint32_t expected[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    rki_random random = {.purpose = RKI_PURPOSE_INITIAL, .stream = 0x03707344};
    random.seed = (uint64_t)0x299f31d0 << 32 | (0xa4093822u ^ 0x9E3779B9u);
    uint32_t drawn[4];
    rki_random_draw(random, 0x13198a2e, 0x85a308d3243f6a88u, drawn);
    assert_memory_equal(drawn, expected, sizeof drawn);
}

/* Every part of what a draw depends on changes it. */
static void test_depends_on_everything(void **state)
{
    (void)state;
    const rki_random base = {1, RKI_PURPOSE_INITIAL, 0};
    uint32_t drawn[8][4];
    rki_random other = base;
    rki_random_draw(base, 0, 0, drawn[0]);
    rki_random_draw(base, 1, 0, drawn[1]);
    rki_random_draw(base, 0, 1, drawn[2]);
    rki_random_draw(base, 0, (uint64_t)1 << 40, drawn[3]);
    rki_random_draw(base, (uint64_t)1 << 40, 0, drawn[4]);
    other.seed = (uint64_t)1 << 41 | 1;
    rki_random_draw(other, 0, 0, drawn[5]);
    other = base;
    other.purpose = RKI_PURPOSE_SAMPLE;
    rki_random_draw(other, 0, 0, drawn[6]);
    other = base;
    other.stream = 1;
    rki_random_draw(other, 0, 0, drawn[7]);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(drawn[i], drawn[j], sizeof drawn[i]);
    uint32_t again[4];
    rki_random_draw(base, 0, 0, again);
    assert_memory_equal(again, drawn[0], sizeof again);
}

/* Mean and variance of 100,000 draws within five standard deviations. */
static void test_uniform(void **state)
{
    (void)state;
    rki_random random = {42, RKI_PURPOSE_SAMPLE, 0};
    enum { COUNT = 100000 };
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        double u = rki_random_uniform(random, 0, i);
        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += (u - 0.5) * (u - 0.5);
    }
    assert_true(fabs(sum / COUNT - 0.5) < 5 * sqrt(1.0 / 12 / COUNT));
    assert_true(fabs(squares / COUNT - 1.0 / 12) < 5 * sqrt(1.0 / 180 / COUNT));
}

static void test_permutation(void **state)
{
    (void)state;
    rki_random random = {3, RKI_PURPOSE_SHUFFLE, 0};
    const int64_t counts[] = {1, 2, 3, 4, 5, 16, 17, 1000, 4097};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int64_t count = counts[c], moved = 0, differs = 0;
        char *seen = calloc((size_t)count, 1);
        assert_non_null(seen);
        for (int64_t i = 0; i < count; i++) {
            int64_t to = rki_random_permute(random, 9, count, i);
            assert_in_range(to, 0, count - 1);
            assert_false(seen[to]);
            seen[to] = 1;
            moved += to != i;
            differs += to != rki_random_permute(random, 10, count, i);
        }
        if (count >= 1000) assert_true(moved > count * 9 / 10 && differs > count * 9 / 10);
        free(seen);
    }
    int64_t large = (int64_t)1 << 40;
    assert_in_range(rki_random_permute(random, 0, large, large - 1), 0, large - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_depends_on_everything),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_permutation),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
