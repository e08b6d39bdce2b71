/* What the passes of the recurrent layer share: the record of a step, and where rows live.
 *
 * All in double. The stash holds one record for each row and step, rows outermost.
 */
#ifndef RKI_REFERENCE_RECURRENT_H
#define RKI_REFERENCE_RECURRENT_H

#include "reference/reference.h"

/* One step of one row. With layer_norm, a, u and normal hold what normal() gives; else a and u are
 * the plain sums and normal means nothing. */
typedef struct rki_record {
    double *a, *u;  /* [gates hidden] */
    double *gates;  /* [gates hidden]: the gates' values; TANH, RELU: f(s) */
    double *reset;  /* [hidden]: what r is multiplied with: u_n + b_hh_n, or h for GRU_BEFORE */
    double *cell;   /* [hidden]: c', before zoneout */
    double *c;      /* [hidden]: c_t */
    double *normal; /* [hidden]: normal(c') */
    double *shown;  /* [hidden]: h' before the projection */
    double *scale;  /* [3]: what normal() multiplied a, u and c' with */
} rki_record;

int64_t rki_record_count(const rki_recurrent *layer);

/* The record in an array of rki_record_count doubles. */
rki_record rki_record_at(const rki_recurrent *layer, double *array);

/* The record of row b at step t. */
rki_record rki_record_of(const rki_recurrent *layer, const void *stash, int64_t t, int64_t b);

/* Row b lives at steps *begin .. *begin + the result - 1. */
int64_t rki_row_life(
    const int32_t *starts, const int32_t *lengths, int64_t steps, int64_t b, int64_t *begin);

/* The step that row b makes k-th, of `length`. */
int64_t rki_row_step(const rki_recurrent *layer, int64_t begin, int64_t length, int64_t k);

/* m of zoneout for element i, h (part 0) or c (part 1). */
double rki_zoneout(const rki_reference *device, const rki_recurrent *layer, int part, int64_t i);

#endif
