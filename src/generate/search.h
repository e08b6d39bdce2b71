/* Search with a decoder: beams of hypotheses about the sources of a batch. See rnnkit/search.h.
 *
 * A step's rows are [beam][source]. What each step wrote, from which row it went on, and where it
 * looked is kept on the host, so that a hypothesis is a place (step, row) in this history, and its
 * ids and weights are read by walking back.
 */
#ifndef RKI_GENERATE_SEARCH_H
#define RKI_GENERATE_SEARCH_H

#include "generate/sampling.h"
#include "generate/writer.h"
#include "rnnkit/batches.h"
#include "rnnkit/search.h"
#include "rnnkit/vocab.h"

typedef struct rki_search_settings {
    int64_t beam, n_best, min_length, max_length;
    double length_penalty;
    int32_t unknown, sample;
    rki_sampling sampling;
    int64_t seed, bos, eos;
} rki_search_settings;

/* A hypothesis that ended: its last id is what `row` wrote at step length - 1. */
typedef struct rki_hypothesis {
    double score;
    int64_t length, row;
    int32_t cut;
} rki_hypothesis;

/* What the steps of a run did; arrays grow by whole steps. */
typedef struct rki_history {
    int64_t rows, positions, steps;
    int32_t *ids, *parents; /* [steps][rows] */
    float *seen;            /* [steps][rows][positions] */
    int64_t ids_capacity, parents_capacity, seen_capacity;
} rki_history;

struct rnnkit_search {
    rki_object object;
    rnnkit_context *context;
    rki_search_settings settings;
    rki_writer writer;
    rki_history history;
    int has_results;
    int64_t sources;
    rki_hypothesis *ended; /* [sources][beam], the best first */
    int32_t *ended_count;  /* [sources] */
    double *live;          /* [rows]: logP; -infinity: no hypothesis */
    int64_t ended_capacity, count_capacity, live_capacity;
    int32_t *top_ids; /* [rows][candidates] */
    double *top_values;
    int64_t top_ids_capacity, top_values_capacity;
    void *logits; /* of sample: in the device's type */
    rki_candidate *candidates;
    int64_t logits_capacity, candidates_capacity;
};

extern const rki_option_table rki_search_options;

/* 1 when an id may be written after `length` others. */
int rki_search_may_write(const rki_search_settings *settings, int64_t id, int64_t length);

/* logP / length^penalty */
double rki_search_normalize(const rki_search_settings *settings, double log_p, int64_t length);

/* Puts a hypothesis among the best `beam` of its source that ended; of equal ones the earlier comes
 * first. */
void rki_search_end(rnnkit_search *search, int64_t source, rki_hypothesis hypothesis);

/* Makes room for one more step, and takes its weights. */
int32_t rki_search_remember(rnnkit_search *search);

/* search_beam.c, search_sample.c: what each row writes at step `t`, from the logits. Fills the
 * history's ids and parents of the step, moves `live`, and ends what ended. */
int32_t rki_search_choose_best(rnnkit_search *search, int64_t t);
int32_t rki_search_choose_drawn(rnnkit_search *search, int64_t t);

#endif
