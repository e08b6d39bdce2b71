/* word2vec on a device and on the CPU: the words kept are the same, the loss agrees, words that are
 * used alike are near each other, and runs travel. Devices that do not train it are left out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/text.h"

enum { KINDS = 6, OF_A_KIND = 8, SENTENCES = 2000, LENGTH = 8 };

typedef struct trainer {
    const char *name;
    double tolerance; /* of the loss after training, relative to the CPU's */
} trainer;

/* reference trains as one thread of the CPU does, but for rounding; cuda sees others' changes late. */
static const trainer devices[] = {{"reference", 1e-6}, {"cuda", 0.02}};
static char *corpus;

/* Sentences of words of one kind each, now and then with a word that goes with all of them. */
static int write_corpus(void **state)
{
    (void)state;
    uint32_t draw = 12345;
    size_t room = SENTENCES * (LENGTH * 8 + 2), used = 0;
    corpus = malloc(room);
    if (corpus == NULL) return -1;
    for (int i = 0; i < SENTENCES; i++) {
        int kind = i % KINDS;
        for (int k = 0; k < LENGTH; k++) {
            draw = draw * 1664525 + 1013904223;
            if (draw >> 29 == 0)
                used += (size_t)snprintf(corpus + used, room - used, "the ");
            else
                used += (size_t)snprintf(
                    corpus + used, room - used, "w%d_%u ", kind, (draw >> 16) % OF_A_KIND);
        }
        used += (size_t)snprintf(corpus + used, room - used, "\n");
    }
    return 0;
}

static int forget_corpus(void **state)
{
    (void)state;
    free(corpus);
    return 0;
}

typedef struct place {
    rnnkit_context *context;
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_word2vec *word2vec;
    char log[512];
} place;

static void note(int32_t level, const char *line, void *user)
{
    (void)level;
    snprintf(user, 512, "%s", line);
}

/* 0 when there is no such device here. */
static int go(const char *device, const char *options, place *p)
{
    if (rnnkit_context_create(device, "threads=1 seed=3", &p->context) < 0) return 0;
    p->log[0] = '\0';
    text_ok(rnnkit_context_set_log(p->context, note, p->log));
    p->tokenizer = text_tokenizer(p->context, "punctuation=keep");
    p->vocab = text_vocab(p->tokenizer, NULL, corpus);
    text_ok(rnnkit_word2vec_create(p->vocab, options, &p->word2vec));
    text_ok(rnnkit_word2vec_push(p->word2vec, corpus, -1));
    return 1;
}

static void leave(place *p)
{
    rnnkit_word2vec_destroy(p->word2vec);
    rnnkit_vocab_destroy(p->vocab);
    rnnkit_tokenizer_destroy(p->tokenizer);
    rnnkit_context_destroy(p->context);
}

static double loss_of(const place *p, int64_t *words)
{
    double loss;
    text_ok(rnnkit_word2vec_progress(p->word2vec, NULL, NULL, words, &loss, NULL));
    return loss;
}

/* How many words have a word of another kind nearest to them. */
static int strangers(const place *p)
{
    rnnkit_vectors *vectors;
    int wrong = 0;
    text_ok(rnnkit_word2vec_vectors(p->word2vec, NULL, &vectors));
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < OF_A_KIND; i++) {
            char word[16], near[16];
            int32_t id, best;
            int64_t found, needed;
            float score;
            snprintf(word, sizeof word, "w%d_%d", kind, i);
            text_ok(rnnkit_vectors_find(vectors, word, -1, &id));
            text_ok(rnnkit_vectors_most_similar(
                vectors, &id, 1, NULL, 0, NULL, 1, &best, &score, &found));
            text_ok(rnnkit_vectors_word(vectors, best, near, sizeof near, &needed, NULL));
            wrong += near[1] != word[1];
        }
    rnnkit_vectors_destroy(vectors);
    return wrong;
}

static void learns(const trainer *on, const char *options)
{
    place cpu, other;
    int64_t words, other_words;
    if (!go(on->name, options, &other)) return;
    assert_true(go("cpu", options, &cpu));
    text_ok(rnnkit_word2vec_train(cpu.word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_train(other.word2vec, NULL, NULL));
    double loss = loss_of(&cpu, &words), other_loss = loss_of(&other, &other_words);
    assert_string_equal(other.log, "");
    assert_int_equal(words, other_words);
    if (!(fabs(other_loss - loss) <= on->tolerance * loss))
        fail_msg("%s: %s: loss %.6f, the CPU's is %.6f", on->name, options, other_loss, loss);
    assert_int_equal(strangers(&cpu), 0);
    assert_int_equal(strangers(&other), 0);
    leave(&cpu);
    leave(&other);
}

static void learns_what_the_cpu_learns(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        learns(&devices[i], "dimension=24 epochs=3 sample=0 lr=0.05");
        learns(&devices[i], "dimension=20 epochs=4 sample=0.01 negative=9 window=3 lr=0.05");
        learns(&devices[i], "dimension=24 epochs=4 sample=0 architecture=cbow lr=0.1");
    }
}

/* Half of a run on one device, the other half on another. */
static void half_and_half(const char *from, const char *to, double *loss)
{
    const char *options = "dimension=24 epochs=3 sample=0 lr=0.05";
    const char *path = scratch_path("run.state");
    place a, b;
    *loss = NAN;
    if (!go(from, options, &a)) return;
    int64_t epoch;
    do {
        assert_int_equal(rnnkit_word2vec_step(a.word2vec), RNNKIT_OK);
        text_ok(rnnkit_word2vec_progress(a.word2vec, &epoch, NULL, NULL, NULL, NULL));
    } while (epoch == 0);
    text_ok(rnnkit_word2vec_save(a.word2vec, path));
    leave(&a);
    assert_true(go(to, options, &b));
    rnnkit_word2vec_destroy(b.word2vec);
    text_ok(rnnkit_word2vec_open(b.context, path, NULL, &b.word2vec));
    text_ok(rnnkit_word2vec_push(b.word2vec, corpus, -1));
    text_ok(rnnkit_word2vec_train(b.word2vec, NULL, NULL));
    *loss = loss_of(&b, NULL);
    assert_int_equal(strangers(&b), 0);
    leave(&b);
}

static void runs_travel(void **state)
{
    (void)state;
    double home, away, back;
    half_and_half("cpu", "cpu", &home);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        half_and_half(devices[i].name, "cpu", &away);
        if (isnan(away)) continue;
        half_and_half("cpu", devices[i].name, &back);
        assert_true(fabs(away - home) <= devices[i].tolerance * home);
        assert_true(fabs(back - home) <= devices[i].tolerance * home);
    }
}

/* The CPU's bits, and a line of log. */
static void stays_on_the_cpu(const char *device, const char *options, const char *why)
{
    place cpu, other;
    if (!go(device, options, &other)) return;
    assert_true(go("cpu", options, &cpu));
    text_ok(rnnkit_word2vec_train(cpu.word2vec, NULL, NULL));
    text_ok(rnnkit_word2vec_train(other.word2vec, NULL, NULL));
    assert_true(loss_of(&cpu, NULL) == loss_of(&other, NULL));
    if (strstr(other.log, why) == NULL) fail_msg("the log says: %s", other.log);
    leave(&cpu);
    leave(&other);
}

static void what_a_device_cannot_do_stays_on_the_cpu(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        stays_on_the_cpu(
            devices[i].name, "dimension=8 epochs=1 deterministic=1", "deterministic=1");
    stays_on_the_cpu("cuda", "dimension=4000 epochs=1 sample=0.0001", "shared memory");
}

static void diverging_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        place p;
        if (!go(devices[i].name, "dimension=8 epochs=40 lr=100 min_lr=100 sample=0", &p)) continue;
        int32_t status = RNNKIT_OK;
        while (status == RNNKIT_OK)
            status = rnnkit_word2vec_step(p.word2vec);
        text_fails(status, RNNKIT_E_DIVERGED, "lower lr");
        text_fails(rnnkit_word2vec_step(p.word2vec), RNNKIT_E_ORDER, "diverged");
        leave(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_what_the_cpu_learns),
        cmocka_unit_test(runs_travel),
        cmocka_unit_test(what_a_device_cannot_do_stays_on_the_cpu),
        cmocka_unit_test(diverging_is_told),
    };
    return cmocka_run_group_tests_name("word2vec", tests, write_corpus, forget_corpus);
}
