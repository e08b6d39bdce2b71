/* Attention; equations and masks are in backend/attention.h. One query of one head and row at a
 * time:
 *
 *   dp_s = dcontext . values_s + dweights_s      de_s = p_s (dp_s - sum_r p_r dp_r)
 *   DOT       dq = scale sum_s de_s keys_s       dkeys_s = scale sum_t de_ts q_t
 *   ADDITIVE  dq_a = v_a sum_s de_s (1 - h_a^2)  dkeys_sa = v_a sum_t de_ts (1 - h_a^2)
 *             dv_a = sum_t,s de_ts h_a           with h_a = tanh(q_ta + keys_sa)
 *   dvalues_s = sum_t p_ts dcontext_t
 *
 * With a window, p_s = a_s g_s with a_s of the softmax:
 *
 *   de_s = a_s (g_s dp_s - sum_r p_r dp_r)         dc = sum_s p_s dp_s (s - c) / (D / 2)^2
 *   dz = dc c (1 - c / length)
 */
#include <math.h>
#include <string.h>

#include "reference/reference.h"

/* Query t of head n and row b: where its things are. */
typedef struct place {
    int64_t q, context, weights; /* the first element of each */
    int64_t limit;               /* how many positions it sees, if its window reaches them */
    double center, slope;        /* with a window: c and dc/dz */
} place;

static void find_center(
    const rki_reference *device, const rki_attention *a, int64_t length, int64_t query, place *at)
{
    double part = 1.0 / (1.0 + exp(-get(device, a->centers, query)));
    at->center = (double)length * part;
    at->slope = at->center * (1.0 - part);
}

static place place_of(
    const rki_reference *device, const rki_attention *a, int64_t n, int64_t t, int64_t b)
{
    place p = {.q = (t * a->batch + b) * a->ldq + n * (a->width / a->heads),
        .context = (t * a->batch + b) * a->value_width + n * (a->value_width / a->heads),
        .weights = ((n * a->queries + t) * a->batch + b) * a->positions,
        .limit = a->lengths ? a->lengths[b] : a->positions};
    if (a->window > 0) find_center(device, a, p.limit, t * a->batch + b, &p);
    if (a->causal && p.limit > t + 1) p.limit = t + 1;
    if (a->query_lengths && t >= a->query_lengths[b]) p.limit = 0;
    return p;
}

static int sees(const rki_attention *a, place at, int64_t s)
{
    if (s >= at.limit) return 0;
    return a->window == 0 || !(fabs((double)s - at.center) > (double)a->window);
}

static double variance(const rki_attention *a)
{
    return (double)a->window * (double)a->window / 4.0;
}

/* g_s, which is 1 without a window. */
static double nearness(const rki_attention *a, place at, int64_t s)
{
    double off = (double)s - at.center;
    return a->window == 0 ? 1.0 : exp(-off * off / (2.0 * variance(a)));
}

/* The first element of position s in keys and in values. */
static int64_t key_of(const rki_attention *a, int64_t n, int64_t s, int64_t b)
{
    return (s * a->batch + b) * a->ldkeys + n * (a->width / a->heads);
}

static int64_t value_of(const rki_attention *a, int64_t n, int64_t s, int64_t b)
{
    return (s * a->batch + b) * a->ldvalues + n * (a->value_width / a->heads);
}

/* tanh(q_j + k_j) of a column j of head n. */
static double tanh_of(
    const rki_reference *device, const rki_attention *a, int64_t q, int64_t key, int64_t j)
{
    return tanh(get(device, a->q, q + j) + get(device, a->keys, key + j));
}

static double v_of(const rki_reference *device, const rki_attention *a, int64_t n, int64_t j)
{
    return get(device, a->v, n * (a->width / a->heads) + j);
}

static double score(
    const rki_reference *device, const rki_attention *a, int64_t n, int64_t q, int64_t key)
{
    double sum = 0.0;
    for (int64_t j = 0; j < a->width / a->heads; j++) {
        if (a->score == RKI_SCORE_ADDITIVE)
            sum += v_of(device, a, n, j) * tanh_of(device, a, q, key, j);
        else
            sum += a->scale * get(device, a->q, q + j) * get(device, a->keys, key + j);
    }
    return sum;
}

/* The weights, where the scores stand. */
static void softmax(const rki_reference *device, const rki_attention *a, void *weights, place at)
{
    double largest = -INFINITY, sum = 0.0;
    for (int64_t s = 0; s < at.limit; s++) {
        double e = sees(a, at, s) ? get(device, weights, at.weights + s) : -INFINITY;
        if (!(e <= largest)) largest = e;
    }
    for (int64_t s = 0; s < at.limit; s++)
        if (sees(a, at, s)) sum += exp(get(device, weights, at.weights + s) - largest);
    for (int64_t s = 0; s < a->positions; s++) {
        double p = 0.0;
        if (sees(a, at, s)) {
            p = exp(get(device, weights, at.weights + s) - largest) / sum;
            p *= nearness(a, at, s);
        }
        set(device, weights, at.weights + s, p);
    }
}

static void forward_query(
    const rki_reference *device, const rki_attention_forward *call, int64_t n, int64_t t, int64_t b)
{
    const rki_attention *a = &call->attention;
    place at = place_of(device, a, n, t, b);
    for (int64_t s = 0; s < at.limit; s++)
        if (sees(a, at, s))
            set(device, call->weights, at.weights + s,
                score(device, a, n, at.q, key_of(a, n, s, b)));
    softmax(device, a, call->weights, at);
    for (int64_t j = 0; j < a->value_width / a->heads; j++) {
        double sum = 0.0;
        for (int64_t s = 0; s < at.limit; s++)
            if (sees(a, at, s))
                sum += get(device, call->weights, at.weights + s) *
                       get(device, a->values, value_of(a, n, s, b) + j);
        set(device, call->context, at.context + j, sum);
    }
}

int32_t rki_reference_attention_forward(void *self, const rki_attention_forward *call)
{
    const rki_attention *a = &call->attention;
    for (int64_t n = 0; n < a->heads; n++)
        for (int64_t t = 0; t < a->queries; t++)
            for (int64_t b = 0; b < a->batch; b++)
                forward_query(self, call, n, t, b);
    return RNNKIT_OK;
}

/* dp_s */
static double weight_gradient(const rki_reference *device, const rki_attention_backward *call,
    int64_t n, int64_t b, place at, int64_t s)
{
    const rki_attention *a = &call->attention;
    double dp = get_or_zero(device, call->dweights, at.weights + s);
    for (int64_t j = 0; j < a->value_width / a->heads; j++)
        dp += get(device, call->dcontext, at.context + j) *
              get(device, a->values, value_of(a, n, s, b) + j);
    return dp;
}

/* dp is worked out twice, so that it is never rounded to the device's type. */
static void score_gradients(
    const rki_reference *device, const rki_attention_backward *call, int64_t n, int64_t b, place at)
{
    const rki_attention *a = &call->attention;
    double mean = 0.0;
    for (int64_t s = 0; s < at.limit; s++)
        if (sees(a, at, s))
            mean += get(device, call->weights, at.weights + s) *
                    weight_gradient(device, call, n, b, at, s);
    for (int64_t s = 0; s < a->positions; s++) {
        double de = 0.0, near = nearness(a, at, s);
        if (sees(a, at, s))
            de = get(device, call->weights, at.weights + s) / near *
                 (weight_gradient(device, call, n, b, at, s) * near - mean);
        set(device, call->dscores, at.weights + s, de);
    }
}

static void center_gradient(const rki_reference *device, const rki_attention_backward *call,
    int64_t n, int64_t t, int64_t b, place at)
{
    const rki_attention *a = &call->attention;
    double dc = 0.0;
    for (int64_t s = 0; s < at.limit; s++)
        if (sees(a, at, s))
            dc += get(device, call->weights, at.weights + s) *
                  weight_gradient(device, call, n, b, at, s) * ((double)s - at.center) /
                  variance(a);
    set(device, call->dcenters, t * a->batch + b, at.limit > 0 ? dc * at.slope : 0.0);
}

/* de_s / dq_j */
static double query_slope(const rki_reference *device, const rki_attention *a, int64_t n, place at,
    int64_t key, int64_t j)
{
    if (a->score == RKI_SCORE_DOT) return a->scale * get(device, a->keys, key + j);
    double h = tanh_of(device, a, at.q, key, j);
    return v_of(device, a, n, j) * (1.0 - h * h);
}

static void backward_query(const rki_reference *device, const rki_attention_backward *call,
    int64_t n, int64_t t, int64_t b)
{
    const rki_attention *a = &call->attention;
    place at = place_of(device, a, n, t, b);
    score_gradients(device, call, n, b, at);
    for (int64_t j = 0; j < a->width / a->heads; j++) {
        double sum = 0.0;
        for (int64_t s = 0; s < at.limit; s++)
            if (sees(a, at, s))
                sum += get(device, call->dscores, at.weights + s) *
                       query_slope(device, a, n, at, key_of(a, n, s, b), j);
        set(device, call->dq, at.q + j, sum);
    }
    if (a->window > 0) center_gradient(device, call, n, t, b, at);
}

int32_t rki_reference_attention_backward(void *self, const rki_attention_backward *call)
{
    const rki_attention *a = &call->attention;
    for (int64_t n = 0; n < a->heads; n++)
        for (int64_t t = 0; t < a->queries; t++)
            for (int64_t b = 0; b < a->batch; b++)
                backward_query(self, call, n, t, b);
    return RNNKIT_OK;
}

/* The sums of dv. */
size_t rki_reference_attention_source_scratch(void *self, const rki_attention *attention)
{
    (void)self;
    return (size_t)attention->width * sizeof(double);
}

/* Column j of position s in keys. */
static void key_gradient(const rki_reference *device, const rki_attention_source *call, int64_t n,
    int64_t s, int64_t b, int64_t j)
{
    const rki_attention *a = &call->attention;
    double *dv = (double *)call->scratch + n * (a->width / a->heads);
    int64_t key = key_of(a, n, s, b);
    double sum = 0.0;
    for (int64_t t = 0; t < a->queries; t++) {
        place at = place_of(device, a, n, t, b);
        if (s >= at.limit) continue;
        double de = get(device, call->dscores, at.weights + s);
        if (a->score == RKI_SCORE_DOT) {
            sum += a->scale * de * get(device, a->q, at.q + j);
            continue;
        }
        double h = tanh_of(device, a, at.q, key, j);
        sum += v_of(device, a, n, j) * de * (1.0 - h * h);
        dv[j] += de * h;
    }
    if (call->dkeys) set(device, call->dkeys, key + j, sum);
}

static void value_gradient(const rki_reference *device, const rki_attention_source *call, int64_t n,
    int64_t s, int64_t b, int64_t j)
{
    const rki_attention *a = &call->attention;
    double sum = 0.0;
    for (int64_t t = 0; t < a->queries; t++) {
        place at = place_of(device, a, n, t, b);
        if (s < at.limit)
            sum += get(device, call->weights, at.weights + s) *
                   get(device, call->dcontext, at.context + j);
    }
    if (call->add_values)
        add(device, call->dvalues, value_of(a, n, s, b) + j, sum);
    else
        set(device, call->dvalues, value_of(a, n, s, b) + j, sum);
}

static void source_position(
    const rki_reference *device, const rki_attention_source *call, int64_t n, int64_t s, int64_t b)
{
    const rki_attention *a = &call->attention;
    for (int64_t j = 0; (call->dkeys || call->dv) && j < a->width / a->heads; j++)
        key_gradient(device, call, n, s, b, j);
    for (int64_t j = 0; call->dvalues && j < a->value_width / a->heads; j++)
        value_gradient(device, call, n, s, b, j);
}

int32_t rki_reference_attention_source(void *self, const rki_attention_source *call)
{
    const rki_reference *device = self;
    const rki_attention *a = &call->attention;
    const double *dv = call->scratch;
    memset(call->scratch, 0, (size_t)a->width * sizeof(double));
    for (int64_t n = 0; n < a->heads; n++)
        for (int64_t b = 0; b < a->batch; b++)
            for (int64_t s = 0; s < a->positions; s++)
                source_position(device, call, n, s, b);
    for (int64_t j = 0; call->dv && j < a->width; j++)
        add(device, call->dv, j, dv[j]);
    return RNNKIT_OK;
}
