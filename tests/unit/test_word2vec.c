/* word2vec's insides: the noise table, subsampling and windows against their distributions, text as
 * rows, and runs that must give the same bits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/text.h"
#include "rnnkit/arrays.h"
#include "word2vec/float_text.h"
#include "word2vec/sample.h"
#include "word2vec/word2vec.h"

static rnnkit_context *context;
static rnnkit_tokenizer *tokenizer;

static int open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", "threads=2 seed=5", &context));
    tokenizer = text_tokenizer(context, "punctuation=keep");
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_tokenizer_destroy(tokenizer);
    rnnkit_context_destroy(context);
    return 0;
}

/* `count` words w0, w1, ... of which low numbers are more frequent, `per_line` in a line. */
static char *make_text(int64_t count, int64_t types, int64_t per_line)
{
    char *text = malloc((size_t)count * 8 + 1);
    size_t used = 0;
    uint64_t state = 99;
    assert_non_null(text);
    for (int64_t i = 0; i < count; i++) {
        uint64_t a = text_draw(&state, (uint64_t)types), b = text_draw(&state, a + 1);
        used += (size_t)sprintf(text + used, "w%d%c", (int)b, (i + 1) % per_line == 0 ? '\n' : ' ');
    }
    return text;
}

static rnnkit_vocab *vocab_of(const char *text)
{
    return text_vocab(tokenizer, NULL, text);
}

static rnnkit_word2vec *create(rnnkit_vocab *vocab, const char *options, const char *text)
{
    rnnkit_word2vec *word2vec;
    text_ok(rnnkit_word2vec_create(vocab, options, &word2vec));
    text_ok(rnnkit_word2vec_push(word2vec, text, -1));
    return word2vec;
}

static uint64_t bits_of(const rnnkit_word2vec *word2vec)
{
    size_t size = (size_t)(word2vec->size * word2vec->stride) * sizeof(float);
    return rki_hash_bytes(word2vec->output, size, rki_hash_bytes(word2vec->input, size, 0));
}

/* The noise table. */

static void noise_follows_the_counts(void **state)
{
    (void)state;
    static const double powers[] = {0.75, 1, 0, -0.5};
    char *text = make_text(5000, 200, 10);
    rnnkit_vocab *vocab = vocab_of(text);
    for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
        rki_w2v_noise noise;
        text_ok(rki_w2v_noise_init(&noise, vocab, powers[p]));
        double *share = calloc((size_t)noise.size, sizeof *share), total = 0;
        for (int64_t i = 0; i < noise.size; i++) {
            double own = ((double)(uint32_t)noise.limits[i] + 1) / 4294967296.0;
            share[i] += own / (double)noise.size;
            share[noise.aliases[i]] += (1 - own) / (double)noise.size;
            total += pow((double)vocab->words.words[i + 2].count, powers[p]);
        }
        for (int64_t i = 0; i < noise.size; i++) {
            double expected = pow((double)vocab->words.words[i + 2].count, powers[p]) / total;
            assert_true(fabs(share[i] - expected) < 1e-8);
        }
        free(share);
        rki_w2v_noise_release(&noise, vocab->words.memory);
    }
    rnnkit_vocab_destroy(vocab);
    free(text);
}

/* Within five standard deviations. */
static void assert_share(int64_t hits, int64_t trials, double expected)
{
    double deviation = sqrt(expected * (1 - expected) / (double)trials) + 1e-9;
    if (fabs((double)hits / (double)trials - expected) > 5 * deviation)
        fail_msg(
            "%lld of %lld, expected a share of %g", (long long)hits, (long long)trials, expected);
}

/* Behind the last word of a group, which is of one sentence and has no word twice. */
static int64_t group_end(const rki_w2v_sample *sample, int64_t g)
{
    int64_t first = sample->starts[g], end = first + 1;
    while (end < sample->starts[g + 1] && sample->words[end] >= 0)
        end++;
    assert_true(end - first <= RKI_WORD2VEC_GROUP);
    assert_true(end - first == 1 || sample->words[first] != sample->words[first + 1]);
    return end;
}

/* Draws all blocks of the first epoch and counts what happened. */
static void draws_follow_their_distributions(void **state)
{
    (void)state;
    enum { TYPES = 40, WINDOW = 4 };
    char *text = make_text(200000, TYPES, 1000);
    rnnkit_vocab *vocab = vocab_of(text);
    rnnkit_word2vec *word2vec =
        create(vocab, "dimension=4 window=4 negative=2 sample=0.01 threads=1", text);
    text_ok(rnnkit_word2vec_step(word2vec)); /* ends the text */
    word2vec->place.epoch = 0;
    rki_w2v_sample sample;
    int64_t kept[TYPES + 1] = {0}, drawn[TYPES + 1] = {0}, grouped[TYPES] = {0},
                         reach[WINDOW + 1] = {0}, inner = 0, noise = 0;
    double total = 0, own = 0;
    text_ok(rki_w2v_sample_init(&sample, word2vec));
    for (int64_t block = 0; block < rki_w2v_blocks(word2vec); block++) {
        text_ok(rki_w2v_sample_draw(&sample, word2vec, block));
        for (int64_t g = 0; g < sample.groups; g++) {
            if (sample.noise[g] >= 0) drawn[sample.noise[g]]++;
            for (int64_t i = sample.starts[g]; i < group_end(&sample, g); i++)
                grouped[sample.words[i]]++;
        }
        noise += sample.groups;
        for (int64_t i = sample.first; i < sample.last; i++) {
            if (sample.words[i] < 0) continue;
            kept[sample.words[i]]++;
            assert_int_equal(sample.targets[i], word2vec->rows[sample.words[i]]);
            if (i < WINDOW || i + WINDOW >= sample.kept) continue;
            int rim = 0;
            for (int64_t j = i - WINDOW; j <= i + WINDOW; j++)
                rim |= sample.words[j] < 0;
            if (rim) continue;
            assert_int_equal(sample.left[i], sample.right[i]);
            reach[sample.left[i]]++;
            inner++;
        }
    }
    for (int i = 0; i < TYPES; i++)
        total += pow((double)vocab->words.words[i + 2].count, 0.75);
    for (int i = 0; i < TYPES; i++) {
        int64_t count = vocab->words.words[i + 2].count;
        double ratio = 0.01 * (double)vocab->tokens / (double)count;
        assert_share(kept[i], count, fmin(1, sqrt(ratio) + ratio));
        /* the first noise word is dropped where it is a word of the group */
        own = pow((double)count, 0.75) / total;
        assert_share(drawn[word2vec->rows[i]], noise - kept[i], own);
        assert_int_equal(grouped[i], kept[i]);
    }
    for (int b = 1; b <= WINDOW; b++)
        assert_share(reach[b], inner, 1.0 / WINDOW);
    assert_int_equal(reach[0], 0);
    rki_w2v_sample_release(&sample, rki_w2v_memory(word2vec));
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_vocab_destroy(vocab);
    free(text);
}

static void the_papers_formula(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = vocab_of("a a a a a a a b b c");
    int32_t *limits;
    text_ok(rki_w2v_keep_limits(vocab, 0.1, RKI_W2V_FORMULA_PAPER, &limits));
    assert_int_equal(limits[0], -1);
    assert_true(fabs((double)(uint32_t)limits[1] / 4294967296.0 - sqrt(0.1 / 0.7)) < 1e-9);
    assert_true(fabs((double)(uint32_t)limits[2] / 4294967296.0 - sqrt(0.1 / 0.2)) < 1e-9);
    assert_int_equal(limits[3], -1);
    rki_release(vocab->words.memory, limits);
    rnnkit_vocab_destroy(vocab);
}

/* Text as rows. */

static void expect_rows(rnnkit_word2vec *word2vec, const char *expected)
{
    char found[256] = "";
    int32_t rows[64];
    assert_true(word2vec->text.count <= 64);
    text_ok(rki_idstore_copy(&word2vec->text, 0, rows, word2vec->text.count));
    for (int64_t i = 0; i < word2vec->text.count; i++)
        strcat(found, rows[i] < 0 ? "|" : &"a\0b\0c\0d\0"[2 * rows[i]]);
    assert_string_equal(found, expected);
}

static void lines_are_sentences(void **state)
{
    (void)state;
    rnnkit_vocab *vocab = vocab_of("a a a a b b b c c d");
    const char *path = scratch_path("text");
    rnnkit_word2vec *word2vec = create(vocab, "dimension=4", "a b x\n\n\nx y\nc ");
    scratch_write(path, "d\r\na", 4);
    text_ok(rnnkit_word2vec_push(word2vec, "d a", -1));
    text_ok(rnnkit_word2vec_push_file(word2vec, path));
    text_ok(rnnkit_word2vec_push(word2vec, "b", 1));
    text_ok(rnnkit_word2vec_push(word2vec, "\nb", 2));
    text_ok(rnnkit_word2vec_step(word2vec));
    expect_rows(word2vec, "ab|cda|d|a|b|b|");
    rnnkit_word2vec_destroy(word2vec);
    word2vec = create(vocab, "dimension=4 sentence=text", "a b\nc\n");
    text_ok(rnnkit_word2vec_step(word2vec));
    expect_rows(word2vec, "abc|");
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_vocab_destroy(vocab);
}

/* However the text comes, the same rows. */
static void pieces_do_not_matter(void **state)
{
    (void)state;
    enum { SIZE = 6000 };
    static const char *const kinds[] = {"punctuation=keep invalid=replace lowercase=1",
        "punctuation=tokens invalid=skip normalize=nfkc", "unit=char invalid=replace", "unit=byte"};
    char *text = malloc(SIZE);
    uint64_t draws = 3;
    text_random(&draws, 1, text, SIZE);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        rnnkit_tokenizer *other = text_tokenizer(context, kinds[k]);
        rnnkit_vocab *vocab;
        rnnkit_word2vec *whole, *parts;
        text_ok(rnnkit_vocab_create(other, NULL, &vocab));
        text_ok(rnnkit_vocab_push(vocab, text, SIZE));
        text_ok(rnnkit_vocab_finish(vocab));
        text_ok(rnnkit_word2vec_create(vocab, "dimension=4 epochs=1", &whole));
        text_ok(rnnkit_word2vec_create(vocab, "dimension=4 epochs=1", &parts));
        text_ok(rnnkit_word2vec_push(whole, text, SIZE));
        for (size_t i = 0, n; i < SIZE; i += n) {
            n = 1 + text_draw(&draws, 50);
            if (n > SIZE - i) n = SIZE - i;
            text_ok(rnnkit_word2vec_push(parts, text + i, (int64_t)n));
        }
        text_ok(rnnkit_word2vec_train(whole, NULL, NULL));
        text_ok(rnnkit_word2vec_train(parts, NULL, NULL));
        assert_int_equal(whole->place.tokens, parts->place.tokens);
        assert_true(whole->place.hash == parts->place.hash);
        rnnkit_word2vec_destroy(whole);
        rnnkit_word2vec_destroy(parts);
        rnnkit_vocab_destroy(vocab);
        rnnkit_tokenizer_destroy(other);
    }
    free(text);
}

/* The same bits. */

static uint64_t train_bits(rnnkit_vocab *vocab, const char *options, const char *text)
{
    rnnkit_word2vec *word2vec = create(vocab, options, text);
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    uint64_t bits = bits_of(word2vec);
    rnnkit_word2vec_destroy(word2vec);
    return bits;
}

static void deterministic_for_every_number_of_threads(void **state)
{
    (void)state;
    static const char *const kinds[] = {"", "architecture=cbow", "negative=9 window=3 shrink=0",
        "architecture=cbow cbow_gradient=word2vec negative=1"};
    char *text = make_text(60000, 500, 23);
    rnnkit_vocab *vocab = vocab_of(text);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        uint64_t first = 0;
        for (int threads = 1; threads <= 5; threads += 2) {
            char options[160];
            snprintf(options, sizeof options, "dimension=20 epochs=2 deterministic=1 threads=%d %s",
                threads, kinds[k]);
            uint64_t bits = train_bits(vocab, options, text);
            if (threads == 1) first = bits;
            assert_true(bits == first);
        }
    }
    rnnkit_vocab_destroy(vocab);
    free(text);
}

static void one_thread_repeats_itself(void **state)
{
    (void)state;
    char *text = make_text(30000, 300, 31);
    rnnkit_vocab *vocab = vocab_of(text);
    uint64_t first = train_bits(vocab, "dimension=20 threads=1 epochs=2", text);
    assert_true(first == train_bits(vocab, "dimension=20 threads=1 epochs=2", text));
    assert_true(first != train_bits(vocab, "dimension=20 threads=1 epochs=2 seed=6", text));
    rnnkit_vocab_destroy(vocab);
    free(text);
}

static void stopped_and_resumed_is_the_same(void **state)
{
    (void)state;
    static const char *const kinds[] = {"threads=1", "threads=2 deterministic=1"};
    char *text = make_text(700000, 300, 31);
    rnnkit_vocab *vocab = vocab_of(text);
    for (size_t k = 0; k < 2; k++) {
        char options[96];
        snprintf(options, sizeof options, "dimension=8 negative=2 epochs=2 %s", kinds[k]);
        uint64_t whole = train_bits(vocab, options, text);
        rnnkit_word2vec *word2vec = create(vocab, options, text);
        for (int i = 0; i < 3; i++)
            assert_int_equal(rnnkit_word2vec_step(word2vec), RNNKIT_OK);
        const char *path = scratch_path("state");
        text_ok(rnnkit_word2vec_save(word2vec, path));
        rnnkit_word2vec_destroy(word2vec);
        text_ok(rnnkit_word2vec_open(context, path, kinds[k], &word2vec));
        text_ok(rnnkit_word2vec_push(word2vec, text, -1));
        text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
        assert_true(bits_of(word2vec) == whole);
        rnnkit_word2vec_destroy(word2vec);
    }
    rnnkit_vocab_destroy(vocab);
    free(text);
}

/* In a file a word's output row is where its vector is: files know nothing of the order in memory. */
static void a_state_is_in_the_order_of_words(void **state)
{
    (void)state;
    enum { TYPES = 300, WIDTH = 8 };
    char *text = make_text(20000, TYPES, 31);
    rnnkit_vocab *vocab = vocab_of(text);
    rnnkit_word2vec *word2vec = create(vocab, "dimension=8 threads=1 epochs=1", text);
    text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
    const char *path = scratch_path("state");
    text_ok(rnnkit_word2vec_save(word2vec, path));
    rnnkit_arrays *arrays;
    text_ok(rnnkit_arrays_open(context, path, &arrays));
    int taken[TYPES] = {0};
    assert_in_range(word2vec->size, TYPES / 2, TYPES);
    for (int64_t i = 0; i < word2vec->size; i++) {
        int64_t row = word2vec->rows[i];
        float values[WIDTH];
        assert_in_range(row, 0, word2vec->size - 1);
        assert_int_equal(taken[row]++, 0);
        if (i > 0) assert_true(llabs(row - word2vec->rows[i - 1]) > 1);
        text_ok(rnnkit_arrays_read(arrays, "output", i * WIDTH, values, WIDTH));
        assert_memory_equal(values, word2vec->output + row * word2vec->stride, sizeof values);
    }
    rnnkit_arrays_destroy(arrays);
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_vocab_destroy(vocab);
    free(text);
}

/* Memory on disk gives the same rows. */
static void spilled_text_is_the_same(void **state)
{
    (void)state;
    char *text = make_text(400000, 300, 31);
    rnnkit_vocab *vocab = vocab_of(text);
    uint64_t first = train_bits(vocab, "dimension=4 threads=1 epochs=1", text);
    assert_true(first == train_bits(vocab, "dimension=4 threads=1 epochs=1 memory=1", text));
    assert_true(first == train_bits(vocab, "dimension=4 threads=1 epochs=1 memory=0", text));
    rnnkit_vocab_destroy(vocab);
    free(text);
}

/* Learning: words that stand together come to be alike. */
static void the_loss_falls_and_neighbours_are_found(void **state)
{
    (void)state;
    enum { LINES = 4000 };
    static const char *const topics[2][6] = {{"cat", "dog", "horse", "cow", "sheep", "pig"},
        {"red", "green", "blue", "black", "white", "pink"}};
    char *text = malloc(LINES * 64);
    size_t used = 0;
    uint64_t draws = 17;
    for (int i = 0; i < LINES; i++)
        for (int j = 0; j < 8; j++)
            used += (size_t)sprintf(
                text + used, "%s%c", topics[i % 2][text_draw(&draws, 6)], j == 7 ? '\n' : ' ');
    rnnkit_vocab *vocab = vocab_of(text);
    static const char *const kinds[] = {"deterministic=1", "threads=1", "architecture=cbow"};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char options[128];
        double loss, first;
        rnnkit_vectors *vectors;
        int32_t cat, dog, red;
        double alike, apart;
        snprintf(options, sizeof options, "dimension=16 sample=0 epochs=8 %s", kinds[k]);
        rnnkit_word2vec *word2vec = create(vocab, options, text);
        text_ok(rnnkit_word2vec_step(word2vec));
        text_ok(rnnkit_word2vec_progress(word2vec, NULL, NULL, NULL, &first, NULL));
        text_ok(rnnkit_word2vec_train(word2vec, NULL, NULL));
        text_ok(rnnkit_word2vec_progress(word2vec, NULL, NULL, NULL, &loss, NULL));
        if (!(loss < first - 0.01)) fail_msg("%s: loss %g, at first %g", kinds[k], loss, first);
        text_ok(rnnkit_word2vec_vectors(word2vec, NULL, &vectors));
        text_ok(rnnkit_vectors_find(vectors, "cat", -1, &cat));
        text_ok(rnnkit_vectors_find(vectors, "dog", -1, &dog));
        text_ok(rnnkit_vectors_find(vectors, "red", -1, &red));
        text_ok(rnnkit_vectors_similarity(vectors, cat, dog, &alike));
        text_ok(rnnkit_vectors_similarity(vectors, cat, red, &apart));
        assert_true(alike > apart + 0.5);
        rnnkit_vectors_destroy(vectors);
        rnnkit_word2vec_destroy(word2vec);
    }
    rnnkit_vocab_destroy(vocab);
    free(text);
}

/* Numbers as text. */

static void floats_read_back(void **state)
{
    (void)state;
    static const float values[] = {0, 1, -1, 0.1f, 1e-45f, 1.17549435e-38f, 3.40282347e38f,
        16777216, 0.3333333f, 123456.789f, 1e10f, 9.999999e22f, 1e-5f, 0.000123f, -7.5e-9f};
    uint64_t draws = 5;
    for (int i = 0; i < 300000; i++) {
        float value, back;
        char text[RKI_FLOAT_TEXT + 1];
        uint32_t bits = (uint32_t)text_draw(&draws, (uint64_t)1 << 32);
        memcpy(&value, &bits, sizeof value);
        if (i < (int)(sizeof values / sizeof *values)) value = values[i];
        if (!isfinite(value)) continue;
        size_t size = rki_float_write(value, text);
        assert_true(size < sizeof text);
        text[size] = '\0';
        assert_true(strtof(text, NULL) == value);
        assert_true(rki_float_read(text, size, &back) && back == value);
        assert_int_equal(signbit(back) != 0, signbit(value) != 0);
        /* no fewer digits would do */
        char shorter[64];
        size_t digits = 0, seen = 0;
        for (size_t j = 0; j < size && text[j] != 'e'; j++) {
            seen += text[j] >= '0' && text[j] <= '9' && (seen > 0 || text[j] != '0');
            if (text[j] >= '1' && text[j] <= '9') digits = seen;
        }
        if (digits < 2 || fabsf(value) > 1e6f) continue; /* there, ties take a digit more */
        snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, (double)value);
        if (strtof(shorter, NULL) == value) fail_msg("%s is longer than %s", text, shorter);
    }
}

static void other_spellings_of_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {{"1", 1}, {"+1.5", 1.5}, {"-.25", -.25}, {"1.", 1}, {"1e3", 1e3}, {"1E-3", 1e-3},
        {"0x10", 16}, {"00012", 12},
        {"123456789012345678901234567890", 123456789012345678901234567890.0}, {"1e-50", 0},
        {"0.00000000000000000000000000000000000000000000001e47", 1}};
    static const char *const bad[] = {"", "-", ".", "e5", "1e", "1.2.3", "1 ", " 1", "1,5", "nan",
        "inf", "1e39", "-1e400", "abc", "1e+"};
    float value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!rki_float_read(good[i].text, strlen(good[i].text), &value))
            fail_msg("%s was not read", good[i].text);
        assert_true(value == (float)good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (rki_float_read(bad[i], strlen(bad[i]), &value)) fail_msg("%s was read", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_follows_the_counts),
        cmocka_unit_test(draws_follow_their_distributions),
        cmocka_unit_test(the_papers_formula),
        cmocka_unit_test(lines_are_sentences),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(deterministic_for_every_number_of_threads),
        cmocka_unit_test(one_thread_repeats_itself),
        cmocka_unit_test(stopped_and_resumed_is_the_same),
        cmocka_unit_test(a_state_is_in_the_order_of_words),
        cmocka_unit_test(spilled_text_is_the_same),
        cmocka_unit_test(the_loss_falls_and_neighbours_are_found),
        cmocka_unit_test(floats_read_back),
        cmocka_unit_test(other_spellings_of_numbers),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
