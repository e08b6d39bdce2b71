/* XXH64 against the values that the reference implementation gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static void gives_known_values(void **state)
{
    (void)state;
    assert_true(rki_hash_bytes("", 0, 0) == 0xEF46DB3751D8E999u);
    assert_true(rki_hash_bytes("a", 1, 0) == 0xD24EC4F1A98C6E5Bu);
    assert_true(rki_hash_bytes("abc", 3, 0) == 0x44BC2CF5AD770999u);
    assert_true(
        rki_hash_bytes("Nobody inspects the spammish repetition", 39, 0) == 0xFBCEA83C8A378BF1u);
}

static void pieces_do_not_matter(void **state)
{
    (void)state;
    unsigned char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 151 + 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        uint64_t whole = rki_hash_bytes(bytes, size, 42);
        for (size_t piece = 1; piece < 70; piece += 3) {
            rki_hash hash;
            rki_hash_start(&hash, 42);
            for (size_t place = 0; place < size; place += piece)
                rki_hash_add(&hash, bytes + place, piece < size - place ? piece : size - place);
            assert_true(rki_hash_value(&hash) == whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_known_values),
        cmocka_unit_test(pieces_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
