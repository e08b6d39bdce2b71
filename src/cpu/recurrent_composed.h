/* Steps of a recurrent layer that no single kernel does, composed of packed products and pointwise
 * work: layer norm, zoneout, projection, and the GRU whose reset comes before the product. Also the
 * single step of every layer, whose weights are read where they lie.
 *
 * A step is done for rows begin .. end - 1 of the plan; rows know nothing of each other.
 */
#ifndef RKI_CPU_RECURRENT_COMPOSED_H
#define RKI_CPU_RECURRENT_COMPOSED_H

#include "cpu/recurrent.h"

/* Room for a step, by row of the batch. */
typedef struct rki_composed_room {
    float *u;          /* [gates hidden] */
    float *reset;      /* GRU: [hidden] */
    float *candidates; /* LSTM with layer norm or zoneout: [hidden] */
    float *shown;      /* [hidden]: h' before the projection, or r h */
    float *mask;       /* zoneout: [most(output, hidden) + 64] */
    float *ones;       /* zoneout: one row as mask, all 1 */
    char *ready;       /* int8 weights: for products, [rki_format_room] */
    size_t ready_step;
} rki_composed_room;

rki_composed_room rki_composed_cut(rki_pieces *pieces, const rki_recurrent *layer);

/* weight_hh packed for composed steps: how many floats, and making it. */
int64_t rki_composed_panels(const rki_cpu *cpu, const rki_recurrent *layer);
void rki_composed_pack(
    const rki_cpu *cpu, const rki_recurrent *layer, const float *weight_hh, float *panels);

/* A forward pass on its way. */
typedef struct rki_forward_pass {
    const rki_cpu *cpu;
    const rki_recurrent *layer;
    const rki_recurrent_weights *weights;
    rki_plan plan;
    rki_stash stash;        /* training */
    const float *panels;    /* weight_hh as the steps want it; NULL: it is read where it lies */
    const float *panels_hr; /* the same of weight_hr */
    void *gemm;             /* scratch for products with weights where they lie */
    const float *h0, *c0;   /* in the plan's order */
    float *h;               /* packed rows of h_t */
    int64_t ldh;
    float *c; /* not training: [batch][hidden] */
    float *z; /* sums of packed rows from z_first on */
    int64_t z_first;
    rki_composed_room room;
} rki_forward_pass;

/* Where h of the step before is found, for row `begin` of the batch. */
const float *rki_h_before(const rki_forward_pass *p, int64_t k, int64_t begin, int64_t *stride);

void rki_composed_step(const rki_forward_pass *p, int64_t k, int64_t begin, int64_t end);

/* m of zoneout for `width` elements of a packed row: h (part 0) or c (part 1). A row of 1 (keep the
 * old) and 0 when training, else NULL: m is the rate. */
const float *rki_zoneout_row(const rki_cpu *cpu, const rki_recurrent *layer, int part,
    int64_t place, const rki_composed_room *room, int64_t row);

/* v becomes normal(v) (backend.h); returns what it was scaled with. */
float rki_normalize(float *v, int64_t count);

/* The gradient by what normal() was given, from dv by what it gave, in place. */
void rki_normalize_backward(const float *v, float scale, int64_t count, float *dv);

#endif
