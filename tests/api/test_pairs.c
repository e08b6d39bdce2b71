/* Pairs and noise words: what is paired, how often, and everything that can go wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/text.h"

static rnnkit_context *context;
static rnnkit_tokenizer *tokenizer;
static rnnkit_vocab *vocab; /* a 2, b 3, c 4, d 5 */

static int open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", NULL, &context));
    tokenizer = text_tokenizer(context, "punctuation=keep");
    vocab = text_vocab(tokenizer, NULL, "a a a a a a a a b b b b c c d");
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_vocab_destroy(vocab);
    rnnkit_tokenizer_destroy(tokenizer);
    rnnkit_context_destroy(context);
    return 0;
}

/* All pairs of an epoch, as letters: "ab ba". */
static void read_epoch(rnnkit_pairs *pairs, char *out)
{
    const int32_t *inputs, *targets;
    int64_t count;
    int32_t status;
    size_t used = 0;
    while ((status = rnnkit_pairs_next(pairs, &inputs, &targets, &count)) == RNNKIT_OK)
        for (int64_t i = 0; i < count; i++) {
            if (used > 0) out[used++] = ' ';
            out[used++] = (char)('a' + inputs[i] - 2);
            out[used++] = (char)('a' + targets[i] - 2);
        }
    assert_int_equal(status, RNNKIT_DONE);
    out[used] = '\0';
}

static void neighbours_are_paired(void **state)
{
    (void)state;
    static const char *const batches[] = {"1", "2", "3", "512"};
    rnnkit_tokens *tokens = text_tokens(vocab, NULL, "a unheard b c d");
    for (size_t i = 0; i < 4; i++) {
        char options[64] = "window=2 shrink=0 batch=", found[128];
        rnnkit_pairs *pairs;
        strcat(options, batches[i]);
        text_ok(rnnkit_pairs_create(tokens, options, &pairs));
        for (int epoch = 0; epoch < 2; epoch++) {
            read_epoch(pairs, found);
            assert_string_equal(found, "ab ac ba bc bd ca cb cd db dc");
            text_ok(rnnkit_pairs_rewind(pairs));
        }
        rnnkit_pairs_destroy(pairs);
    }
    rnnkit_tokens_destroy(tokens);
}

/* Draws depend on the place, not on the batches. */
static void batches_do_not_matter(void **state)
{
    (void)state;
    enum { WORDS = 5000 };
    char *text = malloc(2 * WORDS + 1), *one = malloc(WORDS * 40), *two = malloc(WORDS * 40);
    uint64_t draws = 1;
    assert_true(text != NULL && one != NULL && two != NULL);
    for (int i = 0; i < WORDS; i++) {
        text[2 * i] = (char)('a' + text_draw(&draws, 4));
        text[2 * i + 1] = ' ';
    }
    text[2 * WORDS] = '\0';
    rnnkit_tokens *tokens = text_tokens(vocab, NULL, text);
    rnnkit_pairs *small, *large;
    text_ok(rnnkit_pairs_create(tokens, "window=3 sample=0.05 batch=7", &small));
    text_ok(rnnkit_pairs_create(tokens, "window=3 sample=0.05 batch=4000", &large));
    read_epoch(small, one);
    read_epoch(large, two);
    assert_string_equal(one, two);
    assert_true(strlen(one) > 1000);
    text_ok(rnnkit_pairs_rewind(large));
    read_epoch(large, two);
    assert_string_not_equal(one, two);
    rnnkit_pairs_destroy(small);
    rnnkit_pairs_destroy(large);
    rnnkit_tokens_destroy(tokens);
    free(text);
    free(one);
    free(two);
}

/* What is left of the stream: all words without thinning, else each with the probability of
 * word2vec.c or of the paper, in another way in another epoch. */
static void words_are_thinned_out(void **state)
{
    (void)state;
    enum { TIMES = 4000 };
    static const char *const options[] = {
        "batch=100", "batch=7 sample=0.05", "batch=1000 sample=0.05 subsampling=paper"};
    char *text = malloc(30 * TIMES + 1);
    assert_non_null(text);
    for (int i = 0; i < TIMES; i++)
        memcpy(text + 30 * i, "a b a c a b a d a b a c a b a ", 31);
    rnnkit_tokens *tokens = text_tokens(vocab, NULL, text);
    for (int o = 0; o < 3; o++) {
        const int32_t *inputs, *targets, *words;
        int64_t count, kept[2][4] = {{0}}, all[4] = {8, 4, 2, 1};
        rnnkit_pairs *pairs;
        text_ok(rnnkit_pairs_create(tokens, options[o], &pairs));
        for (int epoch = 0; epoch < 2; epoch++) {
            text_ok(rnnkit_pairs_words(pairs, &words, &count));
            assert_int_equal(count, 0);
            while (rnnkit_pairs_next(pairs, &inputs, &targets, &count) == RNNKIT_OK) {
                text_ok(rnnkit_pairs_words(pairs, &words, &count));
                for (int64_t i = 0; i < count; i++)
                    kept[epoch][words[i] - 2]++;
            }
            text_ok(rnnkit_pairs_rewind(pairs));
        }
        for (int i = 0; i < 4; i++) {
            /* the vocabulary counted 15 words in these shares */
            double ratio = 0.05 * 15 / (double)all[i], share = sqrt(ratio) + (o == 1 ? ratio : 0);
            if (o == 0 || share > 1) share = 1;
            double trials = (double)(all[i] * TIMES);
            double deviation = sqrt(share * (1 - share) / trials) + 1e-9;
            assert_true(fabs((double)kept[0][i] / trials - share) < 5 * deviation);
        }
        if (o > 0) assert_memory_not_equal(kept[0], kept[1], sizeof kept[0]);
        rnnkit_pairs_destroy(pairs);
    }
    rnnkit_tokens_destroy(tokens);
    free(text);
}

static void noise_follows_the_counts(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    static const double counts[] = {8, 4, 2, 1};
    rnnkit_noise *noise;
    int32_t *ids = malloc(DRAWS * sizeof *ids);
    int64_t hits[6] = {0};
    double total = 0;
    assert_non_null(ids);
    text_ok(rnnkit_noise_create(vocab, "power=0.5", &noise));
    text_ok(rnnkit_noise_draw(noise, DRAWS / 2, ids));
    text_ok(rnnkit_noise_draw(noise, DRAWS / 2, ids + DRAWS / 2));
    for (int i = 0; i < DRAWS; i++) {
        assert_in_range(ids[i], 2, 5);
        hits[ids[i]]++;
    }
    for (int i = 0; i < 4; i++)
        total += sqrt(counts[i]);
    for (int i = 0; i < 4; i++) {
        double share = sqrt(counts[i]) / total;
        double deviation = sqrt(share * (1 - share) / DRAWS);
        assert_true(fabs((double)hits[2 + i] / DRAWS - share) < 5 * deviation);
    }
    rnnkit_noise_destroy(noise);
    free(ids);
}

static void bad_arguments(void **state)
{
    (void)state;
    rnnkit_tokens *tokens = text_tokens(vocab, NULL, "a b"), *unfinished;
    rnnkit_pairs *pairs, *none = NULL;
    rnnkit_noise *noise, *no_noise = NULL;
    const int32_t *ids;
    int32_t id = 9;
    int64_t count;
    text_ok(rnnkit_tokens_create(vocab, NULL, &unfinished));
    text_fails(rnnkit_pairs_create(NULL, NULL, &none), RNNKIT_E_HANDLE, "tokens");
    text_fails(rnnkit_pairs_create(unfinished, NULL, &none), RNNKIT_E_ORDER, "not finished");
    text_fails(rnnkit_pairs_create(tokens, NULL, NULL), RNNKIT_E_ARGUMENT, "out");
    text_fails(
        rnnkit_pairs_create(tokens, "windows=3", &none), RNNKIT_E_OPTION, "did you mean 'window'");
    text_ok(rnnkit_pairs_create(tokens, NULL, &pairs));
    text_fails(rnnkit_pairs_next(pairs, NULL, &ids, &count), RNNKIT_E_ARGUMENT, "inputs");
    text_fails(rnnkit_pairs_next(pairs, &ids, NULL, &count), RNNKIT_E_ARGUMENT, "targets");
    text_fails(rnnkit_pairs_next(pairs, &ids, &ids, NULL), RNNKIT_E_ARGUMENT, "count");
    text_fails(rnnkit_pairs_next(NULL, &ids, &ids, &count), RNNKIT_E_HANDLE, "pairs");
    text_fails(rnnkit_pairs_words(NULL, &ids, &count), RNNKIT_E_HANDLE, "pairs");
    text_fails(rnnkit_pairs_words(pairs, NULL, &count), RNNKIT_E_ARGUMENT, "words");
    text_fails(rnnkit_pairs_words(pairs, &ids, NULL), RNNKIT_E_ARGUMENT, "count");
    text_fails(rnnkit_pairs_rewind(NULL), RNNKIT_E_HANDLE, "pairs");
    text_fails(rnnkit_noise_create(NULL, NULL, &no_noise), RNNKIT_E_HANDLE, "vocab");
    text_fails(rnnkit_noise_create(vocab, "power=x", &no_noise), RNNKIT_E_OPTION, "power");
    text_fails(rnnkit_noise_create(vocab, NULL, NULL), RNNKIT_E_ARGUMENT, "out");
    text_ok(rnnkit_noise_create(vocab, NULL, &noise));
    text_fails(rnnkit_noise_draw(noise, 1, NULL), RNNKIT_E_ARGUMENT, "ids");
    text_fails(rnnkit_noise_draw(noise, -1, &id), RNNKIT_E_ARGUMENT, "below 0");
    text_fails(rnnkit_noise_draw((rnnkit_noise *)(void *)pairs, 1, &id), RNNKIT_E_HANDLE, "noise");
    assert_true(none == NULL && no_noise == NULL && id == 9);
    rnnkit_pairs_destroy(pairs);
    rnnkit_pairs_destroy(NULL);
    rnnkit_noise_destroy(noise);
    rnnkit_noise_destroy(NULL);
    rnnkit_tokens_destroy(unfinished);
    rnnkit_tokens_destroy(tokens);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_paired),
        cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(words_are_thinned_out),
        cmocka_unit_test(noise_follows_the_counts),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
