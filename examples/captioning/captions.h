/* Captions: text about pictures, from lines `name<TAB>caption`, and the same as ids of words. */
#ifndef CAPTIONING_CAPTIONS_H
#define CAPTIONING_CAPTIONS_H

#include <rnnkit/rnnkit.h>

#include "gallery.h"

typedef struct caption {
    int64_t picture;
    const char *text; /* ends with NUL */
    int32_t *ids;     /* [count], once captions_encode was called */
    int64_t count;
} caption;

typedef struct captions {
    char *text;
    caption *items; /* those of a picture stand together, in the order of the file */
    size_t count, room;
    int32_t *ids;
    int64_t unknown, words; /* of all captions */
} captions;

/* Every name has to be one of the gallery's. OUTCOME_FAILED after a message that names file and
 * line; captions_free takes any state. */
int captions_read(captions *target, const char *path, const gallery *pictures);
void captions_free(captions *target);

/* The first caption of another picture, behind caption `at`. */
size_t captions_next(const captions *source, size_t at);

/* The vocabulary of the captions whose picture has part[picture] == which. */
int captions_vocab(const captions *source, rnnkit_context *context, const char *options,
    const unsigned char *part, int which, rnnkit_vocab **out);

/* Fills in the ids. */
int captions_encode(captions *target, const rnnkit_vocab *vocab);

#endif
