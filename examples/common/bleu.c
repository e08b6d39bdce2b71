/* BLEU. A word becomes the place of its first occurrence in the two sentences, so that n-grams are
 * compared as numbers. See bleu.h.
 */
#include "bleu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

/* Numbers words[from, to), which may repeat those before. */
static void number_words(const char *const *words, size_t from, size_t to, size_t *numbers,
    const char **known, size_t *known_count)
{
    for (size_t i = from; i < to; i++) {
        size_t k = 0;

        while (k < *known_count && strcmp(known[k], words[i - from]) != 0)
            k++;
        if (k == *known_count) known[(*known_count)++] = words[i - from];
        numbers[i] = k;
    }
}

/* How often the n-gram at `at` stands among the first `count` words' n-grams. */
static size_t occurrences(const size_t *words, size_t count, const size_t *at, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i + n <= count; i++)
        found += memcmp(words + i, at, n * sizeof *at) == 0;
    return found;
}

/* An n-gram is right as often as the reference has it: the k-th occurrence counts when the
 * reference has k of them. */
static void add_order(bleu *target, size_t n, const size_t *hypothesis, size_t hypothesis_count,
    const size_t *reference, size_t reference_count)
{
    for (size_t i = 0; i + n <= hypothesis_count; i++) {
        const size_t *gram = hypothesis + i;

        target->total[n - 1]++;
        target->right[n - 1] += occurrences(hypothesis, i + n, gram, n) <=
                                occurrences(reference, reference_count, gram, n);
    }
}

int bleu_add(bleu *target, const char *const *hypothesis, size_t hypothesis_count,
    const char *const *reference, size_t reference_count)
{
    size_t all = hypothesis_count + reference_count, known_count = 0;
    size_t *numbers = malloc((all + 1) * sizeof *numbers);
    const char **known = malloc((all + 1) * sizeof *known);
    int outcome = numbers == NULL || known == NULL ? fail("out of memory") : OUTCOME_OK;

    if (outcome == OUTCOME_OK) {
        number_words(hypothesis, 0, hypothesis_count, numbers, known, &known_count);
        number_words(reference, hypothesis_count, all, numbers, known, &known_count);
        for (size_t n = 1; n <= BLEU_ORDERS; n++)
            add_order(
                target, n, numbers, hypothesis_count, numbers + hypothesis_count, reference_count);
        target->hypothesis_words += (int64_t)hypothesis_count;
        target->reference_words += (int64_t)reference_count;
    }
    free(numbers);
    free(known);
    return outcome;
}

double bleu_brevity(const bleu *source)
{
    double ratio;

    if (source->hypothesis_words >= source->reference_words) return 1;
    if (source->hypothesis_words == 0) return 0;
    ratio = (double)source->reference_words / (double)source->hypothesis_words;
    return exp(1 - ratio);
}

double bleu_score(const bleu *source)
{
    double logs = 0, smoothing = 1;
    int any = 0;

    for (int n = 0; n < BLEU_ORDERS; n++) {
        double right = (double)source->right[n], total = (double)source->total[n];

        if (total <= 0) return 0;
        any = any || right > 0;
        if (right <= 0) right = 1 / (smoothing *= 2);
        logs += log(100 * right / total);
    }
    return any ? bleu_brevity(source) * exp(logs / BLEU_ORDERS) : 0;
}
