/* Memory: sizes that overflow, alignment, growth that fails without a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "base/memory.h"

static failing_memory hook;
static rki_memory memory = {failing_allocate, failing_release, &hook};

static int start(void **state)
{
    (void)state;
    hook = (failing_memory){0};
    return 0;
}

static void test_allocate(void **state)
{
    (void)state;
    void *block = NULL;
    assert_int_equal(rki_allocate(&memory, 3, 5, "sample", &block), RNNKIT_OK);
    assert_int_equal((uintptr_t)block % RKI_ALIGNMENT, 0);
    for (int i = 0; i < 15; i++)
        assert_int_equal(((char *)block)[i], 0);
    rki_release(&memory, block);
    assert_int_equal(rki_allocate(&memory, 0, 8, "nothing", &block), RNNKIT_OK);
    assert_non_null(block);
    rki_release(&memory, block);
    rki_release(&memory, NULL);
    assert_int_equal(hook.alive, 0);
}

static void test_refused(void **state)
{
    (void)state;
    const struct {
        int64_t count;
        size_t size;
    } cases[] = {{-1, 1}, {INT64_MIN, 8}, {INT64_MAX, 1}, {INT64_MAX, 8}, {2, SIZE_MAX / 2 + 1},
        {1, SIZE_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        void *block = &hook;
        assert_int_equal(rki_allocate(&memory, cases[i].count, cases[i].size, "a sample", &block),
            RNNKIT_E_MEMORY);
        assert_ptr_equal(block, &hook);
        assert_non_null(strstr(rki_message(), "a sample"));
    }
    assert_int_equal(hook.calls, 0); /* none of these sizes reached the allocator */
}

static void test_exhausted(void **state)
{
    (void)state;
    void *block = &hook;
    hook.fail_at = 1;
    assert_int_equal(rki_allocate(&memory, 4, 16, "a sample", &block), RNNKIT_E_MEMORY);
    assert_ptr_equal(block, &hook);
    assert_string_equal(rki_message(), "out of memory: 64 bytes for a sample");
}

static void test_grow(void **state)
{
    (void)state;
    void *block = NULL;
    int64_t capacity = 0;
    for (int64_t used = 0; used < 1000; used++) {
        assert_int_equal(
            rki_grow(&memory, &block, &capacity, used, used + 1, sizeof used, "a list"), RNNKIT_OK);
        assert_true(capacity > used);
        ((int64_t *)block)[used] = used;
    }
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(((int64_t *)block)[i], i);
    assert_true(hook.calls < 16); /* by half at least each time */
    void *before = block;
    int64_t room = capacity;
    hook.fail_at = hook.calls + 1;
    assert_int_equal(
        rki_grow(&memory, &block, &capacity, 1000, room + 1, 8, "a list"), RNNKIT_E_MEMORY);
    assert_int_equal(
        rki_grow(&memory, &block, &capacity, 1000, INT64_MAX, 8, "a list"), RNNKIT_E_MEMORY);
    assert_ptr_equal(block, before);
    assert_int_equal(capacity, room);
    rki_release(&memory, block);
    assert_int_equal(hook.alive, 0);
}

static void test_copy_text(void **state)
{
    (void)state;
    char *copy = NULL;
    assert_int_equal(rki_copy_text(&memory, "abc", -1, &copy), RNNKIT_OK);
    assert_string_equal(copy, "abc");
    rki_release(&memory, copy);
    assert_int_equal(rki_copy_text(&memory, "abc", 2, &copy), RNNKIT_OK);
    assert_string_equal(copy, "ab");
    rki_release(&memory, copy);
    assert_int_equal(hook.alive, 0);
}

static void test_multiply(void **state)
{
    (void)state;
    int64_t out = 5;
    assert_int_equal(rki_multiply(3037000499, 3037000499, &out), RNNKIT_OK);
    assert_true(out == 9223372030926249001);
    assert_int_equal(rki_multiply(3037000500, 3037000500, &out), RNNKIT_E_SHAPE);
    assert_int_equal(rki_multiply(-1, 2, &out), RNNKIT_E_SHAPE);
    assert_int_equal(rki_multiply(0, INT64_MAX, &out), RNNKIT_OK);
    assert_int_equal(out, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_allocate, start),
        cmocka_unit_test_setup(test_refused, start),
        cmocka_unit_test_setup(test_exhausted, start),
        cmocka_unit_test_setup(test_grow, start),
        cmocka_unit_test_setup(test_copy_text, start),
        cmocka_unit_test_setup(test_multiply, start),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
