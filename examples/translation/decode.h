/* A translator: a model that was opened, and a search that writes with it. */
#ifndef TRANSLATION_DECODE_H
#define TRANSLATION_DECODE_H

#include "network.h"

/* Words as texts. */
typedef struct tokens {
    char *text; /* each word followed by a NUL */
    int64_t size, room;
    const char **items; /* [count] */
    int64_t count, item_room;
} tokens;

/* Splits a line as the model's tokenizer does; `target` may hold another line's words. */
int tokens_split(tokens *target, const network *source, const line *from);

/* Readable text; the caller frees it; NULL after a message. */
char *tokens_join(const tokens *source, const network *from);
void tokens_free(tokens *target);

typedef struct translator {
    const settings *options;
    rnnkit_context *context;
    network net;
    rnnkit_tape *tape;
    rnnkit_search *search;
} translator;

/* Opens --model with --beam and the other options of writing; n_best: hypotheses to keep. */
int translator_open(translator *target, settings *options, int64_t n_best);
void translator_close(translator *target);

/* Translates a batch, of which only the source is looked at. */
int translator_run(translator *target, const batch *from);

/* A translation of the last run. */
typedef struct hypothesis {
    int32_t *ids;   /* [count] */
    float *weights; /* [count][positions]: where the model looked */
    int64_t count, id_room, weight_room;
    double score;
    int32_t cut; /* the longest that may be written ended it */
    tokens words;
} hypothesis;

/* Hypothesis `rank` of a row. `from`: the row's source words, which may take the place of <unk>.
 * OUTCOME_FAILED after a message; *found is 0 when there are fewer hypotheses. */
int translator_take(translator *source, int64_t row, int64_t rank, int64_t positions,
    const tokens *from, hypothesis *out, int *found);
void hypothesis_free(hypothesis *target);

#endif
