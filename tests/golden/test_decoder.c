/* A decoder with attention gives what PyTorch gives: outputs, weights, loss, and the gradients of
 * x, memory, start vector and every parameter, in both styles, with and without input feeding and a
 * window.
 *
 * Fixture, and what its cases are: tests/golden/decoder_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tensors.h"

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
    {"bahdanau.window", "output=9 start=3 attention_width=11 attention_window=1", 1},
    {"luong.window",
        "cell=gru style=luong feeding=1 output=9 start=3 layers=2 score=general attention_window=2",
        1},
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

/* NULL when the case has none. */
static const rki_st_entry *start_of(const run *r)
{
    return rki_st_find(r->st, layer_name(r, "start"));
}

static void compute(run *r)
{
    const rki_st_entry *entry = entry_of(r, "targets");
    int32_t *lengths = r->of->masked ? expected_ids(expected_entry(r->st, "lengths")) : NULL;
    int32_t *targets = expected_ids(entry);
    r->x = golden_input(r->tape, entry_of(r, "x"));
    r->memory = golden_input(r->tape, entry_of(r, "memory"));
    if (start_of(r) != NULL) r->start = golden_input(r->tape, start_of(r));
    golden_ok(rnnkit_decoder_forward(
        r->decoder, r->tape, r->x, r->memory, lengths, r->start, &r->out, &r->weights));
    golden_ok(rnnkit_linear_cross_entropy(
        r->linear, r->tape, r->out, targets, entry->count, RNNKIT_IGNORE, &r->loss));
    golden_ok(rnnkit_tape_backward(r->tape, r->loss));
    free(lengths);
    free(targets);
}

static void run_case(const void *user, const golden_device *device)
{
    const decoder_case *of = user;
    run r = {.of = of, .device = device, .st = expected_open(FIXTURE)};
    print_message("%s, %s\n", device->name, device->options);
    build(&r);
    compute(&r);
    expect_tensor(entry_of(&r, "out"), r.out, device->limit);
    expect_tensor(entry_of(&r, "weights"), r.weights, device->limit);
    expect_loss(entry_of(&r, "loss"), r.loss, device->limit);
    expect_gradient(entry_of(&r, "gradient.x"), r.x, device->limit);
    expect_gradient(entry_of(&r, "gradient.memory"), r.memory, device->limit);
    if (r.start) expect_gradient(entry_of(&r, "gradient.start"), r.start, device->limit);
    expect_parameters(r.st, r.model, of->name, r.start ? 3 : 2, device->limit);
    destroy(&r);
}

int main(void)
{
    return golden_main(
        "golden_decoder", cases, sizeof cases / sizeof *cases, sizeof *cases, run_case);
}
