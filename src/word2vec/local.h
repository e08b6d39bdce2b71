/* Deterministic training: what a stretch of words works on.
 *
 * A block's words are cut into stretches of RKI_W2V_STRETCH; up to RKI_W2V_LOCALS make a batch.
 * Each stretch trains on copies of its rows, word after word, all copies being from before the
 * batch. Then every row gets the changes of the stretches, in their order. Nothing of that depends
 * on how many threads there are: they share out first the stretches, then the rows.
 */
#ifndef RKI_WORD2VEC_LOCAL_H
#define RKI_WORD2VEC_LOCAL_H

#include <stdint.h>

#include "word2vec/sample.h"
#include "word2vec/word2vec.h"

enum { RKI_W2V_STRETCH = 32, RKI_W2V_LOCALS = 16, RKI_W2V_STALE = 64 };

/* How often training on one word is expected to change the row that is changed most, of the input
 * and of the output matrix. */
void rki_w2v_local_changes(const rnnkit_word2vec *word2vec, double *input, double *output);

/* The rows of one matrix that a stretch uses: row ids[i] of it is row i of `values`. */
typedef struct rki_w2v_copies {
    int64_t room, count; /* rows */
    int32_t *ids;        /* [room] */
    float *values;       /* [room][stride] */
    int32_t *slots;      /* [slot_count] of a hash table: place + 1, 0 is free */
    int64_t slot_count;  /* a power of two, at least twice the room */
} rki_w2v_copies;

typedef struct rki_w2v_local {
    rki_w2v_copies input, output;
    int32_t *words, *targets, *noise; /* [pitch], [pitch], [negatives][pitch], in rows of copies */
    int64_t pitch;
    rki_w2v_run run;
} rki_w2v_local;

/* How many stretches make a batch: so few that no row is expected to change more than
 * RKI_W2V_STALE times in it, for these changes know nothing of each other and would overshoot. */
int64_t rki_w2v_local_count(const rnnkit_word2vec *word2vec);

int32_t rki_w2v_local_init(rki_w2v_local *local, const rnnkit_word2vec *word2vec);
void rki_w2v_local_release(rki_w2v_local *local, const rki_memory *memory);

/* Copies the rows of words first .. last - 1 of the sample and of their windows, and sets
 * local->run up for them; `run` says the rest. */
void rki_w2v_local_load(rki_w2v_local *local, const rki_w2v_kernels *kernels,
    const rki_w2v_run *run, const rki_w2v_sample *sample, int64_t first, int64_t last);

/* Turns the copies into their difference to the rows. */
void rki_w2v_local_subtract(
    rki_w2v_local *local, const rki_w2v_kernels *kernels, const rki_w2v_run *run);

/* Adds the differences of the rows whose id modulo `shares` is `share`. */
void rki_w2v_local_add(const rki_w2v_local *local, const rki_w2v_kernels *kernels,
    const rki_w2v_run *run, uint32_t share, uint32_t shares);

#endif
