/* Text that waits: stop texts and characters that come in pieces, cut anywhere, end the text at the
 * same place; what is taken is never taken back; no memory is needed while it is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/text.h"
#include "base/utf8.h"
#include "generate/pending.h"

enum { PIECE = 64, ROOM = 512 };

/* What came out, and how it ended. */
typedef struct outcome {
    char text[ROOM];
    size_t size;
    int stopped;
} outcome;

static void take(rki_pending *pending, outcome *to)
{
    assert_in_range(pending->certain, 0, ROOM - to->size);
    memcpy(to->text + to->size, pending->bytes, (size_t)pending->certain);
    to->size += (size_t)pending->certain;
    rki_pending_taken(pending);
}

/* Pushes the text in random pieces of up to `most` bytes and takes what is ready after each. */
static outcome run(
    const char *const *stops, const char *text, size_t size, uint64_t *draws, size_t most)
{
    failing_memory hook = {0};
    const rki_memory memory = {failing_allocate, failing_release, &hook};
    rki_pending pending;
    outcome result = {{0}, 0, 0};
    text_ok(rki_pending_init(&pending, &memory, PIECE));
    for (; *stops != NULL; stops++)
        text_ok(rki_pending_add_stop(&pending, *stops));
    int64_t calls = hook.calls;
    for (size_t at = 0; at < size && !result.stopped;) {
        size_t length = 1 + text_draw(draws, most);
        if (length > size - at) length = size - at;
        text_ok(rki_pending_reserve(&pending));
        text_ok(rki_pending_add(&pending, text + at, length));
        result.stopped = rki_pending_settle(&pending);
        take(&pending, &result);
        at += length;
    }
    rki_pending_release_all(&pending);
    take(&pending, &result);
    assert_int_equal(hook.calls, calls);
    rki_pending_free(&pending);
    assert_int_equal(hook.alive, 0);
    return result;
}

static void expect(const char *const *stops, const char *text, const char *expected, int stopped)
{
    uint64_t draws = 3;
    for (size_t most = 1; most <= 12; most++)
        for (int round = 0; round < 20; round++) {
            outcome result = run(stops, text, strlen(text), &draws, most);
            assert_int_equal(result.stopped, stopped);
            assert_int_equal(result.size, strlen(expected));
            assert_memory_equal(result.text, expected, result.size);
        }
}

static void test_stops(void **state)
{
    (void)state;
    expect((const char *[]){NULL}, "all of it", "all of it", 0);
    expect((const char *[]){"jerry:", NULL}, "the bus. jerry: what", "the bus. ", 1);
    expect((const char *[]){"x", NULL}, "x", "", 1);
    expect((const char *[]){"abcab", NULL}, "ababcabcab!", "ab", 1);
    expect((const char *[]){"aab", NULL}, "aaaab", "aa", 1);
    expect((const char *[]){"end", NULL}, "an en", "an en", 0); /* never completed: given */
    expect((const char *[]){"abcd", "bc", NULL}, "xabcd", "xa", 1);
    expect((const char *[]){"bc", "abc", "c", NULL}, "xxabc", "xx", 1);
    expect((const char *[]){"zz", "\n\n", NULL}, "one\ntwo\n\nthree", "one\ntwo", 1);
    expect((const char *[]){"\xC3\xA9", NULL}, "caf\xC3\xA8 caf\xC3\xA9s", "caf\xC3\xA8 caf", 1);
}

/* After each piece: nothing of an unfinished character is given, and of stops' beginnings. */
static void test_holds_back(void **state)
{
    (void)state;
    const rki_memory memory = rki_default_memory();
    rki_pending pending;
    text_ok(rki_pending_init(&pending, &memory, PIECE));
    text_ok(rki_pending_add_stop(&pending, "stop"));
    const struct {
        const char *piece;
        int64_t certain, waiting;
    } steps[] = {{"a st", 2, 2}, {"s", 4, 1}, {"to", 4, 3}, {"o", 8, 0}, {"\xF0\x9F", 8, 2},
        {"\x98", 8, 3}, {"\x80", 12, 0}, {"\xE2\x82", 12, 2}, {"(", 15, 0}, {"\xFF\x80", 17, 0},
        {"\xC3s", 18, 1}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        text_ok(rki_pending_reserve(&pending));
        text_ok(rki_pending_add(&pending, steps[i].piece, strlen(steps[i].piece)));
        assert_int_equal(rki_pending_settle(&pending), 0);
        assert_int_equal(pending.certain, steps[i].certain);
        assert_int_equal(pending.used - pending.certain, steps[i].waiting);
    }
    rki_pending_free(&pending);
}

/* A stop text does not reach back over what was finished. */
static void test_border(void **state)
{
    (void)state;
    const rki_memory memory = rki_default_memory();
    for (int finished = 0; finished < 2; finished++) {
        rki_pending pending;
        text_ok(rki_pending_init(&pending, &memory, PIECE));
        text_ok(rki_pending_add_stop(&pending, "stop"));
        text_ok(rki_pending_add(&pending, "st", 2));
        assert_int_equal(rki_pending_settle(&pending), 0);
        if (finished) rki_pending_release_all(&pending);
        text_ok(rki_pending_add(&pending, "op", 2));
        assert_int_equal(rki_pending_settle(&pending), !finished);
        assert_int_equal(pending.certain, finished ? 4 : 0);
        rki_pending_free(&pending);
    }
}

/* The plain way: the end that comes first, and of the stop texts that end there the longest. */
static size_t find_stop(const char *const *stops, const char *text, size_t size, int *found)
{
    for (size_t end = 1; end <= size; end++) {
        size_t most = 0;
        for (const char *const *stop = stops; *stop != NULL; stop++) {
            size_t length = strlen(*stop);
            if (length <= end && length > most && memcmp(text + end - length, *stop, length) == 0)
                most = length;
        }
        *found = most > 0;
        if (most > 0) return end - most;
    }
    return size;
}

static void test_random(void **state)
{
    (void)state;
    uint64_t draws = 11;
    int64_t stopped = 0;
    for (int round = 0; round < 3000; round++) {
        char text[60], stop[3][6];
        const char *stops[4] = {stop[0], stop[1], stop[2], NULL};
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = "abc\xC3\xA9"[text_draw(&draws, 5)];
        for (int s = 0; s < 3; s++) {
            size_t length = 1 + text_draw(&draws, 5);
            for (size_t i = 0; i < length; i++)
                stop[s][i] = "abc"[text_draw(&draws, 3)];
            stop[s][length] = '\0';
        }
        int found = 0;
        size_t expected = find_stop(stops, text, sizeof text, &found);
        outcome result = run(stops, text, sizeof text, &draws, 1 + text_draw(&draws, 9));
        assert_int_equal(result.stopped, found);
        assert_int_equal(result.size, expected);
        assert_memory_equal(result.text, text, expected);
        stopped += found;
    }
    assert_in_range(stopped, 100, 2999); /* both kinds occurred */
}

/* Well-formed text comes out in well-formed pieces. */
static void test_whole_characters(void **state)
{
    (void)state;
    uint64_t draws = 17;
    const rki_memory memory = rki_default_memory();
    char text[200];
    text_random(&draws, 0, text, sizeof text);
    rki_pending pending;
    text_ok(rki_pending_init(&pending, &memory, PIECE));
    for (size_t at = 0; at < sizeof text; at++) {
        text_ok(rki_pending_reserve(&pending));
        text_ok(rki_pending_add(&pending, text + at, 1));
        assert_int_equal(rki_pending_settle(&pending), 0);
        assert_int_equal(rki_utf8_span(pending.bytes, (size_t)pending.certain), pending.certain);
        if (text_draw(&draws, 2) == 0) rki_pending_taken(&pending);
    }
    rki_pending_free(&pending);
}

/* Text that nobody takes needs memory; without it the text stays as it was, and so do the stops. */
static void test_no_memory(void **state)
{
    (void)state;
    failing_memory hook = {.fail_at = 1};
    const rki_memory memory = {failing_allocate, failing_release, &hook};
    rki_pending pending;
    text_fails(rki_pending_init(&pending, &memory, PIECE), RNNKIT_E_MEMORY, "generated text");
    rki_pending_free(&pending);
    text_ok(rki_pending_init(&pending, &memory, PIECE));
    for (int64_t n = 1; n <= 2; n++) {
        hook.fail_at = hook.calls + n;
        char stop[2 * PIECE + 1];
        memset(stop, 's', sizeof stop - 1);
        stop[sizeof stop - 1] = '\0';
        text_fails(rki_pending_add_stop(&pending, stop), RNNKIT_E_MEMORY, "out of memory");
        assert_int_equal(pending.longest, 0);
    }
    int32_t status = RNNKIT_OK;
    int64_t pieces = 0;
    hook.fail_at = hook.calls + 3;
    while ((status = rki_pending_reserve(&pending)) == RNNKIT_OK) {
        text_ok(rki_pending_add(&pending, "0123456789", 10));
        assert_int_equal(rki_pending_settle(&pending), 0);
        pieces++;
    }
    text_fails(status, RNNKIT_E_MEMORY, "generated text");
    assert_int_equal(pending.certain, 10 * pieces);
    text_ok(rki_pending_reserve(&pending));
    assert_memory_equal(pending.bytes + 10 * (pieces - 1), "0123456789", 10);
    rki_pending_free(&pending);
    assert_int_equal(hook.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_holds_back),
        cmocka_unit_test(test_border),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_whole_characters),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
