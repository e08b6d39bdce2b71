/* Attention gives what PyTorch gives: context, weights, and the gradients of query, keys, values
 * and every parameter, for each score, with and without source lengths,
 * looking everywhere and within a window.
 *
 * Fixture, and what its cases are: tests/golden/attention_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tensors.h"

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
    {"additive.window", "width=9 window=2", 0},
    {"dot.window", "score=dot window=1", 1},
    {"general.window", "score=general window=2", 1},
    {"concat.window", "score=concat width=9 bias=1 window=3", 1},
    {"scaled_dot.window", "score=scaled_dot window=99", 1},
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
    rnnkit_tensor *query, *keys, *values, *seen, *weights;
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

static void compute(run *r)
{
    int32_t *lengths = r->of->masked ? expected_ids(expected_entry(r->st, "lengths")) : NULL;
    rnnkit_tensor *projected;
    r->query = golden_input(r->tape, entry_of(r, "query"));
    r->keys = golden_input(r->tape, entry_of(r, "keys"));
    r->values = golden_input(r->tape, entry_of(r, "values"));
    golden_ok(rnnkit_attention_keys(r->attention, r->tape, r->keys, &projected));
    golden_ok(rnnkit_attention_forward(
        r->attention, r->tape, r->query, projected, r->values, lengths, &r->seen, &r->weights));
    golden_give(r->tape, r->seen, entry_of(r, "d.context"));
    golden_give(r->tape, r->weights, entry_of(r, "d.weights"));
    golden_back(r->tape);
    free(lengths);
}

static void run_case(const void *user, const golden_device *device)
{
    const attention_case *of = user;
    run r = {.of = of, .device = device, .st = expected_open(FIXTURE)};
    print_message("%s, %s\n", device->name, device->options);
    build(&r);
    compute(&r);
    expect_tensor(entry_of(&r, "context"), r.seen, device->limit);
    expect_tensor(entry_of(&r, "weights"), r.weights, device->limit);
    expect_gradient(entry_of(&r, "gradient.query"), r.query, device->limit);
    expect_gradient(entry_of(&r, "gradient.keys"), r.keys, device->limit);
    expect_gradient(entry_of(&r, "gradient.values"), r.values, device->limit);
    expect_parameters(r.st, r.model, of->name, 3, device->limit);
    destroy(&r);
}

int main(void)
{
    return golden_main(
        "golden_attention", cases, sizeof cases / sizeof *cases, sizeof *cases, run_case);
}
