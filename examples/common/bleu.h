/* BLEU-4 of a corpus with one reference (Papineni, Roukos, Ward and Zhu 2002), on words as they
 * stand: the figure that sacreBLEU gives with tokenize=none and its other defaults (Post 2018), so
 * smoothed as NIST's mteval does where no n-gram of an order is right.
 */
#ifndef COMMON_BLEU_H
#define COMMON_BLEU_H

#include <stddef.h>
#include <stdint.h>

enum { BLEU_ORDERS = 4 };

typedef struct bleu {
    int64_t right[BLEU_ORDERS], total[BLEU_ORDERS]; /* n-grams of the hypotheses */
    int64_t hypothesis_words, reference_words;
} bleu;

/* Adds a sentence; starts from zeros. OUTCOME_FAILED after a message when memory is short. */
int bleu_add(bleu *target, const char *const *hypothesis, size_t hypothesis_count,
    const char *const *reference, size_t reference_count);

/* From 0 to 100; 0 for nothing. */
double bleu_score(const bleu *source);

/* What short translations are multiplied by: 1 when they are as long as the references. */
double bleu_brevity(const bleu *source);

#endif
