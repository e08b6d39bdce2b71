/* Times training steps of one workload through the public API, and prints one line of key=value.
 *
 *     train_step WORKLOADS NAME THREADS SECONDS [DEVICE [PRECISION]]
 *     train_step                                          says what the library is made of
 *
 * A step is what PyTorch does in pytorch/train_step.py: embedding, LSTM layers, linear and
 * cross-entropy, backward, clipping by norm, Adam on all rows of the embedding too. Speed is that
 * of the median step, after five that are not counted. peak_mib is the most memory that the process
 * had, base_mib what it had before the model was made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "rnnkit/rnnkit.h"
#include "workload.h"

enum { BATCHES = 8, WARM = 5, MOST_STEPS = 100000, LEAST_STEPS = 5 };

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
} trainer;

static void must(int32_t status)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "train_step: %s\n", rnnkit_error_message());
    exit(1);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
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
    snprintf(options, sizeof options, "layers=%d dropout=%g", (int)w->layers, w->dropout);
    must(rnnkit_lstm_create(t->model, "lstm", w->embedding, w->hidden, options, &t->lstm));
    must(rnnkit_linear_create(t->model, "linear", w->hidden, w->words, NULL, &t->linear));
    must(rnnkit_optimizer_create(t->model, "adam", "lr=0.001 clip_norm=5", &t->optimizer));
    must(rnnkit_state_create(t->lstm, w->batch, &t->state));
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
}

static double step(trainer *t, int64_t number)
{
    const workload *w = &t->work;
    int64_t places = w->steps * w->batch, first = number % BATCHES * places;
    rnnkit_tensor *x, *loss;
    double value;
    must(rnnkit_tape_clear(t->tape));
    must(rnnkit_embedding_forward(t->embedding, t->tape, t->ids + first, w->steps, w->batch, &x));
    must(rnnkit_rnn_forward(t->lstm, t->tape, x, NULL, w->last ? NULL : t->state, &x));
    must(rnnkit_linear_cross_entropy(
        t->linear, t->tape, x, t->targets + first, places, RNNKIT_IGNORE, &loss));
    must(rnnkit_tensor_item(loss, &value));
    must(rnnkit_tape_backward(t->tape, loss));
    must(rnnkit_optimizer_step(t->optimizer));
    return value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(trainer *t, double seconds, const char *threads, double base)
{
    static double times[MOST_STEPS];
    int64_t count = 0, places = t->work.steps * t->work.batch;
    double loss = 0;
    for (int64_t n = 0; n < WARM; n++)
        step(t, n);
    for (double start = seconds_now(), now = start;
         count < MOST_STEPS && (count < LEAST_STEPS || now - start < seconds); count++) {
        double before = now;
        loss = step(t, WARM + count);
        now = seconds_now();
        times[count] = now - before;
    }
    qsort(times, (size_t)count, sizeof *times, compare);
    double median = times[count / 2];
    printf("engine=rnnkit workload=%s threads=%s tokens_per_second=%.0f step_ms=%.3f steps=%lld "
           "peak_mib=%.1f base_mib=%.1f loss=%.4f\n",
        t->work.name, threads, (double)places / median, 1e3 * median, (long long)count, peak_mib(),
        base, loss);
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
    if (argc < 5) {
        fprintf(stderr, "usage: %s WORKLOADS NAME THREADS SECONDS [DEVICE [PRECISION]]\n", argv[0]);
        return 1;
    }
    double base = peak_mib();
    trainer t = {.work = workload_read(argv[1], argv[2])};
    build(&t, argc > 5 ? argv[5] : "cpu", argc > 6 ? argv[6] : "full", argv[3]);
    draw_batches(&t);
    measure(&t, strtod(argv[4], NULL), argv[3], base);
    destroy(&t);
    return 0;
}
