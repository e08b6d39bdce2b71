/* What a decoder does step by step beside products and attention: the arguments of its operations,
 * part of the table in backend.h. */
#ifndef RKI_BACKEND_DECODING_H
#define RKI_BACKEND_DECODING_H

#include <stdint.h>

/* An LSTM's cell, from its gates' sums z = W_ih x + b_ih + W_hh h + b_hh in the order i, f, g, o:
 *   c = sigmoid(z_f) c_before + sigmoid(z_i) tanh(z_g)      h = sigmoid(z_o) tanh(c) */
typedef struct rki_cell_forward {
    int64_t batch, hidden;
    void *z; /* [batch][4 hidden]; becomes the gates' values */
    const void *c_before;
    void *h, *c; /* [batch][hidden]; c may be c_before */
} rki_cell_forward;

typedef struct rki_cell_backward {
    int64_t batch, hidden;
    const void *gates, *c_before, *c;
    const void *dh; /* [batch][hidden] */
    void *dc;       /* in: what the step after sends to c; out: what goes to c_before */
    void *dz;       /* [batch][4 hidden]; written */
} rki_cell_backward;

/* Log-probabilities of softmax(x) over all classes; of the classes that are not banned the `count`
 * most likely ones of each row, the most likely first, of equal ones the lower first. There are as
 * many. A row that holds a NaN has NaN in values; its classes mean nothing. */
typedef struct rki_top {
    int64_t rows, classes, count;
    const void *x; /* [rows][classes] */
    int64_t banned_count;
    const int32_t *banned; /* HOST; none twice */
    int32_t *ids;          /* HOST, [rows][count] */
    double *values;        /* HOST, [rows][count] */
} rki_top;

#endif
