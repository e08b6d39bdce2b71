/* A backward pass of the recurrent layer on its way: what its files share.
 *
 * The time loop leaves dz of all packed rows: the gradients of the gates' sums, a GRU's n with that
 * of u_n, and dn with that of its a_n. The gradients of the weights are single products afterwards.
 */
#ifndef RKI_CPU_RECURRENT_BACKWARD_H
#define RKI_CPU_RECURRENT_BACKWARD_H

#include "cpu/recurrent_composed.h"

typedef struct rki_backward_pass {
    const rki_cpu *cpu;
    const rki_recurrent *layer;
    const rki_recurrent_backward *call;
    rki_plan plan;
    rki_stash stash;
    const float *h0, *c0; /* in the plan's order */
    const float *h;       /* packed rows of h_t */
    int64_t ldh;
    const float *dy; /* packed rows, or NULL */
    int64_t lddy;
    const float *panels;    /* weight_hh as the steps want it */
    const float *panels_hr; /* projection */
    float *dz;              /* packed rows of [gates hidden] */
    float *dn;              /* GRU: of [hidden] */
    float *dh;              /* [batch][output]: what the next step sends back; dhn at first */
    float *carry;           /* [batch][hidden]; LSTM: dc, dcn at first */
    /* Composed steps; packed rows: */
    float *du;     /* layer norm: the gradient of W_hh h [gates hidden] */
    float *dshown; /* projection: what reaches W_hr (...) [output] */
    float *dcell;  /* layer norm, LSTM: what reaches norm_c normal(c') + ... [hidden] */
    float *inside; /* GRU_BEFORE: r h [hidden] */
    /* ... and by row of the batch: */
    float *kept; /* zoneout: what goes on to h, then to c [most(output, hidden)] */
    float *down; /* what reaches h' before the projection, and d(r h) [2 hidden] */
    rki_composed_room room;
} rki_backward_pass;

/* Steps back from k to k - 1 for rows begin .. end - 1: dh and carry become those of step k - 1. */
void rki_composed_gradient(const rki_backward_pass *p, int64_t k, int64_t begin, int64_t end);

/* weight_hh packed for steps back: how many floats, and making it. */
int64_t rki_gradient_panels(const rki_cpu *cpu, const rki_recurrent *layer);
void rki_gradient_pack(
    const rki_cpu *cpu, const rki_recurrent *layer, const float *weight_hh, float *panels);

/* The gradients of weights, biases and x out of dz. */
typedef struct rki_gradient_room {
    float *x;        /* packed x, and then dx */
    float *h_before; /* packed */
    float *sum;      /* [gates hidden] */
    void *gemm;
} rki_gradient_room;

rki_gradient_room rki_gradient_cut(rki_cpu *cpu, rki_pieces *pieces, const rki_recurrent *layer);
void rki_weight_gradients(const rki_backward_pass *p, const rki_gradient_room *room);

/* Where h and c of the step before are found, for row `begin` of the batch. */
const float *rki_gradient_h(const rki_backward_pass *p, int64_t k, int64_t begin, int64_t *stride);
const float *rki_gradient_c(const rki_backward_pass *p, int64_t k, int64_t begin);

#endif
