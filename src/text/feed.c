/* Text in pieces and files. See feed.h. */
#include "text/feed.h"

#include "base/file.h"
#include "text/argument.h"

int32_t rki_feed_open(rki_feed *feed, const rnnkit_tokenizer *tokenizer, rki_sink sink)
{
    RKI_TRY(rki_splitter_init(&feed->splitter, tokenizer, sink));
    feed->context = tokenizer->context;
    feed->state = RKI_FEED_OPEN;
    return RNNKIT_OK;
}

int32_t rki_feed_check(const rki_feed *feed, const char *noun)
{
    if (feed->state == RKI_FEED_CLOSED)
        return rki_fail(RNNKIT_E_ORDER, "the %s is finished already", noun);
    if (feed->state == RKI_FEED_BROKEN)
        return rki_fail(RNNKIT_E_ORDER,
            "text that was pushed into the %s failed half-way: it takes no more and cannot be "
            "finished",
            noun);
    return RNNKIT_OK;
}

static int32_t broken_by(rki_feed *feed, int32_t status)
{
    if (status < 0) feed->state = RKI_FEED_BROKEN;
    return status;
}

int32_t rki_feed_text(rki_feed *feed, const char *text, size_t size)
{
    return broken_by(feed, rki_splitter_push(&feed->splitter, text, size));
}

int32_t rki_feed_flush(rki_feed *feed)
{
    return broken_by(feed, rki_splitter_end(&feed->splitter));
}

typedef struct file_feed {
    rki_feed *feed;
    const char *path;
    int begun;
} file_feed;

static int32_t name_file(const file_feed *file, int32_t status)
{
    if (status < 0) rki_prefix_message("%s", rki_path_end(file->path));
    return status;
}

static int32_t take_piece(void *user, const char *piece, size_t size)
{
    file_feed *file = user;
    int32_t status = rki_poll_cancel(file->feed->context);
    if (status != RNNKIT_OK) return status;
    if (!file->begun) RKI_TRY(rki_feed_flush(file->feed));
    file->begun = 1;
    return name_file(file, rki_feed_text(file->feed, piece, size));
}

int32_t rki_feed_file(rki_feed *feed, const char *path)
{
    file_feed file = {feed, path, 0};
    int32_t status = rki_read_pieces(path, take_piece, &file);
    if (status < 0 && file.begun) broken_by(feed, status);
    if (status == RNNKIT_STOPPED && file.begun) rki_splitter_reset(&feed->splitter);
    if (status != RNNKIT_OK) return status;
    status = rki_feed_flush(feed);
    return file.begun ? name_file(&file, status) : status;
}

void rki_feed_close(rki_feed *feed)
{
    rki_splitter_release(&feed->splitter);
    feed->state = RKI_FEED_CLOSED;
}
