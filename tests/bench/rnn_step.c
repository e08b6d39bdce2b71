/* Times one recurrent layer's training pass (forward and backward), forward pass, or single steps,
 * through the public API, and prints one line of key=value. pytorch/rnn_step.py, onednn/rnn_step.c
 * and onnx/rnn_step.py do the same.
 *
 *     rnn_step train|run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS SECONDS
 *              [WEIGHTS [DEVICE [FOLDER]]]
 *
 * step     a pass is STEPS calls of rnnkit_rnn_step; step_ms is the time of one of them
 * WEIGHTS  f32, packed, bf16 or int8, not for train
 * CELL     elman, gru or lstm; OPTIONS: of the layer, or - for none
 * LENGTHS  full, or mixed: row b has 1 + (b * 37) % STEPS steps
 * FOLDER   one pass first, and there, as floats: x and the layer's weights, which another library can
 *          take, and y.rnnkit and gradients.rnnkit, what came of them. With SECONDS 0 nothing is timed
 * Times are medians; p99_ms and p999_ms are what one pass in 100 and in 1,000 exceeds. x comes from an
 * embedding, so that the gradient by x is computed too; the output is pooled to its mean, so that all
 * steps get one. A training pass reads its loss, for which a device must have done the pass before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parameters.h"
#include "results.h"
#include "rnnkit/rnnkit.h"
#include "timing.h"

enum { WORDS = 100 };

typedef struct bench {
    int64_t batch, steps, outputs;
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_tape *tape;
    rnnkit_embedding *embedding;
    rnnkit_rnn *rnn;
    rnnkit_tensor *last; /* what the last pass gave */
    int32_t *ids, *lengths;
    float *targets;
    rnnkit_state *state; /* single steps */
    float *x, *y;
    int64_t inputs;
    int train, step;
} bench;

static void must(int32_t status)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "rnn_step: %s\n", rnnkit_error_message());
    exit(1);
}

static void *room(int64_t count, size_t size)
{
    void *block = calloc((size_t)count, size);
    if (block == NULL) exit(1);
    return block;
}

static void steps(bench *b)
{
    for (int64_t t = 0; t < b->steps; t++)
        must(rnnkit_rnn_step(b->rnn, b->state, b->x + t * b->batch * b->inputs,
            b->batch * b->inputs, b->y, b->batch * b->outputs));
}

static void pass(void *user)
{
    bench *b = user;
    rnnkit_tensor *x, *pooled, *loss;
    if (b->step) {
        steps(b);
        return;
    }
    if (b->train) must(rnnkit_model_clear_gradients(b->model));
    must(rnnkit_tape_clear(b->tape));
    must(rnnkit_embedding_forward(b->embedding, b->tape, b->ids, b->steps, b->batch, &x));
    must(rnnkit_rnn_forward(b->rnn, b->tape, x, b->lengths, NULL, &b->last));
    if (!b->train) return;
    must(rnnkit_rnn_pool(b->rnn, b->tape, b->last, b->lengths, "pooling=mean", &pooled));
    must(rnnkit_pointwise_loss(
        b->tape, "squared_error", pooled, b->targets, b->batch * b->outputs, NULL, 0, NULL, &loss));
    double value;
    must(rnnkit_tensor_item(loss, &value));
    must(rnnkit_tape_backward(b->tape, loss));
}

static void report(bench *b, double seconds)
{
    timing t = timing_take(pass, b, seconds);
    double scale = 1e3 / (b->step ? (double)b->steps : 1.0);
    printf("engine=rnnkit step_ms=%.4f p99_ms=%.4f p999_ms=%.4f steps=%d\n", scale * t.median,
        scale * t.p99, scale * t.p999, t.runs);
}

/* The model as it is when it comes from a file with that option. */
static void reopen(bench *b, const char *weights)
{
    char path[] = "/tmp/rnn_step_XXXXXX", options[32];
    int file = mkstemp(path);
    if (file < 0) exit(1);
    close(file);
    snprintf(options, sizeof options, "weights=%s", weights);
    must(rnnkit_model_save(b->model, path));
    rnnkit_rnn_destroy(b->rnn);
    rnnkit_embedding_destroy(b->embedding);
    rnnkit_model_destroy(b->model);
    must(rnnkit_model_open(b->context, path, options, &b->model));
    must(rnnkit_embedding_find(b->model, "x", &b->embedding));
    must(rnnkit_rnn_find(b->model, "rnn", &b->rnn));
    remove(path);
}

static void create_steps(bench *b)
{
    int64_t count = b->steps * b->batch * b->inputs;
    must(rnnkit_state_create(b->rnn, b->batch, &b->state));
    b->x = room(count, sizeof *b->x);
    b->y = room(b->batch * b->outputs, sizeof *b->y);
    for (int64_t i = 0; i < count; i++)
        b->x[i] = (float)(i * 7 % WORDS) / WORDS - 0.5f;
}

static void create(bench *b, char **words, const char *weights, const char *device)
{
    char options[64];
    int64_t inputs = atoll(words[5]), hidden = atoll(words[6]);
    const char *cell = words[2], *chosen = strcmp(words[7], "-") == 0 ? NULL : words[7];
    b->train = strcmp(words[1], "train") == 0;
    b->step = strcmp(words[1], "step") == 0;
    b->inputs = inputs;
    b->batch = atoll(words[3]);
    b->steps = atoll(words[4]);
    snprintf(options, sizeof options, "threads=%d seed=1", atoi(words[9]));
    must(rnnkit_context_create(device, options, &b->context));
    must(rnnkit_model_create(b->context, &b->model));
    must(rnnkit_tape_create(b->context, b->train ? "train=1" : "train=0", &b->tape));
    must(rnnkit_embedding_create(b->model, "x", WORDS, inputs, NULL, &b->embedding));
    must((strcmp(cell, "lstm") == 0 ? rnnkit_lstm_create
          : strcmp(cell, "gru") == 0
              ? rnnkit_gru_create
              : rnnkit_elman_create)(b->model, "rnn", inputs, hidden, chosen, &b->rnn));
    if (strcmp(weights, "f32") != 0) reopen(b, weights);
    must(rnnkit_rnn_widths(b->rnn, &b->outputs, NULL));
    if (b->step) create_steps(b);
    b->ids = room(b->steps * b->batch, sizeof *b->ids);
    for (int64_t i = 0; i < b->steps * b->batch; i++)
        b->ids[i] = (int32_t)(i * 7 % WORDS);
    b->targets = room(b->batch * b->outputs, sizeof *b->targets);
    if (strcmp(words[8], "mixed") != 0) return;
    b->lengths = room(b->batch, sizeof *b->lengths);
    for (int64_t i = 0; i < b->batch; i++)
        b->lengths[i] = (int32_t)(1 + i * 37 % b->steps);
}

static void write_input(const bench *b, const char *folder)
{
    int64_t places = b->steps * b->batch;
    float *table = room(WORDS * b->inputs, sizeof *table);
    FILE *file = results_create(folder, "x");
    must(rnnkit_model_parameter_read(b->model, "x.weight", table, WORDS * b->inputs));
    if (b->step) results_add(file, b->x, places * b->inputs);
    for (int64_t i = 0; i < places && !b->step; i++)
        results_add(file, table + b->ids[i] * b->inputs, b->inputs);
    results_close(file);
    free(table);
}

static void write_output(bench *b, const char *folder)
{
    int64_t count = b->steps * b->batch * b->outputs;
    float *y = room(count, sizeof *y);
    FILE *file = results_create(folder, "y.rnnkit");
    if (b->step)
        must(rnnkit_rnn_step(b->rnn, b->state, b->x, b->steps * b->batch * b->inputs, y, count));
    else
        must(rnnkit_tensor_read(b->last, y, count));
    results_add(file, y, count);
    results_close(file);
    free(y);
}

static void write_all(bench *b, const char *folder, int f32)
{
    if (!b->step) pass(b);
    write_output(b, folder);
    if (!f32) return; /* the model came from a file, whose weights another run has written */
    write_input(b, folder);
    parameters_write(b->model, "rnn.", rnnkit_model_parameter_read, folder, "weights");
    if (b->train)
        parameters_write(b->model, "rnn.", rnnkit_model_gradient_read, folder, "gradients.rnnkit");
}

static void destroy(bench *b)
{
    rnnkit_state_destroy(b->state);
    rnnkit_tape_destroy(b->tape);
    rnnkit_rnn_destroy(b->rnn);
    rnnkit_embedding_destroy(b->embedding);
    rnnkit_model_destroy(b->model);
    rnnkit_context_destroy(b->context);
    free(b->x);
    free(b->y);
    free(b->ids);
    free(b->lengths);
    free(b->targets);
}

int main(int argc, char **argv)
{
    bench b = {0};
    if (argc < 11 || argc > 14) {
        fputs("rnn_step train|run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS "
              "SECONDS [WEIGHTS [DEVICE [FOLDER]]]\n",
            stderr);
        return 2;
    }
    const char *weights = argc > 11 ? argv[11] : "f32";
    create(&b, argv, weights, argc > 12 ? argv[12] : "cpu");
    if (argc > 13) write_all(&b, argv[13], strcmp(weights, "f32") == 0);
    if (atof(argv[10]) > 0) report(&b, atof(argv[10]));
    destroy(&b);
    return 0;
}
