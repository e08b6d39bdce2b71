/* Text that comes in pushed pieces and files: what vocabularies and token streams have in common.
 *
 * A piece that fails half-way (bad UTF-8, no memory) leaves a feed that takes no more: what was
 * counted until then is of no use, and every later call says so. A file that cannot be opened and
 * a cancelled one do no harm.
 */
#ifndef RKI_TEXT_FEED_H
#define RKI_TEXT_FEED_H

#include <stdint.h>

#include "text/splitter.h"

typedef enum rki_feed_state { RKI_FEED_CLOSED, RKI_FEED_OPEN, RKI_FEED_BROKEN } rki_feed_state;

/* All zero: closed. */
typedef struct rki_feed {
    rnnkit_context *context;
    rki_splitter splitter;
    rki_feed_state state;
} rki_feed;

int32_t rki_feed_open(rki_feed *feed, const rnnkit_tokenizer *tokenizer, rki_sink sink);

/* RNNKIT_E_ORDER when it is closed or broken; `noun` is what the message calls it. */
int32_t rki_feed_check(const rki_feed *feed, const char *noun);

int32_t rki_feed_text(rki_feed *feed, const char *text, size_t size);

/* Beginning and end of the file end a token. RNNKIT_STOPPED when the context was cancelled: what
 * was read stays, an unfinished token is dropped. */
int32_t rki_feed_file(rki_feed *feed, const char *path);

/* Ends the token begun; more text may follow. */
int32_t rki_feed_flush(rki_feed *feed);

/* Takes no more; frees what was held. */
void rki_feed_close(rki_feed *feed);

#endif
