/* safetensors files that are none: nothing of a hostile header passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/text.h"
#include "base/status.h"
#include "io/safetensors.h"

static rki_memory memory;

/* A file of this header and so many bytes of data, in a block of exactly its size. */
static unsigned char *make_file(const char *header, size_t data, size_t *size)
{
    size_t length = strlen(header);
    unsigned char *bytes = calloc(1, 8 + length + data);
    assert_non_null(bytes);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)length >> 8 * i);
    memcpy(bytes + 8, header, length);
    *size = 8 + length + data;
    return bytes;
}

#define F32(shape, begin, end)                                                                     \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static const struct hostile {
    const char *header;
    size_t data;
    const char *message; /* NULL: valid */
} hostile[] = {
    {"{}", 0, NULL},
    {"{}      ", 0, NULL},
    {"{\"a\":" F32("[1]", "0", "4") "}", 4, NULL},
    {"{\"\":" F32("[1]", "0", "4") "}", 4, NULL},
    {"{ \"a\" : {\"shape\":[ ],\"data_offsets\":[0, 4],\"dtype\":\"F32\"} }", 4, NULL},
    {"{\"b\":" F32("[1]", "4", "8") ",\"a\":" F32("[1]", "0", "4") "}", 8, NULL},
    {"{\"a\":" F32("[0]", "0", "0") ",\"b\":" F32("[0]", "0", "0") "}", 0, NULL},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]}}", 2, NULL},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"new\":[1]}}", 1, NULL},
    {"{\"a\\u005cu0000\":" F32("[1]", "0", "4") "}", 4, NULL},
    {"{\"__metadata__\":{}}", 0, NULL},
    /* not JSON, or not an object */
    {"", 0, "does not start with '{'"},
    {"[]", 0, "does not start with '{'"},
    {" {}", 0, "does not start with '{'"},
    {"{", 0, "header byte 1: not JSON"},
    {"{}x", 0, "header byte 2: not JSON"},
    {"{}{}", 0, "not JSON"},
    {"{\"a\":1,}", 0, "not JSON"},
    {"{a:1}", 0, "not JSON"},
    {"{\"a\":" F32("[1]", "0", "4"), 4, "not JSON"},
    {"{\"a", 0, "header byte 1: a string that never ends"},
    {"{\"a\\", 0, "never ends"},
    {"{\"\\ud800\":" F32("[1]", "0", "4") "}", 4, "not JSON"},
    {"{\"\\x\":" F32("[1]", "0", "4") "}", 4, "not JSON"},
    /* strings */
    {"{\"a\\u0000b\":" F32("[1]", "0", "4") "}", 4, "header byte 3: a string must not contain NUL"},
    {"{\"a\n\":" F32("[1]", "0", "4") "}", 4, "header byte 3: control character 0x0a"},
    {"{\"a\xff\":" F32("[1]", "0", "4") "}", 4, "header byte 3: not UTF-8"},
    {"{\"\xc0\x80\":" F32("[1]", "0", "4") "}", 4, "header byte 2: not UTF-8"},
    {"{\"\xed\xa0\x80\":" F32("[1]", "0", "4") "}", 4, "header byte 2: not UTF-8"},
    /* nesting */
    {"{\"a\":{\"shape\":[[[1]]]}}", 0, "header byte 15: nested more than 3 deep"},
    /* names */
    {"{\"a\":" F32("[1]", "0", "4") ",\"a\":" F32("[1]", "4", "8") "}", 8, "\"a\" is there twice"},
    {"{\"a\":" F32("[1]", "0", "4") ",\"\\u0061\":" F32("[1]", "4", "8") "}", 8, "there twice"},
    /* tensors */
    {"{\"a\":1}", 0, "\"a\" is not described by an object"},
    {"{\"a\":null}", 0, "\"a\" is not described by an object"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"dtype\" is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "\"shape\" is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "\"data_offsets\" is missing"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
        "\"dtype\" is given twice"},
    {"{\"a\":{\"dtype\":3,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype is not a string"},
    {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype \"F33\""},
    {"{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype \"f32\""},
    {"{\"a\":" F32("1", "0", "4") "}", 4, "shape is not an array"},
    {"{\"a\":" F32("[-1]", "0", "4") "}", 4, "dimension 0 of its shape"},
    {"{\"a\":" F32("[1,1.5]", "0", "4") "}", 4, "dimension 1 of its shape"},
    {"{\"a\":" F32("[\"1\"]", "0", "4") "}", 4, "dimension 0 of its shape"},
    {"{\"a\":" F32("[9007199254740992]", "0", "4") "}", 4, "dimension 0 of its shape"},
    {"{\"a\":" F32("[1e400]", "0", "4") "}", 4, "dimension 0 of its shape"},
    {"{\"a\":" F32("[4294967296,4294967296]", "0", "4") "}", 4, "more elements than"},
    {"{\"a\":" F32("[4294967296,4294967296,0]", "0", "0") "}", 0, "more elements than"},
    {"{\"a\":" F32("[4503599627370496,1024]", "0", "0") "}", 0, "hold 0 bytes"},
    {"{\"a\":" F32("[2]", "0", "4") "}", 4, "hold 4 bytes, but shape [2] of F32 with 32 bits"},
    {"{\"a\":" F32("[1]", "0", "3") "}", 3, "hold 3 bytes"},
    {"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, "hold 2 bytes"},
    /* places */
    {"{\"a\":" F32("[1]", "4", "0") "}", 4, "[4, 0] run backwards"},
    {"{\"a\":" F32("[1]", "-4", "0") "}", 4, "data_offsets is not a pair"},
    {"{\"a\":" F32("[1]", "0.5", "4.5") "}", 8, "data_offsets is not a pair"},
    {"{\"a\":" F32("[1]", "0", "4,8") "}", 8, "data_offsets is not a pair"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "is not a pair"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":4}}", 4, "is not a pair"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{\"x\":0,\"y\":4}}}", 4,
        "not a pair"},
    {"{\"a\":" F32("[1]", "0", "4") "}", 3, "[0, 4] reach beyond the data, which has 3 bytes"},
    {"{\"a\":" F32("[2]", "9007199254740984", "9007199254740991") "}", 4, "reach beyond"},
    {"{\"a\":" F32("[1]", "0", "4") ",\"b\":" F32("[1]", "2", "6") "}", 6,
        "\"b\": starts at byte 2"},
    {"{\"a\":" F32("[1]", "0", "4") ",\"b\":" F32("[1]", "0", "4") "}", 4, "overlap"},
    {"{\"a\":" F32("[2]", "0", "8") ",\"b\":" F32("[0]", "4", "4") "}", 8, "overlap"},
    {"{\"a\":" F32("[1]", "0", "4") ",\"b\":" F32("[1]", "8", "12") "}", 12, "hole"},
    {"{\"a\":" F32("[1]", "4", "8") "}", 8, "\"a\": starts at byte 4 of the data"},
    {"{\"a\":" F32("[1]", "0", "4") "}", 5, "the data has 5 bytes, but its tensors fill only 4"},
    {"{}", 1, "the data has 1 bytes"},
    /* texts */
    {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__: \"a\" is not a string"},
    {"{\"__metadata__\":{\"a\":{}}}", 0, "__metadata__: \"a\" is not a string"},
    {"{\"__metadata__\":{\"a\":\"x\",\"a\":\"x\"}}", 0, "__metadata__: \"a\" is there twice"},
    {"{\"__metadata__\":{\"a\":\"x\"},\"__metadata__\":{\"a\":\"x\"}}", 0,
        "__metadata__ is there twice"},
};

static void refuses_hostile_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        size_t size;
        rki_st *st = NULL;
        unsigned char *bytes = make_file(hostile[i].header, hostile[i].data, &size);
        int32_t status = rki_st_open_memory(&memory, bytes, size, &st);
        if (hostile[i].message == NULL && status != RNNKIT_OK)
            fail_msg("%s: %s", hostile[i].header, rki_message());
        if (hostile[i].message != NULL) {
            if (status == RNNKIT_OK) fail_msg("%s was opened", hostile[i].header);
            text_fails(status, RNNKIT_E_FORMAT, hostile[i].message);
            assert_null(st);
        }
        rki_st_close(st);
        free(bytes);
    }
}

static void refuses_bad_lengths(void **state)
{
    (void)state;
    rki_st *st = NULL;
    unsigned char bytes[16] = {0};
    for (size_t size = 0; size < 8; size++) {
        text_fails(rki_st_open_memory(&memory, bytes, size, &st), RNNKIT_E_FORMAT, "too few");
    }
    assert_int_equal(rki_st_open_memory(&memory, bytes, 8, &st), RNNKIT_E_FORMAT);
    bytes[0] = 9;
    text_fails(rki_st_open_memory(&memory, bytes, 16, &st), RNNKIT_E_FORMAT,
        "should have 9 bytes, but only 8 follow");
    memcpy(bytes, "\x01\xe1\xf5\x05", 4); /* 100,000,001 */
    text_fails(rki_st_open_memory(&memory, bytes, 16, &st), RNNKIT_E_FORMAT,
        "100000001 bytes, the limit is 100000000");
    memset(bytes, 0xff, 8);
    assert_int_equal(rki_st_open_memory(&memory, bytes, 16, &st), RNNKIT_E_FORMAT);
    assert_null(st);
}

/* A header that is short on disk and huge in memory. */
static void refuses_millions_of_values(void **state)
{
    (void)state;
    enum { LENGTH = 12000000 };
    size_t size;
    rki_st *st = NULL;
    char *header = malloc(LENGTH + 1);
    assert_non_null(header);
    for (size_t i = 0; i < LENGTH; i++)
        header[i] = i % 2 == 0 ? '0' : ',';
    memcpy(header, "{\"a\":[", 6);
    header[LENGTH] = '\0';
    unsigned char *bytes = make_file(header, 0, &size);
    text_fails(
        rki_st_open_memory(&memory, bytes, size, &st), RNNKIT_E_FORMAT, "more than 4194304 values");
    free(bytes);
    free(header);
}

static void names_the_file(void **state)
{
    (void)state;
    rki_st *st = NULL;
    text_fails(rki_st_open_file(&memory, scratch_path("missing"), &st), RNNKIT_E_IO,
        "missing: No such file");
    assert_int_equal(rki_st_open_file(&memory, scratch_path(""), &st), RNNKIT_E_IO);
    scratch_write(scratch_path("zero"), "", 0);
    text_fails(rki_st_open_file(&memory, scratch_path("zero"), &st), RNNKIT_E_FORMAT,
        "zero: 0 bytes are too few");
    scratch_write(scratch_path("text"), "Once upon a time", 16);
    text_fails(rki_st_open_file(&memory, scratch_path("text"), &st), RNNKIT_E_FORMAT,
        "text: not a safetensors file");
    assert_null(st);
}

int main(void)
{
    memory = rki_default_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_hostile_headers),
        cmocka_unit_test(refuses_bad_lengths),
        cmocka_unit_test(refuses_millions_of_values),
        cmocka_unit_test(names_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
