/* Times training steps of one workload through the public API, and prints one line of key=value.
 *
 *     train_step WORKLOADS NAME THREADS SECONDS [DEVICE [PRECISION [FOLDER]]]
 *     train_step                                          says what the library is made of
 *
 * A step is what PyTorch does in pytorch/train_step.py: embedding, LSTM layers, linear and
 * cross-entropy, backward, clipping by norm, Adam on all rows of the embedding too. Speed is that
 * of the median step. peak_mib is the most memory that the process had, base_mib what it had before
 * the model was made.
 *
 * With FOLDER nothing is timed: a few steps are done without dropout, and there are, for another
 * library to do the same, the parameters before (weights), all ids, all targets, and losses.rnnkit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "parameters.h"
#include "results.h"
#include "rnnkit/rnnkit.h"
#include "timing.h"
#include "workload.h"

enum { BATCHES = 8, CHECKED_STEPS = 5 };

typedef struct trainer {
    workload work;
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    rnnkit_state *state;
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    int32_t *ids, *targets; /* [BATCHES][steps][batch] */
    int32_t *lengths;       /* or NULL */
    int64_t done;           /* steps */
    double loss;
} trainer;

static void must(int32_t status)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "train_step: %s\n", rnnkit_error_message());
    exit(1);
}

static double peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static void draw_batches(trainer *t)
{
    size_t places = (size_t)(t->work.steps * t->work.batch);
    uint64_t state = 1;
    t->ids = malloc(BATCHES * places * sizeof *t->ids);
    t->targets = malloc(BATCHES * places * sizeof *t->targets);
    if (t->ids == NULL || t->targets == NULL) exit(1);
    for (size_t i = 0; i < BATCHES; i++)
        workload_draw(
            &t->work, &state, t->ids + i * places, t->targets + i * places, RNNKIT_IGNORE);
    if (t->work.classes == 0) return;
    t->lengths = malloc((size_t)t->work.batch * sizeof *t->lengths);
    if (t->lengths == NULL) exit(1);
    for (int64_t row = 0; row < t->work.batch; row++)
        t->lengths[row] = workload_length(&t->work, row);
}

static void build(trainer *t, const char *device, const char *precision, const char *threads)
{
    const workload *w = &t->work;
    char options[128];
    snprintf(options, sizeof options, "threads=%s seed=1 precision=%s", threads, precision);
    must(rnnkit_context_create(device, options, &t->context));
    must(rnnkit_model_create(t->context, &t->model));
    must(rnnkit_embedding_create(
        t->model, "embedding", w->words, w->embedding, "sparse=0", &t->embedding));
    snprintf(options, sizeof options, "layers=%d dropout=%g bidirectional=%d", (int)w->layers,
        w->dropout, w->bidirectional);
    must(rnnkit_lstm_create(t->model, "lstm", w->embedding, w->hidden, options, &t->lstm));
    must(rnnkit_linear_create(t->model, "linear", w->hidden * (1 + w->bidirectional),
        w->classes ? w->classes : w->words, NULL, &t->linear));
    must(rnnkit_optimizer_create(t->model, "adam", "lr=0.001 clip_norm=5", &t->optimizer));
    if (!w->last && !w->classes) must(rnnkit_state_create(t->lstm, w->batch, &t->state));
    must(rnnkit_tape_create(t->context, "train=1", &t->tape));
}

static void destroy(trainer *t)
{
    rnnkit_tape_destroy(t->tape);
    rnnkit_state_destroy(t->state);
    rnnkit_optimizer_destroy(t->optimizer);
    rnnkit_linear_destroy(t->linear);
    rnnkit_rnn_destroy(t->lstm);
    rnnkit_embedding_destroy(t->embedding);
    rnnkit_model_destroy(t->model);
    rnnkit_context_destroy(t->context);
    free(t->ids);
    free(t->targets);
    free(t->lengths);
}

static void step(void *user)
{
    trainer *t = user;
    const workload *w = &t->work;
    int64_t places = w->steps * w->batch, first = t->done++ % BATCHES * places;
    rnnkit_tensor *x, *loss;
    must(rnnkit_tape_clear(t->tape));
    must(rnnkit_embedding_forward(t->embedding, t->tape, t->ids + first, w->steps, w->batch, &x));
    must(rnnkit_rnn_forward(t->lstm, t->tape, x, t->lengths, t->state, &x));
    if (w->classes) must(rnnkit_rnn_pool(t->lstm, t->tape, x, t->lengths, "pooling=last", &x));
    must(rnnkit_linear_cross_entropy(t->linear, t->tape, x, t->targets + first,
        w->classes ? w->batch : places, RNNKIT_IGNORE, &loss));
    must(rnnkit_tensor_item(loss, &t->loss));
    must(rnnkit_tape_backward(t->tape, loss));
    must(rnnkit_optimizer_step(t->optimizer));
}

static void report(trainer *t, double seconds, const char *threads, double base)
{
    timing taken = timing_take(step, t, seconds);
    double places = (double)(t->work.steps * t->work.batch);
    printf("engine=rnnkit workload=%s threads=%s tokens_per_second=%.0f step_ms=%.3f steps=%d "
           "peak_mib=%.1f base_mib=%.1f loss=%.4f\n",
        t->work.name, threads, places / taken.median, 1e3 * taken.median, taken.runs, peak_mib(),
        base, t->loss);
}

static void write_ids(const char *folder, const char *name, const int32_t *ids, size_t count)
{
    FILE *file = results_create(folder, name);
    if (fwrite(ids, sizeof *ids, count, file) != count) exit(1);
    results_close(file);
}

static void write_all(trainer *t, const char *folder)
{
    size_t count = (size_t)(BATCHES * t->work.steps * t->work.batch);
    parameters_write(t->model, "", rnnkit_model_parameter_read, folder, "weights");
    write_ids(folder, "ids", t->ids, count);
    write_ids(folder, "targets", t->targets, count);
    FILE *file = results_create(folder, "losses.rnnkit");
    for (int n = 0; n < CHECKED_STEPS; n++) {
        step(t);
        results_add(file, &(float){(float)t->loss}, 1);
    }
    results_close(file);
}

static void print_build(void)
{
    char text[4096];
    int64_t needed;
    must(rnnkit_build_info(text, sizeof text, &needed));
    fputs(text, stdout);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        print_build();
        return 0;
    }
    if (argc < 5 || argc > 8) {
        fprintf(stderr, "usage: %s WORKLOADS NAME THREADS SECONDS [DEVICE [PRECISION [FOLDER]]]\n",
            argv[0]);
        return 1;
    }
    double base = peak_mib();
    trainer t = {.work = workload_read(argv[1], argv[2])};
    if (argc > 7) t.work.dropout = 0;
    build(&t, argc > 5 ? argv[5] : "cpu", argc > 6 ? argv[6] : "full", argv[3]);
    draw_batches(&t);
    if (argc > 7)
        write_all(&t, argv[7]);
    else
        report(&t, strtod(argv[4], NULL), argv[3], base);
    destroy(&t);
    return 0;
}
