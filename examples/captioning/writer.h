/* Writes captions about pictures, and tells where it looked for each word. */
#ifndef CAPTIONING_WRITER_H
#define CAPTIONING_WRITER_H

#include "network.h"

enum { WRITER_BATCH = 32 };

typedef struct writer {
    network *net;
    const gallery *pictures;
    rnnkit_search *search;
    rnnkit_tape *tape;
    view_room room;
    int32_t *ids;
    int64_t id_room;
} writer;

typedef struct written {
    const int32_t *ids; /* [count], valid until the next one is asked for */
    int64_t count;
    double score;
} written;

int writer_open(
    writer *target, network *net, rnnkit_context *context, const gallery *pictures, int64_t beam);
void writer_close(writer *target);

/* Writes about `count` pictures, WRITER_BATCH at most; then gives caption i of them. */
int writer_run(writer *self, const int64_t *which, int64_t count);
int writer_take(writer *self, int64_t i, written *out);

/* The words of a caption as text; the caller frees it. NULL after a message. */
char *writer_text(const writer *self, const int32_t *ids, int64_t count);

#endif
