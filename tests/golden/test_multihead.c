/* Multi-head self-attention gives what PyTorch gives, and so does a Transformer's encoder block
 * that is put together from public layers: outputs, weights, loss, and every gradient.
 *
 * Fixture, and what its cases are: tests/golden/multihead_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tensors.h"

#define FIXTURE "multihead.safetensors"

enum { HEADS = 3 };

typedef struct multihead_case {
    const char *name, *options;
    int masked, block;
} multihead_case;

static const multihead_case cases[] = {
    {"attend", NULL, 0, 0},
    {"attend.lengths", NULL, 1, 0},
    {"attend.causal", "causal=1", 0, 0},
    {"attend.no_bias", "bias=0", 0, 0},
    {"block", NULL, 0, 1},
    {"block.lengths", NULL, 1, 1},
};

/* One case on one device. */
typedef struct run {
    const multihead_case *of;
    const golden_device *device;
    rki_st *st;
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_multihead *multihead;
    rnnkit_norm *norm1, *norm2;
    rnnkit_linear *linear1, *linear2, *linear;
    rnnkit_tape *tape;
    rnnkit_tensor *x, *out, *weights, *loss;
} run;

static const rki_st_entry *entry_of(const run *r, const char *what)
{
    return expected_entry(r->st, "%s.%s", r->of->name, what);
}

static const char *layer_name(const run *r, const char *name)
{
    static char text[64];
    snprintf(text, sizeof text, "%s.%s", r->of->name, name);
    return text;
}

static void build_block(run *r, int64_t width)
{
    int64_t inner = entry_of(r, "layer.linear1.weight")->dims[0];
    golden_ok(rnnkit_norm_create(r->model, layer_name(r, "layer.norm1"), width, NULL, &r->norm1));
    golden_ok(rnnkit_norm_create(r->model, layer_name(r, "layer.norm2"), width, NULL, &r->norm2));
    golden_ok(rnnkit_linear_create(
        r->model, layer_name(r, "layer.linear1"), width, inner, NULL, &r->linear1));
    golden_ok(rnnkit_linear_create(
        r->model, layer_name(r, "layer.linear2"), inner, width, NULL, &r->linear2));
}

static void build(run *r)
{
    int64_t width = entry_of(r, "x")->dims[2], words = entry_of(r, "linear.weight")->dims[0];
    r->context = golden_context(r->device);
    golden_ok(rnnkit_model_create(r->context, &r->model));
    golden_ok(
        rnnkit_multihead_create(r->model, layer_name(r, r->of->block ? "layer.self_attn" : "layer"),
            width, HEADS, r->of->options, &r->multihead));
    if (r->of->block) build_block(r, width);
    golden_ok(
        rnnkit_linear_create(r->model, layer_name(r, "linear"), width, words, NULL, &r->linear));
    golden_ok(rnnkit_model_load_parameters(r->model, FIXTURE, "strict=0"));
    golden_ok(rnnkit_tape_create(r->context, "train=1", &r->tape));
}

static void destroy(run *r)
{
    rnnkit_tape_destroy(r->tape);
    rnnkit_multihead_destroy(r->multihead);
    rnnkit_norm_destroy(r->norm1);
    rnnkit_norm_destroy(r->norm2);
    rnnkit_linear_destroy(r->linear1);
    rnnkit_linear_destroy(r->linear2);
    rnnkit_linear_destroy(r->linear);
    rnnkit_model_destroy(r->model);
    rnnkit_context_destroy(r->context);
    rki_st_close(r->st);
}

/* norm(x + y), then norm(that + feed-forward of it) */
static void run_block(run *r)
{
    rnnkit_tensor *sum, *x, *y;
    golden_ok(rnnkit_add_forward(r->tape, r->x, r->out, &sum));
    golden_ok(rnnkit_norm_forward(r->norm1, r->tape, sum, &x));
    golden_ok(rnnkit_linear_forward(r->linear1, r->tape, x, &y));
    golden_ok(rnnkit_relu_forward(r->tape, y, &y));
    golden_ok(rnnkit_linear_forward(r->linear2, r->tape, y, &y));
    golden_ok(rnnkit_add_forward(r->tape, x, y, &sum));
    golden_ok(rnnkit_norm_forward(r->norm2, r->tape, sum, &r->out));
}

static void compute(run *r)
{
    const rki_st_entry *targets_entry = entry_of(r, "targets");
    int32_t *lengths = r->of->masked ? expected_ids(expected_entry(r->st, "lengths")) : NULL;
    int32_t *targets = expected_ids(targets_entry);
    r->x = golden_input(r->tape, entry_of(r, "x"));
    golden_ok(rnnkit_multihead_forward(r->multihead, r->tape, r->x, lengths, &r->out, &r->weights));
    if (r->of->block) run_block(r);
    golden_ok(rnnkit_linear_cross_entropy(
        r->linear, r->tape, r->out, targets, targets_entry->count, RNNKIT_IGNORE, &r->loss));
    golden_ok(rnnkit_tape_backward(r->tape, r->loss));
    free(lengths);
    free(targets);
}

/* Outputs behind a row's length mean nothing: 0 stands in the fixture. */
static void check_out(const run *r)
{
    const rki_st_entry *entry = entry_of(r, "out"), *targets_entry = entry_of(r, "targets");
    int32_t *targets = expected_ids(targets_entry);
    float *values = expected_floats(entry);
    int64_t width = entry->dims[2];
    golden_ok(rnnkit_tensor_read(r->out, values, entry->count));
    for (int64_t i = 0; i < entry->count; i++)
        if (targets[i / width] == RNNKIT_IGNORE) values[i] = 0;
    expect_agreement(entry, values, entry->count, r->device->limit);
    free(values);
    free(targets);
}

static void run_case(const void *user, const golden_device *device)
{
    const multihead_case *of = user;
    run r = {.of = of, .device = device, .st = expected_open(FIXTURE)};
    print_message("%s, %s\n", device->name, device->options);
    build(&r);
    compute(&r);
    check_out(&r);
    if (!of->block) expect_tensor(entry_of(&r, "weights"), r.weights, device->limit);
    expect_loss(entry_of(&r, "loss"), r.loss, device->limit);
    expect_gradient(entry_of(&r, "gradient.x"), r.x, device->limit);
    expect_parameters(r.st, r.model, of->name, 1, device->limit);
    destroy(&r);
}

int main(void)
{
    return golden_main(
        "golden_multihead", cases, sizeof cases / sizeof *cases, sizeof *cases, run_case);
}
