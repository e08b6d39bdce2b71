/* What ../rnn_step.c times, through the C API of oneDNN 3, which works with OpenMP.
 *
 *     rnn_step train|run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS SECONDS FOLDER
 *
 * Of FOLDER, where rnn_step of librnnkit was, weights and x are taken; y.onednn and gradients.onednn
 * are written there. Of OPTIONS, layers and bidirectional are understood; LENGTHS is full. The weights
 * are brought into the order that the library chooses before the time runs, of a training pass too,
 * though a program that trains would have to do so again after each update.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dnnl.h>

#include "../results.h"
#include "../timing.h"

enum { MOST_ARGUMENTS = 32, RANK = 5 };

/* One primitive with what it reads and writes. */
typedef struct call {
    dnnl_primitive_desc_t desc;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[MOST_ARGUMENTS];
    int count;
} call;

typedef struct bench {
    int64_t batch, steps, inputs, hidden, layers, directions, gates, bias_gates;
    int train, step;
    char cell;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_desc_t x, state, weight_ih, weight_hh, bias, y; /* the weights' as they please */
    call forward, backward;
    float *frames, *outputs, *douts; /* x, y and its gradient, as they lie in memory */
    float *h, *c, *next_h, *next_c; /* states; of a training pass, the first one and its gradient */
} bench;

static void must(dnnl_status_t status, const char *what)
{
    if (status == dnnl_success) return;
    fprintf(stderr, "onednn: %s: status %d\n", what, (int)status);
    exit(1);
}

static float *room(int64_t count)
{
    float *block = calloc((size_t)count + 1, sizeof *block);
    if (block == NULL) exit(1);
    return block;
}

static dnnl_memory_desc_t describe(int rank, const int64_t *dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t desc;
    must(dnnl_memory_desc_create_with_tag(&desc, rank, dims, dnnl_f32, tag), "description");
    return desc;
}

static dnnl_memory_t hold(const bench *b, const_dnnl_memory_desc_t desc, void *values)
{
    dnnl_memory_t memory;
    must(dnnl_memory_create(&memory, desc, b->engine, values), "memory");
    return memory;
}

static void give(call *to, int name, dnnl_memory_t memory)
{
    to->arguments[to->count++] = (dnnl_exec_arg_t){name, memory};
}

static void execute(const bench *b, const call *c)
{
    must(dnnl_primitive_execute(c->primitive, b->stream, c->count, c->arguments), "execute");
}

static const_dnnl_memory_desc_t wanted(const call *c, int name)
{
    return dnnl_primitive_desc_query_md(c->desc, dnnl_query_exec_arg_md, name);
}

/* A copy in another order. */
static void reorder(const bench *b, dnnl_memory_t from, dnnl_memory_t to)
{
    const_dnnl_memory_desc_t source, target;
    call c = {0};
    must(dnnl_memory_get_memory_desc(from, &source), "description");
    must(dnnl_memory_get_memory_desc(to, &target), "description");
    must(dnnl_reorder_primitive_desc_create(&c.desc, source, b->engine, target, b->engine, NULL),
        "order");
    must(dnnl_primitive_create(&c.primitive, c.desc), "order");
    give(&c, DNNL_ARG_FROM, from);
    give(&c, DNNL_ARG_TO, to);
    execute(b, &c);
    must(dnnl_stream_wait(b->stream), "wait");
    dnnl_primitive_destroy(c.primitive);
    dnnl_primitive_desc_destroy(c.desc);
}

/* The order of the gates: the place in PyTorch's of the one that is gate g here. */
static int64_t place_of_gate(const bench *b, int64_t g)
{
    return b->cell == 'g' && g < 2 ? 1 - g : g;
}

/* Weights. The file has, for each layer and direction, weight_ih, weight_hh, bias_ih and bias_hh. */

typedef struct weights {
    float *ih, *hh, *bias; /* [layers][directions][gates][hidden](inputs) */
} weights;

static int64_t part_of(const bench *b, int64_t inputs)
{
    return b->gates * b->hidden * inputs;
}

static float *read_file(const char *folder, const char *name, int64_t count)
{
    char path[4096];
    float *values = room(count);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || fread(values, sizeof *values, (size_t)count, file) != (size_t)count) {
        fprintf(stderr, "onednn: %s cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    return values;
}

static weights create_weights(const bench *b)
{
    int64_t parts = b->layers * b->directions;
    return (weights){room(parts * part_of(b, b->inputs)), room(parts * part_of(b, b->hidden)),
        room(parts * b->bias_gates * b->hidden)};
}

/* A GRU's last gate has both biases apart: that of h's product is inside the reset. */
static void add_biases(const bench *b, const float *ih, const float *hh, float *bias)
{
    for (int64_t g = 0; g < b->gates; g++)
        for (int64_t k = 0; k < b->hidden; k++) {
            int64_t from = place_of_gate(b, g) * b->hidden + k, to = g * b->hidden + k;
            int apart = b->bias_gates > b->gates && g == b->gates - 1;
            bias[to] = ih[from] + (apart ? 0 : hh[from]);
            if (apart) bias[to + b->hidden] = hh[from];
        }
}

static weights read_weights(const bench *b, const char *folder)
{
    int64_t parts = b->layers * b->directions, rows = b->gates * b->hidden;
    int64_t size = rows * (b->inputs + b->hidden + 2);
    float *file = read_file(folder, "weights", parts * size);
    weights w = create_weights(b);
    for (int64_t p = 0; p < parts; p++) {
        const float *ih = file + p * size, *hh = ih + rows * b->inputs,
                    *bias = hh + rows * b->hidden;
        for (int64_t g = 0; g < b->gates; g++) {
            int64_t from = place_of_gate(b, g) * b->hidden, to = (p * b->gates + g) * b->hidden;
            memcpy(w.ih + to * b->inputs, ih + from * b->inputs,
                (size_t)(b->hidden * b->inputs) * sizeof *ih);
            memcpy(w.hh + to * b->hidden, hh + from * b->hidden,
                (size_t)(b->hidden * b->hidden) * sizeof *hh);
        }
        add_biases(b, bias, bias + rows, w.bias + p * b->bias_gates * b->hidden);
    }
    free(file);
    return w;
}

/* Gates of one array in PyTorch's order; `last`: where the last one is. */
static void write_gates(
    const bench *b, FILE *file, const float *values, int64_t inputs, int64_t last)
{
    int64_t size = b->hidden * inputs;
    for (int64_t g = 0; g < b->gates; g++)
        results_add(file, values + (g == b->gates - 1 ? last : place_of_gate(b, g)) * size, size);
}

static void write_gradients(const bench *b, const char *folder, const weights *d)
{
    FILE *file = results_create(folder, "gradients.onednn");
    for (int64_t p = 0; p < b->layers * b->directions; p++) {
        const float *bias = d->bias + p * b->bias_gates * b->hidden;
        write_gates(b, file, d->ih + p * part_of(b, b->inputs), b->inputs, b->gates - 1);
        write_gates(b, file, d->hh + p * part_of(b, b->hidden), b->hidden, b->gates - 1);
        write_gates(b, file, bias, 1, b->gates - 1);
        write_gates(b, file, bias, 1, b->bias_gates - 1);
    }
    results_close(file);
}

/* The layer. */

static void describe_all(bench *b)
{
    int64_t steps = b->step ? 1 : b->steps, outputs = b->directions * b->hidden;
    b->x = describe(3, (int64_t[]){steps, b->batch, b->inputs}, dnnl_tnc);
    b->y = describe(3, (int64_t[]){steps, b->batch, outputs}, dnnl_tnc);
    b->state = describe(4, (int64_t[]){b->layers, b->directions, b->batch, b->hidden}, dnnl_ldnc);
    b->weight_ih = describe(RANK,
        (int64_t[]){b->layers, b->directions, b->inputs, b->gates, b->hidden}, dnnl_format_tag_any);
    b->weight_hh = describe(RANK,
        (int64_t[]){b->layers, b->directions, b->hidden, b->gates, b->hidden}, dnnl_format_tag_any);
    b->bias =
        describe(4, (int64_t[]){b->layers, b->directions, b->bias_gates, b->hidden}, dnnl_ldgo);
}

static dnnl_status_t describe_forward(bench *b)
{
    dnnl_prop_kind_t kind = b->train ? dnnl_forward_training : dnnl_forward_inference;
    dnnl_rnn_direction_t direction =
        b->directions == 2 ? dnnl_bidirectional_concat : dnnl_unidirectional_left2right;
    dnnl_memory_desc_t start = b->step || b->train ? b->state : NULL;
    dnnl_memory_desc_t end = b->step ? b->state : NULL;
    dnnl_primitive_desc_t *desc = &b->forward.desc;
    if (b->cell == 'l')
        return dnnl_lstm_forward_primitive_desc_create(desc, b->engine, kind, direction, b->x,
            start, start, b->weight_ih, b->weight_hh, NULL, NULL, b->bias, b->y, end, end,
            dnnl_rnn_flags_undef, NULL);
    if (b->cell == 'g')
        return dnnl_lbr_gru_forward_primitive_desc_create(desc, b->engine, kind, direction, b->x,
            start, b->weight_ih, b->weight_hh, b->bias, b->y, end, dnnl_rnn_flags_undef, NULL);
    return dnnl_vanilla_rnn_forward_primitive_desc_create(desc, b->engine, kind, dnnl_eltwise_tanh,
        direction, b->x, start, b->weight_ih, b->weight_hh, b->bias, b->y, end,
        dnnl_rnn_flags_undef, 0, 0, NULL);
}

static dnnl_status_t describe_backward(bench *b)
{
    dnnl_rnn_direction_t direction =
        b->directions == 2 ? dnnl_bidirectional_concat : dnnl_unidirectional_left2right;
    const dnnl_prop_kind_t kind = dnnl_backward;
    const unsigned flags = dnnl_rnn_flags_diff_weights_overwrite;
    dnnl_primitive_desc_t *desc = &b->backward.desc;
    if (b->cell == 'l')
        return dnnl_lstm_backward_primitive_desc_create(desc, b->engine, kind, direction, b->x,
            b->state, b->state, b->weight_ih, b->weight_hh, NULL, NULL, b->bias, b->y, NULL, NULL,
            b->x, b->state, b->state, b->weight_ih, b->weight_hh, NULL, NULL, b->bias, b->y, NULL,
            NULL, flags, b->forward.desc, NULL);
    if (b->cell == 'g')
        return dnnl_lbr_gru_backward_primitive_desc_create(desc, b->engine, kind, direction, b->x,
            b->state, b->weight_ih, b->weight_hh, b->bias, b->y, NULL, b->x, b->state, b->weight_ih,
            b->weight_hh, b->bias, b->y, NULL, flags, b->forward.desc, NULL);
    return dnnl_vanilla_rnn_backward_primitive_desc_create(desc, b->engine, kind, dnnl_eltwise_tanh,
        direction, b->x, b->state, b->weight_ih, b->weight_hh, b->bias, b->y, NULL, b->x, b->state,
        b->weight_ih, b->weight_hh, b->bias, b->y, NULL, flags, 0, 0, b->forward.desc, NULL);
}

static dnnl_memory_t plain_weight(const bench *b, int64_t inputs, float *values)
{
    dnnl_memory_desc_t desc = describe(
        RANK, (int64_t[]){b->layers, b->directions, inputs, b->gates, b->hidden}, dnnl_ldgoi);
    return hold(b, desc, values);
}

/* Weights in the order that a primitive wants. */
static void give_weights(const bench *b, call *to, const weights *w)
{
    dnnl_memory_t ih = hold(b, wanted(to, DNNL_ARG_WEIGHTS_LAYER), DNNL_MEMORY_ALLOCATE);
    dnnl_memory_t hh = hold(b, wanted(to, DNNL_ARG_WEIGHTS_ITER), DNNL_MEMORY_ALLOCATE);
    reorder(b, plain_weight(b, b->inputs, w->ih), ih);
    reorder(b, plain_weight(b, b->hidden, w->hh), hh);
    give(to, DNNL_ARG_WEIGHTS_LAYER, ih);
    give(to, DNNL_ARG_WEIGHTS_ITER, hh);
    give(to, DNNL_ARG_BIAS, hold(b, b->bias, w->bias));
    give(to, DNNL_ARG_SRC_LAYER, hold(b, b->x, b->frames));
    give(to, DNNL_ARG_DST_LAYER, hold(b, b->y, b->outputs));
}

static void give_states(const bench *b, call *to, int h, int c, float *values_h, float *values_c)
{
    give(to, h, hold(b, b->state, values_h));
    if (b->cell == 'l') give(to, c, hold(b, b->state, values_c));
}

/* A training pass starts from zeros that are given: without them, version 3.2 takes something else
 * for an LSTM's first h when it comes to the gradient. */
static void create_forward(bench *b, const weights *w)
{
    call *c = &b->forward;
    must(describe_forward(b), "forward");
    must(dnnl_primitive_create(&c->primitive, c->desc), "forward");
    give_weights(b, c, w);
    if (b->step || b->train) give_states(b, c, DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, b->h, b->c);
    if (b->step) give_states(b, c, DNNL_ARG_DST_ITER, DNNL_ARG_DST_ITER_C, b->next_h, b->next_c);
}

static void create_backward(bench *b, const weights *w, const weights *d)
{
    call *c = &b->backward;
    must(describe_backward(b), "backward");
    must(dnnl_primitive_create(&c->primitive, c->desc), "backward");
    give_weights(b, c, w);
    dnnl_memory_t workspace =
        hold(b, wanted(&b->forward, DNNL_ARG_WORKSPACE), DNNL_MEMORY_ALLOCATE);
    give(&b->forward, DNNL_ARG_WORKSPACE, workspace);
    give(c, DNNL_ARG_WORKSPACE, workspace);
    give_states(b, c, DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, b->h, b->c);
    give_states(b, c, DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C, b->next_h, b->next_c);
    give(c, DNNL_ARG_DIFF_SRC_LAYER, hold(b, b->x, DNNL_MEMORY_ALLOCATE));
    give(c, DNNL_ARG_DIFF_DST_LAYER, hold(b, b->y, b->douts));
    give(c, DNNL_ARG_DIFF_WEIGHTS_LAYER,
        hold(b, wanted(c, DNNL_ARG_DIFF_WEIGHTS_LAYER), DNNL_MEMORY_ALLOCATE));
    give(c, DNNL_ARG_DIFF_WEIGHTS_ITER,
        hold(b, wanted(c, DNNL_ARG_DIFF_WEIGHTS_ITER), DNNL_MEMORY_ALLOCATE));
    give(c, DNNL_ARG_DIFF_BIAS, hold(b, b->bias, d->bias));
}

/* Of the mean, over the rows and units, of the squares of the outputs' mean over the steps. */
static void find_gradient(bench *b)
{
    int64_t units = b->batch * b->directions * b->hidden;
    float scale = 2.0f / ((float)(b->steps * b->steps) * (float)units);
    for (int64_t k = 0; k < units; k++)
        b->douts[k] = 0;
    for (int64_t t = 0; t < b->steps; t++)
        for (int64_t k = 0; k < units; k++)
            b->douts[k] += b->outputs[t * units + k];
    for (int64_t k = 0; k < units; k++)
        b->douts[k] *= scale;
    for (int64_t t = 1; t < b->steps; t++)
        memcpy(b->douts + t * units, b->douts, (size_t)units * sizeof *b->douts);
}

static dnnl_memory_t argument_of(const call *c, int name)
{
    for (int i = 0; i < c->count; i++)
        if (c->arguments[i].arg == name) return c->arguments[i].memory;
    return NULL;
}

static void point(const call *c, int name, float *values)
{
    must(dnnl_memory_set_data_handle(argument_of(c, name), values), "point");
}

static void swap(const call *c, int source, int target, float **from, float **to)
{
    float *kept = *from;
    *from = *to;
    *to = kept;
    point(c, source, *from);
    point(c, target, *to);
}

static void follow(bench *b)
{
    const call *c = &b->forward;
    for (int64_t t = 0; t < b->steps; t++) {
        point(c, DNNL_ARG_SRC_LAYER, b->frames + t * b->batch * b->inputs);
        point(c, DNNL_ARG_DST_LAYER, b->outputs + t * b->batch * b->hidden);
        execute(b, c);
        swap(c, DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER, &b->h, &b->next_h);
        if (b->cell == 'l') swap(c, DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C, &b->c, &b->next_c);
    }
}

static void pass(void *user)
{
    bench *b = user;
    if (b->step) {
        follow(b);
        return;
    }
    execute(b, &b->forward);
    if (!b->train) return;
    find_gradient(b);
    execute(b, &b->backward);
}

static void write_results(bench *b, const char *folder, const weights *d)
{
    int64_t outputs = b->steps * b->batch * b->directions * b->hidden;
    pass(b);
    must(dnnl_stream_wait(b->stream), "wait");
    FILE *file = results_create(folder, "y.onednn");
    results_add(file, b->outputs, outputs);
    results_close(file);
    if (!b->train) return;
    reorder(b, argument_of(&b->backward, DNNL_ARG_DIFF_WEIGHTS_LAYER),
        plain_weight(b, b->inputs, d->ih));
    reorder(b, argument_of(&b->backward, DNNL_ARG_DIFF_WEIGHTS_ITER),
        plain_weight(b, b->hidden, d->hh));
    write_gradients(b, folder, d);
}

static void report(bench *b, double seconds)
{
    const char *name = "?";
    timing t = timing_take(pass, b, seconds);
    double scale = 1e3 / (b->step ? (double)b->steps : 1.0);
    dnnl_primitive_desc_query(b->forward.desc, dnnl_query_impl_info_str, 0, (void *)&name);
    printf("engine=onednn step_ms=%.4f p99_ms=%.4f p999_ms=%.4f steps=%d kernel=%s\n",
        scale * t.median, scale * t.p99, scale * t.p999, t.runs, name);
}

static int64_t option(const char *options, const char *key, int64_t otherwise)
{
    const char *at = strstr(options, key);
    return at == NULL ? otherwise : atoll(at + strlen(key));
}

static void read_words(bench *b, char **words)
{
    b->train = strcmp(words[1], "train") == 0;
    b->step = strcmp(words[1], "step") == 0;
    b->cell = words[2][0];
    b->batch = atoll(words[3]);
    b->steps = atoll(words[4]);
    b->inputs = atoll(words[5]);
    b->hidden = atoll(words[6]);
    b->layers = option(words[7], "layers=", 1);
    b->directions = 1 + option(words[7], "bidirectional=", 0);
    b->gates = b->cell == 'l' ? 4 : b->cell == 'g' ? 3 : 1;
    b->bias_gates = b->cell == 'g' ? 4 : b->gates;
    omp_set_num_threads(atoi(words[9]));
}

static void print_version(void)
{
    const dnnl_version_t *v = dnnl_version();
    printf("oneDNN %d.%d.%d\n", v->major, v->minor, v->patch);
}

int main(int argc, char **argv)
{
    bench b = {0};
    if (argc == 1) {
        print_version();
        return 0;
    }
    if (argc != 12) {
        fputs("rnn_step train|run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS "
              "SECONDS "
              "FOLDER\n",
            stderr);
        return 2;
    }
    const char *folder = argv[11];
    double seconds = atof(argv[10]);
    read_words(&b, argv);
    must(dnnl_engine_create(&b.engine, dnnl_cpu, 0), "engine");
    must(dnnl_stream_create(&b.stream, b.engine, dnnl_stream_default_flags), "stream");
    int64_t outputs = b.steps * b.batch * b.directions * b.hidden;
    b.frames = read_file(folder, "x", b.steps * b.batch * b.inputs);
    int64_t states = b.layers * b.directions * b.batch * b.hidden;
    b.h = room(states);
    b.c = room(states);
    b.next_h = room(states);
    b.next_c = room(states);
    b.outputs = room(outputs);
    b.douts = room(outputs);
    weights w = read_weights(&b, folder), d = create_weights(&b);
    describe_all(&b);
    create_forward(&b, &w);
    if (b.train) create_backward(&b, &w, &d);
    write_results(&b, folder, &d);
    if (seconds > 0) report(&b, seconds);
    return 0;
}
