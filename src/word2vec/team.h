/* What a run trains with: a worker for each thread, or the context's device (remote.h). */
#ifndef RKI_WORD2VEC_TEAM_H
#define RKI_WORD2VEC_TEAM_H

#include <stdint.h>

#include "base/barrier.h"
#include "word2vec/local.h"
#include "word2vec/sample.h"
#include "word2vec/word2vec.h"

/* The results of one block. */
typedef struct rki_w2v_tally {
    double loss;
    int64_t pairs, words;
    int32_t status; /* of drawing it */
    int diverged;
} rki_w2v_tally;

typedef struct rki_w2v_worker {
    rki_w2v_sample sample; /* not used by deterministic training */
    float *gradients, *mean;
    float **rows;
    const float **fetch;
    int32_t *kinds;
} rki_w2v_worker;

struct rki_w2v_remote;

typedef struct rki_w2v_team {
    struct rki_w2v_remote *remote; /* NULL: threads train */
    int64_t threads;
    rki_w2v_worker *workers;                  /* [threads] */
    int64_t step;                             /* blocks of a step */
    rki_w2v_tally *tallies;                   /* [step] */
    rki_w2v_sample *samples;                  /* [step]; deterministic training only */
    rki_w2v_local *locals;                    /* [local_count]; deterministic training only */
    int64_t local_count;                      /* stretches of a batch */
    uint64_t batch;                           /* batches so far */
    rki_w2v_mark *input_marks, *output_marks; /* [rows]; deterministic training only */
    atomic_llong next;   /* stretch of the batch that no thread has taken yet */
    rki_barrier barrier; /* where deterministic training's threads meet */
} rki_w2v_team;

int32_t rki_w2v_team_create(rnnkit_word2vec *word2vec);
void rki_w2v_team_destroy(rnnkit_word2vec *word2vec);

/* What a worker's kernels get; the words and rows are to be filled in. */
rki_w2v_run rki_w2v_run_of(
    const rnnkit_word2vec *word2vec, const rki_w2v_worker *worker, int64_t block);

/* Trains blocks first .. first + count - 1, count <= team->step, and fills the tallies. */
void rki_w2v_train_side_by_side(rnnkit_word2vec *word2vec, int64_t first, int64_t count);
void rki_w2v_train_deterministic(rnnkit_word2vec *word2vec, int64_t first, int64_t count);

#endif
