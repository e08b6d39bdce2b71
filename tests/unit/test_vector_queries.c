/* Queries of vectors against plain sums, and evaluation against numbers worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/text.h"
#include "../support/vectors.h"

static double cosine(const float *a, const float *b, int64_t width)
{
    double ab = 0, aa = 0, bb = 0;
    for (int64_t k = 0; k < width; k++) {
        ab += (double)a[k] * (double)b[k];
        aa += (double)a[k] * (double)a[k];
        bb += (double)b[k] * (double)b[k];
    }
    return ab / sqrt(aa) / sqrt(bb);
}

/* The score that a row must have: positive 3 and 400, negative 77. */
static double expected_score(const float *values, int64_t width, int32_t id, int multiplied)
{
    static const int32_t words[] = {3, 400, 77};
    const float *row = values + id * width;
    double cosines[3], query[64] = {0}, product = 0, square = 0;
    for (int j = 0; j < 3; j++) {
        const float *from = values + words[j] * width;
        double length = 0;
        cosines[j] = cosine(row, from, width);
        for (int64_t k = 0; k < width; k++)
            length += (double)from[k] * (double)from[k];
        for (int64_t k = 0; k < width; k++)
            query[k] += (j < 2 ? 1 : -1) * (double)from[k] / sqrt(length);
    }
    if (multiplied)
        return (1 + cosines[0]) / 2 * ((1 + cosines[1]) / 2) / ((1 + cosines[2]) / 2 + 1e-6);
    for (int64_t k = 0; k < width; k++) {
        product += query[k] * (double)row[k];
        square += query[k] * query[k];
    }
    double length = 0;
    for (int64_t k = 0; k < width; k++)
        length += (double)row[k] * (double)row[k];
    return product / sqrt(square) / sqrt(length);
}

static void neighbours_are_the_nearest(void **state)
{
    (void)state;
    enum { COUNT = 700, WIDTH = 13, TOP = 25 };
    rnnkit_vectors *vectors = vectors_random(text_context, COUNT, WIDTH);
    int64_t count, width, found;
    float *values = vectors_values(vectors, &count, &width), scores[TOP];
    int32_t ids[TOP];
    const int32_t positive[] = {3, 400}, negative[] = {77};
    for (int multiplied = 0; multiplied < 2; multiplied++)
        for (int64_t limit = 10; limit <= COUNT; limit += 345) {
            char options[64];
            snprintf(options, sizeof options, "method=%s restrict=%d", multiplied ? "mul" : "add",
                (int)limit);
            text_ok(rnnkit_vectors_most_similar(
                vectors, positive, 2, negative, 1, options, TOP, ids, scores, &found));
            int64_t others = limit - 1 - (limit > 77) - (limit > 400), better = 0;
            assert_int_equal(found, others < TOP ? others : TOP);
            for (int64_t i = 0; i < found; i++) {
                double expected = expected_score(values, WIDTH, ids[i], multiplied);
                assert_true(fabs((double)scores[i] - expected) < 1e-5 * (1 + fabs(expected)));
                assert_true(i == 0 || scores[i] <= scores[i - 1]);
            }
            for (int32_t id = 0; id < limit; id++)
                if (id != 3 && id != 77 && id != 400)
                    better += expected_score(values, WIDTH, id, multiplied) >
                              (double)scores[found - 1] + 1e-5;
            assert_true(better < found);
        }
    free(values);
    rnnkit_vectors_destroy(vectors);
}

static void a_batch_is_as_single_queries(void **state)
{
    (void)state;
    enum { COUNT = 500, WIDTH = 10, QUERIES = 37, TOP = 6 };
    rnnkit_vectors *vectors = vectors_random(text_context, COUNT, WIDTH);
    float queries[QUERIES * WIDTH], scores[QUERIES * TOP], one[TOP];
    int32_t ids[QUERIES * TOP], alone[TOP];
    uint64_t draws = 3;
    for (int i = 0; i < QUERIES * WIDTH; i++)
        queries[i] = (float)text_draw(&draws, 1000) - 500;
    text_ok(rnnkit_vectors_similar_by_vector(vectors, queries, QUERIES, NULL, TOP, ids, scores));
    for (int q = 0; q < QUERIES; q++) {
        text_ok(rnnkit_vectors_similar_by_vector(
            vectors, queries + q * WIDTH, 1, NULL, TOP, alone, one));
        assert_memory_equal(alone, ids + q * TOP, sizeof alone);
        for (int i = 0; i < TOP; i++)
            assert_true(fabsf(one[i] - scores[q * TOP + i]) < 1e-6f);
    }
    /* a word's own vector finds the word; beyond the last word there is -1 */
    int32_t id = 123, all[COUNT + 2];
    float far[COUNT + 2];
    text_ok(rnnkit_vectors_read(vectors, &id, 1, queries));
    text_ok(rnnkit_vectors_similar_by_vector(vectors, queries, 1, NULL, COUNT + 2, all, far));
    assert_int_equal(all[0], 123);
    assert_true(fabsf(far[0] - 1) < 1e-6f);
    assert_true(all[COUNT - 1] >= 0 && all[COUNT] == -1 && all[COUNT + 1] == -1);
    rnnkit_vectors_destroy(vectors);
}

static const char animals[] =
    "6 2\ncat 1 0.1\ndog 1 0.2\nhorse 1 0.15\nstone 0 1\nRock 0.1 1\nzero 0 0\n";

static void small_questions(void **state)
{
    (void)state;
    rnnkit_vectors *vectors = vectors_of_bytes(text_context, animals, sizeof animals - 1, NULL);
    int32_t id;
    int64_t place, rank;
    double similarity;
    const int32_t words[] = {0, 1, 3, 2}, pets[] = {0, 1}, stones[] = {3, 4};
    text_ok(rnnkit_vectors_doesnt_match(vectors, words, 4, &place));
    assert_int_equal(place, 2);
    text_ok(rnnkit_vectors_rank(vectors, 0, 2, &rank));
    assert_int_equal(rank, 1);
    text_ok(rnnkit_vectors_rank(vectors, 0, 1, &rank));
    assert_int_equal(rank, 2);
    text_ok(rnnkit_vectors_similarity(vectors, 0, 1, &similarity));
    assert_true(fabs(similarity - 1.02 / sqrt(1.01 * 1.04)) < 1e-6);
    text_ok(rnnkit_vectors_similarity(vectors, 0, 5, &similarity));
    assert_true(similarity == 0);
    text_ok(rnnkit_vectors_n_similarity(vectors, pets, 2, stones, 2, &similarity));
    assert_true(fabs(similarity - (2 * 0.1 + 0.3 * 2) / sqrt(4.09 * 4.01)) < 1e-6);
    text_fails(
        rnnkit_vectors_find(vectors, "hrose", -1, &id), RNNKIT_E_NOT_FOUND, "did you mean 'horse'");
    text_fails(
        rnnkit_vectors_find(vectors, "qqqqqqqqqq", -1, &id), RNNKIT_E_NOT_FOUND, "none of the 6");
    rnnkit_vectors_destroy(vectors);
}

/* Evaluation. */

static void pairs_by_hand(void **state)
{
    (void)state;
    static const char lines[] = "# comment\ncat\tdog\t9\nCAT,stone,1\nrock stone 8\r\ncat unheard "
                                "5\nnonsense\na b\nHORSE\tdog\t8.5";
    rnnkit_vectors *vectors = vectors_of_bytes(text_context, animals, sizeof animals - 1, NULL);
    double pearson, spearman;
    int64_t pairs, unknown;
    const char *path = scratch_path("pairs");
    scratch_write(path, lines, sizeof lines - 1);
    text_ok(
        rnnkit_vectors_evaluate_pairs(vectors, path, NULL, &pearson, &spearman, &pairs, &unknown));
    assert_int_equal(pairs, 4);
    assert_int_equal(unknown, 1);
    /* own: .99522 .09950 .99504 .99880: ranks 3 1 2 4; given 9 1 8 8.5: ranks 4 1 2 3 */
    assert_true(fabs(spearman - 0.8) < 1e-9);
    assert_true(pearson > 0.98 && pearson < 1);
    text_ok(rnnkit_vectors_evaluate_pairs(
        vectors, path, "unknown=wrong", &pearson, &spearman, &pairs, &unknown));
    assert_int_equal(pairs, 5);
    text_ok(rnnkit_vectors_evaluate_pairs(
        vectors, path, "restrict=2", &pearson, &spearman, &pairs, &unknown));
    assert_int_equal(pairs, 1);
    assert_int_equal(unknown, 4);
    assert_true(isnan(spearman));
    scratch_write(path, "nothing\n", 8);
    text_fails(rnnkit_vectors_evaluate_pairs(vectors, path, NULL, NULL, NULL, NULL, NULL),
        RNNKIT_E_FORMAT, "no line");
    rnnkit_vectors_destroy(vectors);
}

static void analogies_by_hand(void **state)
{
    (void)state;
    static const char words[] =
        "5 2\nman 1 0\nwoman 0.9 0.9\nking 2 -0.3\nqueen 1.8 0.9\nred -1 -1\n";
    static const char lines[] =
        ": family\nman woman king queen\nMan King Woman Queen\n"
        ": odd\nman woman king red\nman woman king unheard\nthree words here\n";
    rnnkit_vectors *vectors = vectors_of_bytes(text_context, words, sizeof words - 1, NULL);
    char text[256];
    int64_t needed, right, answered;
    const char *path = scratch_path("analogies");
    scratch_write(path, lines, sizeof lines - 1);
    for (int method = 0; method < 2; method++) {
        text_ok(rnnkit_vectors_evaluate_analogies(vectors, path, method ? "method=mul" : NULL, text,
            sizeof text, &needed, &right, &answered));
        assert_string_equal(text, "family\t2\t2\nodd\t0\t1\ntotal\t2\t3\n");
        assert_int_equal(needed, strlen(text) + 1);
        assert_int_equal(right, 2);
        assert_int_equal(answered, 3);
    }
    text_ok(rnnkit_vectors_evaluate_analogies(
        vectors, path, "unknown=wrong", text, sizeof text, &needed, &right, &answered));
    assert_int_equal(answered, 4);
    text_fails(rnnkit_vectors_evaluate_analogies(vectors, path, NULL, text, 3, &needed, NULL, NULL),
        RNNKIT_E_TOO_SMALL, "bytes");
    rnnkit_vectors_destroy(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_the_nearest),
        cmocka_unit_test(a_batch_is_as_single_queries),
        cmocka_unit_test(small_questions),
        cmocka_unit_test(pairs_by_hand),
        cmocka_unit_test(analogies_by_hand),
    };
    return cmocka_run_group_tests(tests, text_open_context, text_close_context);
}
