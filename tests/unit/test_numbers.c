/* Numbers as text: what is a number, and the shortest text that reads back. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/numbers.h"

static void test_integers(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(rki_parse_integer("-12 tail", 3, &value));
    assert_int_equal(value, -12);
    assert_true(rki_parse_integer("9223372036854775807", 19, &value));
    assert_true(value == INT64_MAX);
    const char *const refused[] = {
        "", " 1", "1 ", "1.0", "1e3", "0x10", "9223372036854775808", "-", "1,000", "one", "\t1"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        value = 77;
        if (rki_parse_integer(refused[i], strlen(refused[i]), &value)) fail_msg("%s", refused[i]);
        assert_int_equal(value, 77);
    }
    assert_false(rki_parse_integer("1\0", 2, &value));
}

static void test_numbers(void **state)
{
    (void)state;
    double value = 0;
    assert_true(rki_parse_number("-2.5e-3", 7, &value));
    assert_true(value == -0.0025);
    assert_true(rki_parse_number("1e-320", 6, &value)); /* a denormal is a number */
    assert_true(value > 0);
    const char *const refused[] = {"", " 1", "1 ", "1,5", "1.5x", "--1", "1e999", "."};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (rki_parse_number(refused[i], strlen(refused[i]), &value)) fail_msg("%s", refused[i]);
    char wall[100];
    memset(wall, '1', sizeof wall);
    assert_false(rki_parse_number(wall, sizeof wall, &value));
}

static void test_shortest(void **state)
{
    (void)state;
    char text[RKI_NUMBER_SIZE];
    assert_string_equal(rki_format_number(0.1, text), "0.1");
    assert_string_equal(rki_format_number(5, text), "5");
    assert_string_equal(rki_format_number(0.1 + 0.2, text), "0.30000000000000004");
    const double values[] = {DBL_MAX, -DBL_MIN, DBL_TRUE_MIN, 1.0 / 3, 9007199254740993.0, -0.0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        double back;
        rki_format_number(values[i], text);
        assert_true(rki_parse_number(text, strlen(text), &back));
        assert_memory_equal(&back, &values[i], sizeof back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_shortest),
    };
    return cmocka_run_group_tests_name("numbers", tests, NULL, NULL);
}
