/* Steps of a recurrent layer on matrix tiles, in training: weight_hh is split once for a pass, and
 * each step's rows of h or dz as they come. The sums are those of a product for training. */
#ifndef RKI_CPU_RECURRENT_SPLIT_H
#define RKI_CPU_RECURRENT_SPLIT_H

#include "cpu/recurrent.h"

/* A weight b[k][n] whose parts lie block of k by block of k. */
typedef struct rki_split_weight {
    int64_t n, k;
    char *parts;
} rki_split_weight;

/* weight_hh as the steps of one direction want it. A GRU forwards has its n by itself. */
typedef struct rki_split_layer {
    rki_split_weight all, n;
    char *rows; /* room for the parts of a block of a step's rows, for each task */
    size_t task;
} rki_split_layer;

/* Whether the steps of this layer run on tiles: it depends on the sizes of the weights alone. */
int rki_split_steps_suit(const rki_cpu *cpu, const rki_recurrent *layer);

/* Takes its room; forward: h W^T, else dz W. */
rki_split_layer rki_split_layer_cut(
    const rki_cpu *cpu, const rki_recurrent *layer, int forward, rki_pieces *pieces);
void rki_split_layer_make(const rki_cpu *cpu, const rki_recurrent *layer, int forward,
    const float *weight_hh, const rki_split_layer *to);

/* c[rows][n] = bias (or c, when `add`) + a b, by task `task`; bias may be NULL. */
typedef struct rki_split_step {
    int64_t task, rows;
    const float *a;
    int64_t lda;
    const float *bias;
    int add;
    float *c;
    int64_t ldc;
} rki_split_step;

void rki_split_step_run(const rki_cpu *cpu, const rki_split_layer *layer,
    const rki_split_weight *weight, const rki_split_step *call);

#endif
