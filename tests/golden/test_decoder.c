/* A decoder with attention gives what PyTorch gives: outputs, weights, loss, and the gradients of
 * x, memory, start vector and every parameter, in both styles, with and without input feeding.
 *
 * Fixture, and what its cases are: tests/golden/decoder_fixture.py.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodiff/tape.h"
#include "expected.h"

#define FIXTURE "decoder.safetensors"

typedef struct decoder_case {
    const char *name, *options;
    int masked;
} decoder_case;

static const decoder_case cases[] = {
    {"bahdanau", "output=9 attention_width=11", 0},
    {"bahdanau.deep", "output=9 layers=2 start=3 score=general", 1},
    {"bahdanau.concat", "output=9 start=3 score=concat attention_width=11 attention_bias=1", 1},
    {"luong", "style=luong output=9 score=dot", 1},
    {"luong.feeding", "style=luong feeding=1 output=9 start=3 score=general", 1},
    {"luong.deep",
        "style=luong feeding=1 output=9 start=3 layers=2 score=concat attention_width=11 "
        "attention_bias=1",
        1},
    {"luong.additive", "style=luong feeding=1 output=9 attention_width=11 attention_bias=1", 0},
    {"luong.scaled", "style=luong output=9 start=3 layers=2 score=scaled_dot", 0},
    {"bahdanau.gru", "cell=gru output=9 start=3 layers=2 attention_width=11", 1},
    {"luong.gru", "cell=gru style=luong feeding=1 output=9 start=3 layers=2 score=general", 1},
};

/* One case on one device. */
typedef struct run {
    const decoder_case *of;
    const golden_device *device;
    rki_st *st;
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_decoder *decoder;
    rnnkit_linear *linear;
    rnnkit_tape *tape;
    rnnkit_tensor *x, *memory, *start, *out, *weights, *loss;
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

static void build(run *r)
{
    const rki_st_entry *x = entry_of(r, "x"), *memory = entry_of(r, "memory");
    const rki_st_entry *hidden = entry_of(r, "decoder.rnn.weight_hh_l0");
    const rki_st_entry *words = entry_of(r, "linear.weight");
    r->context = golden_context(r->device);
    golden_ok(rnnkit_model_create(r->context, &r->model));
    golden_ok(rnnkit_decoder_create(r->model, layer_name(r, "decoder"), x->dims[2], hidden->dims[1],
        memory->dims[2], r->of->options, &r->decoder));
    golden_ok(rnnkit_linear_create(
        r->model, layer_name(r, "linear"), words->dims[1], words->dims[0], NULL, &r->linear));
    golden_ok(rnnkit_model_load_parameters(r->model, FIXTURE, "strict=0"));
    golden_ok(rnnkit_tape_create(r->context, "train=1", &r->tape));
}

static void destroy(run *r)
{
    rnnkit_tape_destroy(r->tape);
    rnnkit_decoder_destroy(r->decoder);
    rnnkit_linear_destroy(r->linear);
    rnnkit_model_destroy(r->model);
    rnnkit_context_destroy(r->context);
    rki_st_close(r->st);
}

/* An input whose gradient is wanted, as if a layer had made it; NULL when the case has none. */
static rnnkit_tensor *input(const run *r, const char *what)
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s", r->of->name, what);
    const rki_st_entry *entry = rki_st_find(r->st, name);
    rnnkit_tensor *x;
    if (entry == NULL) return NULL;
    float *values = expected_floats(entry);
    golden_ok(rnnkit_tape_input(r->tape, values, entry->dims, entry->rank, &x));
    free(values);
    x->needs_gradient = 1;
    return x;
}

static void compute(run *r)
{
    const rki_st_entry *entry = entry_of(r, "targets");
    int32_t *lengths = r->of->masked ? expected_ids(expected_entry(r->st, "lengths")) : NULL;
    int32_t *targets = expected_ids(entry);
    r->x = input(r, "x");
    r->memory = input(r, "memory");
    r->start = input(r, "start");
    golden_ok(rnnkit_decoder_forward(
        r->decoder, r->tape, r->x, r->memory, lengths, r->start, &r->out, &r->weights));
    golden_ok(rnnkit_linear_cross_entropy(
        r->linear, r->tape, r->out, targets, entry->count, RNNKIT_IGNORE, &r->loss));
    golden_ok(rnnkit_tape_backward(r->tape, r->loss));
    free(lengths);
    free(targets);
}

static void check(const run *r, const char *what, const rnnkit_tensor *tensor, int gradient)
{
    if (tensor == NULL) return;
    const rki_st_entry *entry = entry_of(r, what);
    float *values = calloc((size_t)entry->count, sizeof *values);
    assert_non_null(values);
    if (gradient)
        golden_ok(rnnkit_tensor_read_gradient(tensor, values, entry->count));
    else
        golden_ok(rnnkit_tensor_read(tensor, values, entry->count));
    expect_agreement(entry, values, entry->count, r->device->limit);
    free(values);
}

static void check_loss(const run *r)
{
    double loss, *expected = expected_doubles(entry_of(r, "loss"));
    golden_ok(rnnkit_tensor_item(r->loss, &loss));
    if (!(fabs(loss - *expected) <= r->device->limit * *expected))
        fail_msg("%s.loss: %.12g, expected %.12g", r->of->name, loss, *expected);
    free(expected);
}

static void run_case(const void *user, const golden_device *device)
{
    const decoder_case *of = user;
    run r = {.of = of, .device = device, .st = expected_open(FIXTURE)};
    print_message("%s, %s\n", device->name, device->options);
    build(&r);
    compute(&r);
    check(&r, "out", r.out, 0);
    check(&r, "weights", r.weights, 0);
    check_loss(&r);
    check(&r, "gradient.x", r.x, 1);
    check(&r, "gradient.memory", r.memory, 1);
    check(&r, "gradient.start", r.start, 1);
    expect_parameters(r.st, r.model, of->name, r.start ? 3 : 2, device->limit);
    destroy(&r);
}

int main(void)
{
    return golden_main(
        "golden_decoder", cases, sizeof cases / sizeof *cases, sizeof *cases, run_case);
}
