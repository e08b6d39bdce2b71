/* Search: greedy is the most likely id again and again, a beam of 1 is greedy, the scores of n best
 * are those of force-decoding, what a source gets does not depend on its batch; limits, draws,
 * weights, scheduled sampling; and what wrong arguments are answered with. */
#include <math.h>
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
#include "../support/text.h"

enum { ROWS = 6, MOST = 40, STEPS = 150 };

static const char *const kinds[] = {"output=16", "output=16 style=luong feeding=1 score=general",
    "output=16 cell=gru style=luong feeding=1 score=dot", "output=16 attention_window=2"};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* A model that has begun to learn to copy, so that its hypotheses are of all kinds. */
typedef struct net {
    rnnkit_context *context;
    rnnkit_tape *tape;
    small_writer writer;
    writer_batch batch;
} net;

static net make(const char *decoder)
{
    net n = {0};
    rnnkit_optimizer *adam;
    rnnkit_tape *tape;
    double loss;
    uint64_t state = 5;
    must(rnnkit_context_create("cpu", "threads=1 seed=6", &n.context), "context");
    must(small_writer_create(n.context, decoder, &n.writer), "model");
    must(rnnkit_optimizer_create(n.writer.model, "adam", "lr=0.005", &adam), "adam");
    must(rnnkit_tape_create(n.context, NULL, &tape), "tape");
    for (int i = 0; i < STEPS; i++) {
        writer_batch_draw(&state, WRITER_ROWS, 0, &n.batch);
        must(small_writer_train(&n.writer, tape, adam, &n.batch, &loss), "train");
    }
    writer_batch_draw(&state, ROWS, 0, &n.batch);
    must(rnnkit_tape_create(n.context, "train=0", &n.tape), "tape");
    rnnkit_tape_destroy(tape);
    rnnkit_optimizer_destroy(adam);
    return n;
}

static void drop(net *n)
{
    rnnkit_tape_destroy(n->tape);
    small_writer_destroy(&n->writer);
    rnnkit_context_destroy(n->context);
}

/* One of each kind, for the tests that change nothing. */
static net nets[KINDS];

static int make_nets(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++)
        nets[k] = make(kinds[k]);
    return 0;
}

static int drop_nets(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++)
        drop(&nets[k]);
    return 0;
}

static rnnkit_search *make_search(net *n, const char *options)
{
    rnnkit_search *search;
    must(rnnkit_search_create(
             n->writer.target, n->writer.decoder, n->writer.output, options, &search),
        "search");
    return search;
}

static rnnkit_tensor *encode(net *n, const writer_batch *batch)
{
    rnnkit_tensor *memory;
    must(rnnkit_tape_clear(n->tape), "clear");
    must(small_writer_encode(&n->writer, n->tape, batch, &memory), "encode");
    return memory;
}

typedef struct found {
    int64_t count;
    int32_t ids[MOST], cut;
    double score;
    float weights[MOST * WRITER_LONGEST];
} found;

static found take(const rnnkit_search *search, int64_t source, int64_t rank)
{
    found f;
    memset(&f, 0, sizeof f);
    must(rnnkit_search_result(search, source, rank, f.ids, MOST, &f.count, &f.score, &f.cut),
        "result");
    must(rnnkit_search_weights(search, source, rank, f.weights, f.count * WRITER_LONGEST),
        "weights");
    return f;
}

static void expect_same(const found *a, const found *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->ids, b->ids, sizeof a->ids);
    assert_true(a->score >= b->score && a->score <= b->score);
    assert_memory_equal(a->weights, b->weights, sizeof a->weights);
}

/* Row b of the batch alone. */
static writer_batch cut_batch(const writer_batch *batch, int64_t b)
{
    writer_batch one;
    memset(&one, 0, sizeof one);
    one.rows = 1;
    one.lengths[0] = batch->lengths[b];
    for (int64_t t = 0; t < WRITER_LONGEST; t++)
        one.source[t] = batch->source[t * batch->rows + b];
    return one;
}

/* Greedy, one step after another through the training call on ever longer prefixes. */
static void greedy_is_the_most_likely(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        net n = nets[k];
        rnnkit_search *search = make_search(&n, "max_length=9 unknown=1");
        must(rnnkit_search_run(search, encode(&n, &n.batch), n.batch.lengths, NULL), "run");
        for (int64_t b = 0; b < ROWS; b++) {
            writer_batch one = cut_batch(&n.batch, b);
            found f = take(search, b, 0);
            int32_t read[MOST] = {WRITER_BOS};
            for (int64_t t = 0; t < f.count + !f.cut; t++) {
                float logits[MOST * WRITER_WORDS];
                rnnkit_tensor *x, *y, *z, *memory = encode(&n, &one);
                int32_t best = 1;
                must(rnnkit_embedding_forward(n.writer.target, n.tape, read, t + 1, 1, &x), "x");
                must(rnnkit_decoder_forward(
                         n.writer.decoder, n.tape, x, memory, one.lengths, NULL, &y, NULL),
                    "y");
                must(rnnkit_linear_forward(n.writer.output, n.tape, y, &z), "logits");
                must(rnnkit_tensor_read(z, logits, (t + 1) * WRITER_WORDS), "read");
                for (int32_t id = 3; id < WRITER_WORDS; id++) /* neither <pad> nor <bos> */
                    if (logits[t * WRITER_WORDS + id] > logits[t * WRITER_WORDS + best]) best = id;
                assert_int_equal(best, t < f.count ? f.ids[t] : WRITER_EOS);
                read[t + 1] = best;
            }
        }
        rnnkit_search_destroy(search);
    }
}

/* The targets of a hypothesis for every source, with its end sign where it was not cut. */
static void fill_targets(const rnnkit_search *search, int64_t rank, int32_t *targets)
{
    for (int i = 0; i < (MOST + 1) * ROWS; i++)
        targets[i] = RNNKIT_IGNORE;
    for (int64_t b = 0; b < ROWS; b++) {
        found f = take(search, b, rank);
        for (int64_t t = 0; t < f.count; t++)
            targets[t * ROWS + b] = f.ids[t];
        if (!f.cut) targets[f.count * ROWS + b] = WRITER_EOS;
    }
}

static void compare_scores(
    rnnkit_search *search, const net *n, rnnkit_tensor *memory, rnnkit_tensor *start, int64_t rank)
{
    int32_t targets[(MOST + 1) * ROWS];
    double scores[ROWS];
    fill_targets(search, rank, targets);
    must(rnnkit_search_score(search, memory, n->batch.lengths, start, targets, MOST + 1, scores),
        "score");
    for (int64_t b = 0; b < ROWS; b++) {
        found f = take(search, b, rank);
        if (!(fabs(f.score - scores[b]) <= 1e-5 * fmax(1, fabs(scores[b]))))
            fail_msg("source %d, rank %d: %.9g, given %.9g", (int)b, (int)rank, f.score, scores[b]);
        if (rank > 0) assert_true(take(search, b, 0).score >= f.score);
    }
}

static void scores_are_those_of_given_texts(void **state)
{
    (void)state;
    static const char *const options[] = {"beam=4 n_best=4 max_length=8",
        "beam=3 n_best=2 max_length=6 length_penalty=0.6",
        "beam=5 n_best=5 length_penalty=0 unknown=1 max_length=30",
        "sample=1 beam=3 n_best=3 seed=4 max_length=12"};
    for (int k = 0; k < KINDS * 4; k++) {
        net n = nets[k % KINDS];
        rnnkit_search *search = make_search(&n, options[k / KINDS]);
        rnnkit_tensor *memory = encode(&n, &n.batch);
        must(rnnkit_search_run(search, memory, n.batch.lengths, NULL), "run");
        for (int64_t rank = 0; rank < 2; rank++)
            compare_scores(search, &n, memory, NULL, rank);
        rnnkit_search_destroy(search);
    }
}

/* Every hypothesis of a beam starts from its source's vector. */
static void starts_from_vectors(void **state)
{
    (void)state;
    enum { START = 5 };
    static const char *const decoders[] = {
        "output=16 start=5", "output=16 start=5 cell=gru layers=2"};
    for (int k = 0; k < 2; k++) {
        net n = {0};
        float values[ROWS * START];
        const int64_t dims[2] = {ROWS, START};
        uint64_t seed = 9;
        rnnkit_tensor *start;
        must(rnnkit_context_create("cpu", "threads=1 seed=6", &n.context), "context");
        must(small_writer_create(n.context, decoders[k], &n.writer), "model");
        must(rnnkit_tape_create(n.context, "train=0", &n.tape), "tape");
        writer_batch_draw(&seed, ROWS, 0, &n.batch);
        for (int i = 0; i < ROWS * START; i++)
            values[i] = 4 * sinf((float)(i * i));
        rnnkit_search *search = make_search(&n, "beam=4 n_best=4 max_length=6");
        rnnkit_tensor *memory = encode(&n, &n.batch);
        must(rnnkit_tape_input(n.tape, values, dims, 2, &start), "start");
        text_fails(
            rnnkit_search_run(search, memory, NULL, NULL), RNNKIT_E_ARGUMENT, "start is NULL");
        must(rnnkit_search_run(search, memory, n.batch.lengths, start), "run");
        for (int64_t rank = 0; rank < 4; rank++)
            compare_scores(search, &n, memory, start, rank);
        rnnkit_search_destroy(search);
        drop(&n);
    }
}

static void batches_do_not_matter(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        net n = nets[k];
        rnnkit_search *search = make_search(&n, "beam=4 n_best=3 max_length=10");
        rnnkit_search *alone = make_search(&n, "beam=4 n_best=3 max_length=10");
        must(rnnkit_search_run(search, encode(&n, &n.batch), n.batch.lengths, NULL), "run");
        for (int64_t b = 0; b < ROWS; b++) {
            writer_batch one = cut_batch(&n.batch, b);
            must(rnnkit_search_run(alone, encode(&n, &one), one.lengths, NULL), "run");
            for (int64_t rank = 0; rank < 3; rank++) {
                found in_batch = take(search, b, rank), by_itself = take(alone, 0, rank);
                expect_same(&in_batch, &by_itself);
            }
        }
        rnnkit_search_destroy(search);
        rnnkit_search_destroy(alone);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    net n = nets[0];
    rnnkit_search *brief = make_search(&n, "beam=2 max_length=1");
    rnnkit_search *lengthy = make_search(&n, "beam=2 n_best=2 min_length=9 max_length=12");
    rnnkit_tensor *memory = encode(&n, &n.batch);
    must(rnnkit_search_run(brief, memory, n.batch.lengths, NULL), "run");
    must(rnnkit_search_run(lengthy, memory, n.batch.lengths, NULL), "run");
    for (int64_t b = 0; b < ROWS; b++) {
        found f = take(brief, b, 0);
        assert_true(f.count <= 1 && (f.cut == 0 || f.count == 1));
        for (int64_t rank = 0; rank < 2; rank++) {
            f = take(lengthy, b, rank);
            assert_in_range(f.count, 9, 12);
            assert_true(f.cut == 0 || f.count == 12);
            for (int64_t t = 0; t < f.count; t++) {
                float sum = 0;
                assert_true(f.ids[t] >= WRITER_FIRST); /* no sign among them */
                for (int64_t s = 0; s < WRITER_LONGEST; s++) {
                    float w = f.weights[t * WRITER_LONGEST + s];
                    if (s >= n.batch.lengths[b]) assert_true(w == 0);
                    sum += w;
                }
                assert_true(fabsf(sum - 1) < 1e-5f);
            }
        }
    }
    rnnkit_search_destroy(brief);
    rnnkit_search_destroy(lengthy);
}

/* Draws repeat with the seed; at temperature 0 they are greedy. */
static void draws_repeat(void **state)
{
    (void)state;
    net n = nets[0];
    const char *options[] = {"sample=1 seed=1 temperature=2 max_length=30",
        "sample=1 seed=1 temperature=2 max_length=30",
        "sample=1 seed=2 temperature=2 max_length=30", "sample=1 temperature=0 max_length=30",
        "max_length=30"};
    found f[5];
    int differ = 0;
    for (int64_t b = 0; b < ROWS; b++) {
        for (int i = 0; i < 5; i++) {
            rnnkit_search *search = make_search(&n, options[i]);
            must(rnnkit_search_run(search, encode(&n, &n.batch), n.batch.lengths, NULL), "run");
            f[i] = take(search, b, 0);
            rnnkit_search_destroy(search);
        }
        expect_same(&f[0], &f[1]);
        differ |= f[0].count != f[2].count || memcmp(f[0].ids, f[2].ids, sizeof f[0].ids) != 0;
        assert_int_equal(f[3].count, f[4].count);
        assert_memory_equal(f[3].ids, f[4].ids, sizeof f[3].ids);
    }
    assert_true(differ);
}

/* Rate 0 changes nothing, rate 1 reads what the model would write. */
static void mixes(void **state)
{
    (void)state;
    net n = nets[1];
    enum { COUNT = (WRITER_LONGEST + 1) * ROWS };
    int32_t mixed[COUNT], all[COUNT], other[COUNT];
    rnnkit_search *search = make_search(&n, "max_length=9");
    rnnkit_tensor *memory = encode(&n, &n.batch);
    const int32_t *inputs = n.batch.inputs, *lengths = n.batch.lengths;
    int64_t steps = WRITER_LONGEST + 1;
    must(rnnkit_search_mix(search, memory, lengths, NULL, inputs, steps, 0, 1, mixed), "mix");
    assert_memory_equal(mixed, inputs, sizeof mixed);
    must(rnnkit_search_mix(search, memory, lengths, NULL, inputs, steps, 1, 1, all), "mix");
    must(rnnkit_search_run(search, memory, lengths, NULL), "run");
    for (int64_t b = 0; b < ROWS; b++) {
        found f = take(search, b, 0);
        assert_int_equal(all[b], WRITER_BOS);
        for (int64_t t = 1; t < steps; t++) {
            if (inputs[t * ROWS + b] == 0) assert_int_equal(all[t * ROWS + b], 0);
            if (inputs[t * ROWS + b] != 0 && t <= f.count)
                assert_int_equal(all[t * ROWS + b], f.ids[t - 1]);
        }
    }
    must(rnnkit_search_mix(search, memory, lengths, NULL, inputs, steps, 0.5, 1, mixed), "mix");
    must(rnnkit_search_mix(search, memory, lengths, NULL, inputs, steps, 0.5, 1, other), "mix");
    assert_memory_equal(mixed, other, sizeof mixed);
    memcpy(other, inputs, sizeof other); /* in place */
    must(rnnkit_search_mix(search, memory, lengths, NULL, other, steps, 0.5, 1, other), "mix");
    assert_memory_equal(mixed, other, sizeof mixed);
    rnnkit_search_destroy(search);
}

static void saved_and_opened(void **state)
{
    (void)state;
    net n = nets[1];
    net again = {.context = n.context, .tape = n.tape, .batch = n.batch};
    rnnkit_model *model;
    must(rnnkit_model_save(n.writer.model, scratch_path("writer")), "save");
    must(rnnkit_model_open(n.context, scratch_path("writer"), NULL, &model), "open");
    must(small_writer_find(model, &again.writer), "find");
    rnnkit_search *search = make_search(&n, "beam=3 max_length=30"),
                  *other = make_search(&again, "beam=3 max_length=30");
    must(rnnkit_search_run(search, encode(&n, &n.batch), n.batch.lengths, NULL), "run");
    must(rnnkit_search_run(other, encode(&again, &n.batch), n.batch.lengths, NULL), "run");
    for (int64_t b = 0; b < ROWS; b++) {
        found f = take(search, b, 0), g = take(other, b, 0);
        expect_same(&f, &g);
    }
    rnnkit_search_destroy(search);
    rnnkit_search_destroy(other);
    small_writer_destroy(&again.writer);
}

static void wrong_searches(void **state)
{
    (void)state;
    net n = make(kinds[0]);
    small_writer *w = &n.writer;
    rnnkit_search *s = NULL;
    rnnkit_embedding *narrow;
    must(rnnkit_embedding_create(w->model, "narrow", WRITER_WORDS, 3, NULL, &narrow), "narrow");
    text_fails(rnnkit_search_create(NULL, w->decoder, w->output, NULL, &s), RNNKIT_E_HANDLE,
        "embedding is NULL");
    text_fails(rnnkit_search_create(w->target, NULL, w->output, NULL, &s), RNNKIT_E_HANDLE,
        "decoder is NULL");
    text_fails(rnnkit_search_create(w->target, w->decoder, (rnnkit_linear *)w->decoder, NULL, &s),
        RNNKIT_E_HANDLE, "output is a decoder");
    text_fails(rnnkit_search_create(w->target, w->decoder, w->output, NULL, NULL),
        RNNKIT_E_ARGUMENT, "out is NULL");
    text_fails(rnnkit_search_create(narrow, w->decoder, w->output, NULL, &s), RNNKIT_E_SHAPE,
        "width of \"narrow\" is 3");
    static const char *const options[] = {"beam=0", "beam=2 n_best=3", "min_length=5 max_length=4",
        "max_length=0", "eos=2", "eos=12", "bos=-1", "beams=3", "length_penalty=nan"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        text_fails(rnnkit_search_create(w->target, w->decoder, w->output, options[i], &s),
            RNNKIT_E_OPTION, "rnnkit_search_create");
    assert_null(s);
    rnnkit_embedding_destroy(narrow);
    rnnkit_search_destroy(NULL);
    drop(&n);
}

static void wrong_runs(void **state)
{
    (void)state;
    net n = make(kinds[0]);
    rnnkit_search *s = make_search(&n, "beam=2 n_best=2");
    int32_t ids[MOST], ok[2 * ROWS], bad[2 * ROWS], lengths[ROWS] = {3, 2, 2, 0, 1, 1};
    int64_t count = -7;
    double scores[ROWS] = {0};
    float weights[MOST];
    text_fails(rnnkit_search_result(s, 0, 0, ids, MOST, &count, NULL, NULL), RNNKIT_E_ORDER, "run");
    rnnkit_tensor *memory = encode(&n, &n.batch), *narrow;
    const int64_t dims[3] = {2, ROWS, 3};
    float zeros[2 * ROWS * 3] = {0};
    must(rnnkit_tape_input(n.tape, zeros, dims, 3, &narrow), "input");
    text_fails(rnnkit_search_run(NULL, memory, NULL, NULL), RNNKIT_E_HANDLE, "search is NULL");
    text_fails(rnnkit_search_run(s, NULL, NULL, NULL), RNNKIT_E_HANDLE, "memory is NULL");
    text_fails(
        rnnkit_search_run(s, narrow, NULL, NULL), RNNKIT_E_SHAPE, "memory has shape [2, 6, 3]");
    text_fails(rnnkit_search_run(s, memory, lengths, NULL), RNNKIT_E_ARGUMENT, "lengths[3] is 0");
    text_fails(rnnkit_search_run(s, memory, NULL, narrow), RNNKIT_E_ARGUMENT, "option start");
    must(rnnkit_search_run(s, memory, n.batch.lengths, NULL), "run");
    text_fails(rnnkit_search_result(s, ROWS, 0, ids, MOST, &count, NULL, NULL), RNNKIT_E_ARGUMENT,
        "source is 6");
    text_fails(rnnkit_search_result(s, 0, 2, ids, MOST, &count, NULL, NULL), RNNKIT_E_ARGUMENT,
        "rank is 2");
    text_fails(rnnkit_search_result(s, 0, 0, NULL, MOST, &count, NULL, NULL), RNNKIT_E_ARGUMENT,
        "ids is NULL");
    text_fails(rnnkit_search_result(s, 0, 0, ids, MOST, NULL, NULL, NULL), RNNKIT_E_ARGUMENT,
        "needed is NULL");
    assert_int_equal(count, -7);
    text_fails(rnnkit_search_result(s, 0, 0, NULL, 0, &count, NULL, NULL), RNNKIT_E_TOO_SMALL,
        "are needed");
    assert_true(count > 0);
    text_fails(rnnkit_search_weights(s, 0, 0, weights, 1), RNNKIT_E_SHAPE, "weights has 1 numbers");
    text_fails(rnnkit_search_weights(s, 0, 0, NULL, 1), RNNKIT_E_ARGUMENT, "weights is NULL");
    for (int i = 0; i < 2 * ROWS; i++)
        ok[i] = bad[i] = i < ROWS ? 5 : WRITER_EOS;
    must(rnnkit_search_score(s, memory, n.batch.lengths, NULL, ok, 2, scores), "score");
    assert_true(scores[ROWS - 1] < 0);
    bad[3] = WRITER_WORDS;
    text_fails(rnnkit_search_score(s, memory, NULL, NULL, bad, 2, scores), RNNKIT_E_ARGUMENT,
        "targets[3] is 12");
    bad[3] = RNNKIT_IGNORE;
    text_fails(rnnkit_search_score(s, memory, NULL, NULL, bad, 2, scores), RNNKIT_E_ARGUMENT,
        "source 3 has no ids");
    text_fails(rnnkit_search_score(s, memory, NULL, NULL, ok, 0, scores), RNNKIT_E_SHAPE, "steps");
    text_fails(rnnkit_search_score(s, memory, NULL, NULL, NULL, 2, scores), RNNKIT_E_ARGUMENT,
        "targets is NULL");
    text_fails(rnnkit_search_mix(s, memory, NULL, NULL, ok, 2, 1.5, 0, bad), RNNKIT_E_ARGUMENT,
        "rate is 1.5");
    ok[4] = -1;
    text_fails(rnnkit_search_mix(s, memory, NULL, NULL, ok, 2, 0.5, 0, bad), RNNKIT_E_ARGUMENT,
        "inputs[4] is -1");
    rnnkit_context_cancel(n.context);
    assert_int_equal(rnnkit_search_run(s, memory, NULL, NULL), RNNKIT_STOPPED);
    must(rnnkit_search_run(s, memory, NULL, NULL), "run");
    rnnkit_search_destroy(s);
    drop(&n);
}

/* Weights that are not numbers: an error, not ids. */
static void not_finite(void **state)
{
    (void)state;
    net n = make(kinds[0]);
    static const char *const options[] = {"beam=2", "sample=1"};
    float bias[WRITER_WORDS];
    double scores[ROWS];
    for (int i = 0; i < WRITER_WORDS; i++)
        bias[i] = NAN;
    must(rnnkit_model_parameter_write(n.writer.model, "output.bias", bias, WRITER_WORDS), "write");
    for (int i = 0; i < 2; i++) {
        rnnkit_search *s = make_search(&n, options[i]);
        rnnkit_tensor *memory = encode(&n, &n.batch);
        int32_t id;
        int64_t count;
        text_fails(rnnkit_search_run(s, memory, NULL, NULL), RNNKIT_E_DIVERGED, "finite");
        text_fails(
            rnnkit_search_result(s, 0, 0, &id, 1, &count, NULL, NULL), RNNKIT_E_ORDER, "run");
        text_fails(rnnkit_search_score(s, memory, NULL, NULL, n.batch.lengths, 1, scores),
            RNNKIT_E_DIVERGED, "finite");
        rnnkit_search_destroy(s);
    }
    drop(&n);
}

/* Training and search with the n-th allocation failing, for every n. */
static int32_t live(rnnkit_context *context, const char *kind)
{
    small_writer writer;
    writer_batch batch;
    rnnkit_tape *tape = NULL;
    rnnkit_optimizer *sgd = NULL;
    rnnkit_search *search = NULL;
    rnnkit_tensor *memory;
    uint64_t seed = 3;
    double loss;
    writer_batch_draw(&seed, 2, 0, &batch);
    int32_t status = small_writer_create(context, kind, &writer);
    if (status >= 0) status = rnnkit_tape_create(context, NULL, &tape);
    if (status >= 0) status = rnnkit_optimizer_create(writer.model, "sgd", NULL, &sgd);
    if (status >= 0) status = small_writer_train(&writer, tape, sgd, &batch, &loss);
    if (status >= 0)
        status = rnnkit_search_create(
            writer.target, writer.decoder, writer.output, "beam=2 max_length=4", &search);
    if (status >= 0) status = rnnkit_tape_clear(tape);
    if (status >= 0) status = small_writer_encode(&writer, tape, &batch, &memory);
    if (status >= 0) status = rnnkit_search_run(search, memory, batch.lengths, NULL);
    rnnkit_search_destroy(search);
    rnnkit_optimizer_destroy(sgd);
    rnnkit_tape_destroy(tape);
    small_writer_destroy(&writer);
    return status;
}

static void fail_every_allocation(const char *kind)
{
    int32_t status = RNNKIT_E_MEMORY;
    int64_t fail_at = 0;
    while (status != RNNKIT_OK && fail_at < 10000) {
        failing_memory hook = {0};
        rnnkit_context *context;
        must(rnnkit_context_create_with_allocator(
                 "cpu", "threads=1", failing_allocate, failing_release, &hook, &context),
            "context");
        hook.fail_at = hook.calls + ++fail_at;
        status = live(context, kind);
        hook.fail_at = 0;
        rnnkit_context_destroy(context);
        if (hook.alive != 0)
            fail_msg("%lld block(s) leak when allocation %lld fails", (long long)hook.alive,
                (long long)fail_at);
        if (status != RNNKIT_OK) assert_int_equal(status, RNNKIT_E_MEMORY);
    }
    assert_in_range(fail_at, 30, 9999);
}

static void without_memory(void **state)
{
    (void)state;
    fail_every_allocation(kinds[1]);
    fail_every_allocation(kinds[KINDS - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_is_the_most_likely),
        cmocka_unit_test(scores_are_those_of_given_texts),
        cmocka_unit_test(starts_from_vectors),
        cmocka_unit_test(batches_do_not_matter),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(draws_repeat),
        cmocka_unit_test(mixes),
        cmocka_unit_test(saved_and_opened),
        cmocka_unit_test(wrong_searches),
        cmocka_unit_test(wrong_runs),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(without_memory),
    };
    return cmocka_run_group_tests_name("search", tests, make_nets, drop_nets);
}
