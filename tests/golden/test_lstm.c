/* A language model (embedding, two LSTM layers, linear, cross-entropy) gives what PyTorch gives:
 * outputs, logits, loss, last state, and the gradient of every parameter.
 *
 * Fixture, and what its cases are: tests/golden/lstm_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tensors.h"

#define FIXTURE "lstm.safetensors"

typedef struct lstm_case {
    const char *name;
    const char *layers; /* what stands before the layers' names in the fixture */
    const char *embedding_options, *lstm_options, *linear_options;
    int with_lengths;
} lstm_case;

static const lstm_case cases[] = {
    {"plain", "", NULL, "layers=2", NULL, 0},
    {"lengths", "", "padding=0", "layers=2", NULL, 1},
    {"no_bias", "", NULL, "layers=2 bias=0", "bias=0", 0},
    {"tied", "tied.", NULL, "layers=2", "tie=tied.embedding", 0},
};

/* One case on one device. */
typedef struct run {
    const lstm_case *of;
    const golden_device *device;
    rki_st *st;
    int64_t steps, batch, words, width, hidden;
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    rnnkit_state *state;
    rnnkit_tape *tape;
    rnnkit_tensor *output, *logits, *loss;
} run;

static const rki_st_entry *entry_of(const run *r, const char *what)
{
    return expected_entry(r->st, "%s.%s", r->of->name, what);
}

static const char *layer_name(const run *r, const char *name)
{
    static char text[64];
    snprintf(text, sizeof text, "%s%s", r->of->layers, name);
    return text;
}

static void read_sizes(run *r)
{
    const rki_st_entry *ids = entry_of(r, "ids"), *output = entry_of(r, "output");
    const rki_st_entry *weight = expected_entry(r->st, "%s", layer_name(r, "embedding.weight"));
    r->steps = ids->dims[0];
    r->batch = ids->dims[1];
    r->words = weight->dims[0];
    r->width = weight->dims[1];
    r->hidden = output->dims[2];
}

static void build(run *r)
{
    const lstm_case *of = r->of;
    r->context = golden_context(r->device);
    golden_ok(rnnkit_model_create(r->context, &r->model));
    golden_ok(rnnkit_embedding_create(r->model, layer_name(r, "embedding"), r->words, r->width,
        of->embedding_options, &r->embedding));
    golden_ok(rnnkit_lstm_create(
        r->model, layer_name(r, "lstm"), r->width, r->hidden, of->lstm_options, &r->lstm));
    golden_ok(rnnkit_linear_create(
        r->model, layer_name(r, "linear"), r->hidden, r->words, of->linear_options, &r->linear));
    golden_ok(rnnkit_model_load_parameters(r->model, FIXTURE, "strict=0"));
    golden_ok(rnnkit_state_create(r->lstm, r->batch, &r->state));
    golden_ok(rnnkit_tape_create(r->context, "train=1", &r->tape));
}

static void destroy(run *r)
{
    rnnkit_tape_destroy(r->tape);
    rnnkit_state_destroy(r->state);
    rnnkit_linear_destroy(r->linear);
    rnnkit_rnn_destroy(r->lstm);
    rnnkit_embedding_destroy(r->embedding);
    rnnkit_model_destroy(r->model);
    rnnkit_context_destroy(r->context);
    rki_st_close(r->st);
}

static void compute(run *r)
{
    const rki_st_entry *start = entry_of(r, "state");
    int32_t *ids = expected_ids(entry_of(r, "ids")),
            *targets = expected_ids(entry_of(r, "targets"));
    int32_t *lengths = r->of->with_lengths ? expected_ids(entry_of(r, "lengths")) : NULL;
    float *state = expected_floats(start);
    rnnkit_tensor *x;
    golden_ok(rnnkit_state_write(r->state, state, start->count));
    golden_ok(rnnkit_embedding_forward(r->embedding, r->tape, ids, r->steps, r->batch, &x));
    golden_ok(rnnkit_rnn_forward(r->lstm, r->tape, x, lengths, r->state, &r->output));
    golden_ok(rnnkit_linear_forward(r->linear, r->tape, r->output, &r->logits));
    golden_ok(rnnkit_linear_cross_entropy(
        r->linear, r->tape, r->output, targets, r->steps * r->batch, RNNKIT_IGNORE, &r->loss));
    golden_ok(rnnkit_tape_backward(r->tape, r->loss));
    free(ids);
    free(targets);
    free(lengths);
    free(state);
}

static void check_gradients(const run *r)
{
    size_t prefix = strlen(r->of->layers);
    int64_t parameters;
    golden_ok(rnnkit_model_size(r->model, &parameters, NULL));
    for (int64_t i = 0; i < parameters; i++) {
        const char *name = rnnkit_model_parameter_name(r->model, i);
        const rki_st_entry *entry =
            expected_entry(r->st, "%s.gradient.%s", r->of->name, name + prefix);
        expect_parameter(entry, r->model, name, r->device->limit);
    }
}

/* Every gradient that the fixture has was looked at. */
static void check_parameter_count(const run *r)
{
    char prefix[64];
    int64_t parameters, found = 0;
    int length = snprintf(prefix, sizeof prefix, "%s.gradient.", r->of->name);
    golden_ok(rnnkit_model_size(r->model, &parameters, NULL));
    for (int64_t i = 0; i < rki_st_count(r->st); i++)
        found += strncmp(rki_st_entry_at(r->st, i)->name, prefix, (size_t)length) == 0;
    assert_int_equal(parameters, found);
}

static void run_case(const void *user, const golden_device *device)
{
    const lstm_case *of = user;
    run r = {.of = of, .device = device, .st = expected_open(FIXTURE)};
    print_message("%s, %s\n", device->name, device->options);
    read_sizes(&r);
    build(&r);
    compute(&r);
    expect_tensor(entry_of(&r, "output"), r.output, device->limit);
    expect_tensor(entry_of(&r, "logits"), r.logits, device->limit);
    expect_state(entry_of(&r, "state_end"), r.state, device->limit);
    expect_loss(entry_of(&r, "loss"), r.loss, device->limit);
    check_gradients(&r);
    check_parameter_count(&r);
    destroy(&r);
}

int main(void)
{
    return golden_main("golden_lstm", cases, sizeof cases / sizeof *cases, sizeof *cases, run_case);
}
