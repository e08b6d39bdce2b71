/* Characters of UTF-8: where whole ones end, and how bytes are shown in messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../support/text.h"
#include "text/characters.h"

static void whole_characters(void **state)
{
    (void)state;
    assert_int_equal(rki_utf8_whole("", 0), 0);
    assert_int_equal(rki_utf8_whole("abc", 3), 3);
    assert_int_equal(rki_utf8_whole("a\xC3", 2), 1);
    assert_int_equal(rki_utf8_whole("a\xC3\xA9", 3), 3);
    assert_int_equal(rki_utf8_whole("\xF0\x9F\x98", 3), 0);
    assert_int_equal(rki_utf8_whole("\xF0\x9F\x98\x80", 4), 4);
    assert_int_equal(rki_utf8_whole("\x80\x80\x80\x80", 4), 4); /* no character is to come */
    assert_int_equal(rki_utf8_whole("a\xFF", 2), 2);
    assert_int_equal(rki_utf8_whole("a\xE2\x28", 3), 3);
}

static void shown_texts_fit(void **state)
{
    char out[RKI_UTF8_SHOWN], text[1000];
    uint64_t random = 4;
    (void)state;
    assert_string_equal(rki_utf8_show("a\xC3\xA9\n\xFF", 5, out), "a\xC3\xA9\\x0a\\xff");
    for (int round = 0; round < 200; round++) {
        size_t size = (size_t)text_draw(&random, sizeof text);
        text_random(&random, 1, text, size);
        rki_utf8_show(text, size, out);
        assert_true(strlen(out) < sizeof out);
        assert_true(rki_utf8_count(out, strlen(out)) >= 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_characters),
        cmocka_unit_test(shown_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
