/* Sampling: which token comes next, given the logits. Pure functions, all sums in double.
 *
 * In this order, with z the logits of the tokens that may be drawn:
 *   repetition penalty  z_i = z_i > 0 ? z_i / penalty : z_i * penalty, for i among the last tokens,
 *                       once however often it was there (Keskar et al. 2019, CTRL)
 *   temperature         w_i = exp((z_i - max z) / temperature); at 0 the largest z is taken
 *   top-k               the k largest w stay (Fan et al. 2018)
 *   top-p               of these the fewest of the largest whose sum is >= top_p of the sum of all
 *                       that top-k left, at least one (Holtzman et al. 2020)
 *   draw                in proportion to w
 * Where two are equal, the lower id comes first, so nothing depends on how they are sorted.
 */
#ifndef RKI_GENERATE_SAMPLING_H
#define RKI_GENERATE_SAMPLING_H

#include <stdint.h>

typedef struct rki_sampling {
    double penalty; /* 1: off */
    double temperature;
    int64_t top_k; /* 0: off */
    double top_p;  /* 1: off */
} rki_sampling;

/* A token that may be drawn. */
typedef struct rki_candidate {
    double value; /* its logit; while sampling its weight */
    int32_t id;
} rki_candidate;

/* RNNKIT_E_DIVERGED, with the first id it is true of, when a logit is NaN or infinite. */
int32_t rki_check_logits(const double *logits, int64_t count);

/* The id that is drawn with `uniform`, a number in [0, 1). There is at least one candidate, their
 * ids ascend, their logits are finite. counts[id]: how often each id is among the last tokens, or
 * NULL. The candidates come back changed and in another order. */
int32_t rki_sample(const rki_sampling *options, const int32_t *counts, rki_candidate *candidates,
    int64_t count, double uniform);

/* Softmax: probabilities[i] = exp(z_i) / sum of exp(z). */
void rki_probabilities(const double *logits, int64_t count, float *probabilities);

#endif
