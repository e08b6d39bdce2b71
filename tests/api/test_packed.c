/* Models opened with weights=packed give the bits that they give with f32, and those with weights=bf16
 * too when all values are bfloat16 (with int8 attention does): every layer, tied and untied, by sequences, steps and search,
 * whatever the batch. A test's state is the option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/small_model.h"
#include "../support/small_writer.h"

enum { WORDS = 50, WIDTH = 33, STEPS = 5, MOST_ROWS = 40, BEAM = 5 };

static const int64_t batches[] = {1, 5, MOST_ROWS};
enum { BATCHES = sizeof batches / sizeof *batches };

typedef int32_t (*create_rnn)(rnnkit_model *model, const char *name, int64_t inputs, int64_t hidden,
    const char *options, rnnkit_rnn **out);

typedef struct kind {
    create_rnn create;
    const char *name;
    int64_t hidden;
    const char *options;
    int steps; /* has single ones */
} kind;

static const kind kinds[] = {
    {rnnkit_elman_create, "elman", 130, NULL, 1},
    {rnnkit_elman_create, "relu", 33, "activation=relu layer_norm=1", 1},
    {rnnkit_gru_create, "gru", 33, "layers=2", 1},
    {rnnkit_gru_create, "gru_round", 64, "bias=0", 1},
    {rnnkit_gru_create, "gru_before", 70, "reset=before", 1},
    {rnnkit_gru_create, "gru_normal", 33, "layer_norm=1 zoneout=0.1", 1},
    {rnnkit_lstm_create, "lstm", 130, "initial=learned", 1},
    {rnnkit_lstm_create, "lstm_round", 64, NULL, 1},
    {rnnkit_lstm_create, "lstm_less", 70, "layers=2 projection=11", 1},
    {rnnkit_lstm_create, "lstm_normal", 33, "layer_norm=1", 1},
    {rnnkit_lstm_create, "both", 20, "bidirectional=1 padding=left", 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* One file, opened twice. */
typedef struct pair {
    rnnkit_context *context[2];
    rnnkit_model *model[2];
} pair;

static pair open_two(const char *path, const char *first, const char *second)
{
    const char *const options[2] = {first, second};
    pair p;
    for (int i = 0; i < 2; i++) {
        must(rnnkit_context_create("cpu", i == 0 ? "threads=1" : "threads=2", &p.context[i]),
            "context");
        must(rnnkit_model_open(p.context[i], path, options[i], &p.model[i]), "open");
    }
    return p;
}

static pair open_pair(const char *path, const char *weights)
{
    return open_two(path, "weights=f32", weights);
}

static void close_pair(pair *p)
{
    for (int i = 0; i < 2; i++) {
        rnnkit_model_destroy(p->model[i]);
        rnnkit_context_destroy(p->context[i]);
    }
}

/* Leaves the upper half of every value. */
static void shorten(rnnkit_model *model)
{
    const char *name;
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(model, i)) != NULL; i++) {
        int64_t count;
        float *values = parameter_values(model, name, &count);
        for (int64_t k = 0; k < count; k++) {
            uint32_t bits;
            memcpy(&bits, &values[k], sizeof bits);
            bits &= 0xFFFF0000u;
            memcpy(&values[k], &bits, sizeof bits);
        }
        must(rnnkit_model_parameter_write(model, name, values, count), "write");
        free(values);
    }
}

static const char *save_layers(int shortened)
{
    const char *path = scratch_path("layers.safetensors");
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_embedding *words, *shared;
    rnnkit_rnn *rnn;
    rnnkit_linear *tied, *linear;
    rnnkit_multihead *heads;
    must(rnnkit_context_create("cpu", "seed=3", &context), "context");
    must(rnnkit_model_create(context, &model), "model");
    must(rnnkit_embedding_create(model, "words", WORDS, WIDTH, NULL, &words), "words");
    must(rnnkit_embedding_create(model, "shared", WORDS, WIDTH, NULL, &shared), "shared");
    must(rnnkit_linear_create(model, "tied", WIDTH, WORDS, "tie=shared", &tied), "tied");
    must(rnnkit_linear_create(model, "linear", WIDTH, 1, NULL, &linear), "linear");
    must(rnnkit_multihead_create(model, "heads", WIDTH, 3, NULL, &heads), "heads");
    for (int k = 0; k < KINDS; k++) {
        must(kinds[k].create(model, kinds[k].name, WIDTH, kinds[k].hidden, kinds[k].options, &rnn),
            kinds[k].name);
        rnnkit_rnn_destroy(rnn);
    }
    if (shortened) shorten(model);
    must(rnnkit_model_save(model, path), "save");
    rnnkit_multihead_destroy(heads);
    rnnkit_linear_destroy(linear);
    rnnkit_linear_destroy(tied);
    rnnkit_embedding_destroy(shared);
    rnnkit_embedding_destroy(words);
    rnnkit_model_destroy(model);
    rnnkit_context_destroy(context);
    return path;
}

static int64_t element_count(const rnnkit_tensor *y)
{
    int64_t dims[4], rank, count = 1;
    must(rnnkit_tensor_shape(y, dims, 4, &rank), "shape");
    for (int64_t i = 0; i < rank; i++)
        count *= dims[i];
    return count;
}

/* Tensors of the two models are the same, bit for bit; not all zeros. */
static void expect_same(rnnkit_tensor *const y[2], const char *what)
{
    int64_t count = element_count(y[0]), other = 0;
    float *values[2];
    assert_int_equal(element_count(y[1]), count);
    for (int i = 0; i < 2; i++) {
        values[i] = malloc((size_t)count * sizeof(float));
        assert_non_null(values[i]);
        must(rnnkit_tensor_read(y[i], values[i], count), "read");
    }
    for (int64_t k = 0; k < count; k++)
        other += values[0][k] > 0 || values[0][k] < 0;
    if (other == 0 || memcmp(values[0], values[1], (size_t)count * sizeof(float)) != 0)
        fail_msg("%s differs", what);
    free(values[0]);
    free(values[1]);
}

static rnnkit_tensor *embed(rnnkit_model *model, const char *name, rnnkit_tape *tape, int64_t rows)
{
    int32_t ids[STEPS * MOST_ROWS];
    rnnkit_embedding *words;
    rnnkit_tensor *x;
    for (int i = 0; i < STEPS * MOST_ROWS; i++)
        ids[i] = i * 7 % WORDS;
    must(rnnkit_embedding_find(model, name, &words), name);
    must(rnnkit_embedding_forward(words, tape, ids, STEPS, rows, &x), "embed");
    rnnkit_embedding_destroy(words);
    return x;
}

typedef rnnkit_tensor *(*run_layer)(
    rnnkit_model *model, const char *name, rnnkit_tape *tape, rnnkit_tensor *x, int64_t rows);

static void compare(const pair *p, const char *table, const char *name, int64_t rows, run_layer run)
{
    rnnkit_tape *tape[2];
    rnnkit_tensor *x[2], *y[2];
    for (int i = 0; i < 2; i++) {
        must(rnnkit_tape_create(p->context[i], "train=0", &tape[i]), "tape");
        x[i] = embed(p->model[i], table, tape[i], rows);
        y[i] = run(p->model[i], name, tape[i], x[i], rows);
    }
    expect_same(x, table);
    expect_same(y, name);
    for (int i = 0; i < 2; i++)
        rnnkit_tape_destroy(tape[i]);
}

static void set_lengths(int32_t *lengths, int64_t rows, int64_t least)
{
    for (int64_t b = 0; b < rows; b++)
        lengths[b] = (int32_t)(STEPS - b % (STEPS + 1 - least));
}

static rnnkit_tensor *forward_rnn(rnnkit_model *model, const char *name, rnnkit_tape *tape,
    rnnkit_tensor *x, const int32_t *lengths)
{
    rnnkit_rnn *rnn;
    rnnkit_tensor *y;
    must(rnnkit_rnn_find(model, name, &rnn), name);
    must(rnnkit_rnn_forward(rnn, tape, x, lengths, NULL, &y), "forward");
    rnnkit_rnn_destroy(rnn);
    return y;
}

static rnnkit_tensor *run_rnn(
    rnnkit_model *model, const char *name, rnnkit_tape *tape, rnnkit_tensor *x, int64_t rows)
{
    int32_t lengths[MOST_ROWS];
    set_lengths(lengths, rows, 0);
    return forward_rnn(model, name, tape, x, lengths);
}

static rnnkit_tensor *run_full_rnn(
    rnnkit_model *model, const char *name, rnnkit_tape *tape, rnnkit_tensor *x, int64_t rows)
{
    (void)rows;
    return forward_rnn(model, name, tape, x, NULL);
}

static rnnkit_tensor *run_linear(
    rnnkit_model *model, const char *name, rnnkit_tape *tape, rnnkit_tensor *x, int64_t rows)
{
    rnnkit_linear *linear;
    rnnkit_tensor *y;
    (void)rows;
    must(rnnkit_linear_find(model, name, &linear), name);
    must(rnnkit_linear_forward(linear, tape, x, &y), "forward");
    rnnkit_linear_destroy(linear);
    return y;
}

static rnnkit_tensor *run_heads(
    rnnkit_model *model, const char *name, rnnkit_tape *tape, rnnkit_tensor *x, int64_t rows)
{
    int32_t lengths[MOST_ROWS];
    rnnkit_multihead *heads;
    rnnkit_tensor *y, *seen;
    set_lengths(lengths, rows, 1);
    must(rnnkit_multihead_find(model, name, &heads), name);
    must(rnnkit_multihead_forward(heads, tape, x, lengths, &y, &seen), "forward");
    rnnkit_multihead_destroy(heads);
    return y;
}

static void sequences(void **state)
{
    pair p = open_pair(save_layers(1), *state);
    for (int n = 0; n < BATCHES; n++) {
        for (int k = 0; k < KINDS; k++) {
            compare(&p, "words", kinds[k].name, batches[n], run_rnn);
            compare(&p, "shared", kinds[k].name, batches[n], run_full_rnn);
        }
        compare(&p, "shared", "tied", batches[n], run_linear);
        compare(&p, "words", "linear", batches[n], run_linear);
        compare(&p, "words", "heads", batches[n], run_heads);
    }
    close_pair(&p);
}

/* What int8 cannot hold in rows of integers it holds in bfloat16. */
static void int8_shortens_attention(void **state)
{
    (void)state;
    pair p = open_two(save_layers(0), "weights=bf16", "weights=int8");
    for (int n = 0; n < BATCHES; n++) {
        const int64_t dims[] = {STEPS, batches[n], WIDTH};
        float values[STEPS * MOST_ROWS * WIDTH];
        rnnkit_tape *tape[2];
        rnnkit_tensor *x, *y[2];
        for (int i = 0; i < STEPS * MOST_ROWS * WIDTH; i++)
            values[i] = (float)(i * 7 % 100) / 50.0f - 1.0f;
        for (int i = 0; i < 2; i++) {
            must(rnnkit_tape_create(p.context[i], "train=0", &tape[i]), "tape");
            must(rnnkit_tape_input(tape[i], values, dims, 3, &x), "input");
            y[i] = run_heads(p.model[i], "heads", tape[i], x, batches[n]);
        }
        expect_same(y, "heads");
        for (int i = 0; i < 2; i++)
            rnnkit_tape_destroy(tape[i]);
    }
    close_pair(&p);
}

static void compare_steps(const pair *p, const kind *what, int64_t rows)
{
    int64_t width, inputs = rows * WIDTH;
    float *x = malloc((size_t)inputs * sizeof *x), *y[2];
    rnnkit_rnn *rnn[2];
    rnnkit_state *at[2];
    assert_non_null(x);
    for (int i = 0; i < 2; i++) {
        must(rnnkit_rnn_find(p->model[i], what->name, &rnn[i]), what->name);
        must(rnnkit_rnn_widths(rnn[i], &width, NULL), "widths");
        must(rnnkit_state_create(rnn[i], rows, &at[i]), "state");
        y[i] = calloc((size_t)(rows * width), sizeof(float));
        assert_non_null(y[i]);
    }
    for (int t = 0; t < STEPS; t++) {
        for (int64_t j = 0; j < inputs; j++)
            x[j] = (float)((j + t) * 29 % 97) / 97 - 0.5f;
        for (int i = 0; i < 2; i++)
            must(rnnkit_rnn_step(rnn[i], at[i], x, inputs, y[i], rows * width), "step");
        assert_memory_equal(y[0], y[1], (size_t)(rows * width) * sizeof(float));
    }
    for (int i = 0; i < 2; i++) {
        free(y[i]);
        rnnkit_state_destroy(at[i]);
        rnnkit_rnn_destroy(rnn[i]);
    }
    free(x);
}

static void steps(void **state)
{
    pair p = open_pair(save_layers(1), *state);
    for (int n = 0; n < BATCHES; n++)
        for (int k = 0; k < KINDS; k++)
            if (kinds[k].steps) compare_steps(&p, &kinds[k], batches[n]);
    close_pair(&p);
}

static void steps_allocate_nothing(void **state)
{
    const char *path = save_layers(1);
    failing_memory memory = {0};
    rnnkit_context *context;
    rnnkit_model *model;
    float x[2 * WIDTH] = {0.5f}, y[2 * 130];
    must(rnnkit_context_create_with_allocator(
             "cpu", "threads=1", failing_allocate, failing_release, &memory, &context),
        "context");
    must(rnnkit_model_open(context, path, *state, &model), "open");
    for (int k = 0; k < KINDS; k++) {
        rnnkit_rnn *rnn;
        rnnkit_state *at;
        int64_t width;
        if (!kinds[k].steps) continue;
        must(rnnkit_rnn_find(model, kinds[k].name, &rnn), kinds[k].name);
        must(rnnkit_rnn_widths(rnn, &width, NULL), "widths");
        must(rnnkit_state_create(rnn, 2, &at), "state");
        int64_t calls = memory.calls;
        for (int t = 0; t < STEPS; t++)
            must(rnnkit_rnn_step(rnn, at, x, 2 * WIDTH, y, 2 * width), "step");
        assert_int_equal(memory.calls, calls);
        rnnkit_state_destroy(at);
        rnnkit_rnn_destroy(rnn);
    }
    rnnkit_model_destroy(model);
    rnnkit_context_destroy(context);
    assert_int_equal(memory.alive, 0);
}

static void parameters(void **state)
{
    pair p = open_pair(save_layers(1), *state);
    const char *name;
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(p.model[0], i)) != NULL; i++) {
        int64_t count;
        float *values[2];
        for (int k = 0; k < 2; k++)
            values[k] = parameter_values(p.model[k], name, &count);
        assert_memory_equal(values[0], values[1], (size_t)count * sizeof(float));
        free(values[0]);
        free(values[1]);
    }
    close_pair(&p);
}

/* Search: a model that has begun to learn to copy, so that its hypotheses are of all kinds. */

static const char *save_writer(const char *decoder, writer_batch *batch)
{
    const char *path = scratch_path("writer.safetensors");
    rnnkit_context *context;
    rnnkit_tape *tape;
    rnnkit_optimizer *adam;
    small_writer writer = {0};
    double loss;
    uint64_t state = 5;
    must(rnnkit_context_create("cpu", "threads=1 seed=6", &context), "context");
    must(small_writer_create(context, decoder, &writer), "writer");
    must(rnnkit_optimizer_create(writer.model, "adam", "lr=0.005", &adam), "adam");
    must(rnnkit_tape_create(context, NULL, &tape), "tape");
    for (int i = 0; i < 60; i++) {
        writer_batch_draw(&state, WRITER_ROWS, 0, batch);
        must(small_writer_train(&writer, tape, adam, batch, &loss), "train");
    }
    writer_batch_draw(&state, WRITER_ROWS / 2, 0, batch);
    shorten(writer.model);
    must(rnnkit_model_save(writer.model, path), "save");
    rnnkit_tape_destroy(tape);
    rnnkit_optimizer_destroy(adam);
    small_writer_destroy(&writer);
    rnnkit_context_destroy(context);
    return path;
}

typedef struct found {
    int64_t count;
    int32_t ids[64], cut;
    double score;
    float weights[64 * WRITER_LONGEST];
} found;

/* All hypotheses of a beam, and the scores of given texts. */
static found *search(
    rnnkit_context *context, rnnkit_model *model, const writer_batch *batch, double *scores)
{
    small_writer writer = {0};
    rnnkit_tape *tape;
    rnnkit_tensor *memory;
    rnnkit_search *beam;
    found *all = calloc((size_t)(batch->rows * BEAM), sizeof *all);
    assert_non_null(all);
    must(small_writer_find(model, &writer), "find");
    must(rnnkit_tape_create(context, "train=0", &tape), "tape");
    must(small_writer_encode(&writer, tape, batch, &memory), "encode");
    must(rnnkit_search_create(
             writer.target, writer.decoder, writer.output, "beam=5 n_best=5 max_length=20", &beam),
        "search");
    must(rnnkit_search_run(beam, memory, batch->lengths, NULL), "run");
    for (int64_t i = 0; i < batch->rows * BEAM; i++) {
        found *f = &all[i];
        if (rnnkit_search_result(
                beam, i / BEAM, i % BEAM, f->ids, 64, &f->count, &f->score, &f->cut) < 0)
            continue; /* fewer were found */
        must(rnnkit_search_weights(beam, i / BEAM, i % BEAM, f->weights, f->count * WRITER_LONGEST),
            "weights");
    }
    must(rnnkit_search_score(
             beam, memory, batch->lengths, NULL, batch->targets, WRITER_LONGEST + 1, scores),
        "score");
    rnnkit_search_destroy(beam);
    rnnkit_tape_destroy(tape);
    writer.model = NULL; /* the caller's */
    small_writer_destroy(&writer);
    return all;
}

static void searches(void **state)
{
    static const char *const decoders[] = {"output=16",
        "output=16 style=luong feeding=1 score=general", "output=16 cell=gru layers=2 score=concat",
        "output=16 cell=gru style=luong score=dot attention_window=2"};
    for (size_t d = 0; d < sizeof decoders / sizeof *decoders; d++) {
        writer_batch batch;
        double scores[2][WRITER_ROWS] = {{0}};
        found *all[2];
        pair p = open_pair(save_writer(decoders[d], &batch), *state);
        for (int i = 0; i < 2; i++)
            all[i] = search(p.context[i], p.model[i], &batch, scores[i]);
        assert_true(all[0][0].count > 0);
        assert_memory_equal(all[0], all[1], (size_t)(batch.rows * BEAM) * sizeof **all);
        assert_memory_equal(scores[0], scores[1], sizeof scores[0]);
        free(all[0]);
        free(all[1]);
        close_pair(&p);
    }
}

#define WITH(weights)                                                                              \
    cmocka_unit_test_prestate(sequences, weights), cmocka_unit_test_prestate(steps, weights),      \
        cmocka_unit_test_prestate(steps_allocate_nothing, weights),                                \
        cmocka_unit_test_prestate(parameters, weights),                                            \
        cmocka_unit_test_prestate(searches, weights)

int main(void)
{
    static char packed[] = "weights=packed", bf16[] = "weights=bf16";
    const struct CMUnitTest tests[] = {
        WITH(packed), WITH(bf16), cmocka_unit_test(int8_shortens_attention)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
