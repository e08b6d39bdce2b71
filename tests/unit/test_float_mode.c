/* The floating-point mode: what holds inside it, and that the host's own is there again behind it. */
#include <fenv.h>
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/float_mode.h"

#if defined(__SSE2__) || defined(__aarch64__)

static volatile float least = FLT_MIN, tiny = FLT_MIN / 4, one = 1.0f, zero = 0.0f;

typedef struct results {
    volatile float made, taken, above, third, infinite;
} results;

/* What becomes a denormal, what a denormal counts, how 1 + a little is rounded; and two operations
 * that raise flags. */
static results compute(void)
{
    results r;
    r.made = least / 2;
    r.taken = tiny * 16;
    r.above = one + tiny + FLT_EPSILON / 8;
    r.third = one / 3;
    r.infinite = one / zero;
    return r;
}

static void test_denormals_are_zero_inside_alone(void **state)
{
    (void)state;
    results before = compute();
    uint64_t mode = rki_float_enter();
    results inside = compute();
    rki_float_leave(mode);
    results after = compute();
    assert_true(before.made > 0 && before.taken > 0);
    assert_true(inside.made == 0 && inside.taken == 0);
    assert_true(after.made == before.made && after.taken == before.taken);
}

static void test_the_exact_mode_keeps_them(void **state)
{
    (void)state;
    uint64_t outer = rki_float_enter(), mode = rki_float_enter_exact();
    results inside = compute();
    rki_float_leave(mode);
    results between = compute();
    rki_float_leave(outer);
    assert_true(inside.made == FLT_MIN / 2 && inside.taken == FLT_MIN * 4);
    assert_true(between.made == 0 && between.taken == 0);
}

static void test_rounding_and_flags_are_the_hosts(void **state)
{
    (void)state;
    uint64_t (*const enter[])(void) = {rki_float_enter, rki_float_enter_exact};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fesetround(FE_UPWARD), 0);
        feclearexcept(FE_ALL_EXCEPT);
        feraiseexcept(FE_INVALID);
        uint64_t mode = enter[i]();
        results inside = compute();
        rki_float_leave(mode);
        int raised = fetestexcept(FE_ALL_EXCEPT), rounding = fegetround();
        results after = compute();
        fesetround(FE_TONEAREST);
        assert_int_equal(raised, FE_INVALID);
        assert_int_equal(rounding, FE_UPWARD);
        assert_true(inside.above == 1 && after.above > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denormals_are_zero_inside_alone),
        cmocka_unit_test(test_the_exact_mode_keeps_them),
        cmocka_unit_test(test_rounding_and_flags_are_the_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* there is no mode to change: float_mode.h does nothing */
}

#endif
