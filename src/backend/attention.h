/* Attention: the arguments of its operations, part of the table in backend.h.
 *
 * Queries look at the positions of a source. What is learnt about scores is in the projections,
 * which are products of their own (the source's is made once). For row b, query t, position s:
 *
 *   DOT       e_ts = scale * sum_a q_ta keys_sa
 *   ADDITIVE  e_ts = sum_a v_a tanh(q_ta + keys_sa)     (Bahdanau 2015; Luong 2015, concat)
 *   p_t = softmax of e_t       context_t = sum_s p_ts values_s
 *
 * A query sees positions s < lengths[b], of these with `causal` only s <= t. At all others p_ts is
 * exactly 0 and neither keys nor values are read. Queries t >= query_lengths[b] see nothing: their
 * weights and context are 0 and they have no part in any gradient.
 *
 * With a window D (Luong 2015, local-p) a query says where it looks, c_t = length sigmoid(z_t), and
 * sees of these positions only those with |s - c_t| <= D (all where c_t is NaN), the far ones less:
 *
 *   p_ts = softmax over the window of e_t, times g_ts = exp(-(s - c_t)^2 / (2 (D / 2)^2))
 *
 * Its weights and dscores elsewhere are zeros, which the pass over the source reads like any others.
 *
 * Heads (Vaswani 2017) are blocks of columns, width / heads and value_width / heads wide, that look
 * independently of each other.
 *
 * No array of queries times positions times width is ever held: tanh is computed again where it is
 * needed.
 */
#ifndef RKI_BACKEND_ATTENTION_H
#define RKI_BACKEND_ATTENTION_H

#include <stdint.h>

typedef enum rki_score { RKI_SCORE_DOT, RKI_SCORE_ADDITIVE } rki_score;

typedef struct rki_attention {
    rki_score score;
    int causal;
    int64_t queries, positions, batch, heads;
    int64_t width, value_width;    /* of all heads together, multiples of heads */
    double scale;                  /* DOT */
    const int32_t *lengths;        /* [batch], each 1..positions, or NULL: all positions */
    const int32_t *query_lengths;  /* [batch], each 0..queries, or NULL: all queries */
    const void *q;                 /* [queries][batch][width] */
    const void *keys;              /* [positions][batch][width] */
    const void *values;            /* [positions][batch][value_width] */
    int64_t ldq, ldkeys, ldvalues; /* elements from one row to the next; between steps, batch times
                                      that; their gradients alike */
    const void *v;                 /* [width]; ADDITIVE */
    int64_t window;                /* D, or 0: none; with one heads is 1, causal 0 */
    const void *centers;           /* [queries][batch]: z; with a window */
} rki_attention;

typedef struct rki_attention_forward {
    rki_attention attention;
    void *weights; /* [heads][queries][batch][positions] */
    void *context; /* [queries][batch][value_width] */
} rki_attention_forward;

/* Gradients of the queries, so far as they are known step by step. */
typedef struct rki_attention_backward {
    rki_attention attention;
    const void *weights;  /* as the forward call left them */
    const void *dcontext; /* [queries][batch][value_width] */
    const void *dweights; /* as weights, or NULL: zeros */
    void *dscores;        /* dL/de, as weights; written, 0 where weights are 0 by the mask */
    void *dq;             /* written */
    void *dcenters;       /* dL/dz, written; with a window */
} rki_attention_backward;

/* Gradients of the source, in one pass for all queries. */
typedef struct rki_attention_source {
    rki_attention attention;
    const void *weights, *dscores, *dcontext; /* of all queries */
    void *dkeys, *dvalues;                    /* written; NULL when not wanted */
    int add_values; /* dvalues is added to; it may be dkeys, when values are the keys */
    void *dv;       /* added to; ADDITIVE, else NULL */
    void *scratch;
} rki_attention_source;

#endif
