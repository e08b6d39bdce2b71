/* Batches: what is in them, in which order, and where a checkpoint takes them up again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/text.h"
#include "text/batches.h"

enum { NUMBERS = 1000 };

static rnnkit_context *context;
static rnnkit_tokens *numbers; /* ids 0, 1, 2, ...: each token says its place */

/* A vocabulary with NUMBERS ids, then the stream of all of them. */
static rnnkit_tokens *open_numbers(rnnkit_context *with, const char *options)
{
    char text[NUMBERS * 5];
    size_t used = 0;
    int32_t ids[NUMBERS];
    for (int i = 0; i < NUMBERS; i++) {
        ids[i] = i;
        if (i >= 2) used += (size_t)snprintf(text + used, sizeof text - used, "%d ", i);
    }
    rnnkit_tokenizer *tokenizer = text_tokenizer(with, NULL);
    rnnkit_vocab *vocab = text_vocab(tokenizer, NULL, text);
    rnnkit_tokens *tokens = NULL;
    text_ok(rnnkit_tokens_create(vocab, options, &tokens));
    text_ok(rnnkit_tokens_push_ids(tokens, ids, NUMBERS));
    text_ok(rnnkit_tokens_finish(tokens));
    rnnkit_tokenizer_destroy(tokenizer);
    rnnkit_vocab_destroy(vocab);
    return tokens;
}

static int open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", NULL, &context));
    numbers = open_numbers(context, NULL);
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_tokens_destroy(numbers);
    rnnkit_context_destroy(context);
    return 0;
}

static rnnkit_batches *open_batches(const char *options)
{
    rnnkit_batches *batches = NULL;
    text_ok(rnnkit_batches_create(numbers, options, &batches));
    return batches;
}

static void expect_size(const rnnkit_batches *batches, int64_t count, int64_t given)
{
    int64_t count_found, given_found;
    text_ok(rnnkit_batches_size(batches, &count_found, &given_found));
    assert_int_equal(count_found, count);
    assert_int_equal(given_found, given);
}

/* Contiguous. */

static void lanes_side_by_side(void **state)
{
    const int32_t *x, *y;
    int64_t steps, rows;
    (void)state;
    /* 12 tokens, 11 inputs, 2 lanes of 5 that start at 100 and 105; the input 110 is not used. */
    rnnkit_batches *batches = open_batches("batch=2 steps=3 first=100 count=12");
    expect_size(batches, 2, 0);
    text_ok(rnnkit_batches_next(batches, &x, &y, &steps, &rows));
    assert_int_equal(steps, 3);
    assert_int_equal(rows, 2);
    const int32_t first[] = {100, 105, 101, 106, 102, 107};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(x[i], first[i]);
        assert_int_equal(y[i], first[i] + 1);
    }
    text_ok(rnnkit_batches_next(batches, &x, &y, &steps, &rows));
    assert_int_equal(steps, 2);
    assert_int_equal(rows, 2);
    const int32_t second[] = {103, 108, 104, 109};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(x[i], second[i]);
        assert_int_equal(y[i], second[i] + 1);
    }
    expect_size(batches, 2, 2);
    steps = rows = 7;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rnnkit_batches_next(batches, &x, &y, &steps, &rows), RNNKIT_DONE);
    assert_int_equal(steps, 7);
    text_ok(rnnkit_batches_rewind(batches));
    expect_size(batches, 2, 0);
    text_ok(rnnkit_batches_next(batches, &x, &y, &steps, &rows));
    assert_int_equal(x[0], 100);
    rnnkit_batches_destroy(batches);
}

/* Every input at most once, all but the last count - 1 mod batch; lanes without a gap. */
static void check_contiguous(int64_t batch, int64_t step_limit, int64_t first, int64_t count)
{
    char options[128];
    const int32_t *x, *y;
    int64_t steps, rows, position = 0, batches_seen = 0, total;
    snprintf(options, sizeof options, "batch=%lld steps=%lld first=%lld count=%lld",
        (long long)batch, (long long)step_limit, (long long)first, (long long)count);
    rnnkit_batches *batches = open_batches(options);
    int64_t lane = (count - 1) / batch;
    while (rnnkit_batches_next(batches, &x, &y, &steps, &rows) == RNNKIT_OK) {
        assert_int_equal(rows, batch);
        assert_true(steps >= 1 && steps <= step_limit);
        for (int64_t t = 0; t < steps; t++)
            for (int64_t r = 0; r < rows; r++) {
                assert_int_equal(x[t * rows + r], first + r * lane + position + t);
                assert_int_equal(y[t * rows + r], x[t * rows + r] + 1);
                assert_true(y[t * rows + r] < first + count);
            }
        position += steps;
        batches_seen++;
    }
    assert_int_equal(position, lane);
    text_ok(rnnkit_batches_size(batches, &total, NULL));
    assert_int_equal(batches_seen, total);
    rnnkit_batches_destroy(batches);
}

static void contiguous_of_every_size(void **state)
{
    uint64_t random = 7;
    (void)state;
    for (int round = 0; round < 300; round++) {
        int64_t batch = 1 + (int64_t)text_draw(&random, 40);
        int64_t count = batch + 1 + (int64_t)text_draw(&random, 900);
        int64_t first = (int64_t)text_draw(&random, (uint64_t)(NUMBERS - count + 1));
        check_contiguous(batch, 1 + (int64_t)text_draw(&random, 50), first, count);
    }
    check_contiguous(1, 1, 0, 2);
    check_contiguous(NUMBERS - 1, 5, 0, NUMBERS);
}

/* Sliding. */

/* Reads an epoch: the order of the windows' first tokens; checks each window on the way. */
static int64_t read_epoch(rnnkit_batches *batches, int64_t window, int64_t *order)
{
    const int32_t *x, *y;
    int64_t steps, rows, seen = 0;
    while (rnnkit_batches_next(batches, &x, &y, &steps, &rows) == RNNKIT_OK) {
        assert_int_equal(steps, window);
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t t = 0; t < steps; t++) {
                assert_int_equal(x[t * rows + r], x[r] + t);
                assert_int_equal(y[t * rows + r], t == steps - 1 ? x[r] + steps : RNNKIT_IGNORE);
            }
            order[seen++] = x[r];
        }
    }
    return seen;
}

static void sliding_windows_in_order(void **state)
{
    int64_t order[NUMBERS];
    (void)state;
    rnnkit_batches *batches =
        open_batches("windows=sliding shuffle=0 batch=4 steps=3 first=10 count=13");
    expect_size(batches, 3, 0);
    assert_int_equal(read_epoch(batches, 3, order), 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(order[i], 10 + i);
    rnnkit_batches_destroy(batches);
    batches = open_batches("windows=sliding steps=999");
    assert_int_equal(read_epoch(batches, 999, order), 1);
    rnnkit_batches_destroy(batches);
}

static void shuffled_windows_are_all_there(void **state)
{
    enum { WINDOWS = NUMBERS - 10 };
    int64_t order[NUMBERS], other[NUMBERS];
    (void)state;
    rnnkit_batches *batches = open_batches("windows=sliding batch=64 steps=10");
    for (int epoch = 0; epoch < 3; epoch++) {
        char seen[NUMBERS] = {0};
        int64_t in_place = 0, repeated = 0;
        assert_int_equal(read_epoch(batches, 10, order), WINDOWS);
        for (int i = 0; i < WINDOWS; i++) {
            assert_int_equal(seen[order[i]], 0);
            seen[order[i]] = 1;
            in_place += order[i] == i;
            repeated += epoch > 0 && order[i] == other[i];
        }
        assert_true(in_place < WINDOWS / 20);
        assert_true(repeated < WINDOWS / 20);
        memcpy(other, order, sizeof other);
        text_ok(rnnkit_batches_rewind(batches));
    }
    rnnkit_batches_destroy(batches);
}

static void the_seed_decides_the_order(void **state)
{
    int64_t order[NUMBERS], same[NUMBERS], other[NUMBERS];
    (void)state;
    rnnkit_context *second = NULL;
    rnnkit_batches *batches = open_batches("windows=sliding steps=10 batch=16");
    rnnkit_batches *again = open_batches("windows=sliding steps=10 batch=100");
    text_ok(rnnkit_context_create("cpu", "seed=2", &second));
    rnnkit_tokens *tokens = open_numbers(second, "memory=0");
    rnnkit_batches *seeded = NULL;
    text_ok(rnnkit_batches_create(tokens, "windows=sliding steps=10 batch=16", &seeded));
    read_epoch(batches, 10, order);
    read_epoch(again, 10, same);
    read_epoch(seeded, 10, other); /* from disk, too */
    assert_memory_equal(order, same, (NUMBERS - 10) * sizeof *order);
    assert_true(memcmp(order, other, (NUMBERS - 10) * sizeof *order) != 0);
    rnnkit_batches_destroy(batches);
    rnnkit_batches_destroy(again);
    rnnkit_tokens_destroy(tokens); /* in any order */
    rnnkit_context_destroy(second);
    rnnkit_batches_destroy(seeded);
}

/* Checkpoints. */

static void expect_same_batches(rnnkit_batches *a, rnnkit_batches *b)
{
    const int32_t *x[2], *y[2];
    int64_t steps[2], rows[2];
    for (;;) {
        int32_t status = rnnkit_batches_next(a, &x[0], &y[0], &steps[0], &rows[0]);
        assert_int_equal(rnnkit_batches_next(b, &x[1], &y[1], &steps[1], &rows[1]), status);
        if (status == RNNKIT_DONE) return;
        assert_int_equal(steps[0], steps[1]);
        assert_int_equal(rows[0], rows[1]);
        assert_memory_equal(x[0], x[1], (size_t)(steps[0] * rows[0]) * sizeof(int32_t));
        assert_memory_equal(y[0], y[1], (size_t)(steps[0] * rows[0]) * sizeof(int32_t));
    }
}

static void a_cursor_takes_up_again(void **state)
{
    static const char *const options[] = {"batch=7 steps=5", "windows=sliding batch=7 steps=5"};
    const int32_t *x, *y;
    int64_t steps, rows, cursor[RKI_BATCHES_CURSOR];
    (void)state;
    for (int i = 0; i < 2; i++)
        for (int given = 0; given < 8; given++) {
            rnnkit_batches *batches = open_batches(options[i]), *resumed = open_batches(options[i]);
            for (int epoch = 0; epoch < 2; epoch++)
                text_ok(rnnkit_batches_rewind(batches));
            for (int n = 0; n < given; n++)
                text_ok(rnnkit_batches_next(batches, &x, &y, &steps, &rows));
            rki_batches_cursor(batches, cursor);
            text_ok(rki_batches_set_cursor(resumed, cursor));
            expect_same_batches(batches, resumed);
            text_ok(rnnkit_batches_rewind(batches));
            text_ok(rnnkit_batches_rewind(resumed));
            expect_same_batches(batches, resumed);
            /* At the end of an epoch, too. */
            rki_batches_cursor(batches, cursor);
            text_ok(rki_batches_set_cursor(resumed, cursor));
            expect_same_batches(batches, resumed);
            rnnkit_batches_destroy(batches);
            rnnkit_batches_destroy(resumed);
        }
}

static void another_cursor_is_refused(void **state)
{
    static const char *const others[] = {"batch=8 steps=5", "batch=7 steps=6",
        "batch=7 steps=5 windows=sliding", "batch=7 steps=5 first=1 count=999",
        "batch=7 steps=5 count=999"};
    int64_t cursor[RKI_BATCHES_CURSOR], bad[RKI_BATCHES_CURSOR];
    (void)state;
    rnnkit_batches *batches = open_batches("batch=7 steps=5 count=1000");
    rki_batches_cursor(batches, cursor);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        rnnkit_batches *other = open_batches(others[i]);
        text_fails(rki_batches_set_cursor(other, cursor), RNNKIT_E_SHAPE, "cursor");
        expect_size(other, other->total, 0);
        rnnkit_batches_destroy(other);
    }
    for (int i = 0; i < 4; i++) {
        memcpy(bad, cursor, sizeof bad);
        bad[i] = i == 1 ? batches->total + 1 : -1;
        text_fails(rki_batches_set_cursor(batches, bad), RNNKIT_E_SHAPE, "cursor");
    }
    rnnkit_batches_destroy(batches);
    rnnkit_batches *shuffled = open_batches("windows=sliding"), *other = NULL;
    rki_batches_cursor(shuffled, cursor);
    rnnkit_context *second = NULL;
    text_ok(rnnkit_context_create("cpu", "seed=3", &second));
    rnnkit_tokens *tokens = open_numbers(second, NULL);
    text_ok(rnnkit_batches_create(tokens, "windows=sliding", &other));
    text_fails(rki_batches_set_cursor(other, cursor), RNNKIT_E_SHAPE, "another seed");
    rnnkit_batches_destroy(other);
    rnnkit_batches_destroy(shuffled);
    rnnkit_tokens_destroy(tokens);
    rnnkit_context_destroy(second);
}

/* Hostile calls. */

static void bad_arguments(void **state)
{
    (void)state;
    rnnkit_batches *none = NULL, *batches = open_batches(NULL);
    rnnkit_batches *wrong = (rnnkit_batches *)(void *)numbers;
    const int32_t *x = NULL, *y = NULL;
    int64_t steps, rows;
    text_fails(rnnkit_batches_create(NULL, NULL, &none), RNNKIT_E_HANDLE, "tokens is NULL");
    text_fails(rnnkit_batches_create((rnnkit_tokens *)(void *)context, NULL, &none),
        RNNKIT_E_HANDLE, "is a context");
    text_fails(rnnkit_batches_create(numbers, NULL, NULL), RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_batches_create(numbers, "batch=0", &none), RNNKIT_E_OPTION, "batch=0");
    text_fails(rnnkit_batches_create(numbers, "first=1001", &none), RNNKIT_E_ARGUMENT,
        "first=1001 count=-1 is outside the stream, which has 1000 tokens");
    text_fails(
        rnnkit_batches_create(numbers, "first=1 count=1000", &none), RNNKIT_E_ARGUMENT, "outside");
    text_fails(rnnkit_batches_create(numbers, "count=64", &none), RNNKIT_E_ARGUMENT,
        "there are 64 tokens, one batch of batch=64 needs at least 65");
    text_fails(rnnkit_batches_create(numbers, "windows=sliding count=35", &none), RNNKIT_E_ARGUMENT,
        "there are 35 tokens, one batch of windows=sliding steps=35 needs at");
    text_fails(rnnkit_batches_create(numbers, "first=1000", &none), RNNKIT_E_ARGUMENT, "are 0");
    text_fails(rnnkit_batches_next(wrong, &x, &y, &steps, &rows), RNNKIT_E_HANDLE, "token stream");
    text_fails(rnnkit_batches_next(batches, NULL, &y, &steps, &rows), RNNKIT_E_ARGUMENT, "x is");
    text_fails(rnnkit_batches_next(batches, &x, NULL, &steps, &rows), RNNKIT_E_ARGUMENT, "y is");
    text_fails(rnnkit_batches_next(batches, &x, &y, NULL, &rows), RNNKIT_E_ARGUMENT, "steps is");
    text_fails(rnnkit_batches_next(batches, &x, &y, &steps, NULL), RNNKIT_E_ARGUMENT, "rows is");
    text_fails(rnnkit_batches_rewind(NULL), RNNKIT_E_HANDLE, "batches is NULL");
    text_fails(rnnkit_batches_size(NULL, NULL, NULL), RNNKIT_E_HANDLE, "batches is NULL");
    text_ok(rnnkit_batches_size(batches, NULL, NULL));
    expect_size(batches, 1, 0);
    assert_null(x);
    assert_null(none);
    rnnkit_batches_destroy(NULL);
    rnnkit_batches_destroy(batches);
}

static void no_finished_stream(void **state)
{
    (void)state;
    rnnkit_tokens *tokens = NULL;
    rnnkit_batches *none = NULL;
    text_ok(rnnkit_tokens_create(numbers->vocab, NULL, &tokens));
    text_fails(rnnkit_batches_create(tokens, NULL, &none), RNNKIT_E_ORDER, "not finished");
    assert_null(none);
    rnnkit_tokens_destroy(tokens);
}

static void no_memory_at_any_moment(void **state)
{
    const int32_t *x, *y;
    int64_t steps, rows;
    (void)state;
    failing_memory memory = {0};
    rnnkit_context *failing = NULL;
    text_ok(rnnkit_context_create_with_allocator(
        "cpu", NULL, failing_allocate, failing_release, &memory, &failing));
    rnnkit_tokens *tokens = open_numbers(failing, NULL);
    rnnkit_batches *batches = NULL;
    int64_t alive = memory.alive;
    int32_t status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        memory.fail_at = memory.calls + n;
        status = rnnkit_batches_create(tokens, NULL, &batches);
        if (status == RNNKIT_OK) break;
        text_fails(status, RNNKIT_E_MEMORY, "out of memory");
        assert_null(batches);
        assert_int_equal(memory.alive, alive);
        assert_true(n < 50);
    }
    /* And a batch takes none at all. */
    int64_t calls = memory.calls;
    text_ok(rnnkit_batches_next(batches, &x, &y, &steps, &rows));
    assert_int_equal(memory.calls, calls);
    rnnkit_context_destroy(failing);
    rnnkit_tokens_destroy(tokens);
    rnnkit_batches_destroy(batches);
    assert_int_equal(memory.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_side_by_side),
        cmocka_unit_test(contiguous_of_every_size),
        cmocka_unit_test(sliding_windows_in_order),
        cmocka_unit_test(shuffled_windows_are_all_there),
        cmocka_unit_test(the_seed_decides_the_order),
        cmocka_unit_test(a_cursor_takes_up_again),
        cmocka_unit_test(another_cursor_is_refused),
        cmocka_unit_test(bad_arguments),
        cmocka_unit_test(no_finished_stream),
        cmocka_unit_test(no_memory_at_any_moment),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
