/* Text for several threads. See slab.h. */
#include "text/slab.h"

#include <string.h>

#include "base/file.h"
#include "base/threads.h"
#include "text/argument.h"

enum { RANGE = 1 << 20, MOST_RANGES = 64 };

void rki_slab_init(rki_slab *slab, rnnkit_context *context, int64_t threads, rki_slab_work work)
{
    *slab = (rki_slab){
        .context = context, .work = work, .threads = threads < MOST_RANGES ? threads : MOST_RANGES};
}

void rki_slab_release(rki_slab *slab)
{
    if (slab->context == NULL) return;
    rki_release(&slab->context->memory, slab->text);
    slab->text = NULL;
    slab->capacity = slab->used = 0;
}

static int is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

/* The place behind the last white space before `end`, not before `start`. */
static int64_t cut_before(const rki_slab *slab, int64_t start, int64_t end)
{
    while (end > start && !is_space(slab->text[end - 1]))
        end--;
    return end;
}

/* cuts[0] .. cuts[ranges]: where ranges begin and end within the first `size` bytes. */
static int64_t cut(const rki_slab *slab, int64_t size, int64_t cuts[MOST_RANGES + 1])
{
    int64_t ranges = rki_threads_now(slab->threads), count = 0;
    cuts[0] = 0;
    for (int64_t i = 1; i <= ranges; i++) {
        int64_t end = i == ranges ? size : cut_before(slab, cuts[count], size / ranges * i);
        if (end > cuts[count]) cuts[++count] = end;
    }
    return count;
}

typedef struct failure {
    int32_t status;
    int64_t range; /* the first one that failed */
    char message[RKI_MESSAGE_SIZE];
} failure;

static void take_range(const rki_slab *slab, const int64_t *cuts, int64_t range, failure *failed)
{
    int64_t first = cuts[range];
    int32_t status = slab->work.take(slab->work.user, range, slab->text + first,
        (size_t)(cuts[range + 1] - first), slab->offset + first);
    if (status >= 0) return;
#pragma omp critical(rki_slab_failure)
    if (failed->status == RNNKIT_OK || range < failed->range) {
        failed->status = status;
        failed->range = range;
        memcpy(failed->message, rki_message(), sizeof failed->message);
    }
}

/* Takes the first `size` bytes and keeps the rest. */
static int32_t take(rki_slab *slab, int64_t size)
{
    int64_t cuts[MOST_RANGES + 1];
    if (size == 0) return RNNKIT_OK;
    int64_t ranges = cut(slab, size, cuts);
    failure failed = {RNNKIT_OK, 0, ""};
#pragma omp parallel for num_threads((int)ranges) schedule(static, 1) if (ranges > 1)
    for (int64_t i = 0; i < ranges; i++)
        take_range(slab, cuts, i, &failed);
    if (failed.status < 0) return rki_fail(failed.status, "%s", failed.message);
    memmove(slab->text, slab->text + size, (size_t)(slab->used - size));
    slab->used -= size;
    slab->offset += size;
    return slab->work.collect(slab->work.user, ranges);
}

int32_t rki_slab_push(rki_slab *slab, const char *text, size_t size)
{
    const int64_t full = slab->threads * RANGE;
    while (size > 0) {
        void *block = slab->text;
        int64_t part = slab->used < full ? full - slab->used : slab->used;
        if ((uint64_t)part > size) part = (int64_t)size;
        RKI_TRY(rki_grow(&slab->context->memory, &block, &slab->capacity, slab->used,
            slab->used + part, 1, "a slab of text"));
        slab->text = block;
        memcpy(slab->text + slab->used, text, (size_t)part);
        slab->used += part;
        text += part;
        size -= (size_t)part;
        /* a word longer than the slab makes it grow */
        if (slab->used >= full) RKI_TRY(take(slab, cut_before(slab, 0, slab->used)));
    }
    return RNNKIT_OK;
}

int32_t rki_slab_flush(rki_slab *slab)
{
    return take(slab, slab->used);
}

typedef struct file_slab {
    rki_slab *slab;
    int begun;
} file_slab;

static int32_t begin_file(file_slab *file)
{
    if (file->begun) return RNNKIT_OK;
    file->begun = 1;
    RKI_TRY(file->slab->work.begin(file->slab->work.user));
    file->slab->offset = 0;
    return RNNKIT_OK;
}

static int32_t take_piece(void *user, const char *piece, size_t size)
{
    file_slab *file = user;
    int32_t status = rki_poll_cancel(file->slab->context);
    if (status != RNNKIT_OK) return status;
    RKI_TRY(begin_file(file));
    return rki_slab_push(file->slab, piece, size);
}

int32_t rki_slab_file(rki_slab *slab, const char *path, int *begun)
{
    file_slab file = {slab, 0};
    int32_t status = rki_read_pieces(path, take_piece, &file);
    if (status == RNNKIT_OK) status = begin_file(&file);
    if (status == RNNKIT_OK) status = rki_slab_flush(slab);
    if (status == RNNKIT_STOPPED) slab->used = 0;
    if (status < 0 && file.begun) rki_prefix_message("%s", rki_path_end(path));
    *begun = file.begun;
    return status;
}
