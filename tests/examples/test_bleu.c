/* BLEU of the examples against sacreBLEU 2.6.0:
 * sacrebleu.corpus_bleu(hypotheses, [references], tokenize="none", force=True), .score and .bp. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../examples/common/bleu.h"

enum { PAIRS = 4, WORDS = 16 };

typedef struct figures {
    const char *name;
    int count;
    const char *pairs[PAIRS][2]; /* hypothesis and reference */
    double score, brevity;
} figures;

static const figures known[] = {
    {"the same", 1, {{"a man sleeps on a couch .", "a man sleeps on a couch ."}},
        100.00000000000004, 1.0},
    {"one word differs", 1, {{"a man sleeps on a sofa .", "a man sleeps on a couch ."}},
        64.34588841607616, 1.0},
    {"too short", 1, {{"a man sleeps on a", "a man sleeps on a couch in a green room ."}},
        30.119421191220216, 0.301194211912202},
    {"too long", 1, {{"a man sleeps on a couch in a green room .", "a man sleeps on a couch ."}},
        47.987820666906615, 1.0},
    {"a word too often", 1, {{"the the the the the the the", "the cat is on the mat"}},
        7.809849842300637, 1.0},
    {"an n-gram too often", 1, {{"a man a man a man a man", "a man and a man see a man"}},
        19.130147081392227, 1.0},
    {"no four words in a row", 1,
        {{"a cat sleeps on the red mat", "a cat sleeps under the red rug"}}, 30.739407647563215,
        1.0},
    {"nothing in a row", 1, {{"b a d c f e", "a b c d e f"}}, 12.703318703865376, 1.0},
    {"nothing right", 1, {{"one two three four five", "a man sleeps on a couch"}}, 0.0,
        0.8187307530779819},
    {"three words", 1, {{"a man sleeps", "a man sleeps"}}, 0.0, 1.0},
    {"nothing written", 1, {{"", "a man sleeps on a couch ."}}, 0.0, 0.0},
    {"several sentences", 4,
        {{"two dogs run through the snow .", "two dogs are running in the snow ."},
            {"a woman in a red coat stands there", "a woman in a red coat is standing there ."},
            {"", "a child ."},
            {"people are fixing the roof of a house .", "people are fixing the roof of a house ."}},
        55.96526475152516, 0.7788007830714049},
    {"spaces, case, accents", 1, {{"Ein Mädchen  läuft , lacht !", "ein Mädchen läuft , lacht !"}},
        75.98356856515926, 1.0},
};

/* Cuts a copy of the text at its spaces. */
static size_t split(char *text, const char *words[WORDS])
{
    size_t count = 0;

    for (char *at = strtok(text, " "); at != NULL; at = strtok(NULL, " ")) {
        assert_true(count < WORDS);
        words[count++] = at;
    }
    return count;
}

static bleu measure(const figures *from)
{
    bleu score = {0};

    for (int i = 0; i < from->count; i++) {
        char texts[2][200];
        const char *words[2][WORDS];
        size_t counts[2];

        for (int side = 0; side < 2; side++) {
            snprintf(texts[side], sizeof texts[side], "%s", from->pairs[i][side]);
            counts[side] = split(texts[side], words[side]);
        }
        assert_int_equal(bleu_add(&score, words[0], counts[0], words[1], counts[1]), 0);
    }
    return score;
}

static void sacrebleu_figures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        bleu score = measure(&known[i]);

        if (fabs(bleu_score(&score) - known[i].score) > 1e-9 ||
            fabs(bleu_brevity(&score) - known[i].brevity) > 1e-12)
            fail_msg("%s: BLEU %.12g, expected %.12g; brevity %.12g, expected %.12g", known[i].name,
                bleu_score(&score), known[i].score, bleu_brevity(&score), known[i].brevity);
    }
}

static void counts(void **state)
{
    bleu score = measure(&known[4]), nothing = {0};

    (void)state;
    assert_int_equal(score.right[0], 2);
    assert_int_equal(score.total[0], 7);
    assert_int_equal(score.right[1], 0);
    assert_int_equal(score.total[3], 4);
    assert_int_equal(score.hypothesis_words, 7);
    assert_int_equal(score.reference_words, 6);
    assert_true(bleu_score(&nothing) <= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sacrebleu_figures), cmocka_unit_test(counts)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
