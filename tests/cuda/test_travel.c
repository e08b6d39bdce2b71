/* The same program on a CUDA device and on the CPU: a run repeats to the bit, both devices learn
 * the same, and files travel both ways unchanged. Skipped where there is no device. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/small_model.h"

/* A small model that was trained, or not yet, on a device. */
typedef struct place {
    rnnkit_context *context;
    small_model small;
    double loss;
} place;

static place go_with(const char *device, const char *options, int passes)
{
    place p = {.loss = 0.0};
    must(rnnkit_context_create(device, options, &p.context), device);
    must(small_model_create(p.context, &p.small), "model");
    for (int i = 0; i < passes; i++)
        must(small_model_train(p.context, &p.small, &p.loss), "train");
    return p;
}

static place go(const char *device, int passes)
{
    return go_with(device, "threads=1 seed=4", passes);
}

static void leave(place *p)
{
    small_model_destroy(&p->small);
    rnnkit_context_destroy(p->context);
}

/* All parameters, one behind the other; to be freed. */
static float *weights(const place *p, int64_t *count)
{
    must(rnnkit_model_size(p->small.model, NULL, count), "size");
    float *values = malloc((size_t)*count * sizeof *values), *at = values;
    const char *name;
    assert_non_null(values);
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(p->small.model, i)) != NULL; i++) {
        int64_t dims[4], rank, length = 1;
        must(rnnkit_model_parameter_shape(p->small.model, name, dims, 4, &rank), name);
        for (int64_t k = 0; k < rank; k++)
            length *= dims[k];
        must(rnnkit_model_parameter_read(p->small.model, name, at, length), name);
        at += length;
    }
    return values;
}

static void expect_weights(const place *a, const place *b, double tolerance)
{
    int64_t count, other;
    float *x = weights(a, &count), *y = weights(b, &other);
    assert_int_equal(count, other);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)x[i] - (double)y[i]) <= tolerance))
            fail_msg("weight %lld is %.9g and %.9g", (long long)i, (double)x[i], (double)y[i]);
    free(x);
    free(y);
}

static void repeats_to_the_bit(void **state)
{
    (void)state;
    place a = go("cuda", 3), b = go("cuda", 3);
    expect_weights(&a, &b, 0.0);
    assert_memory_equal(&a.loss, &b.loss, sizeof a.loss);
    leave(&a);
    leave(&b);
}

/* First values are drawn alike, and rounding alone parts the two ways. */
static void learns_what_the_cpu_learns(void **state)
{
    (void)state;
    place new_gpu = go("cuda", 0), new_cpu = go("cpu", 0), gpu = go("cuda", 2), cpu = go("cpu", 2);
    expect_weights(&new_gpu, &new_cpu, 0.0);
    expect_weights(&gpu, &cpu, 1e-3);
    assert_true(fabs(gpu.loss - cpu.loss) < 1e-3 * cpu.loss);
    leave(&new_gpu);
    leave(&new_cpu);
    leave(&gpu);
    leave(&cpu);
}

static int same_weights(const place *a, const place *b)
{
    int64_t count, other;
    float *x = weights(a, &count), *y = weights(b, &other);
    assert_int_equal(count, other);
    int same = memcmp(x, y, (size_t)count * sizeof *x) == 0;
    free(x);
    free(y);
    return same;
}

/* precision is there when it is asked for, and does not change what is learned. */
static void rounded_factors_learn_the_same(void **state)
{
    (void)state;
    place full = go("cuda", 3), said = go_with("cuda", "threads=1 seed=4 precision=full", 3);
    place tf32 = go_with("cuda", "threads=1 seed=4 precision=tf32", 3);
    place bf16 = go_with("cuda", "threads=1 seed=4 precision=bf16", 3);
    assert_true(same_weights(&full, &said));
    assert_false(same_weights(&full, &tf32));
    assert_false(same_weights(&full, &bf16));
    assert_false(same_weights(&tf32, &bf16));
    assert_true(fabs(tf32.loss - full.loss) < 2e-3 * full.loss);
    assert_true(fabs(bf16.loss - full.loss) < 1e-2 * full.loss);
    leave(&full);
    leave(&said);
    leave(&tf32);
    leave(&bf16);
}

static void travel(const char *from, const char *to)
{
    const char *path = scratch_path("travel.safetensors");
    place home = go(from, 1), away = go(to, 0);
    must(rnnkit_model_save(home.small.model, path), "save");
    must(rnnkit_model_load_parameters(away.small.model, path, NULL), "load");
    expect_weights(&home, &away, 0.0);
    must(small_model_train(home.context, &home.small, &home.loss), "train");
    must(small_model_train(away.context, &away.small, &away.loss), "train");
    assert_true(fabs(home.loss - away.loss) < 1e-3 * home.loss);
    leave(&home);
    leave(&away);
}

static void files_travel(void **state)
{
    (void)state;
    travel("cuda", "cpu");
    travel("cpu", "cuda");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_to_the_bit),
        cmocka_unit_test(learns_what_the_cpu_learns),
        cmocka_unit_test(files_travel),
        cmocka_unit_test(rounded_factors_learn_the_same),
    };
    rnnkit_context *context;
    if (rnnkit_context_create("cuda", NULL, &context) < 0) {
        printf("skipped: %s\n", rnnkit_error_message());
        return 0;
    }
    rnnkit_context_destroy(context);
    return cmocka_run_group_tests_name("travel", tests, NULL, NULL);
}
