/* The cases of the benchmark. See cases.h. */
#include "cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ARRAYS = 64 };
static void *arrays[MOST_ARRAYS];
static int array_count;

void free_case_arrays(void)
{
    while (array_count > 0)
        free(arrays[--array_count]);
}

static void *bytes_of(size_t bytes)
{
    void *block = aligned_alloc(64, (bytes + 64) / 64 * 64);
    if (block == NULL || array_count == MOST_ARRAYS) {
        fprintf(stderr, "bench_operations: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    memset(block, 0, bytes);
    arrays[array_count++] = block;
    return block;
}

/* Values in -scale .. scale. */
static float *values(int64_t count, float scale)
{
    static uint32_t state = 1;
    float *v = bytes_of((size_t)count * sizeof *v);
    for (int64_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        v[i] = scale * ((float)(state >> 8) / 8388608.0f - 1.0f);
    }
    return v;
}

/* Numbers below `below`, small ones more often, as ids of a vocabulary are. */
static int32_t *ids(int64_t count, int64_t below)
{
    int32_t *v = bytes_of((size_t)count * sizeof *v);
    float *u = values(count, 1.0f);
    for (int64_t i = 0; i < count; i++)
        v[i] = (int32_t)((float)(below - 1) * u[i] * u[i] * u[i] * u[i]);
    return v;
}

/* Products: what an LSTM and an output layer are made of. */

typedef struct product {
    const char *name;
    int transpose_a, transpose_b;
    int64_t m, n, k;
} product;

static const product products[] = {
    {"Z = X W^T", 0, 1, 2240, 1024, 256},
    {"dX = dZ W", 0, 0, 2240, 256, 1024},
    {"dW = dZ^T X", 1, 0, 1024, 256, 2240},
    {"logits = X W^T", 0, 1, 256, 21000, 256},
    {"dX = E W", 0, 0, 256, 256, 21000},
    {"dW = E^T X", 1, 0, 21000, 256, 256},
    {"square", 0, 0, 1024, 1024, 1024},
    {"row", 0, 1, 1, 1024, 256},
};

static void run_gemm(void *user)
{
    bench_case *c = user;
    rki_cpu_gemm(c->cpu, &c->call.gemm);
}

static void make_gemm(const product *p, bench_case *c)
{
    snprintf(c->label, sizeof c->label, "gemm %s m=%d n=%d k=%d", p->name, (int)p->m, (int)p->n,
        (int)p->k);
    c->run = run_gemm;
    c->flops = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    rki_gemm *call = &c->call.gemm;
    *call = (rki_gemm){.transpose_a = p->transpose_a,
        .transpose_b = p->transpose_b,
        .m = p->m,
        .n = p->n,
        .k = p->k,
        .a = values(p->m * p->k, 1.0f),
        .lda = p->transpose_a ? p->m : p->k,
        .b = values(p->n * p->k, 1.0f),
        .ldb = p->transpose_b ? p->k : p->n,
        .c = values(p->m * p->n, 1.0f),
        .ldc = p->n};
    call->scratch = bytes_of(rki_cpu_gemm_scratch(c->cpu, call));
}

/* Layers. */

typedef struct layer {
    rki_cell cell;
    int64_t batch, steps, input, hidden;
} layer;

static const layer layers[] = {{RKI_CELL_LSTM, 64, 35, 256, 256},
    {RKI_CELL_LSTM, 256, 10, 200, 256}, {RKI_CELL_LSTM, 32, 35, 512, 512},
    {RKI_CELL_LSTM, 20, 35, 650, 650}, {RKI_CELL_LSTM, 128, 20, 128, 128},
    {RKI_CELL_LSTM, 1, 35, 256, 256}, {RKI_CELL_GRU, 64, 35, 256, 256},
    {RKI_CELL_GRU, 32, 35, 512, 512}, {RKI_CELL_TANH, 64, 35, 256, 256}};

static const char *const cells[] = {"elman", "elman relu", "gru", "gru before", "lstm"};

static void run_forward(void *user)
{
    bench_case *c = user;
    rki_cpu_recurrent_forward(c->cpu, &c->call.recurrent.forward);
}

static void run_backward(void *user)
{
    bench_case *c = user;
    rki_cpu_recurrent_backward(c->cpu, &c->call.recurrent.backward);
}

static void run_training(void *user)
{
    run_forward(user);
    run_backward(user);
}

static rki_recurrent_weights make_weights(const layer *l)
{
    int64_t gates = rki_cell_gates(l->cell) * l->hidden;
    return (rki_recurrent_weights){.weight_ih = values(gates * l->input, 0.06f),
        .weight_hh = values(gates * l->hidden, 0.06f),
        .bias_ih = values(gates, 0.06f),
        .bias_hh = values(gates, 0.06f)};
}

static rki_recurrent make_layer(const layer *l)
{
    return (rki_recurrent){.cell = l->cell,
        .steps = l->steps,
        .batch = l->batch,
        .input = l->input,
        .hidden = l->hidden,
        .output = l->hidden};
}

static void make_forward(const layer *l, int training, bench_case *c)
{
    int64_t state = l->batch * l->hidden;
    rki_recurrent_forward *call = &c->call.recurrent.forward;
    *call = (rki_recurrent_forward){.layer = make_layer(l),
        .weights = make_weights(l),
        .x = values(l->steps * l->batch * l->input, 1.0f),
        .h0 = values(state, 0.0f),
        .c0 = values(state, 0.0f),
        .y = values(l->steps * state, 0.0f),
        .ldy = l->hidden,
        .hn = values(state, 0.0f),
        .cn = values(state, 0.0f)};
    call->layer.training = training;
    call->stash = bytes_of(rki_cpu_recurrent_stash(c->cpu, &call->layer));
    call->scratch = bytes_of(rki_cpu_recurrent_forward_scratch(c->cpu, &call->layer));
}

static void make_backward(bench_case *c)
{
    const rki_recurrent_forward *forward = &c->call.recurrent.forward;
    const rki_recurrent *l = &forward->layer;
    int64_t state = l->batch * l->hidden, gates = rki_cell_gates(l->cell) * l->hidden;
    rki_recurrent_backward *call = &c->call.recurrent.backward;
    *call = (rki_recurrent_backward){.layer = *l,
        .weights = forward->weights,
        .x = forward->x,
        .h0 = forward->h0,
        .c0 = forward->c0,
        .y = forward->y,
        .ldy = forward->ldy,
        .stash = forward->stash,
        .dy = values(l->steps * state, 0.01f),
        .lddy = l->hidden,
        .dx = values(l->steps * l->batch * l->input, 0.0f),
        .gradients = {.weight_ih = values(gates * l->input, 0.0f),
            .weight_hh = values(gates * l->hidden, 0.0f),
            .bias_ih = values(gates, 0.0f),
            .bias_hh = values(gates, 0.0f)}};
    call->scratch = bytes_of(rki_cpu_recurrent_backward_scratch(c->cpu, l));
}

enum { INFERENCE, FORWARD, BACKWARD, TRAINING, PASSES };
static const char *const passes[PASSES] = {"inference", "forward", "backward", "training"};

static void make_recurrent(const layer *l, int pass, bench_case *c)
{
    static void (*const runs[PASSES])(void *) = {
        run_forward, run_forward, run_backward, run_training};
    snprintf(c->label, sizeof c->label, "%s %s B%d T%d I%d H%d", cells[l->cell], passes[pass],
        (int)l->batch, (int)l->steps, (int)l->input, (int)l->hidden);
    double forward = 2.0 * (double)rki_cell_gates(l->cell) * (double)(l->steps * l->batch) *
                     (double)l->hidden * (double)(l->input + l->hidden);
    c->flops = pass == TRAINING ? 3.0 * forward : pass == BACKWARD ? 2.0 * forward : forward;
    c->run = runs[pass];
    make_forward(l, pass != INFERENCE, c);
    if (pass == INFERENCE) return;
    make_backward(c);
    run_forward(c); /* a stash for backward */
}

static void run_step(void *user)
{
    bench_case *c = user;
    rki_cpu_recurrent_step(c->cpu, &c->call.step);
}

static void make_step(const layer *l, bench_case *c)
{
    snprintf(c->label, sizeof c->label, "%s step B%d I%d H%d", cells[l->cell], (int)l->batch,
        (int)l->input, (int)l->hidden);
    c->flops = 2.0 * (double)(l->batch * rki_cell_gates(l->cell) * l->hidden) *
               (double)(l->input + l->hidden);
    c->run = run_step;
    rki_recurrent_step *call = &c->call.step;
    *call = (rki_recurrent_step){.layer = make_layer(l),
        .weights = make_weights(l),
        .x = values(l->batch * l->input, 1.0f),
        .h = values(l->batch * l->hidden, 0.0f),
        .c = values(l->batch * l->hidden, 0.0f)};
    call->scratch = bytes_of(rki_cpu_recurrent_step_scratch(c->cpu, &call->layer));
}

static const layer step_layers[] = {{RKI_CELL_LSTM, 1, 1, 256, 256},
    {RKI_CELL_LSTM, 1, 1, 512, 512}, {RKI_CELL_LSTM, 64, 1, 256, 256},
    {RKI_CELL_GRU, 1, 1, 256, 256}};

/* Output layers. */

typedef struct output {
    int64_t rows, inputs, classes;
} output;

static const output outputs[] = {{2240, 256, 10000}, {256, 256, 21000}, {1280, 256, 21000},
    {1120, 512, 10000}, {700, 650, 10000}, {4096, 128, 100}};

static void run_loss(void *user)
{
    bench_case *c = user;
    rki_cpu_softmax_loss(c->cpu, &c->call.loss);
}

static void make_loss(const output *o, int gradients, bench_case *c)
{
    static double loss;
    snprintf(c->label, sizeof c->label, "softmax_loss %s rows=%d inputs=%d classes=%d",
        gradients ? "with gradients" : "alone", (int)o->rows, (int)o->inputs, (int)o->classes);
    c->flops = (gradients ? 6.0 : 2.0) * (double)o->rows * (double)o->inputs * (double)o->classes;
    c->run = run_loss;
    rki_softmax_loss *call = &c->call.loss;
    *call = (rki_softmax_loss){.rows = o->rows,
        .inputs = o->inputs,
        .classes = o->classes,
        .scale = 1.0 / (double)o->rows,
        .x = values(o->rows * o->inputs, 1.0f),
        .weight = values(o->classes * o->inputs, 0.1f),
        .bias = values(o->classes, 0.1f),
        .targets = ids(o->rows, o->classes),
        .loss = &loss};
    if (gradients) {
        call->dx = values(o->rows * o->inputs, 0.0f);
        call->dweight = values(o->classes * o->inputs, 0.0f);
        call->dbias = values(o->classes, 0.0f);
    }
    call->scratch = bytes_of(rki_cpu_softmax_loss_scratch(c->cpu, call));
}

/* What is bound by memory: embedding and optimiser over 21,000 rows of 200. */

enum { VOCABULARY = 21000, WIDTH = 200, TOKENS = 2560 };

static void run_update(void *user)
{
    bench_case *c = user;
    rki_cpu_update(c->cpu, &c->call.update);
}

static void make_update(rki_rule rule, const char *name, int buffers, bench_case *c)
{
    int64_t count = (int64_t)VOCABULARY * WIDTH;
    snprintf(c->label, sizeof c->label, "update %s %d x %d, all rows", name, VOCABULARY, WIDTH);
    c->bytes = (double)count * 4.0 * (double)(4 + 2 * buffers);
    c->run = run_update;
    c->call.update = (rki_update){.rule = rule,
        .step = 10,
        .rate = 1e-6,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .alpha = 0.99,
        .epsilon = 1e-8,
        .gradient_scale = 1.0,
        .row_count = VOCABULARY,
        .width = WIDTH,
        .value = values(count, 1.0f),
        .gradient = values(count, 1.0f)};
    if (buffers > 1) c->call.update.first = values(count, 0.0f);
    if (buffers > 0 && rule == RKI_ADAGRAD)
        c->call.update.first = values(count, 0.0f);
    else if (buffers > 0)
        c->call.update.second = values(count, 0.0f);
}

static void run_squares(void *user)
{
    bench_case *c = user;
    rki_cpu_square_sum(c->cpu, 1, &c->call.squares);
}

static void make_squares(int chosen, bench_case *c)
{
    static double sum;
    int64_t count = (int64_t)VOCABULARY * WIDTH, rows = chosen ? VOCABULARY / 2 : VOCABULARY;
    int32_t *every_other = bytes_of(VOCABULARY * sizeof(int32_t));
    for (int32_t i = 0; i < VOCABULARY / 2; i++)
        every_other[i] = 2 * i;
    snprintf(c->label, sizeof c->label, "square_sum %d x %d, %s rows", VOCABULARY, WIDTH,
        chosen ? "every other" : "all");
    c->bytes = (double)(rows * WIDTH) * 4.0;
    c->run = run_squares;
    c->call.squares = (rki_square_sum){.row_count = rows,
        .width = WIDTH,
        .rows = chosen ? every_other : NULL,
        .x = values(count, 1.0f),
        .sum = &sum};
}

static void run_gather(void *user)
{
    bench_case *c = user;
    rki_cpu_gather(c->cpu, &c->call.gather);
}

static void make_gather(bench_case *c)
{
    snprintf(c->label, sizeof c->label, "gather %d of %d x %d", TOKENS, VOCABULARY, WIDTH);
    c->bytes = 3.0 * TOKENS * WIDTH * 4.0;
    c->run = run_gather;
    c->call.gather = (rki_gather){.count = TOKENS,
        .width = WIDTH,
        .ids = ids(TOKENS, VOCABULARY),
        .table = values((int64_t)VOCABULARY * WIDTH, 1.0f),
        .out = values((int64_t)TOKENS * WIDTH, 1.0f)};
}

static void run_scatter(void *user)
{
    bench_case *c = user;
    rki_cpu_scatter(c->cpu, &c->call.scatter);
}

/* Runs of 1, 2, 3, 1, 2, 3, ... summands. */
static void make_scatter(bench_case *c)
{
    snprintf(c->label, sizeof c->label, "scatter %d to %d x %d", TOKENS, VOCABULARY, WIDTH);
    int32_t *rows = bytes_of(TOKENS * sizeof(int32_t));
    int32_t *starts = bytes_of((TOKENS + 1) * sizeof(int32_t));
    int32_t *order = bytes_of(TOKENS * sizeof(int32_t)), used = 0, unique = 0;
    for (; used < TOKENS; unique++) {
        rows[unique] = unique * (VOCABULARY / TOKENS);
        starts[unique] = used;
        used += 1 + unique % 3;
    }
    starts[unique] = TOKENS;
    for (int32_t i = 0; i < TOKENS; i++)
        order[i] = (int32_t)((int64_t)i * 1009 % TOKENS);
    c->bytes = ((double)TOKENS + 2.0 * (double)unique) * WIDTH * 4.0;
    c->run = run_scatter;
    c->call.scatter = (rki_scatter){.unique = unique,
        .width = WIDTH,
        .rows = rows,
        .starts = starts,
        .order = order,
        .dy = values((int64_t)TOKENS * WIDTH, 1.0f),
        .gradient = values((int64_t)VOCABULARY * WIDTH, 1.0f)};
}

static void run_dropout(void *user)
{
    bench_case *c = user;
    rki_cpu_dropout(c->cpu, &c->call.dropout);
}

static void make_dropout(bench_case *c)
{
    int64_t count = 2240 * 256;
    snprintf(c->label, sizeof c->label, "dropout %d", (int)count);
    c->bytes = 3.0 * (double)count * 4.0;
    c->run = run_dropout;
    c->call.dropout = (rki_dropout){.count = count,
        .rate = 0.5,
        .random = {.seed = 1, .purpose = RKI_PURPOSE_DROPOUT},
        .x = values(count, 1.0f),
        .y = values(count, 1.0f)};
}

/* The list of all of them. */

enum {
    GEMMS = sizeof products / sizeof products[0],
    LAYERS = sizeof layers / sizeof layers[0],
    STEPS = sizeof step_layers / sizeof step_layers[0],
    OUTPUTS = sizeof outputs / sizeof outputs[0],
    OTHERS = 9,
    CASES = GEMMS + PASSES * LAYERS + STEPS + 2 * OUTPUTS + OTHERS
};

static void make_other(int place, bench_case *c)
{
    switch (place) {
    case 0: make_update(RKI_SGD, "sgd", 0, c); break;
    case 1: make_update(RKI_ADAM, "adam", 2, c); break;
    case 2: make_update(RKI_RMSPROP, "rmsprop", 1, c); break;
    case 3: make_update(RKI_ADAGRAD, "adagrad", 1, c); break;
    case 4: make_squares(0, c); break;
    case 5: make_squares(1, c); break;
    case 6: make_gather(c); break;
    case 7: make_scatter(c); break;
    default: make_dropout(c); break;
    }
}

int case_count(void)
{
    return CASES;
}

void make_case(int place, rki_cpu *cpu, bench_case *out)
{
    *out = (bench_case){.cpu = cpu};
    if (place < GEMMS) {
        make_gemm(&products[place], out);
        return;
    }
    place -= GEMMS;
    if (place < PASSES * LAYERS) {
        make_recurrent(&layers[place / PASSES], place % PASSES, out);
        return;
    }
    place -= PASSES * LAYERS;
    if (place < STEPS) {
        make_step(&step_layers[place], out);
        return;
    }
    place -= STEPS;
    if (place < 2 * OUTPUTS)
        make_loss(&outputs[place / 2], place % 2, out);
    else
        make_other(place - 2 * OUTPUTS, out);
}
