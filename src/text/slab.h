/* Text that several threads take at once: pieces and files are gathered to slabs, a slab is cut at
 * white space into one range a thread, and what the threads made of their ranges is collected in
 * the text's order. For tokenizers of unit word: no word crosses ASCII white space, and no
 * normalisation does either, so each range can be split by itself.
 */
#ifndef RKI_TEXT_SLAB_H
#define RKI_TEXT_SLAB_H

#include <stddef.h>
#include <stdint.h>

#include "base/context.h"

typedef struct rki_slab_work {
    /* Splits range number `range`; runs on several threads at once, each with another number below
     * the slab's threads. `offset` is the text's place in all that was pushed. */
    int32_t (*take)(void *user, int64_t range, const char *text, size_t size, int64_t offset);
    /* Collects what ranges 0 .. count - 1 gave; on the calling thread. */
    int32_t (*collect)(void *user, int64_t count);
    /* A file could be opened: what was begun before it ends here. */
    int32_t (*begin)(void *user);
    void *user;
} rki_slab_work;

typedef struct rki_slab {
    rnnkit_context *context;
    rki_slab_work work;
    int64_t threads;
    char *text;
    int64_t capacity, used;
    int64_t offset; /* of the slab's first byte */
} rki_slab;

void rki_slab_init(rki_slab *slab, rnnkit_context *context, int64_t threads, rki_slab_work work);
void rki_slab_release(rki_slab *slab);

int32_t rki_slab_push(rki_slab *slab, const char *text, size_t size);

/* The file ends a word, as its beginning does. RNNKIT_STOPPED when the context was cancelled: what
 * was taken stays, the rest is dropped. *begun: whether anything happened. */
int32_t rki_slab_file(rki_slab *slab, const char *path, int *begun);

/* Takes what is left: the text ends here, or a word does. */
int32_t rki_slab_flush(rki_slab *slab);

#endif
