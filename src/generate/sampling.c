/* Sampling from logits. See sampling.h.
 *
 * Top-k and top-p pop the largest weights off a binary heap, whose free end takes them: n + k log n
 * steps, in place, where sorting would take n log n.
 */
#include "generate/sampling.h"

#include <math.h>

#include "base/status.h"

int32_t rki_check_logits(const double *logits, int64_t count)
{
    for (int64_t id = 0; id < count; id++)
        if (!isfinite(logits[id]))
            return rki_fail(RNNKIT_E_DIVERGED,
                "the model's output for id %lld is %g, expected a finite number: its weights, or "
                "what it was fed, are out of bounds",
                (long long)id, logits[id]);
    return RNNKIT_OK;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Penalty and temperature. */

static void penalize(
    double penalty, const int32_t *counts, rki_candidate *candidates, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        double *value = &candidates[i].value;
        if (counts[candidates[i].id] > 0) *value = *value > 0 ? *value / penalty : *value * penalty;
    }
}

static int32_t most_likely(const rki_candidate *candidates, int64_t count)
{
    const rki_candidate *best = candidates;
    for (int64_t i = 1; i < count; i++)
        if (candidates[i].value > best->value) best = &candidates[i];
    return best->id;
}

/* Logits to weights, of which the largest is 1; returns their sum. */
static double weigh(double temperature, rki_candidate *candidates, int64_t count)
{
    double most = candidates[0].value, sum = 0;
    for (int64_t i = 1; i < count; i++)
        most = larger(most, candidates[i].value);
    for (int64_t i = 0; i < count; i++) {
        candidates[i].value = exp((candidates[i].value - most) / temperature);
        sum += candidates[i].value;
    }
    return sum;
}

/* The heap: the first of all in front, 2 i + 1 and 2 i + 2 below i. */

static int comes_before(rki_candidate a, rki_candidate b)
{
    return a.value > b.value || (a.value >= b.value && a.id < b.id);
}

static void sink_down(rki_candidate *heap, int64_t count, int64_t place)
{
    rki_candidate moved = heap[place];
    for (int64_t below = 2 * place + 1; below < count; below = 2 * place + 1) {
        if (below + 1 < count && comes_before(heap[below + 1], heap[below])) below++;
        if (!comes_before(heap[below], moved)) break;
        heap[place] = heap[below];
        place = below;
    }
    heap[place] = moved;
}

/* Moves the largest to the end, the largest of all last, until there are `most` of them or their
 * sum is at least `enough`; returns how many, at least 1. */
static int64_t pop_largest(rki_candidate *heap, int64_t count, int64_t most, double enough)
{
    int64_t popped = 0;
    double sum = 0;
    for (int64_t i = count / 2; i-- > 0;)
        sink_down(heap, count, i);
    do {
        rki_candidate largest = heap[0];
        int64_t last = count - ++popped;
        heap[0] = heap[last];
        heap[last] = largest;
        if (last > 0) sink_down(heap, last, 0);
        sum += largest.value;
    } while (popped < most && sum < enough);
    return popped;
}

/* Of what stands at the end, the largest last: how many make up `enough`, at least 1. */
static int64_t count_enough(const rki_candidate *end, int64_t count, double enough)
{
    int64_t taken = 0;
    double sum = 0;
    do
        sum += end[-++taken].value;
    while (taken < count && sum < enough);
    return taken;
}

static double sum_of(const rki_candidate *candidates, int64_t count)
{
    double sum = 0;
    for (int64_t i = count; i-- > 0;)
        sum += candidates[i].value;
    return sum;
}

/* The draw. */

/* The first, from the end, at which the running sum exceeds its share of the whole. There is one:
 * a number below 1 times a sum is below it after rounding, too, and both sums run in one order. */
static int32_t draw(const rki_candidate *candidates, int64_t count, double uniform)
{
    double target = uniform * sum_of(candidates, count), sum = 0;
    int64_t i = count;
    do
        sum += candidates[--i].value;
    while (i > 0 && sum <= target);
    return candidates[i].id;
}

int32_t rki_sample(const rki_sampling *options, const int32_t *counts, rki_candidate *candidates,
    int64_t count, double uniform)
{
    if (counts != NULL) penalize(options->penalty, counts, candidates, count);
    if (!(options->temperature > 0)) return most_likely(candidates, count);
    double sum = weigh(options->temperature, candidates, count);
    const rki_candidate *end = candidates + count;
    int64_t kept = count;
    if (options->top_k > 0 && options->top_k < count) {
        kept = pop_largest(candidates, count, options->top_k, INFINITY);
        if (options->top_p < 1)
            kept = count_enough(end, kept, options->top_p * sum_of(end - kept, kept));
    } else if (options->top_p < 1) {
        kept = pop_largest(candidates, count, count, options->top_p * sum);
    }
    return draw(end - kept, kept, uniform);
}

void rki_probabilities(const double *logits, int64_t count, float *probabilities)
{
    double most = logits[0], sum = 0;
    for (int64_t i = 1; i < count; i++)
        most = larger(most, logits[i]);
    for (int64_t i = 0; i < count; i++)
        sum += exp(logits[i] - most);
    for (int64_t i = 0; i < count; i++)
        probabilities[i] = (float)(exp(logits[i] - most) / sum);
}
