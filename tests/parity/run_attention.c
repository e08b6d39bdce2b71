/* Attention forward, of the queries and of the source backward: both scores, heads, causal or not,
 * windows, lengths of both sides, leading dimensions, more queries than are copied together. */
#include "operations.h"

#include <math.h>

enum { MOST_BATCH = 16 };

typedef struct arrays {
    int64_t weights, context, q, keys, values;
} arrays;

static arrays count(const rki_attention *a)
{
    return (arrays){.weights = a->heads * a->queries * a->batch * a->positions,
        .context = a->queries * a->batch * a->value_width,
        .q = a->queries * a->batch * a->ldq,
        .keys = a->positions * a->batch * a->ldkeys,
        .values = a->positions * a->batch * a->ldvalues};
}

static int values_are_keys(int shape)
{
    return shape % 8 == 5;
}

static rki_attention choose_size(bench *b, int shape)
{
    rki_attention a = {.score = shape & 1 ? RKI_SCORE_ADDITIVE : RKI_SCORE_DOT,
        .causal = shape % 7 == 3,
        .queries = 1 + draw(b, 6),
        .positions = 1 + draw(b, 11),
        .batch = 1 + draw(b, 5),
        .heads = shape % 5 == 2 ? 3 : 1,
        .scale = shape % 3 == 0 ? 0.4 : 1.0};
    a.width = a.heads * (1 + draw(b, shape < 40 ? 20 : 70));
    a.value_width = a.heads * (1 + draw(b, shape < 40 ? 20 : 70));
    if (shape >= ATTENTION_SHAPES - 6) { /* for several threads, and several blocks of queries */
        a.queries = 60 + draw(b, 80);
        a.positions = 10 + draw(b, 40);
        a.batch = 6 + draw(b, 6);
    }
    if (shape % 4 >= 2 && a.heads == 1 && !a.causal) {
        a.window = 1 + draw(b, 3);
        a.positions += 2;
        a.queries += 2; /* a single gradient may be all cancellation */
        a.batch += 2;
    }
    a.ldq = a.width + (shape % 4 == 1 ? 3 : 0);
    a.ldkeys = a.width + (shape % 4 == 2 ? 5 : 0);
    a.ldvalues = a.value_width + (shape % 4 == 3 ? 2 : 0);
    if (values_are_keys(shape)) {
        a.value_width = a.width;
        a.ldvalues = a.ldkeys;
    }
    return a;
}

static void choose_lengths(bench *b, int shape, rki_attention *a, int32_t *source, int32_t *query)
{
    for (int64_t i = 0; i < a->batch; i++) {
        source[i] = 1 + (int32_t)draw(b, a->positions);
        query[i] = (int32_t)draw(b, a->queries + 1);
    }
    if (a->window > 0) /* were one position alone seen by all, gradients of scores would be noise */
        source[0] = (int32_t)a->positions;
    if (shape % 3 != 0) a->lengths = source;
    if (shape % 6 >= 4) a->query_lengths = query;
}

/* What a gradient with gaps has between its rows is left out: nobody writes there. */
static void *target(bench *b, int64_t all, int gaps)
{
    return gaps ? input(b, all, 0.0) : unwritten(b, all);
}

static void run_backward(bench *b, int shape, const rki_attention_forward *forward)
{
    const rki_attention *a = &forward->attention;
    arrays n = count(a);
    rki_attention_backward query = {.attention = *a, .weights = forward->weights};
    query.dcontext = input(b, n.context, 1.0);
    if (shape % 4 != 0) query.dweights = input(b, n.weights, 1.0);
    query.dscores = unwritten(b, n.weights);
    query.dq = target(b, n.q, a->ldq > a->width);
    if (a->window > 0) query.dcenters = unwritten(b, a->queries * a->batch);
    succeed(b, b->on->ops->attention_backward(b->on->self, &query));
    keep(b, "dscores", query.dscores, n.weights);
    keep(b, "dq", query.dq, n.q);
    if (a->window > 0) keep(b, "dcenters", query.dcenters, a->queries * a->batch);
    rki_attention_source source = {.attention = *a,
        .weights = forward->weights,
        .dscores = query.dscores,
        .dcontext = query.dcontext};
    if (shape % 9 != 4) source.dkeys = target(b, n.keys, a->ldkeys > a->width);
    source.add_values = values_are_keys(shape) || shape % 8 == 2;
    if (values_are_keys(shape) && source.dkeys)
        source.dvalues = source.dkeys;
    else if (source.add_values)
        source.dvalues = input(b, n.values, 1.0);
    else if (shape % 9 != 5)
        source.dvalues = target(b, n.values, a->ldvalues > a->value_width);
    if (a->v) source.dv = input(b, a->width, 1.0);
    source.scratch = scratch(b, b->on->ops->attention_source_scratch(b->on->self, a));
    succeed(b, b->on->ops->attention_source(b->on->self, &source));
    if (source.dkeys) keep(b, "dkeys", source.dkeys, n.keys);
    if (source.dvalues) keep(b, "dvalues", source.dvalues, n.values);
    if (source.dv) keep(b, "dv", source.dv, a->width);
}

void run_attention(bench *b, int shape)
{
    int32_t lengths[MOST_BATCH], query_lengths[MOST_BATCH];
    rki_attention_forward call = {.attention = choose_size(b, shape)};
    rki_attention *a = &call.attention;
    choose_lengths(b, shape, a, lengths, query_lengths);
    arrays n = count(a);
    label(b,
        "score=%d causal=%d Tq=%d Ts=%d B=%d heads=%d A=%d D=%d lengths=%d query_lengths=%d "
        "window=%d",
        (int)a->score, a->causal, (int)a->queries, (int)a->positions, (int)a->batch, (int)a->heads,
        (int)a->width, (int)a->value_width, a->lengths != NULL, a->query_lengths != NULL,
        (int)a->window);
    a->q = input(b, n.q, 1.0);
    a->keys = input(b, n.keys, 1.0);
    a->values = input(b, n.values, 1.0);
    if (a->window > 0) a->centers = input(b, a->queries * a->batch, 3.0);
    if (a->score == RKI_SCORE_ADDITIVE) a->v = input(b, a->width, 2.0 / sqrt((double)a->width));
    call.weights = unwritten(b, n.weights);
    call.context = unwritten(b, n.context);
    succeed(b, b->on->ops->attention_forward(b->on->self, &call));
    keep(b, "weights", call.weights, n.weights);
    keep(b, "context", call.context, n.context);
    run_backward(b, shape, &call);
}
