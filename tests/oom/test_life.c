/* A whole life with the n-th allocation failing, for every n: create, train, save, open, generate,
 * checkpoint. Each failure is RNNKIT_E_MEMORY with a message that says so, nothing is left behind
 * in memory or in the folder, files that stood there are as they were, and the next attempt with
 * memory succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/small_model.h"

enum { MOST = 100000 };

#define TRY(call)                                                                                  \
    do {                                                                                           \
        int32_t try_status = (call);                                                               \
        if (try_status < RNNKIT_OK) return try_status;                                             \
    } while (0)

typedef int32_t (*part_of_life)(rnnkit_context *context, small_model *small);

static int32_t create(rnnkit_context *context, small_model *small)
{
    return small_model_create(context, small);
}

static int32_t train(rnnkit_context *context, small_model *small)
{
    double loss;
    return small_model_train(context, small, &loss);
}

static int32_t generate(rnnkit_context *context, small_model *small)
{
    int32_t ids[30];
    (void)context;
    return small_model_generate(small, 1, ids, 30);
}

static int32_t save(rnnkit_context *context, small_model *small)
{
    (void)context;
    return rnnkit_model_save(small->model, scratch_path("model"));
}

static int32_t open(rnnkit_context *context, small_model *small)
{
    rnnkit_model *model;
    rnnkit_vocab *vocab;
    (void)small;
    TRY(rnnkit_model_open(context, scratch_path("model"), NULL, &model));
    int32_t status = rnnkit_model_vocab(model, &vocab);
    if (status >= RNNKIT_OK) rnnkit_vocab_destroy(vocab);
    rnnkit_model_destroy(model);
    return status;
}

static int32_t load_parameters(rnnkit_context *context, small_model *small)
{
    (void)context;
    return rnnkit_model_load_parameters(small->model, scratch_path("model"), NULL);
}

static int32_t use_checkpoint(rnnkit_checkpoint *checkpoint, rnnkit_optimizer *adam)
{
    TRY(rnnkit_checkpoint_add_optimizer(checkpoint, "adam", adam));
    TRY(rnnkit_checkpoint_set_number(checkpoint, "epoch", 3));
    TRY(rnnkit_checkpoint_save(checkpoint, scratch_path("checkpoint")));
    return rnnkit_checkpoint_load(checkpoint, scratch_path("checkpoint"));
}

static int32_t stop_and_go_on(rnnkit_context *context, small_model *small)
{
    rnnkit_checkpoint *checkpoint = NULL;
    rnnkit_optimizer *adam;
    (void)context;
    TRY(rnnkit_optimizer_create(small->model, "adam", NULL, &adam));
    int32_t status = rnnkit_checkpoint_create(small->model, &checkpoint);
    if (status >= RNNKIT_OK) status = use_checkpoint(checkpoint, adam);
    rnnkit_checkpoint_destroy(checkpoint);
    rnnkit_optimizer_destroy(adam);
    return status;
}

/* A recurrent layer with everything that it can have, a training step and a pooled output. */
static int32_t run_everything(rnnkit_rnn *rnn, rnnkit_tape *tape)
{
    static const int64_t dims[3] = {4, 3, 5};
    static const int32_t lengths[3] = {4, 0, 2};
    static const float values[4 * 3 * 5];
    rnnkit_tensor *x, *y, *pooled, *loss;
    rnnkit_state *state;
    TRY(rnnkit_state_create(rnn, 3, &state));
    rnnkit_state_destroy(state);
    TRY(rnnkit_tape_input(tape, values, dims, 3, &x));
    TRY(rnnkit_rnn_forward(rnn, tape, x, lengths, NULL, &y));
    TRY(rnnkit_rnn_gates(rnn, tape, y, 0, 1, &pooled, NULL));
    TRY(rnnkit_rnn_pool(rnn, tape, y, lengths, "pooling=max", &pooled));
    TRY(rnnkit_pointwise_loss(
        tape, "squared_error", pooled, values, 3 * 2 * 3, NULL, 0, NULL, &loss));
    return rnnkit_tape_backward(tape, loss);
}

static int32_t use_everything(rnnkit_context *context, small_model *small)
{
    rnnkit_rnn *rnn;
    rnnkit_tape *tape = NULL;
    TRY(rnnkit_lstm_create(small->model, "all", 5, 6,
        "hidden=7,6 bidirectional=1 projection=3 layer_norm=1 zoneout=0.1 zoneout_cell=0.1 "
        "dropout=0.2 "
        "locked=1 weight_drop=0.3 initial=learned init=orthogonal forget_bias=1",
        &rnn));
    int32_t status = rnnkit_tape_create(context, "train=1", &tape);
    if (status >= RNNKIT_OK) status = run_everything(rnn, tape);
    rnnkit_tape_destroy(tape);
    rnnkit_rnn_destroy(rnn);
    return status;
}

/* A context whose allocator starts to count when the part of life begins. */
static int32_t live(part_of_life part, int64_t fail_at, failing_memory *hook)
{
    rnnkit_context *context = NULL;
    small_model small = {0};
    *hook = (failing_memory){.fail_at = part == NULL ? fail_at : 0};
    int32_t status = rnnkit_context_create_with_allocator(
        "cpu", "threads=1", failing_allocate, failing_release, hook, &context);
    if (part != NULL) {
        if (part != create) must(small_model_create(context, &small), "model");
        hook->fail_at = hook->calls + fail_at;
        status = part(context, &small);
        hook->fail_at = 0;
    }
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
    return status;
}

static void fail_everywhere(part_of_life part)
{
    failing_memory hook;
    size_t size_before, size_after;
    unsigned char *before = scratch_read(scratch_path("model"), &size_before);
    assert_non_null(before);
    int files = scratch_count(scratch_path("."));
    int64_t fail_at = 1;
    for (; fail_at < MOST; fail_at++) {
        int32_t status = live(part, fail_at, &hook);
        if (hook.alive != 0)
            fail_msg("%lld block(s) leak when allocation %lld fails", (long long)hook.alive,
                (long long)fail_at);
        if (status == RNNKIT_OK) break;
        if (status != RNNKIT_E_MEMORY)
            fail_msg("allocation %lld: %s", (long long)fail_at, rnnkit_error_message());
        assert_non_null(strstr(rnnkit_error_message(), "memory"));
        assert_memory_equal(rnnkit_error_message(), "rnnkit_", 7);
        if (part == save) {
            assert_int_equal(scratch_count(scratch_path(".")), files);
            unsigned char *after = scratch_read(scratch_path("model"), &size_after);
            assert_int_equal(size_after, size_before);
            assert_memory_equal(after, before, size_before);
            free(after);
        }
    }
    free(before);
    assert_in_range(fail_at, 2, MOST - 1); /* something was allocated, and it ends */
}

static int write_model(void **state)
{
    (void)state;
    failing_memory hook;
    return live(save, -1, &hook);
}

static void test_context(void **state)
{
    (void)state;
    fail_everywhere(NULL);
}

static void test_create(void **state)
{
    (void)state;
    fail_everywhere(create);
}

static void test_train(void **state)
{
    (void)state;
    fail_everywhere(train);
}

static void test_generate(void **state)
{
    (void)state;
    fail_everywhere(generate);
}

static void test_save(void **state)
{
    (void)state;
    fail_everywhere(save);
}

static void test_open(void **state)
{
    (void)state;
    fail_everywhere(open);
}

static void test_load_parameters(void **state)
{
    (void)state;
    fail_everywhere(load_parameters);
}

static void test_checkpoint(void **state)
{
    (void)state;
    fail_everywhere(stop_and_go_on);
}

static void test_everything(void **state)
{
    (void)state;
    fail_everywhere(use_everything);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_context),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_train),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_save),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_load_parameters),
        cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_everything),
    };
    return cmocka_run_group_tests_name("life without memory", tests, write_model, NULL);
}
