/* Skip-gram out of its pieces: pairs, noise words, two embeddings, the negative-sampling loss, any
 * optimiser; and word vectors into an embedding. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/text.h"

enum { WORDS = 6, WIDTH = 3, ROWS = 3, NEGATIVES = 2, COUNT = WORDS * WIDTH };

static const int32_t inputs[ROWS] = {1, 4, 1}, targets[ROWS] = {2, 0, 2};
static const int32_t noise[ROWS * NEGATIVES] = {3, 0, -1, 5, 2, 2}; /* none; the target itself */

typedef struct net {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_embedding *in, *out;
    rnnkit_tape *tape;
    rnnkit_tensor *x, *loss;
} net;

static net make(const char *device, const char *out_options)
{
    net n = {0};
    text_ok(rnnkit_context_create(device, "threads=1 seed=5", &n.context));
    text_ok(rnnkit_model_create(n.context, &n.model));
    text_ok(rnnkit_embedding_create(n.model, "in", WORDS, WIDTH, NULL, &n.in));
    text_ok(rnnkit_embedding_create(n.model, "out", WORDS, WIDTH, out_options, &n.out));
    text_ok(rnnkit_tape_create(n.context, NULL, &n.tape));
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    rnnkit_embedding_destroy(n->in);
    rnnkit_embedding_destroy(n->out);
    rnnkit_model_destroy(n->model);
    rnnkit_context_destroy(n->context);
}

static void run(net *n)
{
    text_ok(rnnkit_tape_clear(n->tape));
    text_ok(rnnkit_embedding_forward(n->in, n->tape, inputs, 1, ROWS, &n->x));
    text_ok(rnnkit_embedding_negative_sampling(
        n->out, n->tape, n->x, targets, noise, ROWS, NEGATIVES, &n->loss));
}

/* The paper's update: for each pair and its noise words, with label 1 and 0,
 * v_out += lr (label - sigmoid(v_out . v_in)) v_in and the like for v_in, all from the old values;
 * returns the mean loss. */
static double papers_step(
    const float *in, const float *out, double rate, double *in_next, double *out_next)
{
    double loss = 0;
    for (int i = 0; i < COUNT; i++) {
        in_next[i] = (double)in[i];
        out_next[i] = (double)out[i];
    }
    for (int r = 0; r < ROWS; r++)
        for (int k = 0; k <= NEGATIVES; k++) {
            int32_t from = inputs[r], to = k == 0 ? targets[r] : noise[r * NEGATIVES + k - 1];
            double score = 0, label = k == 0;
            if (to < 0) continue;
            for (int j = 0; j < WIDTH; j++)
                score += (double)in[from * WIDTH + j] * (double)out[to * WIDTH + j];
            double sigmoid = 1 / (1 + exp(-score));
            loss -= log(label > 0 ? sigmoid : 1 - sigmoid);
            for (int j = 0; j < WIDTH; j++) {
                double step = rate / ROWS * (label - sigmoid);
                in_next[from * WIDTH + j] += step * (double)out[to * WIDTH + j];
                out_next[to * WIDTH + j] += step * (double)in[from * WIDTH + j];
            }
        }
    return loss / ROWS;
}

static void one_step_is_the_papers(void **state)
{
    (void)state;
    static const char *const devices[] = {"reference", "cpu"};
    for (int d = 0; d < 2; d++) {
        rnnkit_context *probe;
        if (rnnkit_context_create(devices[d], NULL, &probe) < 0) continue; /* built without it */
        rnnkit_context_destroy(probe);
        net n = make(devices[d], NULL);
        rnnkit_optimizer *sgd;
        float in[COUNT], out[COUNT], in_found[COUNT], out_found[COUNT];
        double in_next[COUNT], out_next[COUNT], loss;
        text_ok(rnnkit_optimizer_create(n.model, "sgd", "lr=0.5", &sgd));
        text_ok(rnnkit_model_parameter_read(n.model, "in.weight", in, COUNT));
        text_ok(rnnkit_model_parameter_read(n.model, "out.weight", out, COUNT));
        double expected = papers_step(in, out, 0.5, in_next, out_next);
        run(&n);
        text_ok(rnnkit_tensor_item(n.loss, &loss));
        assert_true(fabs(loss - expected) < 1e-6);
        text_ok(rnnkit_tape_backward(n.tape, n.loss));
        text_ok(rnnkit_optimizer_step(sgd));
        text_ok(rnnkit_model_parameter_read(n.model, "in.weight", in_found, COUNT));
        text_ok(rnnkit_model_parameter_read(n.model, "out.weight", out_found, COUNT));
        for (int i = 0; i < COUNT; i++) {
            assert_true(fabs((double)in_found[i] - in_next[i]) < 1e-6);
            assert_true(fabs((double)out_found[i] - out_next[i]) < 1e-6);
        }
        rnnkit_optimizer_destroy(sgd);
        drop(&n);
    }
}

static void rows_without_gradient(void **state)
{
    (void)state;
    float gradient[COUNT];
    net n = make("cpu", "padding=2");
    run(&n);
    text_ok(rnnkit_tape_backward(n.tape, n.loss));
    text_ok(rnnkit_model_gradient_read(n.model, "out.weight", gradient, COUNT));
    static const int used[WORDS] = {1, 0, 0, 1, 0, 1}; /* 2 is padding, 1 and 4 are not named */
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(gradient[i] != 0, used[i / WIDTH]);
    drop(&n);
    n = make("cpu", "frozen=1");
    run(&n);
    text_ok(rnnkit_tape_backward(n.tape, n.loss));
    text_ok(rnnkit_model_gradient_read(n.model, "out.weight", gradient, COUNT));
    for (int i = 0; i < COUNT; i++)
        assert_true(gradient[i] == 0);
    text_ok(rnnkit_model_gradient_read(n.model, "in.weight", gradient, COUNT));
    assert_true(gradient[WIDTH] != 0); /* but it flows on */
    drop(&n);
}

/* A text of two kinds of sentences, whose words meet their own kind alone. */
static char *two_kinds(void)
{
    enum { SENTENCES = 400, LENGTH = 6 };
    static const char *const kinds[2][4] = {
        {"cat", "dog", "cow", "hen"}, {"oak", "elm", "fir", "ash"}};
    char *text = malloc(SENTENCES * LENGTH * 4 + 1), *at = text;
    uint64_t draws = 3;
    assert_non_null(text);
    for (int s = 0; s < SENTENCES; s++)
        for (int i = 0; i < LENGTH; i++, at += 4) {
            memcpy(at, kinds[s / 20 % 2][text_draw(&draws, 4)], 3);
            at[3] = ' ';
        }
    *at = '\0';
    return text;
}

typedef struct skipgram {
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_tokens *tokens;
    rnnkit_pairs *pairs;
    rnnkit_noise *noise;
    rnnkit_optimizer *adam;
    net net;
} skipgram;

static skipgram make_skipgram(const char *text)
{
    skipgram s = {0};
    net *n = &s.net;
    int64_t words = 0;
    text_ok(rnnkit_context_create("cpu", "threads=2 seed=2", &n->context));
    s.tokenizer = text_tokenizer(n->context, "punctuation=keep");
    s.vocab = text_vocab(s.tokenizer, NULL, text);
    s.tokens = text_tokens(s.vocab, NULL, text);
    text_ok(rnnkit_vocab_size(s.vocab, &words, NULL));
    text_ok(rnnkit_pairs_create(s.tokens, "batch=64 window=2", &s.pairs));
    text_ok(rnnkit_noise_create(s.vocab, NULL, &s.noise));
    text_ok(rnnkit_model_create(n->context, &n->model));
    text_ok(rnnkit_embedding_create(n->model, "in", words, 8, "scale=0.1", &n->in));
    text_ok(rnnkit_embedding_create(n->model, "out", words, 8, "scale=0.1", &n->out));
    text_ok(rnnkit_tape_create(n->context, NULL, &n->tape));
    text_ok(rnnkit_optimizer_create(n->model, "adam", "lr=0.01", &s.adam));
    return s;
}

static void drop_skipgram(skipgram *s)
{
    rnnkit_optimizer_destroy(s->adam);
    rnnkit_pairs_destroy(s->pairs);
    rnnkit_noise_destroy(s->noise);
    rnnkit_tokens_destroy(s->tokens);
    rnnkit_vocab_destroy(s->vocab);
    rnnkit_tokenizer_destroy(s->tokenizer);
    drop(&s->net);
}

/* The course's training loop for one epoch; returns the mean loss of its batches. */
static double train_epoch(skipgram *s)
{
    enum { NOISE = 5, MOST = 64 * 4 };
    const int32_t *from, *to;
    int32_t drawn[MOST * NOISE];
    int64_t count, batches = 0;
    double sum = 0, loss;
    net *n = &s->net;
    while (rnnkit_pairs_next(s->pairs, &from, &to, &count) == RNNKIT_OK) {
        if (count == 0) continue;
        text_ok(rnnkit_noise_draw(s->noise, count * NOISE, drawn));
        text_ok(rnnkit_tape_clear(n->tape));
        text_ok(rnnkit_embedding_forward(n->in, n->tape, from, 1, count, &n->x));
        text_ok(rnnkit_embedding_negative_sampling(
            n->out, n->tape, n->x, to, drawn, count, NOISE, &n->loss));
        text_ok(rnnkit_tape_backward(n->tape, n->loss));
        text_ok(rnnkit_optimizer_step(s->adam));
        text_ok(rnnkit_tensor_item(n->loss, &loss));
        sum += loss;
        batches++;
    }
    text_ok(rnnkit_pairs_rewind(s->pairs));
    return sum / (double)batches;
}

static double cosine(const float *a, const float *b)
{
    double product = 0, x = 0, y = 0;
    for (int i = 0; i < 8; i++) {
        product += (double)a[i] * (double)b[i];
        x += (double)a[i] * (double)a[i];
        y += (double)b[i] * (double)b[i];
    }
    return product / sqrt(x * y);
}

static void the_courses_model_learns(void **state)
{
    (void)state;
    char *text = two_kinds();
    skipgram s = make_skipgram(text);
    double first = train_epoch(&s), last = first;
    for (int epoch = 0; epoch < 8; epoch++)
        last = train_epoch(&s);
    assert_true(first < 6 * log(2) + 0.1 && last < 0.85 * first);
    float table[10 * 8];
    int32_t cat, dog, oak;
    int64_t words;
    text_ok(rnnkit_vocab_size(s.vocab, &words, NULL));
    assert_int_equal(words, 10);
    text_ok(rnnkit_vocab_find(s.vocab, "cat", -1, &cat));
    text_ok(rnnkit_vocab_find(s.vocab, "dog", -1, &dog));
    text_ok(rnnkit_vocab_find(s.vocab, "oak", -1, &oak));
    text_ok(rnnkit_model_parameter_read(s.net.model, "in.weight", table, 10 * 8));
    assert_true(
        cosine(table + 8 * cat, table + 8 * dog) > cosine(table + 8 * cat, table + 8 * oak) + 0.5);
    drop_skipgram(&s);
    free(text);
}

static void refused_losses(void **state)
{
    (void)state;
    static const int32_t high[ROWS] = {0, WORDS, 0}, low[ROWS] = {0, -1, 0};
    static const int32_t bad_noise[ROWS * NEGATIVES] = {0, 0, 0, -2, 0, 0};
    net n = make("cpu", NULL), other = make("cpu", NULL);
    rnnkit_tensor *none = NULL, *narrow;
    const int64_t dims[2] = {ROWS, WIDTH - 1};
    const float values[ROWS * WIDTH] = {0};
    run(&n);
    text_ok(rnnkit_tape_input(n.tape, values, dims, 2, &narrow));
#define LOSS(x, t, z, count, k)                                                                    \
    rnnkit_embedding_negative_sampling(n.out, n.tape, x, t, z, count, k, &none)
    text_fails(
        LOSS(n.x, high, noise, ROWS, 2), RNNKIT_E_ARGUMENT, "targets[1] is 6, expected 0 to 5");
    text_fails(LOSS(n.x, low, noise, ROWS, 2), RNNKIT_E_ARGUMENT, "targets[1] is -1");
    text_fails(
        LOSS(n.x, targets, bad_noise, ROWS, 2), RNNKIT_E_ARGUMENT, "noise[3] is -2, expected -1");
    text_fails(LOSS(n.x, NULL, noise, ROWS, 2), RNNKIT_E_ARGUMENT, "targets");
    text_fails(LOSS(n.x, targets, NULL, ROWS, 2), RNNKIT_E_ARGUMENT, "noise");
    text_fails(LOSS(n.x, targets, noise, ROWS, -1), RNNKIT_E_ARGUMENT, "below 0");
    text_fails(LOSS(n.x, targets, noise, ROWS - 1, 2), RNNKIT_E_SHAPE, "2 targets");
    text_fails(LOSS(n.x, targets, noise, ROWS, INT64_MAX), RNNKIT_E_SHAPE, "too many");
    text_fails(LOSS(narrow, targets, noise, ROWS, 2), RNNKIT_E_SHAPE, "width = 3");
    text_fails(LOSS(NULL, targets, noise, ROWS, 2), RNNKIT_E_HANDLE, "x");
#undef LOSS
    text_fails(
        rnnkit_embedding_negative_sampling(n.out, other.tape, n.x, targets, noise, ROWS, 2, &none),
        RNNKIT_E_ORDER, "tape");
    text_fails(
        rnnkit_embedding_negative_sampling(NULL, n.tape, n.x, targets, noise, ROWS, 2, &none),
        RNNKIT_E_HANDLE, "embedding");
    text_fails(
        rnnkit_embedding_negative_sampling(n.out, n.tape, n.x, targets, noise, ROWS, 2, NULL),
        RNNKIT_E_ARGUMENT, "loss");
    assert_null(none);
    text_ok(rnnkit_embedding_negative_sampling(n.out, n.tape, n.x, targets, NULL, ROWS, 0, &none));
    text_ok(rnnkit_tape_backward(n.tape, n.loss));
    drop(&other);
    drop(&n);
}

/* Vectors into an embedding. */

static const char known[] = "cat\0dog\0<unk>\0emu\0";
static const float known_values[4 * WIDTH] = {1, 2, 3, -4, -5, -6, 7, 8, 9, 1, 1, 1};

typedef struct loading {
    rnnkit_context *context;
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab; /* <pad> <unk> then cat, cow, dog */
    rnnkit_vectors *vectors;
    rnnkit_model *model;
    rnnkit_embedding *embedding;
} loading;

static loading make_loading(int64_t width)
{
    loading l = {0};
    text_ok(rnnkit_context_create("cpu", NULL, &l.context));
    l.tokenizer = text_tokenizer(l.context, NULL);
    l.vocab = text_vocab(l.tokenizer, NULL, "cat cow dog");
    text_ok(rnnkit_vectors_create(l.context, known, 4, known_values, WIDTH, &l.vectors));
    text_ok(rnnkit_model_create(l.context, &l.model));
    text_ok(rnnkit_embedding_create(l.model, "e", 5, width, "padding=0", &l.embedding));
    return l;
}

static void drop_loading(loading *l)
{
    rnnkit_embedding_destroy(l->embedding);
    rnnkit_model_destroy(l->model);
    rnnkit_vectors_destroy(l->vectors);
    rnnkit_vocab_destroy(l->vocab);
    rnnkit_tokenizer_destroy(l->tokenizer);
    rnnkit_context_destroy(l->context);
}

static void vectors_find_their_rows(void **state)
{
    (void)state;
    enum { IDS = 5, CAT = 2, COW = 3, DOG = 4 };
    loading l = make_loading(WIDTH);
    float before[IDS * WIDTH], after[IDS * WIDTH];
    int64_t found = -1, missing = -1;
    text_ok(rnnkit_model_parameter_read(l.model, "e.weight", before, IDS * WIDTH));
    text_ok(rnnkit_embedding_load_vectors(
        l.embedding, l.vectors, l.vocab, "missing=keep", &found, &missing));
    assert_true(found == 3 && missing == 1); /* cat, dog, <unk>; cow */
    text_ok(rnnkit_model_parameter_read(l.model, "e.weight", after, IDS * WIDTH));
    assert_memory_equal(after, before, WIDTH * sizeof *after); /* <pad> stays zero */
    assert_memory_equal(
        after + RNNKIT_UNK * WIDTH, known_values + 2 * WIDTH, WIDTH * sizeof *after);
    assert_memory_equal(after + CAT * WIDTH, known_values, WIDTH * sizeof *after);
    assert_memory_equal(after + COW * WIDTH, before + COW * WIDTH, WIDTH * sizeof *after);
    assert_memory_equal(after + DOG * WIDTH, known_values + WIDTH, WIDTH * sizeof *after);
    text_ok(
        rnnkit_embedding_load_vectors(l.embedding, l.vectors, l.vocab, "missing=zero", NULL, NULL));
    text_ok(rnnkit_model_parameter_read(l.model, "e.weight", after, IDS * WIDTH));
    for (int k = 0; k < WIDTH; k++)
        assert_true(after[COW * WIDTH + k] == 0);
    text_ok(
        rnnkit_embedding_load_vectors(l.embedding, l.vectors, l.vocab, "scale=1e-3", NULL, NULL));
    text_ok(rnnkit_model_parameter_read(l.model, "e.weight", after, IDS * WIDTH));
    for (int k = 0; k < WIDTH; k++)
        assert_true(after[COW * WIDTH + k] != 0 && fabsf(after[COW * WIDTH + k]) < 0.01f);
    text_ok(rnnkit_embedding_load_vectors(l.embedding, l.vectors, l.vocab, NULL, NULL, NULL));
    text_ok(rnnkit_model_parameter_read(l.model, "e.weight", after, IDS * WIDTH));
    assert_true(fabsf(after[COW * WIDTH]) > 0.01f); /* of the vectors' size, about 5 */
    drop_loading(&l);
}

/* One step of AdamW with weight decay; 1 when the table changed. */
static int moves(rnnkit_context *context, rnnkit_model *model, rnnkit_embedding *embedding)
{
    static const int32_t ids[3] = {2, 3, 4};
    float before[5 * WIDTH], after[5 * WIDTH];
    rnnkit_optimizer *optimizer;
    rnnkit_tape *tape;
    rnnkit_tensor *x, *loss;
    text_ok(rnnkit_optimizer_create(model, "adamw", "lr=0.1 weight_decay=0.5", &optimizer));
    text_ok(rnnkit_tape_create(context, NULL, &tape));
    text_ok(rnnkit_model_parameter_read(model, "e.weight", before, 5 * WIDTH));
    text_ok(rnnkit_embedding_forward(embedding, tape, ids, 1, 3, &x));
    text_ok(rnnkit_embedding_negative_sampling(embedding, tape, x, ids, NULL, 3, 0, &loss));
    text_ok(rnnkit_tape_backward(tape, loss));
    text_ok(rnnkit_optimizer_step(optimizer));
    text_ok(rnnkit_model_parameter_read(model, "e.weight", after, 5 * WIDTH));
    rnnkit_tape_destroy(tape);
    rnnkit_optimizer_destroy(optimizer);
    return memcmp(before, after, sizeof before) != 0;
}

static void frozen_stays(void **state)
{
    (void)state;
    const char *path = scratch_path("frozen.safetensors");
    loading l = make_loading(WIDTH);
    rnnkit_model *back;
    rnnkit_embedding *embedding;
    text_ok(rnnkit_embedding_load_vectors(l.embedding, l.vectors, l.vocab, NULL, NULL, NULL));
    assert_true(moves(l.context, l.model, l.embedding));
    text_ok(rnnkit_embedding_load_vectors(l.embedding, l.vectors, l.vocab, "frozen=1", NULL, NULL));
    assert_false(moves(l.context, l.model, l.embedding));
    text_ok(rnnkit_model_save(l.model, path));
    text_ok(rnnkit_model_open(l.context, path, NULL, &back));
    text_ok(rnnkit_embedding_find(back, "e", &embedding));
    assert_false(moves(l.context, back, embedding));
    rnnkit_embedding_destroy(embedding);
    rnnkit_model_destroy(back);
    text_ok(rnnkit_embedding_load_vectors(l.embedding, l.vectors, l.vocab, "frozen=0", NULL, NULL));
    assert_true(moves(l.context, l.model, l.embedding));
    drop_loading(&l);
}

static void refused_loads(void **state)
{
    (void)state;
    loading l = make_loading(WIDTH), wide = make_loading(WIDTH + 1);
    rnnkit_vocab *unfinished, *more = text_vocab(l.tokenizer, NULL, "cat cow dog emu");
    int64_t found = -7;
    float before[5 * WIDTH], after[5 * WIDTH];
    text_ok(rnnkit_model_parameter_read(l.model, "e.weight", before, 5 * WIDTH));
    text_ok(rnnkit_vocab_create(l.tokenizer, NULL, &unfinished));
#define LOAD(e, v, w, options) rnnkit_embedding_load_vectors(e, v, w, options, &found, &found)
    text_fails(LOAD(NULL, l.vectors, l.vocab, NULL), RNNKIT_E_HANDLE, "embedding");
    text_fails(LOAD(l.embedding, NULL, l.vocab, NULL), RNNKIT_E_HANDLE, "vectors");
    text_fails(LOAD(l.embedding, l.vectors, NULL, NULL), RNNKIT_E_HANDLE, "vocab");
    text_fails(LOAD(l.embedding, (rnnkit_vectors *)(void *)l.vocab, l.vocab, NULL), RNNKIT_E_HANDLE,
        "vectors");
    text_fails(LOAD(l.embedding, l.vectors, unfinished, NULL), RNNKIT_E_ORDER, "not finished");
    text_fails(
        LOAD(l.embedding, l.vectors, more, NULL), RNNKIT_E_SHAPE, "5 rows, the vocabulary 6");
    text_fails(LOAD(wide.embedding, l.vectors, l.vocab, NULL), RNNKIT_E_SHAPE,
        "width is 4, the vectors' dimension 3");
    text_fails(
        LOAD(l.embedding, l.vectors, l.vocab, "froze=1"), RNNKIT_E_OPTION, "did you mean 'frozen'");
    text_fails(LOAD(l.embedding, l.vectors, l.vocab, "missing=drop"), RNNKIT_E_OPTION, "missing");
    text_fails(LOAD(l.embedding, l.vectors, l.vocab, "scale=nan"), RNNKIT_E_OPTION, "scale");
#undef LOAD
    assert_int_equal(found, -7);
    text_ok(rnnkit_model_parameter_read(l.model, "e.weight", after, 5 * WIDTH));
    assert_memory_equal(before, after, sizeof before);
    rnnkit_vocab_destroy(unfinished);
    rnnkit_vocab_destroy(more);
    drop_loading(&wide);
    drop_loading(&l);
}

static int32_t live(rnnkit_model *model, rnnkit_embedding *embedding, rnnkit_vectors *vectors,
    rnnkit_vocab *vocab, rnnkit_context *own)
{
    static const int32_t ids[3] = {2, 3, 4}, drawn[3] = {4, 2, -1};
    rnnkit_tape *tape = NULL;
    rnnkit_tensor *x, *loss;
    int32_t status = rnnkit_embedding_load_vectors(embedding, vectors, vocab, NULL, NULL, NULL);
    if (status >= 0) status = rnnkit_tape_create(own, NULL, &tape);
    if (status >= 0) status = rnnkit_embedding_forward(embedding, tape, ids, 1, 3, &x);
    if (status >= 0)
        status = rnnkit_embedding_negative_sampling(embedding, tape, x, ids, drawn, 3, 1, &loss);
    if (status >= 0) status = rnnkit_tape_backward(tape, loss);
    rnnkit_tape_destroy(tape);
    if (status >= 0) status = rnnkit_model_clear_gradients(model);
    return status;
}

static void no_memory_at_any_moment(void **state)
{
    (void)state;
    int32_t status = RNNKIT_E_MEMORY;
    for (int64_t fail_at = 1; status == RNNKIT_E_MEMORY && fail_at < 500; fail_at++) {
        failing_memory hook = {0};
        loading l = {0};
        text_ok(rnnkit_context_create_with_allocator(
            "cpu", "threads=1", failing_allocate, failing_release, &hook, &l.context));
        l.tokenizer = text_tokenizer(l.context, NULL);
        l.vocab = text_vocab(l.tokenizer, NULL, "cat cow dog");
        text_ok(rnnkit_vectors_create(l.context, known, 4, known_values, WIDTH, &l.vectors));
        text_ok(rnnkit_model_create(l.context, &l.model));
        text_ok(rnnkit_embedding_create(l.model, "e", 5, WIDTH, NULL, &l.embedding));
        hook.fail_at = hook.calls + fail_at;
        status = live(l.model, l.embedding, l.vectors, l.vocab, l.context);
        hook.fail_at = 0;
        drop_loading(&l);
        assert_int_equal(hook.alive, 0);
    }
    text_ok(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_step_is_the_papers),
        cmocka_unit_test(rows_without_gradient),
        cmocka_unit_test(the_courses_model_learns),
        cmocka_unit_test(refused_losses),
        cmocka_unit_test(vectors_find_their_rows),
        cmocka_unit_test(frozen_stays),
        cmocka_unit_test(refused_loads),
        cmocka_unit_test(no_memory_at_any_moment),
    };
    return cmocka_run_group_tests_name("skipgram", tests, NULL, NULL);
}
