/* Arrays in files: what is there is listed and read, in parts and from every type of number; a
 * damaged file and a wrong question are errors that touch nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/small_model.h"
#include "../support/text.h"

static rnnkit_context *context;

/* 2 x 3 x 2 numbers 0 .. 11 in F32, three halves, one F64, three bytes, and an empty array. */
static const char header[] =
    "{\"__metadata__\":{\"names\":\"one\\ntwo\"},"
    "\"features\":{\"dtype\":\"F32\",\"shape\":[2,3,2],\"data_offsets\":[0,48]},"
    "\"wide\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[48,56]},"
    "\"half\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[56,62]},"
    "\"short\":{\"dtype\":\"BF16\",\"shape\":[1,1,1,1,1],\"data_offsets\":[62,64]},"
    "\"bytes\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[64,67]},"
    "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[67,67]}}";

enum { DATA = 67, SIZE = 8 + sizeof header - 1 + DATA };

static const char *write_file(const char *name, size_t size)
{
    static const unsigned char halves[] = {0x00, 0x3C, 0x00, 0xC0, 0x00, 0x7C, 0x80, 0x3F};
    static const double wide = -1.5;
    unsigned char bytes[SIZE] = {0}, *data = bytes + SIZE - DATA;
    const char *path = scratch_path(name);

    bytes[0] = (unsigned char)((sizeof header - 1) & 255);
    bytes[1] = (unsigned char)((sizeof header - 1) >> 8);
    memcpy(bytes + 8, header, sizeof header - 1);
    for (int i = 0; i < 12; i++) {
        float value = (float)i;
        memcpy(data + 4 * i, &value, 4);
    }
    memcpy(data + 48, &wide, 8);
    memcpy(data + 56, halves, sizeof halves);
    scratch_write(path, bytes, size);
    return path;
}

static rnnkit_arrays *open_file(void)
{
    rnnkit_arrays *arrays;
    must(rnnkit_arrays_open(context, write_file("arrays", SIZE), &arrays), "open");
    return arrays;
}

static void lists_what_there_is(void **state)
{
    (void)state;
    static const char *const names[] = {"features", "wide", "half", "short", "bytes", "empty"};
    rnnkit_arrays *arrays = open_file();
    int64_t dims[5], rank = -1;
    for (int i = 0; i < 6; i++)
        assert_string_equal(rnnkit_arrays_name(arrays, i), names[i]);
    assert_null(rnnkit_arrays_name(arrays, 6));
    assert_null(rnnkit_arrays_name(arrays, -1));
    assert_string_equal(rnnkit_arrays_entry(arrays, "names"), "one\ntwo");
    assert_null(rnnkit_arrays_entry(arrays, "other"));
    must(rnnkit_arrays_shape(arrays, "features", dims, 3, &rank), "shape");
    assert_true(rank == 3 && dims[0] == 2 && dims[1] == 3 && dims[2] == 2);
    must(rnnkit_arrays_shape(arrays, "wide", dims, 0, &rank), "shape");
    assert_int_equal(rank, 0);
    must(rnnkit_arrays_shape(arrays, "short", dims, 5, &rank), "shape");
    assert_int_equal(rank, 5);
    must(rnnkit_arrays_shape(arrays, "empty", dims, 5, &rank), "shape");
    assert_true(rank == 2 && dims[0] == 0 && dims[1] == 4);
    rnnkit_arrays_destroy(arrays);
}

static void reads_parts_of_every_type(void **state)
{
    (void)state;
    rnnkit_arrays *arrays = open_file();
    float values[12];
    must(rnnkit_arrays_read(arrays, "features", 0, values, 12), "all");
    for (int i = 0; i < 12; i++)
        assert_true(values[i] == (float)i);
    must(rnnkit_arrays_read(arrays, "features", 7, values, 5), "a part");
    for (int i = 0; i < 5; i++)
        assert_true(values[i] == (float)(7 + i));
    must(rnnkit_arrays_read(arrays, "wide", 0, values, 1), "F64");
    assert_true(values[0] == -1.5f);
    must(rnnkit_arrays_read(arrays, "half", 0, values, 3), "F16");
    assert_true(values[0] == 1 && values[1] == -2 && isinf(values[2]));
    must(rnnkit_arrays_read(arrays, "short", 0, values, 1), "BF16");
    assert_true(values[0] == 1);
    must(rnnkit_arrays_read(arrays, "empty", 0, values, 0), "nothing");
    must(rnnkit_arrays_read(arrays, "features", 12, values, 0), "nothing at the end");
    rnnkit_arrays_destroy(arrays);
}

static void the_file_outlives_context_and_name(void **state)
{
    (void)state;
    rnnkit_context *own;
    rnnkit_arrays *arrays;
    float value;
    must(rnnkit_context_create("cpu", NULL, &own), "context");
    must(rnnkit_arrays_open(own, write_file("gone", SIZE), &arrays), "open");
    rnnkit_context_destroy(own);
    assert_int_equal(remove(scratch_path("gone")), 0);
    must(rnnkit_arrays_read(arrays, "features", 11, &value, 1), "read");
    assert_true(value == 11);
    rnnkit_arrays_destroy(arrays);
}

static void a_model_is_a_file_of_arrays(void **state)
{
    (void)state;
    rnnkit_model *model;
    rnnkit_linear *linear;
    rnnkit_arrays *arrays;
    float expected[6], values[6];
    must(rnnkit_model_create(context, &model), "model");
    must(rnnkit_linear_create(model, "out", 3, 2, NULL, &linear), "linear");
    must(rnnkit_model_parameter_read(model, "out.weight", expected, 6), "weights");
    must(rnnkit_model_save(model, scratch_path("model")), "save");
    must(rnnkit_arrays_open(context, scratch_path("model"), &arrays), "open");
    must(rnnkit_arrays_read(arrays, "out.weight", 0, values, 6), "read");
    assert_memory_equal(values, expected, sizeof values);
    rnnkit_arrays_destroy(arrays);
    rnnkit_linear_destroy(linear);
    rnnkit_model_destroy(model);
}

static void damaged_files_are_refused(void **state)
{
    (void)state;
    rnnkit_arrays *arrays = NULL;
    for (size_t size = 0; size < SIZE; size += size < 40 || size > SIZE - 40 ? 1 : 17) {
        int32_t status = rnnkit_arrays_open(context, write_file("cut", size), &arrays);
        text_fails(status, RNNKIT_E_FORMAT, "rnnkit_arrays_open: ");
    }
    text_fails(rnnkit_arrays_open(context, scratch_path("none"), &arrays), RNNKIT_E_IO, "none");
    text_fails(rnnkit_arrays_open(context, scratch_path("."), &arrays), RNNKIT_E_IO, "");
    assert_null(arrays);
}

static void wrong_questions_touch_nothing(void **state)
{
    (void)state;
    rnnkit_arrays *arrays = open_file(), *out = NULL;
    float values[3] = {7, 7, 7};
    int64_t dims[3] = {7, 7, 7}, rank = 7;
    const char *name = "features";
    text_fails(rnnkit_arrays_open(NULL, "x", &out), RNNKIT_E_HANDLE, "context");
    text_fails(rnnkit_arrays_open(context, NULL, &out), RNNKIT_E_ARGUMENT, "path");
    text_fails(rnnkit_arrays_open(context, "x", NULL), RNNKIT_E_ARGUMENT, "out");
    text_fails(
        rnnkit_arrays_shape(arrays, "feature", dims, 3, &rank), RNNKIT_E_NOT_FOUND, "feature");
    text_fails(rnnkit_arrays_shape(arrays, NULL, dims, 3, &rank), RNNKIT_E_ARGUMENT, "name");
    text_fails(rnnkit_arrays_shape(arrays, name, NULL, 3, &rank), RNNKIT_E_ARGUMENT, "dims");
    text_fails(rnnkit_arrays_shape(arrays, name, dims, 3, NULL), RNNKIT_E_ARGUMENT, "rank");
    assert_int_equal(rank, 7);
    text_fails(
        rnnkit_arrays_shape(arrays, name, dims, 2, &rank), RNNKIT_E_TOO_SMALL, "3 are needed");
    assert_int_equal(rank, 3);
    assert_int_equal(dims[0], 7);
    text_fails(rnnkit_arrays_read(arrays, name, 10, values, 3), RNNKIT_E_SHAPE, "12 elements");
    text_fails(rnnkit_arrays_read(arrays, name, -1, values, 1), RNNKIT_E_SHAPE, "number -1");
    text_fails(rnnkit_arrays_read(arrays, name, 0, values, -1), RNNKIT_E_SHAPE, "-1");
    text_fails(
        rnnkit_arrays_read(arrays, name, INT64_MAX, values, INT64_MAX), RNNKIT_E_SHAPE, "12");
    text_fails(rnnkit_arrays_read(arrays, "bytes", 0, values, 3), RNNKIT_E_FORMAT, "dtype U8");
    text_fails(rnnkit_arrays_read(arrays, name, 0, NULL, 3), RNNKIT_E_ARGUMENT, "values");
    for (int i = 0; i < 3; i++)
        assert_true(values[i] == 7);
    assert_null(rnnkit_arrays_name((const rnnkit_arrays *)context, 0));
    assert_null(rnnkit_arrays_entry(NULL, "names"));
    assert_null(rnnkit_arrays_entry(arrays, NULL));
    rnnkit_arrays_destroy(arrays);
    rnnkit_arrays_destroy(NULL);
}

/* Every allocation fails once: an error, and nothing is left behind. */
static void without_memory(void **state)
{
    (void)state;
    int32_t status = RNNKIT_E_MEMORY;
    const char *path = write_file("arrays", SIZE);
    for (int64_t fail_at = 1; status != RNNKIT_OK; fail_at++) {
        failing_memory hook = {0};
        rnnkit_context *own;
        rnnkit_arrays *arrays = NULL;
        must(rnnkit_context_create_with_allocator(
                 "cpu", NULL, failing_allocate, failing_release, &hook, &own),
            "context");
        hook.fail_at = hook.calls + fail_at;
        status = rnnkit_arrays_open(own, path, &arrays);
        if (status != RNNKIT_OK) {
            text_fails(status, RNNKIT_E_MEMORY, "memory");
            assert_null(arrays);
        }
        rnnkit_arrays_destroy(arrays);
        rnnkit_context_destroy(own);
        assert_int_equal(hook.alive, 0);
    }
}

static int open_context(void **state)
{
    (void)state;
    return rnnkit_context_create("cpu", "threads=1", &context);
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_what_there_is),
        cmocka_unit_test(reads_parts_of_every_type),
        cmocka_unit_test(the_file_outlives_context_and_name),
        cmocka_unit_test(a_model_is_a_file_of_arrays),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(wrong_questions_touch_nothing),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests_name("arrays", tests, open_context, close_context);
}
