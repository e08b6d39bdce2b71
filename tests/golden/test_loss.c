/* Losses and their gradients as torch.nn.functional has them.
 *
 * Fixture: tests/golden/loss_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tensors.h"

static const char *const file = "loss.safetensors";

/* A context with a tape, and the fixture. */
typedef struct bench {
    const golden_device *device;
    rki_st *st;
    rnnkit_context *context;
    rnnkit_tape *tape;
} bench;

static bench open_bench(const golden_device *device)
{
    bench b = {.device = device, .st = expected_open(file), .context = golden_context(device)};
    golden_ok(rnnkit_tape_create(b.context, NULL, &b.tape));
    return b;
}

static void close_bench(bench *b)
{
    rnnkit_tape_destroy(b->tape);
    rnnkit_context_destroy(b->context);
    rki_st_close(b->st);
}

static const rki_st_entry *entry_of(const bench *b, const char *prefix, const char *what)
{
    return expected_entry(b->st, "%s%s", prefix, what);
}

static rnnkit_linear *make_linear(const bench *b, rnnkit_model *model)
{
    rnnkit_linear *linear;
    const rki_st_entry *weight = expected_entry(b->st, "cross_entropy.weight");
    const rki_st_entry *bias = expected_entry(b->st, "cross_entropy.bias");
    float *w = expected_floats(weight), *c = expected_floats(bias);
    golden_ok(
        rnnkit_linear_create(model, "linear", weight->dims[1], weight->dims[0], NULL, &linear));
    golden_ok(rnnkit_model_parameter_write(model, "linear.weight", w, weight->count));
    golden_ok(rnnkit_model_parameter_write(model, "linear.bias", c, bias->count));
    free(w);
    free(c);
    return linear;
}

typedef struct entropy_case {
    const char *name, *options;
    int weighted;
} entropy_case;

static void check_cross_entropy(const golden_device *device, const entropy_case *c)
{
    bench b = open_bench(device);
    rnnkit_model *model;
    rnnkit_tensor *loss;
    char prefix[64];
    double limit = device->limit;
    const rki_st_entry *entry = expected_entry(b.st, "cross_entropy.targets");
    int32_t *targets = expected_ids(entry);
    float *weights = expected_floats(expected_entry(b.st, "cross_entropy.class_weights"));
    snprintf(prefix, sizeof prefix, "cross_entropy.%s", c->name);
    golden_ok(rnnkit_model_create(b.context, &model));
    rnnkit_linear *linear = make_linear(&b, model);
    rnnkit_tensor *x = golden_input(b.tape, entry_of(&b, "cross_entropy", ".x"));
    int64_t classes;
    golden_ok(rnnkit_linear_size(linear, NULL, &classes));
    golden_ok(rnnkit_linear_cross_entropy_with_options(linear, b.tape, x, targets, entry->count,
        c->weighted ? weights : NULL, c->weighted ? classes : 0, c->options, &loss));
    golden_ok(rnnkit_tape_backward(b.tape, loss));
    expect_loss(entry_of(&b, prefix, ".loss"), loss, limit);
    expect_gradient(entry_of(&b, prefix, ".gradient.x"), x, limit);
    expect_parameter(entry_of(&b, prefix, ".gradient.weight"), model, "linear.weight", limit);
    expect_parameter(entry_of(&b, prefix, ".gradient.bias"), model, "linear.bias", limit);
    free(targets);
    free(weights);
    rnnkit_linear_destroy(linear);
    rnnkit_model_destroy(model);
    close_bench(&b);
}

static void cross_entropy_agrees(void **state)
{
    (void)state;
    static const entropy_case cases[] = {{"plain", NULL, 0}, {"weights", NULL, 1},
        {"smooth", "label_smoothing=0.1", 0}, {"both", "label_smoothing=0.3", 1},
        {"sum", "label_smoothing=0.3 reduction=sum ignore_index=-1", 1}};
    for (int i = 0; i < golden_device_count; i++)
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
            check_cross_entropy(&golden_devices[i], &cases[k]);
}

static void check_pointwise(const golden_device *device, const char *kind, const char *reduction)
{
    bench b = open_bench(device);
    rnnkit_tensor *loss, *x = golden_input(b.tape, entry_of(&b, "pointwise", ".x"));
    char prefix[64], options[64];
    const rki_st_entry *entry = expected_entry(b.st, "pointwise.targets");
    const rki_st_entry *mask = expected_entry(b.st, "pointwise.weights");
    float *targets = expected_floats(entry), *weights = expected_floats(mask);
    int masked = reduction[0] == 'm';
    snprintf(prefix, sizeof prefix, "pointwise.%s.%s", kind, reduction);
    snprintf(options, sizeof options, "pos_weight=2.5 delta=0.8 reduction=%s",
        reduction[0] == 's' ? "sum" : "mean");
    golden_ok(rnnkit_pointwise_loss(b.tape, kind, x, targets, entry->count, masked ? weights : NULL,
        masked ? mask->count : 0, options, &loss));
    golden_ok(rnnkit_tape_backward(b.tape, loss));
    expect_loss(entry_of(&b, prefix, ".loss"), loss, device->limit);
    expect_gradient(entry_of(&b, prefix, ".gradient"), x, device->limit);
    free(targets);
    free(weights);
    close_bench(&b);
}

static void pointwise_losses_agree(void **state)
{
    (void)state;
    static const char *const kinds[] = {
        "binary_cross_entropy", "squared_error", "absolute_error", "huber"};
    static const char *const reductions[] = {"plain", "sum", "masked"};
    for (int i = 0; i < golden_device_count; i++)
        for (int k = 0; k < 4; k++)
            for (int r = 0; r < 3; r++)
                check_pointwise(&golden_devices[i], kinds[k], reductions[r]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_entropy_agrees),
        cmocka_unit_test(pointwise_losses_agree),
    };
    return cmocka_run_group_tests_name("golden_loss", tests, NULL, NULL);
}
