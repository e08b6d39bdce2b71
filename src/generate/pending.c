/* Text that waits to become certain. See pending.h. */
#include "generate/pending.h"

#include <string.h>

#include "text/characters.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* After rki_pending_settle less than a stop text waits, or less than a character. */
static int32_t make_room(rki_pending *pending, int64_t size)
{
    void *block = pending->bytes;
    int32_t status = rki_grow(
        pending->memory, &block, &pending->capacity, pending->used, size, 1, "generated text");
    pending->bytes = block;
    return status;
}

static int32_t make_first_room(rki_pending *pending, int64_t longest)
{
    return make_room(pending, pending->piece + larger(longest, RKI_UTF8_LONGEST));
}

int32_t rki_pending_init(rki_pending *pending, const rki_memory *memory, int64_t piece)
{
    *pending = (rki_pending){.memory = memory, .piece = piece};
    return make_first_room(pending, 0);
}

void rki_pending_free(rki_pending *pending)
{
    if (pending->memory == NULL) return;
    rki_release(pending->memory, pending->bytes);
    rki_release(pending->memory, pending->stops);
}

int32_t rki_pending_add_stop(rki_pending *pending, const char *text)
{
    int64_t size = (int64_t)strlen(text), longest = larger(size, pending->longest);
    void *block = pending->stops;
    RKI_TRY(make_first_room(pending, longest));
    RKI_TRY(rki_grow(pending->memory, &block, &pending->stops_capacity, pending->stops_used,
        pending->stops_used + size + 1, 1, "a stop text"));
    pending->stops = block;
    memcpy(pending->stops + pending->stops_used, text, (size_t)size + 1);
    pending->stops_used += size + 1;
    pending->longest = longest;
    return RNNKIT_OK;
}

int32_t rki_pending_reserve(rki_pending *pending)
{
    return make_room(pending, pending->used + pending->piece);
}

int32_t rki_pending_add(void *user, const char *bytes, size_t size)
{
    rki_pending *pending = user;
    memcpy(pending->bytes + pending->used, bytes, size);
    pending->used += (int64_t)size;
    return RNNKIT_OK;
}

/* The size of the longest stop text that ends before `end`, or 0. */
static int64_t stop_before(const rki_pending *pending, int64_t end)
{
    int64_t most = 0;
    for (int64_t at = 0, size; at < pending->stops_used; at += size + 1) {
        const char *stop = pending->stops + at;
        size = (int64_t)strlen(stop);
        if (size > most && size <= end - pending->certain &&
            memcmp(pending->bytes + end - size, stop, (size_t)size) == 0)
            most = size;
    }
    return most;
}

/* Whether all from `place` on is the beginning of a stop text. */
static int may_become_stop(const rki_pending *pending, int64_t place)
{
    int64_t count = pending->used - place;
    for (int64_t at = 0, size; at < pending->stops_used; at += size + 1) {
        const char *stop = pending->stops + at;
        size = (int64_t)strlen(stop);
        if (size > count && memcmp(pending->bytes + place, stop, (size_t)count) == 0) return 1;
    }
    return 0;
}

int rki_pending_settle(rki_pending *pending)
{
    while (pending->searched < pending->used) {
        int64_t size = stop_before(pending, ++pending->searched);
        if (size == 0) continue;
        pending->used = pending->searched - size;
        rki_pending_release_all(pending);
        return 1;
    }
    int64_t waiting = larger(pending->certain, pending->used - pending->longest);
    while (waiting < pending->used && !may_become_stop(pending, waiting))
        waiting++;
    int64_t whole = pending->certain + (int64_t)rki_utf8_whole(pending->bytes + pending->certain,
                                           (size_t)(pending->used - pending->certain));
    pending->certain = waiting < whole ? waiting : whole;
    return 0;
}

void rki_pending_release_all(rki_pending *pending)
{
    pending->certain = pending->searched = pending->used;
}

void rki_pending_taken(rki_pending *pending)
{
    int64_t taken = pending->certain;
    memmove(pending->bytes, pending->bytes + taken, (size_t)(pending->used - taken));
    pending->used -= taken;
    pending->searched -= taken;
    pending->certain = 0;
}
