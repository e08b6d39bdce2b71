/* Which places of a list of ids name which row of a table: what a gradient's way back into the
 * table needs (rki_scatter, rki_negative_sampling). */
#ifndef RKI_NN_ROW_GROUPS_H
#define RKI_NN_ROW_GROUPS_H

#include "autodiff/tape.h"

typedef struct rki_row_groups {
    int64_t unique;
    int32_t *rows;   /* [unique], in the order of their first use */
    int32_t *starts; /* [unique + 1] */
    int32_t *order;  /* [starts[unique]]: the places, row by row, ascending */
} rki_row_groups;

/* A counting sort of the places of ids[count], in the tape's memory; ids below 0 and the one that
 * is equal to `left_out` are passed over, the others are below `words`. */
int32_t rki_row_groups_make(rnnkit_tape *tape, const int32_t *ids, int64_t count, int64_t words,
    int64_t left_out, rki_row_groups *out);

#endif
