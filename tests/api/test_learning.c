/* A model with attention learns to copy and to reverse: more than 99 of 100 sequences that it has
 * not seen come out without a fault, with every score, in both styles, everywhere or in a window, greedy
 * and with a beam. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/small_model.h"
#include "../support/small_writer.h"

enum { MOST_STEPS = 4000, LOOK_EVERY = 250, TEST_BATCHES = 10 };

typedef struct task {
    const char *name, *decoder;
    int reverse;
} task;

static const task tasks[] = {
    {"copy, bahdanau, additive", "output=16", 0},
    {"reverse, bahdanau, additive", "output=16", 1},
    {"reverse, bahdanau, additive, gru", "output=16 cell=gru", 1},
    {"copy, luong, dot", "output=16 style=luong score=dot feeding=1", 0},
    {"reverse, luong, dot", "output=16 style=luong score=dot feeding=1", 1},
    {"copy, luong, general", "output=16 style=luong score=general feeding=1", 0},
    {"reverse, luong, general", "output=16 style=luong score=general feeding=1", 1},
    {"copy, luong, concat", "output=16 style=luong score=concat feeding=1", 0},
    {"reverse, luong, concat", "output=16 style=luong score=concat feeding=1", 1},
    {"copy, luong, scaled dot", "output=16 style=luong score=scaled_dot feeding=1", 0},
    {"reverse, luong, scaled dot", "output=16 style=luong score=scaled_dot feeding=1", 1},
    {"copy, window", "output=16 style=luong score=general feeding=1 attention_window=2", 0},
    {"reverse, window", "output=16 style=luong score=general feeding=1 attention_window=2", 1},
};

static int is_right(const rnnkit_search *search, const writer_batch *batch, int64_t b)
{
    int32_t ids[WRITER_LONGEST + 3], cut;
    int64_t count;
    must(rnnkit_search_result(search, b, 0, ids, WRITER_LONGEST + 3, &count, NULL, &cut), "result");
    if (cut || count != batch->lengths[b]) return 0;
    for (int64_t t = 0; t < count; t++)
        if (ids[t] != batch->targets[t * batch->rows + b]) return 0;
    return 1;
}

/* How many of the same unseen sequences are written right, of TEST_BATCHES * WRITER_ROWS. */
static int count_right(
    rnnkit_context *context, const small_writer *writer, int reverse, const char *options)
{
    rnnkit_search *search;
    rnnkit_tape *tape;
    rnnkit_tensor *memory;
    writer_batch batch;
    uint64_t state = 99;
    int right = 0;
    must(rnnkit_search_create(writer->target, writer->decoder, writer->output, options, &search),
        "search");
    must(rnnkit_tape_create(context, "train=0", &tape), "tape");
    for (int i = 0; i < TEST_BATCHES; i++) {
        writer_batch_draw(&state, WRITER_ROWS, reverse, &batch);
        must(rnnkit_tape_clear(tape), "clear");
        must(small_writer_encode(writer, tape, &batch, &memory), "encode");
        must(rnnkit_search_run(search, memory, batch.lengths, NULL), "run");
        for (int64_t b = 0; b < WRITER_ROWS; b++)
            right += is_right(search, &batch, b);
    }
    rnnkit_search_destroy(search);
    rnnkit_tape_destroy(tape);
    return right;
}

static void learns(void **state)
{
    const task *of = *state;
    rnnkit_context *context;
    rnnkit_tape *tape;
    rnnkit_optimizer *adam;
    small_writer writer;
    writer_batch batch;
    uint64_t seed = 1;
    double loss = 0;
    int right = 0, steps = 0, enough = TEST_BATCHES * WRITER_ROWS * 99 / 100 + 1;
    must(rnnkit_context_create("cpu", "threads=1 seed=1", &context), "context");
    must(small_writer_create(context, of->decoder, &writer), "model");
    must(rnnkit_optimizer_create(writer.model, "adam", "lr=0.005 clip_norm=5", &adam), "adam");
    must(rnnkit_tape_create(context, NULL, &tape), "tape");
    while (right < enough && steps < MOST_STEPS) {
        writer_batch_draw(&seed, WRITER_ROWS, of->reverse, &batch);
        must(small_writer_train(&writer, tape, adam, &batch, &loss), "train");
        if (++steps % LOOK_EVERY != 0) continue;
        int greedy = count_right(context, &writer, of->reverse, NULL);
        int beam = count_right(context, &writer, of->reverse, "beam=3 max_length=9");
        right = greedy < beam ? greedy : beam;
    }
    print_message(
        "%d steps, loss %.4f, %d of %d right\n", steps, loss, right, TEST_BATCHES * WRITER_ROWS);
    assert_true(right >= enough);
    rnnkit_tape_destroy(tape);
    rnnkit_optimizer_destroy(adam);
    small_writer_destroy(&writer);
    rnnkit_context_destroy(context);
}

int main(void)
{
    struct CMUnitTest tests[sizeof tasks / sizeof *tasks] = {{0}};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        tests[i].name = tasks[i].name;
        tests[i].test_func = learns;
        tests[i].initial_state = (void *)&tasks[i];
    }
    return cmocka_run_group_tests_name("learning to copy and to reverse", tests, NULL, NULL);
}
