/* What a decoder does step by step beside products and attention: the arguments of its operations,
 * part of the table in backend.h. */
#ifndef RKI_BACKEND_DECODING_H
#define RKI_BACKEND_DECODING_H

#include <stdint.h>

/* A recurrent layer's cell by itself, LSTM or GRU; equations and the order of gates are those of
 * rki_recurrent. z has the sums of the gates, W_ih x + b_ih + W_hh h + b_hh; for the n of a GRU
 * only the first two terms, and `reset` has the others. */
typedef struct rki_cell_forward {
    int gru; /* else LSTM */
    int64_t batch, hidden;
    void *z;              /* [batch][gates hidden]; becomes the gates' values */
    const void *reset;    /* GRU: [batch][hidden] */
    const void *h_before; /* GRU: [batch][hidden] */
    const void *c_before; /* LSTM: [batch][hidden] */
    void *h;              /* [batch][hidden] */
    void *c;              /* LSTM: [batch][hidden]; may be c_before */
} rki_cell_forward;

typedef struct rki_cell_backward {
    int gru;
    int64_t batch, hidden;
    const void *gates;            /* as the forward call left z */
    const void *reset, *h_before; /* GRU */
    const void *c_before, *c;     /* LSTM */
    const void *dh;               /* [batch][hidden] */
    void *carry;                  /* LSTM, in: what the step after sends to c; out: what goes to
                                     c_before. GRU, out: what goes to h_before beside W_hh^T dz */
    void *dz;                     /* [batch][gates hidden]; written: what goes through W_hh */
    void *dn;                     /* GRU: [batch][hidden]; written: what goes through the n of W_ih,
                                     in place of dz's */
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
