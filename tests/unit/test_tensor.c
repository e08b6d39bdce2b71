/* Shapes whose products overflow, and arenas that come to rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "tensor/arena.h"
#include "tensor/tensor.h"

static void test_shape(void **state)
{
    (void)state;
    char text[RKI_SHAPE_TEXT];
    rki_shape shape, other;
    assert_int_equal(rki_shape_make((int64_t[]){35, 20, 128}, 3, &shape), RNNKIT_OK);
    assert_int_equal(rki_shape_count(&shape), 35 * 20 * 128);
    assert_string_equal(rki_shape_text(&shape, text), "[35, 20, 128]");
    assert_int_equal(rki_shape_make((int64_t[]){35, 20}, 2, &other), RNNKIT_OK);
    assert_false(rki_shape_equal(&shape, &other));
    assert_true(rki_shape_equal(&shape, &shape));
    rki_shape widest = {4, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
    assert_int_equal(strlen(rki_shape_text(&widest, text)), 4 * 19 + 3 * 2 + 2);
}

static void test_bad_shapes(void **state)
{
    (void)state;
    rki_shape shape = {9, {9}};
    const int64_t dims[][4] = {{0}, {-1}, {INT64_MIN}, {INT64_MAX}, {1 << 30, 1 << 30, 1 << 30},
        {INT64_MAX / 4, 2}, {3, 0}};
    const int64_t ranks[] = {1, 1, 1, 1, 3, 2, 2};
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        assert_int_equal(rki_shape_make(dims[i], ranks[i], &shape), RNNKIT_E_SHAPE);
    assert_int_equal(rki_shape_make(dims[0], 0, &shape), RNNKIT_E_SHAPE);
    assert_int_equal(rki_shape_make(dims[0], 5, &shape), RNNKIT_E_SHAPE);
    assert_int_equal(rki_shape_make(dims[0], -1, &shape), RNNKIT_E_SHAPE);
    assert_int_equal(shape.rank, 9);
}

/* Fills each piece with its own byte and sees at the end that no other piece touched it. */
static void use(rki_arena *arena, int pieces)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 70000};
    char *taken[64];
    for (int i = 0; i < pieces; i++) {
        void *piece;
        assert_int_equal(rki_arena_take(arena, sizes[i % 7], &piece), RNNKIT_OK);
        assert_int_equal((uintptr_t)piece % RKI_ALIGNMENT, 0);
        taken[i] = piece;
        memset(taken[i], i, sizes[i % 7]);
    }
    for (int i = 0; i < pieces; i++)
        for (size_t j = 0; j < sizes[i % 7]; j++)
            if (taken[i][j] != (char)i) fail_msg("piece %d was overwritten", i);
}

static void test_arena_comes_to_rest(void **state)
{
    (void)state;
    failing_memory hook = {0};
    rki_memory memory = {failing_allocate, failing_release, &hook};
    rki_arena arena;
    rki_arena_init_host(&arena, &memory);
    for (int round = 0; round < 3; round++) {
        use(&arena, 60);
        rki_arena_clear(&arena);
    }
    int64_t calls = hook.calls;
    for (int round = 0; round < 20; round++) {
        use(&arena, round % 60 + 1);
        rki_arena_clear(&arena);
    }
    assert_int_equal(hook.calls, calls);
    rki_arena_free(&arena);
    assert_int_equal(hook.alive, 0);
}

/* A rewind gives scratch back: the next piece stands where the scratch stood. */
static void test_arena_rewind(void **state)
{
    (void)state;
    rki_memory memory = rki_default_memory();
    rki_arena arena;
    void *kept, *scratch, *next;
    rki_arena_init_host(&arena, &memory);
    assert_int_equal(rki_arena_take(&arena, 100, &kept), RNNKIT_OK);
    memset(kept, 7, 100);
    rki_arena_mark mark = rki_arena_here(&arena);
    assert_int_equal(rki_arena_take(&arena, 100, &scratch), RNNKIT_OK);
    rki_arena_rewind(&arena, mark);
    assert_int_equal(rki_arena_take(&arena, 100, &next), RNNKIT_OK);
    assert_ptr_equal(scratch, next);
    mark = rki_arena_here(&arena);
    assert_int_equal(rki_arena_take(&arena, 1 << 20, &scratch), RNNKIT_OK); /* a block of its own */
    rki_arena_rewind(&arena, mark);
    assert_int_equal(rki_arena_take(&arena, 1 << 20, &next), RNNKIT_OK);
    assert_ptr_equal(scratch, next);
    for (int i = 0; i < 100; i++)
        assert_int_equal(((char *)kept)[i], 7);
    rki_arena_free(&arena);
}

static void test_arena_without_memory(void **state)
{
    (void)state;
    for (int64_t fail_at = 1; fail_at <= 2; fail_at++) {
        failing_memory hook = {.fail_at = fail_at};
        rki_memory memory = {failing_allocate, failing_release, &hook};
        rki_arena arena;
        void *piece = &hook;
        rki_arena_init_host(&arena, &memory);
        assert_int_equal(rki_arena_take(&arena, 10, &piece), RNNKIT_E_MEMORY);
        assert_ptr_equal(piece, &hook);
        assert_int_equal(rki_arena_take(&arena, 10, &piece), RNNKIT_OK); /* it goes on afterwards */
        assert_int_equal(rki_arena_take(&arena, SIZE_MAX - 5, &piece), RNNKIT_E_MEMORY);
        rki_arena_free(&arena);
        assert_int_equal(hook.alive, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_bad_shapes),
        cmocka_unit_test(test_arena_comes_to_rest),
        cmocka_unit_test(test_arena_rewind),
        cmocka_unit_test(test_arena_without_memory),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
