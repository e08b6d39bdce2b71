/* Recurrent layers give what PyTorch gives: outputs, last state, and the gradients of x and of
 * every parameter, for every cell, direction, number of layers, projection and pattern of lengths;
 * and the same with tensors for first and last state, and gradients into and out of these.
 *
 * Fixtures, and what their cases are: tests/golden/rnn_fixture.py, start_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tensors.h"

#define FIXTURE "rnn.safetensors"
#define STARTS  "start.safetensors"

enum { MOST_CASES = 128, NAME_SIZE = 64 };

static char names[MOST_CASES][NAME_SIZE];
static int name_count;

/* One case on one device. */
typedef struct run {
    const char *name;
    const golden_device *device;
    rki_st *st, *gradients; /* the inputs; what is expected of gradients: STARTS, or st itself */
    int64_t dims[3];        /* steps, batch, inputs */
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_rnn *rnn;
    rnnkit_state *state;
    rnnkit_tape *tape;
    rnnkit_tensor *x, *output;
    rnnkit_tensor *start, *end; /* in place of the state, or NULL */
} run;

static const rki_st_entry *entry_of(const run *r, const char *what)
{
    return expected_entry(r->st, "%s.%s", r->name, what);
}

static const rki_st_entry *gradient_of(const run *r, const char *what)
{
    return expected_entry(r->gradients, "%s.%s", r->name, what);
}

static int says(const run *r, const char *part)
{
    return strstr(r->name, part) != NULL;
}

/* Layer and options from the case's name. */
static void create_layer(run *r)
{
    char options[96];
    const char *size = strchr(r->name, '_') + 1;
    const rki_st_entry *weight = entry_of(r, "parameter.weight_ih_l0");
    int64_t gates = says(r, "lstm") ? 4 : says(r, "gru") ? 3 : 1, hidden = weight->dims[0] / gates;
    int length = snprintf(options, sizeof options, "layers=%c bidirectional=%d bias=%d", size[0],
        size[2] == '2', !says(r, "nobias"));
    char *rest = options + length;
    size_t left = sizeof options - (size_t)length;
    int64_t inputs = r->dims[2];
    if (says(r, "_p_"))
        snprintf(rest, left, " projection=%d", (int)entry_of(r, "parameter.weight_hr_l0")->dims[0]);
    if (says(r, "relu")) snprintf(rest, left, " activation=relu");
    if (says(r, "lstm"))
        golden_ok(rnnkit_lstm_create(r->model, "rnn", inputs, hidden, options, &r->rnn));
    else if (says(r, "gru"))
        golden_ok(rnnkit_gru_create(r->model, "rnn", inputs, hidden, options, &r->rnn));
    else
        golden_ok(rnnkit_elman_create(r->model, "rnn", inputs, hidden, options, &r->rnn));
}

/* The name of the fixture's tensor for parameter i: with `kind` for "rnn". */
static const rki_st_entry *parameter_entry(const run *r, const char *kind, int64_t i)
{
    const char *name = rnnkit_model_parameter_name(r->model, i);
    const rki_st *from = strcmp(kind, "gradient") == 0 ? r->gradients : r->st;
    return expected_entry(from, "%s.%s%s", r->name, kind, name + strlen("rnn"));
}

static void build(run *r)
{
    int64_t parameters;
    r->context = golden_context(r->device);
    golden_ok(rnnkit_model_create(r->context, &r->model));
    create_layer(r);
    golden_ok(rnnkit_model_size(r->model, &parameters, NULL));
    for (int64_t i = 0; i < parameters; i++) {
        const rki_st_entry *entry = parameter_entry(r, "parameter", i);
        float *values = expected_floats(entry);
        golden_ok(rnnkit_model_parameter_write(
            r->model, rnnkit_model_parameter_name(r->model, i), values, entry->count));
        free(values);
    }
    golden_ok(rnnkit_state_create(r->rnn, r->dims[1], &r->state));
    golden_ok(rnnkit_tape_create(r->context, "train=1", &r->tape));
}

static void destroy(run *r)
{
    rnnkit_tape_destroy(r->tape);
    rnnkit_state_destroy(r->state);
    rnnkit_rnn_destroy(r->rnn);
    rnnkit_model_destroy(r->model);
    rnnkit_context_destroy(r->context);
}

static void go_back(const run *r)
{
    golden_give(r->tape, r->output, entry_of(r, "dy"));
    if (r->end != NULL) golden_give(r->tape, r->end, gradient_of(r, "dend"));
    golden_back(r->tape);
}

static void run_forward(run *r, const int32_t *lengths, const float *state, int64_t count)
{
    if (r->gradients == r->st) {
        golden_ok(rnnkit_state_write(r->state, state, count));
        golden_ok(rnnkit_rnn_forward(r->rnn, r->tape, r->x, lengths, r->state, &r->output));
        return;
    }
    golden_ok(rnnkit_tape_input(r->tape, state, &count, 1, &r->start));
    golden_ok(
        rnnkit_rnn_forward_from(r->rnn, r->tape, r->x, lengths, r->start, &r->output, &r->end));
}

static void compute(run *r)
{
    const rki_st_entry *start = entry_of(r, "state");
    char name[NAME_SIZE + 16];
    snprintf(name, sizeof name, "%s.lengths", r->name);
    const rki_st_entry *lengths_entry = rki_st_find(r->st, name);
    int32_t *lengths = lengths_entry ? expected_ids(lengths_entry) : NULL;
    float *state = expected_floats(start);
    r->x = golden_input(r->tape, entry_of(r, "x"));
    run_forward(r, lengths, state, start->count);
    go_back(r);
    free(lengths);
    free(state);
}

static void check(const run *r)
{
    const rki_st_entry *end = entry_of(r, "state_end");
    double limit = r->device->limit;
    expect_tensor(entry_of(r, "output"), r->output, limit);
    expect_gradient(gradient_of(r, "dx"), r->x, limit);
    if (r->end == NULL) {
        expect_state(end, r->state, limit);
        return;
    }
    expect_tensor(end, r->end, limit);
    expect_gradient(gradient_of(r, "dstate"), r->start, limit);
}

static void check_gradients(const run *r)
{
    char prefix[NAME_SIZE + 16];
    int64_t parameters, found = 0;
    int length = snprintf(prefix, sizeof prefix, "%s.gradient.", r->name);
    golden_ok(rnnkit_model_size(r->model, &parameters, NULL));
    for (int64_t i = 0; i < parameters; i++)
        expect_parameter(parameter_entry(r, "gradient", i), r->model,
            rnnkit_model_parameter_name(r->model, i), r->device->limit);
    for (int64_t i = 0; i < rki_st_count(r->gradients); i++)
        found += strncmp(rki_st_entry_at(r->gradients, i)->name, prefix, (size_t)length) == 0;
    assert_int_equal(parameters, found);
}

static void run_case(const char *name, const golden_device *device, const char *gradients)
{
    run r = {.name = name, .device = device, .st = expected_open(FIXTURE)};
    r.gradients = gradients ? expected_open(gradients) : r.st;
    memcpy(r.dims, entry_of(&r, "x")->dims, sizeof r.dims);
    build(&r);
    compute(&r);
    check(&r);
    check_gradients(&r);
    destroy(&r);
    if (r.gradients != r.st) rki_st_close(r.gradients);
    rki_st_close(r.st);
}

static void agrees_with_pytorch(void **state)
{
    for (int i = 0; i < golden_device_count; i++) {
        run_case(*state, &golden_devices[i], NULL);
        if (strstr(*state, "short") == NULL) run_case(*state, &golden_devices[i], STARTS);
    }
}

static void list_cases(void)
{
    rki_st *st = expected_open(FIXTURE);
    for (int64_t i = 0; i < rki_st_count(st); i++) {
        const char *name = rki_st_entry_at(st, i)->name, *end = strstr(name, ".x");
        if (end == NULL || end[2] != '\0' || name_count == MOST_CASES) continue;
        snprintf(names[name_count++], NAME_SIZE, "%.*s", (int)(end - name), name);
    }
    rki_st_close(st);
}

int main(void)
{
    static struct CMUnitTest tests[MOST_CASES];
    list_cases();
    for (int i = 0; i < name_count; i++)
        tests[i] = (struct CMUnitTest){names[i], agrees_with_pytorch, NULL, NULL, names[i]};
    return _cmocka_run_group_tests("golden_rnn", tests, (size_t)name_count, NULL, NULL);
}
