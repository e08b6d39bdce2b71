/* The generator's text, in each unit: together with what was primed it is what decoding all ids
 * gives; stop texts end it wherever tokens part; specials; and wrong arguments. The models are
 * untrained, or told by a bias what to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/text.h"

enum { WIDTH = 4, TOKENS = 120, ROOM = 8192, MOST_WORDS = 300 };

static const char corpus[] = "jerry: \"so what\" is the deal (with the train)? it stops; it goes!\n"
                             "george: caf\xC3\xA9 - the \xE6\xBC\xA2 train, jerry.\n\n"
                             "\xF0\x9F\x98\x80 kramer: \"the bus\"...\n";

static rnnkit_context *context;

/* A language model over the corpus. */
typedef struct language {
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    int64_t words;
} language;

static int open_context(void **state)
{
    (void)state;
    text_ok(rnnkit_context_create("cpu", "threads=1", &context));
    return 0;
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_context_destroy(context);
    return 0;
}

static language make(const char *tokenizer, const char *vocab)
{
    language to = {0};
    to.tokenizer = text_tokenizer(context, tokenizer);
    to.vocab = text_vocab(to.tokenizer, vocab, corpus);
    text_ok(rnnkit_vocab_size(to.vocab, &to.words, NULL));
    assert_in_range(to.words, 2, MOST_WORDS);
    text_ok(rnnkit_model_create(context, &to.model));
    text_ok(rnnkit_embedding_create(to.model, "e", to.words, WIDTH, NULL, &to.embedding));
    text_ok(rnnkit_lstm_create(to.model, "r", WIDTH, WIDTH, NULL, &to.lstm));
    text_ok(rnnkit_linear_create(to.model, "o", WIDTH, to.words, NULL, &to.linear));
    return to;
}

static void drop(language *from)
{
    rnnkit_tokenizer_destroy(from->tokenizer);
    rnnkit_vocab_destroy(from->vocab);
    rnnkit_model_destroy(from->model);
    rnnkit_embedding_destroy(from->embedding);
    rnnkit_rnn_destroy(from->lstm);
    rnnkit_linear_destroy(from->linear);
}

static rnnkit_generator *generate(const language *with, const char *options)
{
    rnnkit_generator *generator;
    text_ok(rnnkit_generator_create(
        with->embedding, with->lstm, with->linear, with->vocab, options, &generator));
    return generator;
}

/* Sets the bias of some ids, from `first` on, and 0 for all others. */
static void prefer(const language *with, int32_t first, const float *values, int64_t count)
{
    float bias[MOST_WORDS] = {0};
    memcpy(bias + first, values, (size_t)count * sizeof *values);
    text_ok(rnnkit_model_parameter_write(with->model, "o.bias", bias, with->words));
}

static int32_t id_of(const language *with, const char *word)
{
    int32_t id;
    text_ok(rnnkit_vocab_find(with->vocab, word, -1, &id));
    return id;
}

/* Takes what is ready; returns its size. */
static int64_t take(rnnkit_generator *generator, char *to)
{
    int64_t needed, again;
    int32_t status = rnnkit_generator_text(generator, NULL, 0, &needed);
    text_fails(status, RNNKIT_E_TOO_SMALL, "bytes");
    text_ok(rnnkit_generator_text(generator, to, needed, &again));
    assert_int_equal(needed, again);
    assert_int_equal(to[needed - 1], '\0');
    return needed - 1;
}

/* Draws to the end, with the text in pieces; returns how many tokens came. */
static int64_t write(rnnkit_generator *generator, int32_t *ids, char *text, int64_t *size)
{
    int64_t count = 0;
    int32_t status, id;
    while ((status = rnnkit_generator_next(generator, &id)) == RNNKIT_OK) {
        if (ids != NULL) ids[count] = id;
        count++;
        if (count % 3 != 0) *size += take(generator, text + *size);
    }
    assert_int_equal(status, RNNKIT_DONE);
    *size += take(generator, text + *size);
    assert_int_equal(take(generator, text + *size), 0);
    return count;
}

static void expect_decoded(
    const language *with, const int32_t *ids, int64_t count, const char *text, int64_t size)
{
    static char expected[ROOM];
    int64_t needed;
    text_ok(rnnkit_vocab_decode(with->vocab, ids, count, expected, ROOM, &needed));
    assert_int_equal(size, needed - 1);
    assert_memory_equal(text, expected, (size_t)size);
}

static void test_text_is_the_ids_text(void **state)
{
    (void)state;
    static const char *const tokenizers[] = {
        "lowercase=1", "punctuation=keep", "unit=char", "unit=byte"};
    static char text[ROOM];
    for (size_t k = 0; k < sizeof tokenizers / sizeof *tokenizers; k++) {
        language with = make(tokenizers[k], NULL);
        for (int seed = 0; seed < 20; seed++) {
            char options[64];
            int32_t ids[TOKENS + 3] = {3, (int32_t)with.words - 1, 4};
            int64_t size;
            snprintf(options, sizeof options, "seed=%d length=%d", seed, TOKENS);
            rnnkit_generator *generator = generate(&with, options);
            text_ok(rnnkit_generator_prime_ids(generator, ids, 3));
            text_ok(rnnkit_vocab_decode(with.vocab, ids, 3, text, ROOM, &size));
            size--;
            assert_int_equal(write(generator, ids + 3, text, &size), TOKENS);
            expect_decoded(&with, ids, TOKENS + 3, text, size);
            rnnkit_generator_destroy(generator);
        }
        drop(&with);
    }
}

static void expect_start(const language *with, const char *prime, const char *expected)
{
    char text[ROOM];
    int64_t size = 0;
    rnnkit_generator *generator = generate(with, "length=1");
    text_ok(rnnkit_generator_prime(generator, prime, -1));
    write(generator, NULL, text, &size);
    if (size != (int64_t)strlen(expected) || memcmp(text, expected, (size_t)size) != 0)
        fail_msg("behind \"%s\" comes \"%s\", expected \"%s\"", prime, text, expected);
    rnnkit_generator_destroy(generator);
}

static void test_spacing_behind_the_prime(void **state)
{
    (void)state;
    const float much = 100;
    language with = make(NULL, NULL);
    prefer(&with, id_of(&with, "train"), &much, 1);
    expect_start(&with, "the", " train");
    expect_start(&with, "the ", "train");
    expect_start(&with, "the\t", "train");
    expect_start(&with, "the\xE3\x80\x80", "train"); /* U+3000 */
    expect_start(&with, "the \xE6\xBC\xA2", " train");
    expect_start(&with, "the (", "train");
    expect_start(&with, "the)", " train");
    expect_start(&with, "so \"", "train");
    expect_start(&with, "so \"what\"", " train");
    expect_start(&with, "jerry:\n", "train");
    expect_start(&with, "no such word", " train");
    prefer(&with, id_of(&with, "||comma||"), &much, 1);
    expect_start(&with, "the", ",");
    prefer(&with, id_of(&with, "||quotation_mark||"), &much, 1);
    expect_start(&with, "so", " \"");
    expect_start(&with, "so \"what", "\"");
    drop(&with);
    with = make("unit=char", NULL);
    prefer(&with, id_of(&with, "t"), &much, 1);
    expect_start(&with, "the", "t");
    expect_start(&with, "the ", "t");
    drop(&with);
}

/* Any piece of what comes without stop texts, taken as one, ends the text before its first place.
 * The ids are those of the tokens before the one that completes it. */
static void check_stop(const language *with, const char *whole, int64_t size, const int32_t *ids,
    int64_t from, int64_t length)
{
    char stop[16] = {0}, options[64], text[ROOM];
    int32_t got[TOKENS];
    int64_t needed, given = 0;
    memcpy(stop, whole + from, (size_t)length);
    if (strlen(stop) != (size_t)length) return; /* a NUL in it */
    const char *place = memmem(whole, (size_t)size, stop, (size_t)length);
    snprintf(options, sizeof options, "seed=4 length=%d", TOKENS);
    rnnkit_generator *generator = generate(with, options);
    int32_t status = rnnkit_generator_stop_at(generator, stop);
    if (status < 0) { /* part of a character */
        text_fails(status, RNNKIT_E_ARGUMENT, "not UTF-8");
        rnnkit_generator_destroy(generator);
        return;
    }
    text_ok(rnnkit_generator_prime(generator, "the", -1));
    int64_t count = write(generator, got, text, &given);
    assert_int_equal(given, place - whole);
    assert_memory_equal(text, whole, (size_t)given);
    assert_in_range(count, 0, TOKENS - 1);
    assert_memory_equal(got, ids, (size_t)count * sizeof *ids);
    int32_t all[TOKENS + 1] = {id_of(with, "the")};
    memcpy(all + 1, ids, (size_t)(count + 1) * sizeof *ids);
    text_ok(rnnkit_vocab_decode(with->vocab, all, count + 1, text, ROOM, &needed));
    assert_true(needed - 1 - 3 < place - whole + length); /* not complete yet, */
    text_ok(rnnkit_vocab_decode(with->vocab, all, count + 2, text, ROOM, &needed));
    assert_true(needed - 1 - 3 >= place - whole + length); /* and with one more it is */
    rnnkit_generator_destroy(generator);
}

static void test_stop_across_tokens(void **state)
{
    (void)state;
    language with = make(NULL, NULL);
    char whole[ROOM], options[64];
    int32_t ids[TOKENS];
    int64_t size = 0;
    snprintf(options, sizeof options, "seed=4 length=%d", TOKENS);
    rnnkit_generator *generator = generate(&with, options);
    text_ok(rnnkit_generator_prime(generator, "the", -1));
    assert_int_equal(write(generator, ids, whole, &size), TOKENS);
    rnnkit_generator_destroy(generator);
    for (int64_t from = 0; from + 15 < size; from += 3)
        for (int64_t length = 1; length <= 15; length += 2)
            check_stop(&with, whole, size, ids, from, length);
    drop(&with);
}

static void test_stop_in_bytes(void **state)
{
    (void)state;
    const float much = 100;
    language with = make("unit=byte", NULL);
    char text[ROOM];
    int64_t size = 0;
    static const char character[] = "\xF0\x9F\x98\x80"; /* U+1F600: four bytes, an id each */
    int32_t byte[4];
    for (int i = 0; i < 4; i++)
        text_ok(rnnkit_vocab_find(with.vocab, &character[i], 1, &byte[i]));
    rnnkit_generator *generator = generate(&with, "temperature=0");
    text_ok(rnnkit_generator_stop_at(generator, "x"));
    prefer(&with, byte[0], &much, 1);
    text_ok(rnnkit_generator_prime(generator, "the", -1));
    for (int i = 0; i < 3; i++) {
        int32_t id;
        prefer(&with, byte[i + 1], &much, 1);
        text_ok(rnnkit_generator_next(generator, &id));
        assert_int_equal(id, byte[i]);
        assert_int_equal(take(generator, text), 0); /* no whole character yet */
    }
    prefer(&with, id_of(&with, "x"), &much, 1);
    int32_t id;
    text_ok(rnnkit_generator_next(generator, &id));
    size += take(generator, text);
    assert_int_equal(size, 4);
    assert_memory_equal(text, character, 4);
    assert_int_equal(rnnkit_generator_next(generator, &id), RNNKIT_DONE); /* at the stop text */
    assert_int_equal(take(generator, text), 0);
    rnnkit_generator_destroy(generator);
    drop(&with);
}

/* Priming ends what may have become a stop text, and begins a new stretch. */
static void test_prime_again(void **state)
{
    (void)state;
    const float much = 100;
    language with = make(NULL, NULL);
    char text[ROOM];
    int32_t id;
    rnnkit_generator *generator = generate(&with, "temperature=0");
    text_ok(rnnkit_generator_stop_at(generator, " train train"));
    prefer(&with, id_of(&with, "train"), &much, 1);
    text_ok(rnnkit_generator_prime(generator, "the", -1));
    text_ok(rnnkit_generator_next(generator, &id));
    assert_int_equal(take(generator, text), 0); /* waits */
    text_ok(rnnkit_generator_prime(generator, "bus", -1));
    assert_int_equal(take(generator, text), 6);
    assert_string_equal(text, " train");
    text_ok(rnnkit_generator_next(generator, &id));
    assert_int_equal(take(generator, text), 0);
    assert_int_equal(rnnkit_generator_next(generator, &id), RNNKIT_DONE);
    assert_int_equal(rnnkit_generator_next(generator, &id), RNNKIT_DONE);
    assert_int_equal(take(generator, text), 0);
    text_ok(rnnkit_generator_prime(generator, "(", -1)); /* done, and goes on */
    text_ok(rnnkit_generator_next(generator, &id));
    assert_int_equal(take(generator, text), 5); /* "train" without a space begins no stop text */
    assert_string_equal(text, "train");
    rnnkit_generator_destroy(generator);
    drop(&with);
}

/* <pad>, <unk>, <bos>, <eos> = 0 .. 3. */
static void test_specials(void **state)
{
    (void)state;
    const float unwanted[3] = {100, 100, 100}, ends[4] = {100, 0, 100, 90};
    language with = make(NULL, "boundaries=1");
    char text[ROOM];
    int32_t ids[TOKENS], id = -9;
    int64_t size = 0;
    prefer(&with, 0, unwanted, 3);
    rnnkit_generator *generator = generate(&with, "length=100");
    text_ok(rnnkit_generator_prime(generator, "the", -1));
    int64_t count = write(generator, ids, text, &size);
    for (int64_t i = 0; i < count; i++)
        assert_in_range(ids[i], 4, with.words - 1);
    assert_in_range(count, 1, 100);
    rnnkit_generator_destroy(generator);

    generator = generate(&with, "unknown=1");
    text_ok(rnnkit_generator_prime(generator, "the", -1));
    text_ok(rnnkit_generator_next(generator, &id));
    assert_int_equal(id, RNNKIT_UNK);
    take(generator, text);
    assert_string_equal(text, " <unk>");
    rnnkit_generator_destroy(generator);

    prefer(&with, 0, ends, 4);
    id = -9;
    generator = generate(&with, NULL);
    text_ok(rnnkit_generator_prime(generator, "the", -1));
    for (int i = 0; i < 3; i++)
        assert_int_equal(rnnkit_generator_next(generator, &id), RNNKIT_DONE);
    assert_int_equal(id, -9);
    assert_int_equal(take(generator, text), 0);
    rnnkit_generator_destroy(generator);
    drop(&with);

    with = make(NULL, "min_count=1000"); /* nothing but <pad> and <unk> */
    text_fails(rnnkit_generator_create(
                   with.embedding, with.lstm, with.linear, with.vocab, NULL, &generator),
        RNNKIT_E_SHAPE, "no token that may be drawn");
    rnnkit_generator_destroy(generate(&with, "unknown=1"));
    drop(&with);
}

/* Two tokens are far ahead; with the last one penalised they come in turn. */
static void test_repetition_window(void **state)
{
    (void)state;
    const float two[2] = {60, 50};
    language with = make(NULL, NULL);
    prefer(&with, 7, two, 2);
    static const struct {
        const char *options;
        int32_t expected[6];
    } cases[] = {{"temperature=0", {7, 7, 7, 7, 7, 7}},
        {"temperature=0 repetition_penalty=2 repetition_window=1", {7, 8, 7, 8, 7, 8}},
        {"temperature=0 repetition_penalty=1.1 repetition_window=1", {7, 7, 7, 7, 7, 7}},
        {"temperature=0 repetition_penalty=2", {7, 8, 7, 7, 7, 7}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t ids[6], first = 4;
        rnnkit_generator *generator = generate(&with, cases[i].options);
        text_ok(rnnkit_generator_prime_ids(generator, &first, 1));
        for (int t = 0; t < 6; t++)
            text_ok(rnnkit_generator_next(generator, &ids[t]));
        assert_memory_equal(ids, cases[i].expected, sizeof ids);
        rnnkit_generator_destroy(generator);
    }
    drop(&with);
}

static void test_calls_refuse(void **state)
{
    (void)state;
    language with = make(NULL, NULL);
    rnnkit_generator *g = generate(&with, "seed=6"),
                     *wrong = (rnnkit_generator *)(void *)with.model;
    char text[ROOM], small[2] = "#";
    int64_t needed = -9;
    int32_t id;
    text_fails(rnnkit_generator_prime(NULL, "a", -1), RNNKIT_E_HANDLE, "generator is NULL");
    text_fails(rnnkit_generator_prime(g, NULL, -1), RNNKIT_E_ARGUMENT, "text is NULL");
    text_fails(rnnkit_generator_prime(g, "a", -2), RNNKIT_E_ARGUMENT, "length is -2");
    text_fails(rnnkit_generator_prime(g, "the b\xFFs", -1), RNNKIT_E_ENCODING, "byte 5");
    text_ok(rnnkit_generator_prime(g, "the", 0));
    text_ok(rnnkit_generator_prime(g, " \t ", -1));
    text_fails(rnnkit_generator_next(g, &id), RNNKIT_E_ORDER, "prime"); /* nothing was fed */
    text_fails(rnnkit_generator_stop_at(NULL, "a"), RNNKIT_E_HANDLE, "generator is NULL");
    text_fails(rnnkit_generator_stop_at(wrong, "a"), RNNKIT_E_HANDLE, "model");
    text_fails(rnnkit_generator_stop_at(g, NULL), RNNKIT_E_ARGUMENT, "text is NULL");
    text_fails(rnnkit_generator_stop_at(g, ""), RNNKIT_E_ARGUMENT, "text is empty");
    text_fails(rnnkit_generator_stop_at(g, "a\xC3"), RNNKIT_E_ARGUMENT, "not UTF-8 at byte 1");
    text_ok(rnnkit_generator_prime(g, "the", -1));
    text_ok(rnnkit_generator_stop_at(g, "nowhere"));
    for (int i = 0; i < 5; i++)
        text_ok(rnnkit_generator_next(g, &id));
    text_fails(rnnkit_generator_stop_at(g, "a"), RNNKIT_E_ORDER, "generation has begun");

    text_fails(rnnkit_generator_text(NULL, text, ROOM, &needed), RNNKIT_E_HANDLE, "generator");
    text_fails(rnnkit_generator_text(g, NULL, 5, &needed), RNNKIT_E_ARGUMENT, "buffer is NULL");
    text_fails(rnnkit_generator_text(g, text, -1, &needed), RNNKIT_E_ARGUMENT, "capacity is -1");
    text_fails(rnnkit_generator_text(g, text, ROOM, NULL), RNNKIT_E_ARGUMENT, "needed is NULL");
    assert_int_equal(needed, -9);
    text_fails(rnnkit_generator_text(g, small, 1, &needed), RNNKIT_E_TOO_SMALL, "holds 1 bytes");
    assert_string_equal(small, "#");
    assert_in_range(needed, 2, ROOM);
    assert_int_equal(take(g, text), needed - 1); /* it was kept */
    assert_int_equal(take(g, text), 0);
    rnnkit_generator_destroy(g);
    drop(&with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_the_ids_text),
        cmocka_unit_test(test_spacing_behind_the_prime),
        cmocka_unit_test(test_stop_across_tokens),
        cmocka_unit_test(test_stop_in_bytes),
        cmocka_unit_test(test_prime_again),
        cmocka_unit_test(test_specials),
        cmocka_unit_test(test_repetition_window),
        cmocka_unit_test(test_calls_refuse),
    };
    return cmocka_run_group_tests_name("generator text", tests, open_context, close_context);
}
