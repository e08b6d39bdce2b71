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

#include "../results.h"
#include "../timing.h"
#include "primitive.h"
#include "weights.h"

enum { RANK = 5 };

typedef struct bench {
    shape s;
    int train, step;
    machine m;
    dnnl_memory_desc_t x, state, weight_ih, weight_hh, bias, y; /* the weights' as they please */
    call forward, backward;
    float *frames, *outputs, *douts; /* x, y and its gradient, as they lie in memory */
    float *h, *c, *next_h, *next_c; /* states; of a training pass, the first one and its gradient */
} bench;

static void describe_all(bench *b)
{
    int64_t steps = b->step ? 1 : b->s.steps, outputs = b->s.directions * b->s.hidden;
    b->x = describe(3, (int64_t[]){steps, b->s.batch, b->s.inputs}, dnnl_tnc);
    b->y = describe(3, (int64_t[]){steps, b->s.batch, outputs}, dnnl_tnc);
    b->state =
        describe(4, (int64_t[]){b->s.layers, b->s.directions, b->s.batch, b->s.hidden}, dnnl_ldnc);
    b->weight_ih = describe(RANK,
        (int64_t[]){b->s.layers, b->s.directions, b->s.inputs, b->s.gates, b->s.hidden},
        dnnl_format_tag_any);
    b->weight_hh = describe(RANK,
        (int64_t[]){b->s.layers, b->s.directions, b->s.hidden, b->s.gates, b->s.hidden},
        dnnl_format_tag_any);
    b->bias = describe(
        4, (int64_t[]){b->s.layers, b->s.directions, b->s.bias_gates, b->s.hidden}, dnnl_ldgo);
}

static dnnl_status_t describe_forward(bench *b)
{
    dnnl_prop_kind_t kind = b->train ? dnnl_forward_training : dnnl_forward_inference;
    dnnl_rnn_direction_t direction =
        b->s.directions == 2 ? dnnl_bidirectional_concat : dnnl_unidirectional_left2right;
    dnnl_memory_desc_t start = b->step || b->train ? b->state : NULL;
    dnnl_memory_desc_t end = b->step ? b->state : NULL;
    dnnl_primitive_desc_t *desc = &b->forward.desc;
    if (b->s.cell == 'l')
        return dnnl_lstm_forward_primitive_desc_create(desc, b->m.engine, kind, direction, b->x,
            start, start, b->weight_ih, b->weight_hh, NULL, NULL, b->bias, b->y, end, end,
            dnnl_rnn_flags_undef, NULL);
    if (b->s.cell == 'g')
        return dnnl_lbr_gru_forward_primitive_desc_create(desc, b->m.engine, kind, direction, b->x,
            start, b->weight_ih, b->weight_hh, b->bias, b->y, end, dnnl_rnn_flags_undef, NULL);
    return dnnl_vanilla_rnn_forward_primitive_desc_create(desc, b->m.engine, kind,
        dnnl_eltwise_tanh, direction, b->x, start, b->weight_ih, b->weight_hh, b->bias, b->y, end,
        dnnl_rnn_flags_undef, 0, 0, NULL);
}

static dnnl_status_t describe_backward(bench *b)
{
    dnnl_rnn_direction_t direction =
        b->s.directions == 2 ? dnnl_bidirectional_concat : dnnl_unidirectional_left2right;
    const dnnl_prop_kind_t kind = dnnl_backward;
    const unsigned flags = dnnl_rnn_flags_diff_weights_overwrite;
    dnnl_primitive_desc_t *desc = &b->backward.desc;
    if (b->s.cell == 'l')
        return dnnl_lstm_backward_primitive_desc_create(desc, b->m.engine, kind, direction, b->x,
            b->state, b->state, b->weight_ih, b->weight_hh, NULL, NULL, b->bias, b->y, NULL, NULL,
            b->x, b->state, b->state, b->weight_ih, b->weight_hh, NULL, NULL, b->bias, b->y, NULL,
            NULL, flags, b->forward.desc, NULL);
    if (b->s.cell == 'g')
        return dnnl_lbr_gru_backward_primitive_desc_create(desc, b->m.engine, kind, direction, b->x,
            b->state, b->weight_ih, b->weight_hh, b->bias, b->y, NULL, b->x, b->state, b->weight_ih,
            b->weight_hh, b->bias, b->y, NULL, flags, b->forward.desc, NULL);
    return dnnl_vanilla_rnn_backward_primitive_desc_create(desc, b->m.engine, kind,
        dnnl_eltwise_tanh, direction, b->x, b->state, b->weight_ih, b->weight_hh, b->bias, b->y,
        NULL, b->x, b->state, b->weight_ih, b->weight_hh, b->bias, b->y, NULL, flags, 0, 0,
        b->forward.desc, NULL);
}

static dnnl_memory_t plain_weight(const bench *b, int64_t inputs, float *values)
{
    dnnl_memory_desc_t desc = describe(RANK,
        (int64_t[]){b->s.layers, b->s.directions, inputs, b->s.gates, b->s.hidden}, dnnl_ldgoi);
    return hold(&b->m, desc, values);
}

/* Weights in the order that a primitive wants. */
static void give_weights(const bench *b, call *to, const weights *w)
{
    dnnl_memory_t ih = hold(&b->m, wanted(to, DNNL_ARG_WEIGHTS_LAYER), DNNL_MEMORY_ALLOCATE);
    dnnl_memory_t hh = hold(&b->m, wanted(to, DNNL_ARG_WEIGHTS_ITER), DNNL_MEMORY_ALLOCATE);
    reorder(&b->m, plain_weight(b, b->s.inputs, w->ih), ih);
    reorder(&b->m, plain_weight(b, b->s.hidden, w->hh), hh);
    give(to, DNNL_ARG_WEIGHTS_LAYER, ih);
    give(to, DNNL_ARG_WEIGHTS_ITER, hh);
    give(to, DNNL_ARG_BIAS, hold(&b->m, b->bias, w->bias));
    give(to, DNNL_ARG_SRC_LAYER, hold(&b->m, b->x, b->frames));
    give(to, DNNL_ARG_DST_LAYER, hold(&b->m, b->y, b->outputs));
}

static void give_states(const bench *b, call *to, int h, int c, float *values_h, float *values_c)
{
    give(to, h, hold(&b->m, b->state, values_h));
    if (b->s.cell == 'l') give(to, c, hold(&b->m, b->state, values_c));
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
        hold(&b->m, wanted(&b->forward, DNNL_ARG_WORKSPACE), DNNL_MEMORY_ALLOCATE);
    give(&b->forward, DNNL_ARG_WORKSPACE, workspace);
    give(c, DNNL_ARG_WORKSPACE, workspace);
    give_states(b, c, DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, b->h, b->c);
    give_states(b, c, DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C, b->next_h, b->next_c);
    give(c, DNNL_ARG_DIFF_SRC_LAYER, hold(&b->m, b->x, DNNL_MEMORY_ALLOCATE));
    give(c, DNNL_ARG_DIFF_DST_LAYER, hold(&b->m, b->y, b->douts));
    give(c, DNNL_ARG_DIFF_WEIGHTS_LAYER,
        hold(&b->m, wanted(c, DNNL_ARG_DIFF_WEIGHTS_LAYER), DNNL_MEMORY_ALLOCATE));
    give(c, DNNL_ARG_DIFF_WEIGHTS_ITER,
        hold(&b->m, wanted(c, DNNL_ARG_DIFF_WEIGHTS_ITER), DNNL_MEMORY_ALLOCATE));
    give(c, DNNL_ARG_DIFF_BIAS, hold(&b->m, b->bias, d->bias));
}

/* Of the mean, over the rows and units, of the squares of the outputs' mean over the steps. */
static void find_gradient(bench *b)
{
    int64_t units = b->s.batch * b->s.directions * b->s.hidden;
    float scale = 2.0f / ((float)(b->s.steps * b->s.steps) * (float)units);
    for (int64_t k = 0; k < units; k++)
        b->douts[k] = 0;
    for (int64_t t = 0; t < b->s.steps; t++)
        for (int64_t k = 0; k < units; k++)
            b->douts[k] += b->outputs[t * units + k];
    for (int64_t k = 0; k < units; k++)
        b->douts[k] *= scale;
    for (int64_t t = 1; t < b->s.steps; t++)
        memcpy(b->douts + t * units, b->douts, (size_t)units * sizeof *b->douts);
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
    for (int64_t t = 0; t < b->s.steps; t++) {
        point(c, DNNL_ARG_SRC_LAYER, b->frames + t * b->s.batch * b->s.inputs);
        point(c, DNNL_ARG_DST_LAYER, b->outputs + t * b->s.batch * b->s.hidden);
        execute(&b->m, c);
        swap(c, DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER, &b->h, &b->next_h);
        if (b->s.cell == 'l') swap(c, DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C, &b->c, &b->next_c);
    }
}

static void pass(void *user)
{
    bench *b = user;
    if (b->step) {
        follow(b);
        return;
    }
    execute(&b->m, &b->forward);
    if (!b->train) return;
    find_gradient(b);
    execute(&b->m, &b->backward);
}

static void write_results(bench *b, const char *folder, const weights *d)
{
    int64_t outputs = b->s.steps * b->s.batch * b->s.directions * b->s.hidden;
    pass(b);
    machine_wait(&b->m);
    FILE *file = results_create(folder, "y.onednn");
    results_add(file, b->outputs, outputs);
    results_close(file);
    if (!b->train) return;
    reorder(&b->m, argument_of(&b->backward, DNNL_ARG_DIFF_WEIGHTS_LAYER),
        plain_weight(b, b->s.inputs, d->ih));
    reorder(&b->m, argument_of(&b->backward, DNNL_ARG_DIFF_WEIGHTS_ITER),
        plain_weight(b, b->s.hidden, d->hh));
    weights_write(&b->s, folder, "gradients.onednn", d);
}

static void report(bench *b, double seconds)
{
    const char *name = "?";
    timing t = timing_take(pass, b, seconds);
    double scale = 1e3 / (b->step ? (double)b->s.steps : 1.0);
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
    b->s.cell = words[2][0];
    b->s.batch = atoll(words[3]);
    b->s.steps = atoll(words[4]);
    b->s.inputs = atoll(words[5]);
    b->s.hidden = atoll(words[6]);
    b->s.layers = option(words[7], "layers=", 1);
    b->s.directions = 1 + option(words[7], "bidirectional=", 0);
    b->s.gates = b->s.cell == 'l' ? 4 : b->s.cell == 'g' ? 3 : 1;
    b->s.bias_gates = b->s.cell == 'g' ? 4 : b->s.gates;
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
    b.m = machine_open();
    int64_t outputs = b.s.steps * b.s.batch * b.s.directions * b.s.hidden;
    b.frames = read_values(folder, "x", b.s.steps * b.s.batch * b.s.inputs);
    int64_t states = b.s.layers * b.s.directions * b.s.batch * b.s.hidden;
    b.h = zeros(states);
    b.c = zeros(states);
    b.next_h = zeros(states);
    b.next_c = zeros(states);
    b.outputs = zeros(outputs);
    b.douts = zeros(outputs);
    weights w = weights_read(&b.s, folder), d = weights_create(&b.s);
    describe_all(&b);
    create_forward(&b, &w);
    if (b.train) create_backward(&b, &w, &d);
    write_results(&b, folder, &d);
    if (seconds > 0) report(&b, seconds);
    return 0;
}
