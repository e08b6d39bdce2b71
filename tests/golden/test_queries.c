/* Queries and evaluation answer what gensim's KeyedVectors answer, whatever they look through
 * (queries_fixture.py). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expected.h"

enum { QUESTIONS = 4, TOP = 7, LISTS = 3 };

static rki_st *expected;
static rnnkit_vectors *vectors;

static int open_all(void **state)
{
    (void)state;
    rnnkit_context *context;
    expected = expected_open("queries.safetensors");
    golden_ok(rnnkit_context_create("cpu", NULL, &context));
    golden_ok(rnnkit_vectors_open(context, "queries.vec", NULL, &vectors));
    rnnkit_context_destroy(context);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    rnnkit_vectors_destroy(vectors);
    rki_st_close(expected);
    return 0;
}

/* gensim computes in float32. */
static void expect_near(double value, double wanted)
{
    if (!(fabs(value - wanted) <= 2e-6 * (1 + fabs(wanted))))
        fail_msg("%.9g, gensim has %.9g", value, wanted);
}

static void expect_hits(const int32_t *ids, const float *scores, const char *name)
{
    int32_t *wanted = expected_ids(expected_entry(expected, "%s.ids", name));
    double *wanted_scores = expected_doubles(expected_entry(expected, "%s.scores", name));
    for (int i = 0; i < TOP; i++) {
        assert_int_equal(ids[i], wanted[i]);
        expect_near((double)scores[i], wanted_scores[i]);
    }
    free(wanted);
    free(wanted_scores);
}

static void most_similar(void **state)
{
    (void)state;
    static const struct {
        const char *name, *options;
    } cases[] = {{"add.0", "method=add"}, {"add.20", "restrict=20"}, {"mul.0", "method=mul"}};
    for (int q = 0; q < QUESTIONS; q++) {
        const rki_st_entry *positive = expected_entry(expected, "question.%d.positive", q);
        const rki_st_entry *negative = expected_entry(expected, "question.%d.negative", q);
        int32_t *near = expected_ids(positive), *far = expected_ids(negative), ids[TOP];
        for (int c = 0; c < 3; c++) {
            char name[64];
            float scores[TOP];
            int64_t found;
            golden_ok(rnnkit_vectors_most_similar(vectors, near, positive->count, far,
                negative->count, cases[c].options, TOP, ids, scores, &found));
            assert_int_equal(found, TOP);
            snprintf(name, sizeof name, "question.%d.%s", q, cases[c].name);
            expect_hits(ids, scores, name);
        }
        free(near);
        free(far);
    }
}

static void similar_by_vector(void **state)
{
    (void)state;
    float *query = expected_floats(expected_entry(expected, "vector.query")), scores[TOP];
    int32_t ids[TOP];
    golden_ok(rnnkit_vectors_similar_by_vector(vectors, query, 1, NULL, TOP, ids, scores));
    expect_hits(ids, scores, "vector");
    free(query);
}

static void pairs_of_words(void **state)
{
    (void)state;
    const rki_st_entry *entry = expected_entry(expected, "pairs");
    int32_t *pairs = expected_ids(entry);
    double *similarities = expected_doubles(expected_entry(expected, "pairs.similarity"));
    int32_t *ranks = expected_ids(expected_entry(expected, "pairs.rank"));
    for (int64_t i = 0; i < entry->dims[0]; i++) {
        double similarity;
        int64_t rank;
        golden_ok(rnnkit_vectors_similarity(vectors, pairs[2 * i], pairs[2 * i + 1], &similarity));
        expect_near(similarity, similarities[i]);
        golden_ok(rnnkit_vectors_rank(vectors, pairs[2 * i], pairs[2 * i + 1], &rank));
        assert_int_equal(rank, ranks[i]);
    }
    free(pairs);
    free(similarities);
    free(ranks);
}

static void lists_of_words(void **state)
{
    (void)state;
    int32_t *lists[LISTS];
    int64_t counts[LISTS];
    for (int i = 0; i < LISTS; i++) {
        const rki_st_entry *entry = expected_entry(expected, "lists.%d", i);
        int32_t *odd = expected_ids(expected_entry(expected, "lists.%d.odd", i));
        int64_t place;
        lists[i] = expected_ids(entry);
        counts[i] = entry->count;
        golden_ok(rnnkit_vectors_doesnt_match(vectors, lists[i], counts[i], &place));
        assert_int_equal(place, odd[0]);
        free(odd);
    }
    double *wanted = expected_doubles(expected_entry(expected, "lists.similarity")), similarity;
    golden_ok(rnnkit_vectors_n_similarity(
        vectors, lists[0], counts[0], lists[1], counts[1], &similarity));
    expect_near(similarity, wanted[0]);
    free(wanted);
    for (int i = 0; i < LISTS; i++)
        free(lists[i]);
}

static void word_pairs(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"all", NULL}, {"restrict", "restrict=20"}, {"wrong", "unknown=wrong"}};
    for (int c = 0; c < 3; c++) {
        double *wanted =
            expected_doubles(expected_entry(expected, "evaluate.pairs.%s", cases[c][0]));
        double pearson, spearman;
        int64_t pairs, unknown;
        golden_ok(rnnkit_vectors_evaluate_pairs(
            vectors, "queries_pairs.txt", cases[c][1], &pearson, &spearman, &pairs, &unknown));
        expect_near(pearson, wanted[0]);
        expect_near(spearman, wanted[1]);
        expect_near((double)unknown / (double)(c == 2 ? pairs : pairs + unknown), wanted[2]);
        free(wanted);
    }
}

static void analogies(void **state)
{
    (void)state;
    static const char *const sections[] = {"family", "cities", "odd", "total"};
    static const char *const cases[][2] = {{"all", NULL}, {"restrict", "restrict=20"}};
    for (int c = 0; c < 2; c++) {
        int32_t *wanted =
            expected_ids(expected_entry(expected, "evaluate.analogies.%s", cases[c][0]));
        char text[256], wanted_text[256];
        int64_t needed, right, answered;
        int used = 0;
        golden_ok(rnnkit_vectors_evaluate_analogies(vectors, "queries_analogies.txt", cases[c][1],
            text, sizeof text, &needed, &right, &answered));
        for (int i = 0; i < 4; i++)
            used += snprintf(wanted_text + used, sizeof wanted_text - (size_t)used, "%s\t%d\t%d\n",
                sections[i], (int)wanted[2 * i], (int)wanted[2 * i + 1]);
        assert_string_equal(text, wanted_text);
        free(wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_similar),
        cmocka_unit_test(similar_by_vector),
        cmocka_unit_test(pairs_of_words),
        cmocka_unit_test(lists_of_words),
        cmocka_unit_test(word_pairs),
        cmocka_unit_test(analogies),
    };
    return cmocka_run_group_tests_name("golden queries", tests, open_all, close_all);
}
