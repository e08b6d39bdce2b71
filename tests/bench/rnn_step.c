/* Times one recurrent layer's training pass (forward and backward), forward pass, or single steps,
 * through the public API, and prints one line of key=value. pytorch/rnn_step.py does the first two.
 *
 *     rnn_step train|run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS SECONDS
 *              [WEIGHTS [DEVICE]]
 *
 * step     a pass is STEPS calls of rnnkit_rnn_step; step_ms is the time of one of them
 * WEIGHTS  f32, bf16 or int8, not for train
 * CELL     elman, gru or lstm; OPTIONS: of the layer, or - for none
 * LENGTHS  full, or mixed: row b has 1 + (b * 37) % STEPS steps
 * The time is the median, after five passes that are not counted. x comes from an embedding, so
 * that the gradient by x is computed too; the output is pooled to its mean, so that all steps get
 * one. A training pass reads its loss, for which a device must have done the pass before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rnnkit/rnnkit.h"

enum { WARM = 5, MOST = 100000, LEAST = 5, WORDS = 100 };

typedef struct bench {
    int64_t batch, steps, outputs;
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_tape *tape;
    rnnkit_embedding *embedding;
    rnnkit_rnn *rnn;
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

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void steps(bench *b)
{
    for (int64_t t = 0; t < b->steps; t++)
        must(rnnkit_rnn_step(b->rnn, b->state, b->x + t * b->batch * b->inputs,
            b->batch * b->inputs, b->y, b->batch * b->outputs));
}

static void pass(bench *b)
{
    if (b->step) {
        steps(b);
        return;
    }
    rnnkit_tensor *x, *y, *pooled, *loss;
    must(rnnkit_tape_clear(b->tape));
    must(rnnkit_embedding_forward(b->embedding, b->tape, b->ids, b->steps, b->batch, &x));
    must(rnnkit_rnn_forward(b->rnn, b->tape, x, b->lengths, NULL, &y));
    if (!b->train) return;
    must(rnnkit_rnn_pool(b->rnn, b->tape, y, b->lengths, "pooling=mean", &pooled));
    must(rnnkit_pointwise_loss(
        b->tape, "squared_error", pooled, b->targets, b->batch * b->outputs, NULL, 0, NULL, &loss));
    double value;
    must(rnnkit_tensor_item(loss, &value));
    must(rnnkit_tape_backward(b->tape, loss));
    must(rnnkit_model_clear_gradients(b->model));
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(bench *b, double seconds)
{
    static double times[MOST];
    int64_t count = 0;
    for (int64_t n = 0; n < WARM; n++)
        pass(b);
    for (double start = seconds_now(), now = start;
         count < MOST && (count < LEAST || now - start < seconds); count++) {
        double before = now;
        pass(b);
        now = seconds_now();
        times[count] = now - before;
    }
    qsort(times, (size_t)count, sizeof *times, compare);
    double parts = b->step ? (double)b->steps : 1.0;
    printf("engine=rnnkit step_ms=%.4f steps=%lld\n", 1e3 * times[count / 2] / parts,
        (long long)count);
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

int main(int argc, char **argv)
{
    bench b = {0};
    if (argc < 11 || argc > 13) {
        fputs("rnn_step train|run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS "
              "SECONDS [WEIGHTS [DEVICE]]\n",
            stderr);
        return 2;
    }
    create(&b, argv, argc > 11 ? argv[11] : "f32", argc > 12 ? argv[12] : "cpu");
    measure(&b, atof(argv[10]));
    rnnkit_state_destroy(b.state);
    rnnkit_tape_destroy(b.tape);
    rnnkit_rnn_destroy(b.rnn);
    rnnkit_embedding_destroy(b.embedding);
    rnnkit_model_destroy(b.model);
    rnnkit_context_destroy(b.context);
    free(b.x);
    free(b.y);
    free(b.ids);
    free(b.lengths);
    free(b.targets);
    return 0;
}
