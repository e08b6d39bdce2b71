/* Option strings: the grammar, every type, its range, what messages say, and the way back. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "base/options.h"

typedef struct sample {
    int64_t layers;
    double dropout;
    int32_t bias, shape;
    char folder[RKI_OPTION_TEXT_SIZE];
} sample;

static const rki_option rows[] = {
    {"layers", RKI_OPTION_INTEGER, offsetof(sample, layers), 1, 8, "1", NULL, "0.1", "help"},
    {"dropout", RKI_OPTION_NUMBER, offsetof(sample, dropout), 0, 0.9, "0.25", NULL, "0.1", "help"},
    {"bias", RKI_OPTION_FLAG, offsetof(sample, bias), 0, 1, "1", NULL, "0.1", "help"},
    {"shape", RKI_OPTION_CHOICE, offsetof(sample, shape), 0, 0, "constant",
        "constant|linear|cosine", "0.1", "help"},
    {"folder", RKI_OPTION_TEXT, offsetof(sample, folder), 0, 0, "", NULL, "0.1", "help"},
};
static const rki_option_table table = {"sample", rows, sizeof rows / sizeof rows[0]};

static sample parse(const char *text)
{
    sample out;
    memset(&out, 0x5A, sizeof out);
    if (rki_options_parse(&table, text, &out) != RNNKIT_OK) fail_msg("%s: %s", text, rki_message());
    return out;
}

static void expect_refused(const char *text, const char *part)
{
    sample out;
    int32_t status = rki_options_parse(&table, text, &out);
    if (status != RNNKIT_E_OPTION) fail_msg("\"%s\" gave %d", text, status);
    if (strstr(rki_message(), part) == NULL) fail_msg("\"%s\" lacks \"%s\"", rki_message(), part);
}

static void test_defaults(void **state)
{
    (void)state;
    const char *const nothing[] = {NULL, "", " \t\r\n "};
    for (size_t i = 0; i < 3; i++) {
        sample out = parse(nothing[i]);
        assert_int_equal(out.layers, 1);
        assert_true(out.dropout == 0.25);
        assert_int_equal(out.bias, 1);
        assert_int_equal(out.shape, 0);
        assert_string_equal(out.folder, "");
    }
}

static void test_values(void **state)
{
    (void)state;
    sample out = parse("layers=8\tdropout=9e-1\nbias=0 shape=cosine folder=/tmp");
    assert_int_equal(out.layers, 8);
    assert_true(out.dropout == 0.9);
    assert_int_equal(out.bias, 0);
    assert_int_equal(out.shape, 2);
    assert_string_equal(out.folder, "/tmp");
    assert_string_equal(parse("folder=\"a b \\\"c\\\" \\\\\"").folder, "a b \"c\" \\");
    assert_string_equal(parse("folder=\"\"").folder, "");
    assert_string_equal(parse("folder=ä=ö").folder, "ä=ö");
}

static void test_refused(void **state)
{
    (void)state;
    expect_refused("layer=2", "sample has no option 'layer'; did you mean 'layers'?");
    expect_refused("quux=2", "sample has no option 'quux'");
    expect_refused("layers", "'layers' has no value");
    expect_refused("layers =2", "'layers' has no value");
    expect_refused("=2", "no value");
    expect_refused("layers=2 layers=2", "layers is given twice");
    expect_refused("layers=0", "layers=0 is out of range, expected 1 to 8");
    expect_refused("layers=9", "out of range");
    expect_refused("layers=99999999999999999999", "whole number");
    expect_refused("layers=2.0", "whole number");
    expect_refused("layers=", "whole number");
    expect_refused("dropout=0,5", "finite number");
    expect_refused("dropout=nan", "finite number");
    expect_refused("dropout=inf", "finite number");
    expect_refused("dropout=1e999", "finite number");
    expect_refused("dropout=-0.1", "expected 0 to 0.9");
    expect_refused("bias=2", "0 or 1");
    expect_refused("bias=yes", "0 or 1");
    expect_refused("shape=square", "none of constant|linear|cosine");
    expect_refused("shape=lin", "none of");
    expect_refused("shape=constant|linear", "none of");
    expect_refused("folder=\"open", "no closing");
    expect_refused("folder=\"bad \\n\"", "escapes");
}

static void test_long_text(void **state)
{
    (void)state;
    char text[RKI_OPTION_TEXT_SIZE + 16] = "folder=";
    memset(text + 7, 'x', RKI_OPTION_TEXT_SIZE - 1);
    assert_int_equal(strlen(parse(text).folder), RKI_OPTION_TEXT_SIZE - 1);
    text[7 + RKI_OPTION_TEXT_SIZE - 1] = 'x';
    expect_refused(text, "longer than 255 bytes");
    char *wall = malloc(100000);
    assert_non_null(wall);
    memset(wall, 'k', 99999);
    wall[99999] = '\0';
    expect_refused(wall, "no value");
    free(wall);
}

static void expect_format(const char *text, const char *expected)
{
    rki_memory memory = rki_default_memory();
    sample out = parse(text), again;
    char *formatted = NULL;
    assert_int_equal(rki_options_format(&table, &out, &memory, &formatted), RNNKIT_OK);
    assert_string_equal(formatted, expected);
    again = parse(formatted);
    assert_int_equal(again.layers, out.layers);
    assert_true(again.dropout == out.dropout);
    assert_int_equal(again.shape, out.shape);
    assert_string_equal(again.folder, out.folder);
    rki_release(&memory, formatted);
}

static void test_format(void **state)
{
    (void)state;
    expect_format(NULL, "");
    expect_format("layers=1 dropout=0.250", "");
    expect_format("dropout=0.1 layers=3", "layers=3 dropout=0.1");
    expect_format("dropout=0.30000000000000004", "dropout=0.30000000000000004");
    expect_format("shape=linear bias=0", "bias=0 shape=linear");
    expect_format("folder=\"a \\\"b\\\\\"", "folder=\"a \\\"b\\\\\"");
}

static void test_format_without_memory(void **state)
{
    (void)state;
    const char *const texts[] = {NULL, "layers=2 folder=x"};
    for (size_t i = 0; i < 2; i++) {
        failing_memory hook = {.fail_at = 1};
        rki_memory memory = {failing_allocate, failing_release, &hook};
        sample out = parse(texts[i]);
        char *formatted = NULL;
        assert_int_equal(rki_options_format(&table, &out, &memory, &formatted), RNNKIT_E_MEMORY);
        assert_null(formatted);
        assert_int_equal(hook.alive, 0);
    }
}

/* In a locale whose decimal point is a comma, when the machine has one. */
static void test_locale(void **state)
{
    (void)state;
    const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    int found = 0;
    for (size_t i = 0; i < 4 && !found; i++)
        found = setlocale(LC_ALL, names[i]) != NULL;
    assert_true(parse("dropout=0.5").dropout == 0.5);
    expect_refused("dropout=0,5", "finite number");
    expect_format("dropout=0.5", "dropout=0.5");
    if (found) {
        char text[16];
        snprintf(text, sizeof text, "%.1f", 0.5);
        assert_string_equal(text, "0,5"); /* the host's locale is as it was */
    }
    setlocale(LC_ALL, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_format_without_memory),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
