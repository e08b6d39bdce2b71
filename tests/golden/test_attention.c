/* Attention gives what PyTorch gives: context, weights, and the gradients of query, keys, values
 * and every parameter, for each score, with and without source lengths.
 *
 * Fixture, and what its cases are: tests/golden/attention_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "autodiff/tape.h"
#include "expected.h"

#define FIXTURE "attention.safetensors"

typedef struct attention_case {
    const char *name, *options;
    int masked;
} attention_case;

static const attention_case cases[] = {
    {"additive", "score=additive width=9", 0},
    {"additive.masked", "width=9 bias=1", 1},
    {"dot", "score=dot", 0},
    {"dot.masked", "score=dot", 1},
    {"general", "score=general", 0},
    {"general.masked", "score=general", 1},
    {"concat", "score=concat width=9", 0},
    {"concat.masked", "score=concat width=9 bias=1", 1},
    {"scaled_dot", "score=scaled_dot", 0},
    {"scaled_dot.masked", "score=scaled_dot", 1},
};

/* One case on one device. */
typedef struct run {
    const attention_case *of;
    const golden_device *device;
    rki_st *st;
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_attention *attention;
    rnnkit_tape *tape;
    rnnkit_tensor *query, *keys, *values, *seen, *weights, *loss;
} run;

static const rki_st_entry *entry_of(const run *r, const char *what)
{
    return expected_entry(r->st, "%s.%s", r->of->name, what);
}

static void build(run *r)
{
    const rki_st_entry *query = entry_of(r, "query"), *keys = entry_of(r, "keys");
    r->context = golden_context(r->device);
    golden_ok(rnnkit_model_create(r->context, &r->model));
    golden_ok(rnnkit_attention_create(
        r->model, r->of->name, query->dims[2], keys->dims[2], r->of->options, &r->attention));
    golden_ok(rnnkit_model_load_parameters(r->model, FIXTURE, "strict=0"));
    golden_ok(rnnkit_tape_create(r->context, "train=1", &r->tape));
}

static void destroy(run *r)
{
    rnnkit_tape_destroy(r->tape);
    rnnkit_attention_destroy(r->attention);
    rnnkit_model_destroy(r->model);
    rnnkit_context_destroy(r->context);
    rki_st_close(r->st);
}

/* An input whose gradient is wanted, as if a layer had made it. */
static rnnkit_tensor *input(const run *r, const char *what)
{
    const rki_st_entry *entry = entry_of(r, what);
    float *values = expected_floats(entry);
    rnnkit_tensor *x;
    golden_ok(rnnkit_tape_input(r->tape, values, entry->dims, entry->rank, &x));
    free(values);
    x->needs_gradient = 1;
    return x;
}

/* A node behind both results that sends them the fixture's gradients. */
typedef struct sender {
    rki_node node;
    const run *of;
} sender;

static void send(const run *r, rnnkit_tensor *to, const char *what)
{
    const rki_st_entry *entry = entry_of(r, what);
    float *values = expected_floats(entry);
    void *room;
    golden_ok(rki_tape_gradient_room(to, &room));
    golden_ok(rki_device_write(r->tape->device, &r->context->memory, room, values, entry->count));
    golden_ok(rki_tape_gradient_adopt(to, room));
    free(values);
}

static int32_t send_both(rki_node *node, rnnkit_tape *tape)
{
    (void)tape;
    const run *r = ((sender *)node)->of;
    send(r, r->seen, "d.context");
    send(r, r->weights, "d.weights");
    return RNNKIT_OK;
}

static void compute(run *r)
{
    static const int64_t one = 1;
    static const float zero = 0;
    int32_t *lengths = r->of->masked ? expected_ids(expected_entry(r->st, "lengths")) : NULL;
    rnnkit_tensor *projected;
    rki_node *node;
    r->query = input(r, "query");
    r->keys = input(r, "keys");
    r->values = input(r, "values");
    golden_ok(rnnkit_attention_keys(r->attention, r->tape, r->keys, &projected));
    golden_ok(rnnkit_attention_forward(
        r->attention, r->tape, r->query, projected, r->values, lengths, &r->seen, &r->weights));
    golden_ok(rnnkit_tape_input(r->tape, &zero, &one, 1, &r->loss));
    golden_ok(rki_tape_node(r->tape, sizeof(sender), send_both, &node));
    ((sender *)node)->of = r;
    rki_tape_record(r->tape, node);
    golden_ok(rnnkit_tape_backward(r->tape, r->loss));
    free(lengths);
}

static void check(const run *r, const char *what, const rnnkit_tensor *tensor, int gradient)
{
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

static void run_case(const void *user, const golden_device *device)
{
    const attention_case *of = user;
    run r = {.of = of, .device = device, .st = expected_open(FIXTURE)};
    print_message("%s, %s\n", device->name, device->options);
    build(&r);
    compute(&r);
    check(&r, "context", r.seen, 0);
    check(&r, "weights", r.weights, 0);
    check(&r, "gradient.query", r.query, 1);
    check(&r, "gradient.keys", r.keys, 1);
    check(&r, "gradient.values", r.values, 1);
    expect_parameters(r.st, r.model, of->name, 3, device->limit);
    destroy(&r);
}

int main(void)
{
    return golden_main(
        "golden_attention", cases, sizeof cases / sizeof *cases, sizeof *cases, run_case);
}
