/* Deterministic training: what a stretch of words works on.
 *
 * A block's words are cut into stretches of RKI_W2V_STRETCH; up to RKI_W2V_LOCALS make a batch.
 * Each stretch trains the groups that begin in it (sample.h). Rows that no other stretch of the batch
 * uses it changes where they are, half of them in ordinary text; of the others it has copies from
 * before the batch, and when all are done, every such row gets the changes of the stretches, in
 * their order. Nothing of that depends on how many threads there are: they share out first the
 * stretches, then the rows.
 *
 * Copies are rows behind those of the matrix, so that one pointer reaches both.
 */
#ifndef RKI_WORD2VEC_LOCAL_H
#define RKI_WORD2VEC_LOCAL_H

#include <stdatomic.h>
#include <stdint.h>

#include "word2vec/sample.h"
#include "word2vec/word2vec.h"

enum { RKI_W2V_STRETCH = 32, RKI_W2V_LOCALS = 16, RKI_W2V_STALE = 64 };

/* How often training on one word is expected to change the row that is changed most, of the input
 * and of the output matrix. */
void rki_w2v_local_changes(const rnnkit_word2vec *word2vec, double *input, double *output);

/* Which stretch of which batch uses a row: batch * 256 + stretch, or + RKI_W2V_SHARED when more than
 * one does. */
typedef _Atomic uint64_t rki_w2v_mark;
enum { RKI_W2V_SHARED = 255 };

/* The rows of one matrix that a stretch uses. */
typedef struct rki_w2v_uses {
    int64_t room, count;
    int32_t *ids;       /* [room]: the rows */
    int32_t *now;       /* [room]: where they are while the stretch trains */
    int32_t *slots;     /* [slot_count] of a hash table: place in ids + 1, 0 is free */
    int64_t slot_count; /* a power of two, at least twice the room */
    int32_t *copied;    /* [room]: rows that have copies */
    int64_t copied_count;
    int32_t first_copy; /* the row behind the matrix where its copies begin */
} rki_w2v_uses;

typedef struct rki_w2v_local {
    rki_w2v_uses input, output;
    int32_t *words, *targets, *noise; /* [pitch], [pitch], [negatives][pitch]: places in ids, then
                                         rows */
    int32_t *starts;                  /* [groups + 1], room for pitch */
    int64_t negatives, pitch, groups, used; /* used: how many of `words` */
    const int32_t *left, *right;
    rki_w2v_run run;
} rki_w2v_local;

/* A stretch's number and its batch. */
typedef struct rki_w2v_turn {
    uint64_t batch;
    int64_t number;
    rki_w2v_mark *input, *output; /* [size] */
} rki_w2v_turn;

/* How many stretches make a batch: so few that no row is expected to change more than
 * RKI_W2V_STALE times in it, for these changes know nothing of each other and would overshoot. */
int64_t rki_w2v_local_count(const rnnkit_word2vec *word2vec);

/* The rows behind each matrix for the copies of a batch. */
void rki_w2v_local_rows(const rnnkit_word2vec *word2vec, int64_t *input, int64_t *output);

/* Of the stretch that is `number` in each batch. */
int32_t rki_w2v_local_init(rki_w2v_local *local, const rnnkit_word2vec *word2vec, int64_t number);
void rki_w2v_local_release(rki_w2v_local *local, const rki_memory *memory);

/* Lists the rows of groups first .. last - 1 of the sample and of their windows, and marks them. */
void rki_w2v_local_list(rki_w2v_local *local, const rki_w2v_turn *turn,
    const rki_w2v_sample *sample, int64_t first, int64_t last);

/* Once all stretches have marked theirs: copies the rows that others use too, and sets local->run up;
 * `run` says the rest. */
void rki_w2v_local_load(rki_w2v_local *local, const rki_w2v_turn *turn,
    const rki_w2v_kernels *kernels, const rki_w2v_run *run);

/* Turns the copies into their difference to the rows. */
void rki_w2v_local_subtract(
    rki_w2v_local *local, const rki_w2v_kernels *kernels, const rki_w2v_run *run);

/* Adds the differences of the rows whose id modulo `shares` is `share`. */
void rki_w2v_local_add(const rki_w2v_local *local, const rki_w2v_kernels *kernels,
    const rki_w2v_run *run, uint32_t share, uint32_t shares);

#endif
