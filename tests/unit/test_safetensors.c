/* safetensors: what others write is read, what we write others read, and damage is noticed.
 *
 * Fixtures: tests/golden/safetensors_fixture.py.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "base/status.h"
#include "io/safetensors.h"

static rki_memory memory;

static void expect_message(const char *part)
{
    if (strstr(rki_message(), part) == NULL) fail_msg("\"%s\" lacks \"%s\"", rki_message(), part);
}

static rki_st *open_golden(const char *name)
{
    char path[256];
    rki_st *st = NULL;
    snprintf(path, sizeof path, "../golden/%s", name);
    if (rki_st_open_file(&memory, path, &st) != RNNKIT_OK) fail_msg("%s", rki_message());
    return st;
}

/* The tensor `name` read as float32 and float64 must have the bits that torch gave. */
static void compare_conversion(const rki_st *st, const char *name)
{
    char other[64];
    const rki_st_entry *entry = rki_st_find(st, name);
    assert_non_null(entry);
    float *single = calloc((size_t)entry->count, sizeof *single);
    float *single_torch = calloc((size_t)entry->count, sizeof *single);
    double *wide = calloc((size_t)entry->count, sizeof *wide);
    double *wide_torch = calloc((size_t)entry->count, sizeof *wide);
    snprintf(other, sizeof other, "%s.as_f32", name);
    assert_int_equal(rki_st_read_float32(rki_st_find(st, other), single_torch), RNNKIT_OK);
    assert_int_equal(rki_st_read_float32(entry, single), RNNKIT_OK);
    assert_memory_equal(single, single_torch, (size_t)entry->count * sizeof *single);
    snprintf(other, sizeof other, "%s.as_f64", name);
    assert_int_equal(rki_st_read_float64(rki_st_find(st, other), wide_torch), RNNKIT_OK);
    assert_int_equal(rki_st_read_float64(entry, wide), RNNKIT_OK);
    assert_memory_equal(wide, wide_torch, (size_t)entry->count * sizeof *wide);
    free(single);
    free(single_torch);
    free(wide);
    free(wide_torch);
}

static void reads_what_python_wrote(void **state)
{
    (void)state;
    char text[RKI_ST_SHAPE_TEXT];
    rki_st *st = open_golden("from_python.safetensors");
    assert_int_equal(rki_st_count(st), 19);
    compare_conversion(st, "half");
    compare_conversion(st, "brain");
    compare_conversion(st, "single");
    compare_conversion(st, "double");
    assert_int_equal(rki_st_find(st, "single")->rank, 2);
    assert_string_equal(rki_st_shape_text(rki_st_find(st, "single"), text), "[2, 3]");
    assert_int_equal(rki_st_metadata_count(st), 2);
    assert_string_equal(rki_st_metadata(st, "format"), "pt");
    assert_string_equal(rki_st_metadata(st, "gr\u00fc\u00dfe"), "line\nbreak \"and\" \\ tab\t\x01");
    assert_null(rki_st_metadata(st, "other"));
    assert_null(rki_st_metadata_at(st, 2));
    assert_non_null(rki_st_find(st, "n\u00e4me \"quoted\"\n"));
    assert_null(rki_st_find(st, "none"));
    assert_null(rki_st_entry_at(st, -1));
    assert_null(rki_st_entry_at(st, 19));
    rki_st_close(st);
    rki_st_close(NULL);
}

static void lists_what_it_does_not_read(void **state)
{
    (void)state;
    float values[8];
    int64_t integers[3];
    rki_shape shape;
    char text[RKI_ST_SHAPE_TEXT];
    rki_st *st = open_golden("from_python.safetensors");
    assert_int_equal(rki_st_find(st, "flags")->dtype, RKI_ST_BOOL);
    assert_int_equal(rki_st_read_float32(rki_st_find(st, "flags"), values), RNNKIT_E_FORMAT);
    expect_message("\"flags\" has dtype BOOL; expected F32");
    assert_int_equal(rki_st_read_int64(rki_st_find(st, "single"), integers), RNNKIT_E_FORMAT);
    assert_int_equal(rki_st_read_int64(rki_st_find(st, "integers"), integers), RNNKIT_OK);
    assert_int_equal(integers[0], -1);
    assert_int_equal(integers[1], INT64_C(1) << 62);
    assert_true(integers[2] == INT64_MIN);

    assert_int_equal(rki_st_find(st, "scalar")->rank, 0);
    assert_int_equal(rki_st_find(st, "scalar")->count, 1);
    assert_int_equal(rki_st_read_float32(rki_st_find(st, "scalar"), values), RNNKIT_OK);
    assert_true(values[0] == 2.5f);
    assert_int_equal(rki_st_entry_shape(rki_st_find(st, "scalar"), &shape), RNNKIT_E_FORMAT);
    assert_int_equal(rki_st_entry_shape(rki_st_find(st, "empty"), &shape), RNNKIT_E_FORMAT);
    assert_int_equal(rki_st_read_float32(rki_st_find(st, "empty"), NULL), RNNKIT_OK);
    assert_int_equal(rki_st_entry_shape(rki_st_find(st, "deep"), &shape), RNNKIT_E_FORMAT);
    expect_message("\"deep\" has shape [1, 2, 1, 2, 1]; expected 1 to 4 dimensions");
    assert_int_equal(rki_st_entry_shape(rki_st_find(st, "single"), &shape), RNNKIT_OK);
    assert_int_equal(shape.dims[1], 3);
    assert_string_equal(rki_st_shape_text(rki_st_find(st, "scalar"), text), "[]");
    rki_st_close(st);
}

/* All 65,536 halves, by the definition of binary16. */
static void converts_every_half(void **state)
{
    (void)state;
    enum { COUNT = 65536 };
    static unsigned char data[2 * COUNT];
    static float values[COUNT];
    const rki_st_entry entry = {.name = "x", .dtype = RKI_ST_F16, .count = COUNT, .data = data};
    for (int i = 0; i < COUNT; i++) {
        data[2 * i] = (unsigned char)i;
        data[2 * i + 1] = (unsigned char)(i >> 8);
    }
    assert_int_equal(rki_st_read_float32(&entry, values), RNNKIT_OK);
    for (int i = 0; i < COUNT; i++) {
        int exponent = i >> 10 & 31, fraction = i & 1023;
        double expected = exponent == 0   ? ldexp(fraction, -24)
                          : exponent < 31 ? ldexp(1024 + fraction, exponent - 25)
                          : fraction == 0 ? INFINITY
                                          : NAN;
        if (i >= 32768) expected = -expected;
        if (isnan(expected))
            assert_true(isnan(values[i]));
        else
            assert_true((double)values[i] == expected && !signbit(values[i]) == (i < 32768));
    }
}

/* The content of from_rnnkit.safetensors. */
static int32_t write_sample(const rki_memory *from, const char *path, const char *checksum_key)
{
    static const int64_t counts[] = {-5, (INT64_C(1) << 60) + 1};
    static const double exact = 0.1;
    static const float weights[] = {-0.5f, -0.25f, 0, 0.25f, 0.5f, 0.75f};
    static const unsigned char raw[] = {1, 2, 255};
    static const int64_t two[] = {2}, two_three[] = {2, 3}, zero[] = {0}, three[] = {3};
    rki_st_writer *writer = NULL;
    RKI_TRY(rki_st_writer_create(from, &writer));
    int32_t status = rki_st_writer_add_text(writer, "format", "sample");
    if (status == RNNKIT_OK)
        status = rki_st_writer_add_text(writer, "b \"q\"\\", "line\nbreak\ttab \u00e9\u4e2d");
    if (status == RNNKIT_OK) status = rki_st_writer_add_text(writer, "a", "first");
    if (status == RNNKIT_OK && checksum_key != NULL)
        status = rki_st_writer_add_checksum(writer, checksum_key);
    if (status == RNNKIT_OK)
        status = rki_st_writer_add_tensor(writer, "counts", RKI_ST_I64, two, 1);
    if (status == RNNKIT_OK)
        status = rki_st_writer_add_tensor(writer, "exact", RKI_ST_F64, NULL, 0);
    if (status == RNNKIT_OK)
        status = rki_st_writer_add_tensor(writer, "weights", RKI_ST_F32, two_three, 2);
    if (status == RNNKIT_OK) status = rki_st_writer_add_tensor(writer, "none", RKI_ST_F32, zero, 1);
    if (status == RNNKIT_OK) status = rki_st_writer_add_tensor(writer, "raw", RKI_ST_U8, three, 1);
    if (status == RNNKIT_OK) status = rki_st_writer_open(writer, path);
    if (status == RNNKIT_OK) status = rki_st_writer_put(writer, counts, 2);
    if (status == RNNKIT_OK) status = rki_st_writer_put(writer, &exact, 1);
    for (int i = 0; i < 3 && status == RNNKIT_OK; i++)
        status = rki_st_writer_put(writer, weights + 2 * i, 2);
    if (status == RNNKIT_OK) status = rki_st_writer_put(writer, raw, 3);
    if (status == RNNKIT_OK) status = rki_st_writer_commit(writer);
    rki_st_writer_destroy(writer);
    return status;
}

static void writes_the_bytes_that_python_reads(void **state)
{
    (void)state;
    size_t size, golden_size;
    const char *path = scratch_path("sample");
    assert_int_equal(write_sample(&memory, path, NULL), RNNKIT_OK);
    unsigned char *bytes = scratch_read(path, &size);
    unsigned char *golden = scratch_read("../golden/from_rnnkit.safetensors", &golden_size);
    assert_non_null(golden);
    assert_int_equal(size, golden_size);
    assert_memory_equal(bytes, golden, size);
    free(bytes);
    free(golden);
}

static void reads_what_it_wrote(void **state)
{
    (void)state;
    float weights[6];
    double exact;
    rki_st *st = NULL;
    const char *path = scratch_path("sample");
    assert_int_equal(write_sample(&memory, path, "sum"), RNNKIT_OK);
    assert_int_equal(rki_st_open_file(&memory, path, &st), RNNKIT_OK);
    assert_int_equal(rki_st_count(st), 5);
    assert_string_equal(rki_st_entry_at(st, 2)->name, "weights");
    assert_int_equal(rki_st_read_float32(rki_st_entry_at(st, 2), weights), RNNKIT_OK);
    assert_true(weights[0] == -0.5f && weights[5] == 0.75f);
    assert_int_equal(rki_st_read_float64(rki_st_find(st, "exact"), &exact), RNNKIT_OK);
    assert_true(exact == 0.1);
    assert_string_equal(rki_st_metadata(st, "b \"q\"\\"), "line\nbreak\ttab \u00e9\u4e2d");
    assert_int_equal(rki_st_check(st, "sum"), RNNKIT_OK);
    assert_int_equal(rki_st_check(st, "no such text"), RNNKIT_OK);
    assert_int_equal(rki_st_check(st, "format"), RNNKIT_E_FORMAT);
    rki_st_close(st);
}

static void an_empty_file_of_ours_is_valid(void **state)
{
    (void)state;
    rki_st_writer *writer = NULL;
    rki_st *st = NULL;
    const char *path = scratch_path("empty");
    assert_int_equal(rki_st_writer_create(&memory, &writer), RNNKIT_OK);
    assert_int_equal(rki_st_writer_open(writer, path), RNNKIT_OK);
    assert_int_equal(rki_st_writer_commit(writer), RNNKIT_OK);
    rki_st_writer_destroy(writer);
    assert_int_equal(rki_st_open_file(&memory, path, &st), RNNKIT_OK);
    assert_int_equal(rki_st_count(st), 0);
    assert_null(rki_st_find(st, "x"));
    assert_null(rki_st_metadata(st, "x"));
    rki_st_close(st);
}

static void the_writer_refuses_what_cannot_be_said(void **state)
{
    (void)state;
    static const int64_t dims[] = {INT64_MAX, 2, 1, 1, 1};
    rki_st_writer *writer = NULL;
    const char *path = scratch_path("refused");
    assert_int_equal(rki_st_writer_create(&memory, &writer), RNNKIT_OK);
    assert_int_equal(rki_st_writer_add_text(writer, "k", "bad \xff"), RNNKIT_E_ARGUMENT);
    expect_message("not UTF-8 at byte 4");
    assert_int_equal(rki_st_writer_add_text(writer, "\xc0\x80", "v"), RNNKIT_E_ARGUMENT);
    assert_int_equal(
        rki_st_writer_add_tensor(writer, "\xed\xa0\x80", RKI_ST_F32, dims, 1), RNNKIT_E_ARGUMENT);
    assert_int_equal(rki_st_writer_add_tensor(writer, "x", RKI_ST_F32, dims, 2), RNNKIT_E_SHAPE);
    assert_int_equal(rki_st_writer_add_tensor(writer, "x", RKI_ST_F16, dims, 1), RNNKIT_E_INTERNAL);
    assert_int_equal(rki_st_writer_add_tensor(writer, "x", RKI_ST_F32, dims, 5), RNNKIT_E_INTERNAL);
    assert_int_equal(rki_st_writer_add_tensor(writer, "x", RKI_ST_F32, dims + 1, 1), RNNKIT_OK);
    assert_int_equal(
        rki_st_writer_add_tensor(writer, "y", RKI_ST_F64, dims + 1, 1), RNNKIT_E_INTERNAL);
    assert_int_equal(rki_st_writer_put(writer, dims, 1), RNNKIT_E_INTERNAL);
    assert_int_equal(rki_st_writer_commit(writer), RNNKIT_E_INTERNAL);
    assert_int_equal(rki_st_writer_open(writer, path), RNNKIT_OK);
    assert_int_equal(rki_st_writer_put(writer, dims, 3), RNNKIT_E_INTERNAL);
    assert_int_equal(rki_st_writer_put(writer, dims, 1), RNNKIT_OK);
    assert_int_equal(rki_st_writer_commit(writer), RNNKIT_E_INTERNAL);
    rki_st_writer_destroy(writer);
    rki_st_writer_destroy(NULL);
    struct stat status;
    assert_int_not_equal(stat(path, &status), 0);
}

static void the_writer_refuses_a_name_twice(void **state)
{
    (void)state;
    static const int64_t one[] = {1};
    static const char *const names[][2] = {{"x", "x"}, {"y", "__metadata__"}};
    const char *path = scratch_path("twice");
    for (int i = 0; i < 2; i++) {
        rki_st_writer *writer = NULL;
        assert_int_equal(rki_st_writer_create(&memory, &writer), RNNKIT_OK);
        for (int k = 0; k < 2; k++)
            assert_int_equal(
                rki_st_writer_add_tensor(writer, names[i][k], RKI_ST_F32, one, 1), RNNKIT_OK);
        assert_int_equal(rki_st_writer_open(writer, path), RNNKIT_E_ARGUMENT);
        expect_message(names[i][1]);
        rki_st_writer_destroy(writer);
    }
    rki_st_writer *writer = NULL;
    assert_int_equal(rki_st_writer_create(&memory, &writer), RNNKIT_OK);
    assert_int_equal(rki_st_writer_add_text(writer, "key", "1"), RNNKIT_OK);
    assert_int_equal(rki_st_writer_add_text(writer, "key", "2"), RNNKIT_OK);
    assert_int_equal(rki_st_writer_open(writer, path), RNNKIT_E_ARGUMENT);
    expect_message("\"key\" was given twice");
    rki_st_writer_destroy(writer);
}

/* Reads everything that an open file gives; returns its number of values. */
static int64_t read_all(const rki_st *st)
{
    int64_t count = 0;
    for (int64_t i = 0; i < rki_st_count(st); i++) {
        const rki_st_entry *entry = rki_st_entry_at(st, i);
        double *values = malloc((size_t)entry->count * sizeof *values + 1);
        assert_non_null(values);
        assert_ptr_equal(rki_st_find(st, entry->name), entry);
        if (rki_st_read_float64(entry, values) != RNNKIT_OK) expect_message("has dtype");
        count += entry->count;
        free(values);
    }
    return count;
}

static void every_truncation_is_noticed(void **state)
{
    (void)state;
    size_t size;
    const char *path = scratch_path("cut");
    assert_int_equal(write_sample(&memory, path, "sum"), RNNKIT_OK);
    unsigned char *whole = scratch_read(path, &size);
    for (size_t cut = 0; cut < size; cut++) {
        rki_st *st = NULL;
        unsigned char *bytes = malloc(cut + 1);
        memcpy(bytes, whole, cut);
        assert_int_equal(rki_st_open_memory(&memory, bytes, cut, &st), RNNKIT_E_FORMAT);
        assert_null(st);
        free(bytes);
    }
    free(whole);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    size_t size;
    int harmless = 0;
    const char *path = scratch_path("flipped");
    assert_int_equal(write_sample(&memory, path, "sum"), RNNKIT_OK);
    unsigned char *bytes = scratch_read(path, &size);
    unsigned char *copy = malloc(size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        rki_st *st = NULL;
        memcpy(copy, bytes, size);
        copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
        int32_t status = rki_st_open_memory(&memory, copy, size, &st);
        if (status == RNNKIT_OK) {
            assert_int_equal(read_all(st), 2 + 1 + 6 + 3);
            status = rki_st_check(st, "sum");
            /* The key "sum" itself can be hit: then there is no checksum to compare. */
            if (rki_st_metadata(st, "sum") == NULL)
                harmless++;
            else
                assert_int_equal(status, RNNKIT_E_FORMAT);
            rki_st_close(st);
        } else {
            assert_int_equal(status, RNNKIT_E_FORMAT);
        }
    }
    assert_in_range(harmless, 1, 3 * 8);
    free(copy);
    free(bytes);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    const char *path = scratch_path("starved");
    failing_memory host = {0};
    rki_memory failing = {failing_allocate, failing_release, &host};
    int32_t status = RNNKIT_E_MEMORY;
    for (host.fail_at = 1; status != RNNKIT_OK; host.fail_at++) {
        host.calls = 0;
        status = write_sample(&failing, path, "sum");
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        assert_int_equal(host.alive, 0);
        struct stat found;
        assert_int_equal(stat(path, &found) == 0, status == RNNKIT_OK);
    }
    assert_true(host.fail_at > 10);
    status = RNNKIT_E_MEMORY;
    for (host.fail_at = 1; status != RNNKIT_OK; host.fail_at++) {
        rki_st *st = NULL;
        host.calls = 0;
        status = rki_st_open_file(&failing, path, &st);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        assert_int_equal(st != NULL, status == RNNKIT_OK);
        rki_st_close(st);
        assert_int_equal(host.alive, 0);
    }
    assert_true(host.fail_at > 5);
}

static void a_full_disk_is_reported(void **state)
{
    (void)state;
    assert_int_equal(write_sample(&memory, "/dev/full", NULL), RNNKIT_E_IO);
    expect_message("No space left on device");
    assert_int_equal(write_sample(&memory, scratch_path("no/folder"), NULL), RNNKIT_E_IO);
}

static void shows_names_safely(void **state)
{
    (void)state;
    char shown[RKI_ST_SHOWN], name[400] = {0};
    assert_string_equal(rki_st_shown("a\nb\x1b[0m", shown), "a?b?[0m");
    assert_string_equal(rki_st_shown("", shown), "");
    for (size_t i = 0; i + 3 < sizeof name; i += 3)
        memcpy(name + i, "\xe4\xb8\xad", 3);
    rki_st_shown(name, shown);
    assert_true(strlen(shown) < RKI_ST_SHOWN);
    assert_string_equal(shown + strlen(shown) - 6, "\xe4\xb8\xad...");
    name[RKI_ST_SHOWN - 4] = '\0';
    memset(name, 'x', RKI_ST_SHOWN - 4);
    assert_string_equal(rki_st_shown(name, shown), name);
}

int main(void)
{
    memory = rki_default_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_python_wrote),
        cmocka_unit_test(lists_what_it_does_not_read),
        cmocka_unit_test(converts_every_half),
        cmocka_unit_test(writes_the_bytes_that_python_reads),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(an_empty_file_of_ours_is_valid),
        cmocka_unit_test(the_writer_refuses_what_cannot_be_said),
        cmocka_unit_test(the_writer_refuses_a_name_twice),
        cmocka_unit_test(every_truncation_is_noticed),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(a_full_disk_is_reported),
        cmocka_unit_test(shows_names_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
