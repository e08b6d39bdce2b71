/* Checkpoints: a run that was stopped and resumed ends with the same bits as one that never was;
 * loading is all or nothing; saving never costs the old checkpoint.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/small_model.h"

enum { STEPS = 40 };

/* How a run is set up. */
typedef struct setup {
    const char *rule, *optimizer;
    const char *shape, *schedule;
    const char *batches;
    const char *device;
    int64_t rows;
} setup;

static const setup contiguous = {
    "adam", "lr=0.01 clip_norm=1", "cosine", "warmup=5", "batch=2 steps=5", "cpu", 2};

/* Everything that a training run consists of. */
typedef struct run {
    setup how;
    rnnkit_context *context;
    small_model small;
    rnnkit_optimizer *optimizer;
    rnnkit_schedule *schedule;
    rnnkit_batches *batches;
    rnnkit_state *state;
    rnnkit_tape *tape;
    rnnkit_checkpoint *checkpoint;
    double losses[STEPS];
} run;

static void expect_message(const char *part)
{
    if (strstr(rnnkit_error_message(), part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", rnnkit_error_message(), part);
}

static void attach(run *it)
{
    must(rnnkit_checkpoint_create(it->small.model, &it->checkpoint), "checkpoint");
    must(rnnkit_checkpoint_add_optimizer(it->checkpoint, "optimizer", it->optimizer), "add");
    must(rnnkit_checkpoint_add_schedule(it->checkpoint, "schedule", it->schedule), "add");
    must(rnnkit_checkpoint_add_state(it->checkpoint, "state", it->state), "add");
    must(rnnkit_checkpoint_add_tape(it->checkpoint, "tape", it->tape), "add");
    must(rnnkit_checkpoint_add_batches(it->checkpoint, "batches", it->batches), "add");
}

static run *start(const setup *how)
{
    run *it = calloc(1, sizeof *it);
    assert_non_null(it);
    it->how = *how;
    must(rnnkit_context_create(how->device, "threads=1 seed=11", &it->context), "context");
    must(small_model_create(it->context, &it->small), "model");
    must(rnnkit_optimizer_create(it->small.model, how->rule, how->optimizer, &it->optimizer),
        "optimizer");
    must(rnnkit_schedule_create(it->optimizer, how->shape, STEPS, how->schedule, &it->schedule),
        "schedule");
    must(rnnkit_batches_create(it->small.tokens, how->batches, &it->batches), "batches");
    must(rnnkit_state_create(it->small.lstm, how->rows, &it->state), "state");
    must(rnnkit_tape_create(it->context, NULL, &it->tape), "tape");
    attach(it);
    return it;
}

static void end(run *it)
{
    rnnkit_checkpoint_destroy(it->checkpoint);
    rnnkit_tape_destroy(it->tape);
    rnnkit_state_destroy(it->state);
    rnnkit_batches_destroy(it->batches);
    rnnkit_schedule_destroy(it->schedule);
    rnnkit_optimizer_destroy(it->optimizer);
    small_model_destroy(&it->small);
    rnnkit_context_destroy(it->context);
    free(it);
}

/* One update; the next epoch begins where one ends. */
static double step(run *it)
{
    const int32_t *x, *y;
    int64_t steps, rows;
    double value;
    rnnkit_tensor *e, *h, *loss;
    int32_t next = rnnkit_batches_next(it->batches, &x, &y, &steps, &rows);
    if (next == RNNKIT_DONE || (next == RNNKIT_OK && rows != it->how.rows)) {
        must(rnnkit_batches_rewind(it->batches), "rewind");
        must(rnnkit_state_reset(it->state, -1), "reset");
        next = rnnkit_batches_next(it->batches, &x, &y, &steps, &rows);
    }
    must(next, "next");
    must(rnnkit_tape_clear(it->tape), "clear");
    must(rnnkit_embedding_forward(it->small.embedding, it->tape, x, steps, rows, &e), "lookup");
    must(rnnkit_rnn_forward(it->small.lstm, it->tape, e, NULL, it->state, &h), "forward");
    must(rnnkit_linear_cross_entropy(
             it->small.linear, it->tape, h, y, steps * rows, RNNKIT_IGNORE, &loss),
        "loss");
    must(rnnkit_tape_backward(it->tape, loss), "backward");
    must(rnnkit_tensor_item(loss, &value), "item");
    must(rnnkit_optimizer_step(it->optimizer), "step");
    must(rnnkit_schedule_step(it->schedule), "schedule");
    must(rnnkit_schedule_observe(it->schedule, value), "observe");
    return value;
}

static void go(run *it, int from, int to)
{
    for (int i = from; i < to; i++)
        it->losses[i] = step(it);
}

/* All parameters, one behind the other; to be freed. */
static float *weights(const run *it, size_t *size)
{
    int64_t count, place = 0;
    const char *name;
    must(rnnkit_model_size(it->small.model, NULL, &count), "size");
    float *values = malloc((size_t)count * sizeof *values);
    assert_non_null(values);
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(it->small.model, i)) != NULL; i++) {
        int64_t dims[4], rank, length = 1;
        must(rnnkit_model_parameter_shape(it->small.model, name, dims, 4, &rank), name);
        for (int64_t k = 0; k < rank; k++)
            length *= dims[k];
        must(rnnkit_model_parameter_read(it->small.model, name, values + place, length), name);
        place += length;
    }
    *size = (size_t)count * sizeof *values;
    return values;
}

static void expect_same_weights(const run *a, const run *b)
{
    size_t size, other;
    float *first = weights(a, &size), *second = weights(b, &other);
    assert_int_equal(size, other);
    assert_memory_equal(first, second, size);
    free(first);
    free(second);
}

/* Stops after each of some steps, goes on in new objects, and compares with never stopping. */
static void expect_seamless(const setup *how)
{
    static const int stops[] = {0, 1, 13, 29, STEPS};
    const char *path = scratch_path("run.safetensors");
    run *whole = start(how);
    go(whole, 0, STEPS);
    for (size_t k = 0; k < sizeof stops / sizeof *stops; k++) {
        run *first = start(how);
        go(first, 0, stops[k]);
        must(rnnkit_checkpoint_save(first->checkpoint, path), "save");
        end(first);
        run *second = start(how);
        go(second, 0, 3); /* loading must wipe out whatever was there */
        must(rnnkit_checkpoint_load(second->checkpoint, path), "load");
        go(second, stops[k], STEPS);
        for (int i = stops[k]; i < STEPS; i++)
            if (memcmp(&second->losses[i], &whole->losses[i], sizeof(double)) != 0)
                fail_msg("stopped at %d: loss %d is %.17g, not %.17g", stops[k], i,
                    second->losses[i], whole->losses[i]);
        expect_same_weights(whole, second);
        end(second);
    }
    assert_true(whole->losses[STEPS - 1] < whole->losses[0]);
    end(whole);
}

static void resumes_contiguous_batches(void **state)
{
    (void)state;
    expect_seamless(&contiguous);
}

static void resumes_sliding_windows(void **state)
{
    (void)state;
    setup how = contiguous;
    how.batches = "batch=8 steps=4 windows=sliding";
    how.rows = 8;
    expect_seamless(&how);
}

static void resumes_every_rule(void **state)
{
    (void)state;
    static const char *const rules[][2] = {{"sgd", "lr=0.5 momentum=0.9"}, {"sgd", "lr=0.5"},
        {"adamw", "lr=0.01"}, {"rmsprop", "lr=0.01 momentum=0.5"}, {"adagrad", "lr=0.05"}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        setup how = contiguous;
        how.rule = rules[i][0];
        how.optimizer = rules[i][1];
        expect_seamless(&how);
    }
}

static void resumes_every_schedule(void **state)
{
    (void)state;
    static const char *const shapes[][2] = {{"constant", "warmup=20"}, {"linear", "floor=0.001"},
        {"step", "every=7 factor=0.5"}, {"plateau", "patience=1 factor=0.5 threshold=0.05"}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        setup how = contiguous;
        how.shape = shapes[i][0];
        how.schedule = shapes[i][1];
        expect_seamless(&how);
    }
}

static void expect_seamless_on(const char *device)
{
    rnnkit_context *context;
    setup how = contiguous;
    how.device = device;
    if (rnnkit_context_create(device, NULL, &context) != RNNKIT_OK) skip();
    rnnkit_context_destroy(context);
    expect_seamless(&how);
}

static void resumes_on_the_reference_device(void **state)
{
    (void)state;
    expect_seamless_on("reference");
}

static void resumes_on_a_cuda_device(void **state)
{
    (void)state;
    expect_seamless_on("cuda");
}

static void saving_does_not_disturb(void **state)
{
    (void)state;
    const char *path = scratch_path("often.safetensors");
    run *quiet = start(&contiguous), *saving = start(&contiguous);
    go(quiet, 0, STEPS);
    for (int i = 0; i < STEPS; i++) {
        go(saving, i, i + 1);
        must(rnnkit_checkpoint_save(saving->checkpoint, path), "save");
    }
    assert_memory_equal(quiet->losses, saving->losses, sizeof quiet->losses);
    expect_same_weights(quiet, saving);
    end(quiet);
    end(saving);
}

static void equal_runs_give_equal_files(void **state)
{
    (void)state;
    size_t size, other_size;
    const char *path = scratch_path("one"), *other_path = scratch_path("two");
    run *one = start(&contiguous), *two = start(&contiguous);
    go(one, 0, 9);
    go(two, 0, 9);
    must(rnnkit_checkpoint_save(one->checkpoint, path), "save");
    must(rnnkit_checkpoint_save(two->checkpoint, other_path), "save");
    unsigned char *bytes = scratch_read(path, &size);
    unsigned char *other = scratch_read(other_path, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(bytes, other, size);
    free(bytes);
    free(other);
    end(one);
    end(two);
}

static void a_checkpoint_is_a_model_file(void **state)
{
    (void)state;
    const char *path = scratch_path("as_model.safetensors");
    rnnkit_model *opened;
    run *it = start(&contiguous), *fresh = start(&contiguous);
    go(it, 0, 5);
    must(rnnkit_checkpoint_save(it->checkpoint, path), "save");
    must(rnnkit_model_open(it->context, path, NULL, &opened), "open");
    rnnkit_model_destroy(opened);
    must(rnnkit_model_load_parameters(fresh->small.model, path, NULL), "load parameters, strict");
    expect_same_weights(it, fresh);
    end(it);
    end(fresh);
}

static void keeps_numbers_exactly(void **state)
{
    (void)state;
    static const double numbers[] = {0.1, -0.0, 9007199254740993.0, 5e-324, INFINITY, 1.0 / 3};
    char name[16];
    double value = 7;
    const char *path = scratch_path("numbers.safetensors");
    run *it = start(&contiguous), *other = start(&contiguous);
    for (size_t i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "n\n%zu", i);
        must(rnnkit_checkpoint_set_number(it->checkpoint, name, 1), "set");
        must(rnnkit_checkpoint_set_number(it->checkpoint, name, numbers[i]), "set again");
    }
    must(rnnkit_checkpoint_set_number(it->checkpoint, "nan", NAN), "set");
    must(rnnkit_checkpoint_save(it->checkpoint, path), "save");
    must(rnnkit_checkpoint_set_number(other->checkpoint, "left over", 1), "set");
    assert_int_equal(
        rnnkit_checkpoint_number(other->checkpoint, "nan", &value), RNNKIT_E_NOT_FOUND);
    assert_true(value == 7);
    must(rnnkit_checkpoint_load(other->checkpoint, path), "load");
    for (size_t i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "n\n%zu", i);
        must(rnnkit_checkpoint_number(other->checkpoint, name, &value), name);
        assert_memory_equal(&value, &numbers[i], sizeof value);
    }
    must(rnnkit_checkpoint_number(other->checkpoint, "nan", &value), "nan");
    assert_true(isnan(value));
    assert_int_equal(
        rnnkit_checkpoint_number(other->checkpoint, "left over", &value), RNNKIT_E_NOT_FOUND);
    end(it);
    end(other);
}

static void checks_arguments(void **state)
{
    (void)state;
    double value;
    rnnkit_checkpoint *none = NULL;
    run *it = start(&contiguous), *other = start(&contiguous);
    rnnkit_checkpoint *c = it->checkpoint;
    assert_int_equal(rnnkit_checkpoint_create(NULL, &none), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_checkpoint_create(it->small.model, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_add_tape(c, NULL, it->tape), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_add_tape(c, "", it->tape), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_add_tape(c, "\xff", it->tape), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_add_tape(c, "state", it->tape), RNNKIT_E_ARGUMENT);
    expect_message("\"state\"");
    assert_int_equal(rnnkit_checkpoint_add_tape(c, "t", NULL), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_checkpoint_add_state(c, "t", (void *)it->tape), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_checkpoint_add_optimizer(c, "o", other->optimizer), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_set_number(c, "tape", 1), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_set_number(c, "", 1), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_set_number(c, NULL, 1), RNNKIT_E_ARGUMENT);
    must(rnnkit_checkpoint_set_number(c, "number", 1), "set");
    assert_int_equal(rnnkit_checkpoint_add_tape(c, "number", it->tape), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_number(c, "number", NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_number(NULL, "number", &value), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_checkpoint_save(c, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_load(c, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_checkpoint_save(NULL, "x"), RNNKIT_E_HANDLE);
    rnnkit_checkpoint_destroy(NULL);
    assert_null(none);
    end(it);
    end(other);
}

/* Loading must fail so, and the run goes on as if nothing had happened. */
static void expect_refused(run *it, const char *path, int32_t status, const char *part)
{
    size_t size, after_size;
    const char *before_path = scratch_path("before"), *after_path = scratch_path("after");
    must(rnnkit_checkpoint_save(it->checkpoint, before_path), "save");
    int32_t got = rnnkit_checkpoint_load(it->checkpoint, path);
    if (got != status)
        fail_msg("%s, not %s: %s", rnnkit_status_name(got), rnnkit_status_name(status),
            got < 0 ? rnnkit_error_message() : "");
    expect_message(part);
    must(rnnkit_checkpoint_save(it->checkpoint, after_path), "save");
    unsigned char *before = scratch_read(before_path, &size);
    unsigned char *after = scratch_read(after_path, &after_size);
    assert_int_equal(size, after_size);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
}

static void refuses_another_setup(void **state)
{
    (void)state;
    setup others[6];
    static const char *const parts[6] = {"\"optimizer\"", "\"optimizer\"", "\"schedule\"",
        "\"batches\"", "\"state\"", "\"batches\""};
    const char *path = scratch_path("setup.safetensors");
    run *it = start(&contiguous);
    go(it, 0, 6);
    must(rnnkit_checkpoint_save(it->checkpoint, path), "save");
    end(it);
    for (int i = 0; i < 6; i++)
        others[i] = contiguous;
    others[0].rule = "adamw";
    others[1].optimizer = "lr=0.01 clip_norm=2";
    others[2].shape = "linear";
    others[3].batches = "batch=2 steps=6";
    others[4].rows = 3;
    others[5].batches = "batch=2 steps=5 count=80";
    for (int i = 0; i < 6; i++) {
        run *other = start(&others[i]);
        expect_refused(other, path, RNNKIT_E_SHAPE, parts[i]);
        end(other);
    }
}

static void refuses_other_names_and_files(void **state)
{
    (void)state;
    size_t size;
    const char *path = scratch_path("named.safetensors");
    run *it = start(&contiguous);
    go(it, 0, 6);
    must(rnnkit_checkpoint_save(it->checkpoint, path), "save");
    rnnkit_checkpoint_destroy(it->checkpoint);
    must(rnnkit_checkpoint_create(it->small.model, &it->checkpoint), "checkpoint");
    must(rnnkit_checkpoint_add_tape(it->checkpoint, "state", it->tape), "add");
    expect_refused(it, path, RNNKIT_E_SHAPE, "\"state\"");
    rnnkit_checkpoint_destroy(it->checkpoint);
    must(rnnkit_checkpoint_create(it->small.model, &it->checkpoint), "checkpoint");
    must(rnnkit_checkpoint_add_tape(it->checkpoint, "other", it->tape), "add");
    expect_refused(it, path, RNNKIT_E_NOT_FOUND, "\"other\"");
    expect_refused(it, scratch_path("missing"), RNNKIT_E_IO, "No such file");
    const char *model_path = scratch_path("plain.safetensors");
    must(rnnkit_model_save(it->small.model, model_path), "save");
    expect_refused(it, model_path, RNNKIT_E_FORMAT, "checkpoint");
    expect_refused(it, "../golden/state_dict.safetensors", RNNKIT_E_FORMAT, "");
    unsigned char *bytes = scratch_read(path, &size);
    const char *cut = scratch_path("cut");
    for (size_t keep = 0; keep < size; keep += keep + 7) {
        scratch_write(cut, bytes, keep);
        expect_refused(it, cut, RNNKIT_E_FORMAT, "");
    }
    free(bytes);
    /* What is in the file but not attached is passed over. */
    rnnkit_checkpoint_destroy(it->checkpoint);
    must(rnnkit_checkpoint_create(it->small.model, &it->checkpoint), "checkpoint");
    must(rnnkit_checkpoint_load(it->checkpoint, path), "load");
    end(it);
}

static void notices_flipped_bits(void **state)
{
    (void)state;
    size_t size;
    int loaded = 0;
    const char *path = scratch_path("sound.safetensors"), *flipped = scratch_path("flipped");
    run *it = start(&contiguous);
    go(it, 0, 4);
    must(rnnkit_checkpoint_save(it->checkpoint, path), "save");
    unsigned char *bytes = scratch_read(path, &size);
    for (size_t bit = 0; bit < 8 * size; bit += 997) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        scratch_write(flipped, bytes, size);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        int32_t status = rnnkit_checkpoint_load(it->checkpoint, flipped);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_FORMAT);
        loaded += status == RNNKIT_OK;
    }
    assert_true(loaded < 5);
    free(bytes);
    end(it);
}

static void a_failed_save_keeps_the_old_checkpoint(void **state)
{
    (void)state;
    size_t size, after_size;
    struct rlimit limit, low;
    const char *path = scratch_path("kept.safetensors");
    run *it = start(&contiguous);
    go(it, 0, 4);
    must(rnnkit_checkpoint_save(it->checkpoint, path), "save");
    unsigned char *bytes = scratch_read(path, &size);
    int files = scratch_count(scratch_path(""));
    go(it, 4, 8);
    assert_int_equal(rnnkit_checkpoint_save(it->checkpoint, "/dev/full"), RNNKIT_E_IO);
    expect_message("No space left on device");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    for (size_t most = 0; most < size; most += 1000) {
        low = limit;
        low.rlim_cur = most;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
        int32_t status = rnnkit_checkpoint_save(it->checkpoint, path);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(status, RNNKIT_E_IO);
    }
    unsigned char *after = scratch_read(path, &after_size);
    assert_int_equal(after_size, size);
    assert_memory_equal(after, bytes, size);
    assert_int_equal(scratch_count(scratch_path("")), files);
    free(bytes);
    free(after);
    end(it);
}

static void any_order_of_destruction_is_fine(void **state)
{
    (void)state;
    run *it = start(&contiguous);
    go(it, 0, 2);
    rnnkit_context_destroy(it->context);
    small_model_destroy(&it->small);
    rnnkit_optimizer_destroy(it->optimizer);
    rnnkit_schedule_destroy(it->schedule);
    rnnkit_batches_destroy(it->batches);
    rnnkit_state_destroy(it->state);
    rnnkit_tape_destroy(it->tape);
    must(rnnkit_checkpoint_save(it->checkpoint, scratch_path("last.safetensors")), "save");
    rnnkit_checkpoint_destroy(it->checkpoint);
    free(it);
}

/* Saving and loading with the n-th allocation failing, for every n. */
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    failing_memory host = {0};
    rnnkit_context *context;
    small_model small;
    rnnkit_optimizer *optimizer;
    rnnkit_checkpoint *checkpoint;
    const char *path = scratch_path("starved.safetensors");
    must(rnnkit_context_create_with_allocator(
             "cpu", "threads=1", failing_allocate, failing_release, &host, &context),
        "context");
    must(small_model_create(context, &small), "model");
    must(rnnkit_optimizer_create(small.model, "adam", NULL, &optimizer), "optimizer");
    must(rnnkit_checkpoint_create(small.model, &checkpoint), "checkpoint");
    must(rnnkit_checkpoint_set_number(checkpoint, "n", 1), "number");
    int64_t before = host.alive;
    int32_t status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        host.fail_at = host.calls + n;
        status = rnnkit_checkpoint_add_optimizer(checkpoint, "adam", optimizer);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        if (status != RNNKIT_OK) assert_int_equal(host.alive, before);
    }
    before = host.alive;
    status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        host.fail_at = host.calls + n;
        status = rnnkit_checkpoint_save(checkpoint, path);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        assert_int_equal(host.alive, before);
    }
    status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        host.fail_at = host.calls + n;
        status = rnnkit_checkpoint_load(checkpoint, path);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        assert_int_equal(host.alive, before);
    }
    host.fail_at = 0;
    rnnkit_checkpoint_destroy(checkpoint);
    rnnkit_optimizer_destroy(optimizer);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
    assert_int_equal(host.alive, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumes_contiguous_batches),
        cmocka_unit_test(resumes_sliding_windows),
        cmocka_unit_test(resumes_every_rule),
        cmocka_unit_test(resumes_every_schedule),
        cmocka_unit_test(resumes_on_the_reference_device),
        cmocka_unit_test(resumes_on_a_cuda_device),
        cmocka_unit_test(saving_does_not_disturb),
        cmocka_unit_test(equal_runs_give_equal_files),
        cmocka_unit_test(a_checkpoint_is_a_model_file),
        cmocka_unit_test(keeps_numbers_exactly),
        cmocka_unit_test(checks_arguments),
        cmocka_unit_test(refuses_another_setup),
        cmocka_unit_test(refuses_other_names_and_files),
        cmocka_unit_test(notices_flipped_bits),
        cmocka_unit_test(a_failed_save_keeps_the_old_checkpoint),
        cmocka_unit_test(any_order_of_destruction_is_fine),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
