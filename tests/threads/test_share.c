/* What many threads may do at once (docs/threading.md): share a model, each with a state or a
 * generator of its own; work in contexts of their own; fail, each with its own message; destroy
 * children while others destroy the parents; cancel. Under the thread sanitizer, too. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/small_model.h"
#include "../support/small_writer.h"

enum { THREADS = 4, STEPS = 50, BATCH = 3, IDS = 60 };

typedef struct job {
    int number;
    rnnkit_context *context;
    small_model *small;
    rnnkit_rnn *rnn;
    float outputs[STEPS][BATCH * SMALL_HIDDEN];
    int32_t ids[IDS];
    double loss;
    int good;
} job;

static void in_parallel(void *(*work)(void *), job *jobs)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &jobs[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static job *make_jobs(rnnkit_context *context, small_model *small)
{
    job *jobs = calloc(THREADS, sizeof *jobs);
    assert_non_null(jobs);
    for (int i = 0; i < THREADS; i++)
        jobs[i] = (job){
            .number = i, .context = context, .small = small, .rnn = small ? small->lstm : NULL};
    return jobs;
}

static rnnkit_context *open_context(const char *options)
{
    rnnkit_context *context;
    must(rnnkit_context_create("cpu", options, &context), "context");
    return context;
}

/* Streams of frames through one model. */
static void *step(void *argument)
{
    job *mine = argument;
    rnnkit_state *state;
    must(rnnkit_state_create(mine->rnn, BATCH, &state), "state");
    for (int t = 0; t < STEPS; t++) {
        float x[BATCH * SMALL_WIDTH];
        for (int i = 0; i < BATCH * SMALL_WIDTH; i++)
            x[i] = (float)((i * 7 + t * 3 + mine->number) % 11) / 11 - 0.5f;
        must(rnnkit_rnn_step(
                 mine->rnn, state, x, BATCH * SMALL_WIDTH, mine->outputs[t], BATCH * SMALL_HIDDEN),
            "step");
    }
    rnnkit_state_destroy(state);
    return NULL;
}

static void *generate(void *argument)
{
    job *mine = argument;
    must(small_model_generate(mine->small, mine->number, mine->ids, IDS), "generate");
    return NULL;
}

static void test_shared_model(void **unused)
{
    (void)unused;
    rnnkit_context *context = open_context("threads=1");
    small_model small;
    must(small_model_create(context, &small), "model");
    job *together = make_jobs(context, &small), *alone = make_jobs(context, &small);
    in_parallel(step, together);
    in_parallel(generate, together);
    for (int i = 0; i < THREADS; i++) {
        step(&alone[i]);
        generate(&alone[i]);
        assert_memory_equal(together[i].outputs, alone[i].outputs, sizeof alone[i].outputs);
        assert_memory_equal(together[i].ids, alone[i].ids, sizeof alone[i].ids);
        if (i > 0) assert_memory_not_equal(alone[i].ids, alone[0].ids, sizeof alone[i].ids);
    }
    free(together);
    free(alone);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
}

/* One model that writes, each thread with a tape and a search of its own. */
typedef struct writing {
    int number;
    rnnkit_context *context;
    const small_writer *writer;
    int32_t ids[WRITER_ROWS][WRITER_LONGEST];
    double scores[WRITER_ROWS];
} writing;

static void *write_down(void *argument)
{
    writing *mine = argument;
    uint64_t seed = (uint64_t)mine->number;
    writer_batch batch;
    rnnkit_tape *tape;
    rnnkit_search *search;
    rnnkit_tensor *memory;
    int64_t count;
    writer_batch_draw(&seed, WRITER_ROWS, 0, &batch);
    must(rnnkit_tape_create(mine->context, "train=0", &tape), "tape");
    must(rnnkit_search_create(mine->writer->target, mine->writer->decoder, mine->writer->output,
             "beam=3 max_length=7", &search),
        "search");
    must(small_writer_encode(mine->writer, tape, &batch, &memory), "encode");
    must(rnnkit_search_run(search, memory, batch.lengths, NULL), "run");
    for (int64_t b = 0; b < WRITER_ROWS; b++)
        must(rnnkit_search_result(
                 search, b, 0, mine->ids[b], WRITER_LONGEST, &count, &mine->scores[b], NULL),
            "result");
    rnnkit_search_destroy(search);
    rnnkit_tape_destroy(tape);
    return NULL;
}

static void test_shared_writer(void **unused)
{
    (void)unused;
    pthread_t threads[THREADS];
    static writing together[THREADS], alone;
    rnnkit_context *context = open_context("threads=1");
    small_writer writer;
    must(small_writer_create(context, "output=16 style=luong feeding=1", &writer), "model");
    for (int i = 0; i < THREADS; i++) {
        together[i] = (writing){.number = i, .context = context, .writer = &writer};
        assert_int_equal(pthread_create(&threads[i], NULL, write_down, &together[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        alone = (writing){.number = i, .context = context, .writer = &writer};
        write_down(&alone);
        assert_memory_equal(together[i].ids, alone.ids, sizeof alone.ids);
        assert_memory_equal(together[i].scores, alone.scores, sizeof alone.scores);
    }
    small_writer_destroy(&writer);
    rnnkit_context_destroy(context);
}

/* The same with layers whose steps are composed of several operations. */
static void test_shared_options(void **unused)
{
    (void)unused;
    rnnkit_context *context = open_context("threads=1");
    small_model small;
    must(small_model_create(context, &small), "model");
    rnnkit_rnn *gru;
    must(rnnkit_gru_create(small.model, "gru", SMALL_WIDTH, SMALL_HIDDEN,
             "layers=2 layer_norm=1 zoneout=0.2 initial=learned", &gru),
        "gru");
    job *together = make_jobs(context, &small), *alone = make_jobs(context, &small);
    for (int i = 0; i < THREADS; i++)
        together[i].rnn = alone[i].rnn = gru;
    in_parallel(step, together);
    for (int i = 0; i < THREADS; i++) {
        step(&alone[i]);
        assert_memory_equal(together[i].outputs, alone[i].outputs, sizeof alone[i].outputs);
    }
    free(together);
    free(alone);
    rnnkit_rnn_destroy(gru);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
}

/* Everything of one's own, training included: the same losses as one after the other. */
static void *train(void *argument)
{
    job *mine = argument;
    char options[32];
    small_model small;
    snprintf(options, sizeof options, "threads=1 seed=%d", mine->number + 1);
    rnnkit_context *context = open_context(options);
    must(small_model_create(context, &small), "model");
    must(small_model_train(context, &small, &mine->loss), "train");
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
    return NULL;
}

static void test_own_contexts(void **unused)
{
    (void)unused;
    job *together = make_jobs(NULL, NULL), *alone = make_jobs(NULL, NULL);
    in_parallel(train, together);
    for (int i = 0; i < THREADS; i++) {
        train(&alone[i]);
        assert_true(together[i].loss == alone[i].loss);
        if (i > 0) assert_true(alone[i].loss != alone[0].loss);
    }
    free(together);
    free(alone);
}

static void *fail_often(void *argument)
{
    job *mine = argument;
    char name[32];
    snprintf(name, sizeof name, "missing_%d", mine->number);
    mine->good = 1;
    for (int i = 0; i < 200; i++) {
        rnnkit_rnn *found;
        char text[2048];
        int64_t needed;
        if (rnnkit_rnn_find(mine->small->model, name, &found) != RNNKIT_E_NOT_FOUND ||
            strstr(rnnkit_error_message(), name) == NULL)
            mine->good = 0;
        if (rnnkit_context_error_message(mine->context, text, sizeof text, &needed) != RNNKIT_OK ||
            strstr(text, "missing_") == NULL)
            mine->good = 0;
    }
    return NULL;
}

static void test_messages(void **unused)
{
    (void)unused;
    rnnkit_context *context = open_context("threads=1");
    small_model small;
    must(small_model_create(context, &small), "model");
    job *jobs = make_jobs(context, &small);
    in_parallel(fail_often, jobs);
    for (int i = 0; i < THREADS; i++)
        assert_true(jobs[i].good);
    free(jobs);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
}

/* Each thread gives up other handles of the same objects. */
static void *give_up(void *argument)
{
    job *mine = argument;
    small_model *small = mine->small;
    switch (mine->number) {
    case 0:
        rnnkit_context_destroy(mine->context);
        rnnkit_tokenizer_destroy(small->tokenizer);
        break;
    case 1: rnnkit_model_destroy(small->model); break;
    case 2:
        rnnkit_embedding_destroy(small->embedding);
        rnnkit_vocab_destroy(small->vocab);
        break;
    default:
        rnnkit_rnn_destroy(small->lstm);
        rnnkit_linear_destroy(small->linear);
        rnnkit_tokens_destroy(small->tokens);
    }
    return NULL;
}

static void test_any_order(void **unused)
{
    (void)unused;
    for (int round = 0; round < 20; round++) {
        rnnkit_context *context = open_context("threads=1");
        small_model small;
        must(small_model_create(context, &small), "model");
        job *jobs = make_jobs(context, &small);
        in_parallel(give_up, jobs);
        free(jobs);
    }
}

static void *cancel(void *context)
{
    rnnkit_context_cancel(context);
    return NULL;
}

static void test_cancel(void **unused)
{
    (void)unused;
    rnnkit_context *context = open_context("threads=1");
    small_model small;
    must(small_model_create(context, &small), "model");
    rnnkit_generator *generator;
    must(rnnkit_generator_create(
             small.embedding, small.lstm, small.linear, small.vocab, NULL, &generator),
        "generator");
    must(rnnkit_generator_prime(generator, "jerry:", -1), "prime");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel, context), 0);
    int32_t id = 0, status;
    while ((status = rnnkit_generator_next(generator, &id)) == RNNKIT_OK)
        continue;
    assert_int_equal(status, RNNKIT_STOPPED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(rnnkit_generator_next(generator, &id), RNNKIT_OK); /* and it can go on */
    rnnkit_generator_destroy(generator);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
}

/* Vectors: the first queries make the lengths and the copies that all read. */
enum { WORDS = 900, WIDTH = 33, NEAREST = 5 };

typedef struct asking {
    int number;
    const rnnkit_vectors *vectors;
    int32_t ids[3][NEAREST];
    float scores[3][NEAREST];
} asking;

static void *ask(void *argument)
{
    static const char *const scans[] = {"scan=f32", "scan=bf16", "scan=int8"};
    asking *mine = argument;
    for (int i = 0; i < 3; i++) {
        int scan = (i + mine->number) % 3;
        int32_t word = 4;
        int64_t found;
        must(rnnkit_vectors_most_similar(mine->vectors, &word, 1, NULL, 0, scans[scan], NEAREST,
                 mine->ids[scan], mine->scores[scan], &found),
            "query");
    }
    return NULL;
}

static void test_shared_vectors(void **unused)
{
    (void)unused;
    rnnkit_context *context = open_context("threads=1");
    rnnkit_vectors *vectors;
    asking jobs[THREADS];
    pthread_t threads[THREADS];
    char words[WORDS * 8], *at = words;
    float *values = calloc(WORDS * WIDTH, sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < WORDS; i++)
        at += sprintf(at, "w%d", i) + 1;
    for (int i = 0; i < WORDS * WIDTH; i++)
        values[i] = (float)(i * 31 % 1009) / 1009 - 0.5f;
    must(rnnkit_vectors_create(context, words, WORDS, values, WIDTH, &vectors), "vectors");
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (asking){.number = i, .vectors = vectors};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        for (int scan = 0; scan < 3; scan++) {
            assert_memory_equal(jobs[i].ids[scan], jobs[0].ids[0], sizeof jobs[0].ids[0]);
            assert_memory_equal(jobs[i].scores[scan], jobs[0].scores[0], sizeof jobs[0].scores[0]);
        }
    free(values);
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_model),
        cmocka_unit_test(test_shared_vectors),
        cmocka_unit_test(test_shared_writer),
        cmocka_unit_test(test_shared_options),
        cmocka_unit_test(test_own_contexts),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_cancel),
    };
    return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
