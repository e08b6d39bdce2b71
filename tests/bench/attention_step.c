/* Times attention, a translation model's training step, and beam search, through the public API,
 * and prints one line of key=value. pytorch/attention_step.py does the same.
 *
 *     attention_step attend|train|decode BATCH SOURCE TARGET WIDTH WORDS THREADS SECONDS [WEIGHTS]
 *
 * attend   additive attention by itself: TARGET queries, QUERY wide, to SOURCE positions, WIDTH
 *          wide, whose keys are projected already; forward and backward
 * train    embedding of WIDTH / 2, LSTM encoder of WIDTH, Bahdanau's decoder, output of WORDS, Adam: one
 *          whole step
 * decode   the same model, opened with weights=WEIGHTS (packed): beam of 5, TARGET ids
 *
 * Speed is that of the median, after five that are not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rnnkit/rnnkit.h"

enum { WARM = 5, MOST = 100000, LEAST = 5, QUERY = 64 };

typedef struct bench {
    int64_t batch, source, target, width, words;
    const char *weights; /* decode */
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_tape *tape;
    rnnkit_optimizer *adam;
    rnnkit_embedding *read, *written;
    rnnkit_rnn *encoder;
    rnnkit_attention *attention;
    rnnkit_decoder *decoder;
    rnnkit_linear *output;
    rnnkit_search *search;
    int32_t *source_ids, *inputs, *targets;
} bench;

static void must(int32_t status)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "attention_step: %s\n", rnnkit_error_message());
    exit(1);
}

static void *room(int64_t count, size_t size)
{
    void *block = malloc((size_t)count * size);
    if (block == NULL) exit(1);
    return block;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint32_t next(void)
{
    static uint32_t state = 1;
    return (state = state * 1664525u + 1013904223u) >> 8;
}

static void destroy_model(bench *b)
{
    rnnkit_optimizer_destroy(b->adam);
    rnnkit_embedding_destroy(b->read);
    rnnkit_embedding_destroy(b->written);
    rnnkit_rnn_destroy(b->encoder);
    rnnkit_attention_destroy(b->attention);
    rnnkit_decoder_destroy(b->decoder);
    rnnkit_linear_destroy(b->output);
    rnnkit_model_destroy(b->model);
    b->adam = NULL;
}

static int32_t *draw_ids(int64_t count, int64_t words)
{
    int32_t *ids = room(count, sizeof *ids);
    for (int64_t i = 0; i < count; i++)
        ids[i] = (int32_t)(4 + next() % (uint32_t)(words - 4));
    return ids;
}

/* Attention by itself. Queries, keys and values come from embeddings, so that gradients flow. */

static void make_attend(bench *b)
{
    char options[64];
    snprintf(options, sizeof options, "width=%d", (int)b->width);
    must(rnnkit_embedding_create(b->model, "read", b->words, b->width, "scale=0.1", &b->read));
    must(rnnkit_embedding_create(b->model, "written", b->words, QUERY, "scale=0.1", &b->written));
    must(rnnkit_attention_create(b->model, "look", QUERY, b->width, options, &b->attention));
    must(rnnkit_linear_create(b->model, "output", b->width, 2, NULL, &b->output));
    for (int64_t i = 0; i < b->target * b->batch; i++)
        b->targets[i] = 0;
}

static void attend(bench *b)
{
    rnnkit_tensor *query, *source, *context, *loss;
    must(rnnkit_tape_clear(b->tape));
    must(rnnkit_embedding_forward(b->read, b->tape, b->source_ids, b->source, b->batch, &source));
    must(rnnkit_embedding_forward(b->written, b->tape, b->inputs, b->target, b->batch, &query));
    must(rnnkit_attention_forward(
        b->attention, b->tape, query, source, source, NULL, &context, NULL));
    must(rnnkit_linear_cross_entropy(
        b->output, b->tape, context, b->targets, b->target * b->batch, RNNKIT_IGNORE, &loss));
    must(rnnkit_tape_backward(b->tape, loss));
    must(rnnkit_model_clear_gradients(b->model));
}

/* A translation model. */

static void make_writer(bench *b)
{
    int64_t width = b->width / 2;
    must(rnnkit_embedding_create(b->model, "read", b->words, width, "sparse=0", &b->read));
    must(rnnkit_embedding_create(b->model, "written", b->words, width, "sparse=0", &b->written));
    must(rnnkit_lstm_create(b->model, "encoder", width, b->width, NULL, &b->encoder));
    must(rnnkit_decoder_create(b->model, "decoder", width, b->width, b->width, NULL, &b->decoder));
    must(rnnkit_linear_create(b->model, "output", b->width, b->words, NULL, &b->output));
    must(rnnkit_optimizer_create(b->model, "adam", "lr=0.001 clip_norm=5", &b->adam));
}

static rnnkit_tensor *encode(bench *b)
{
    rnnkit_tensor *x, *memory;
    must(rnnkit_tape_clear(b->tape));
    must(rnnkit_embedding_forward(b->read, b->tape, b->source_ids, b->source, b->batch, &x));
    must(rnnkit_rnn_forward(b->encoder, b->tape, x, NULL, NULL, &memory));
    return memory;
}

static void train(bench *b)
{
    rnnkit_tensor *x, *out, *loss, *memory = encode(b);
    must(rnnkit_embedding_forward(b->written, b->tape, b->inputs, b->target, b->batch, &x));
    must(rnnkit_decoder_forward(b->decoder, b->tape, x, memory, NULL, NULL, &out, NULL));
    must(rnnkit_linear_cross_entropy(
        b->output, b->tape, out, b->targets, b->target * b->batch, RNNKIT_IGNORE, &loss));
    must(rnnkit_tape_backward(b->tape, loss));
    must(rnnkit_optimizer_step(b->adam));
}

/* The model as it is when it comes from a file with that option. */
static void reopen(bench *b)
{
    char path[] = "/tmp/attention_step_XXXXXX", options[32];
    int file = mkstemp(path);
    if (file < 0) exit(1);
    close(file);
    snprintf(options, sizeof options, "weights=%s", b->weights);
    must(rnnkit_model_save(b->model, path));
    destroy_model(b);
    must(rnnkit_model_open(b->context, path, options, &b->model));
    remove(path);
    must(rnnkit_embedding_find(b->model, "read", &b->read));
    must(rnnkit_embedding_find(b->model, "written", &b->written));
    must(rnnkit_rnn_find(b->model, "encoder", &b->encoder));
    must(rnnkit_decoder_find(b->model, "decoder", &b->decoder));
    must(rnnkit_linear_find(b->model, "output", &b->output));
}

static void make_search(bench *b)
{
    char options[96];
    make_writer(b);
    reopen(b);
    snprintf(options, sizeof options, "beam=5 min_length=%d max_length=%d", (int)b->target,
        (int)b->target);
    must(rnnkit_search_create(b->written, b->decoder, b->output, options, &b->search));
}

static void decode(bench *b)
{
    must(rnnkit_search_run(b->search, encode(b), NULL, NULL));
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(bench *b, const char *what, void (*step)(bench *), double seconds)
{
    static double times[MOST];
    int64_t count = 0;
    for (int64_t n = 0; n < WARM; n++)
        step(b);
    for (double start = seconds_now(), now = start;
         count < MOST && (count < LEAST || now - start < seconds); count++) {
        double before = now;
        step(b);
        now = seconds_now();
        times[count] = now - before;
    }
    qsort(times, (size_t)count, sizeof *times, compare);
    printf("engine=rnnkit what=%s step_ms=%.3f steps=%lld\n", what, 1e3 * times[count / 2],
        (long long)count);
}

static void destroy(bench *b)
{
    rnnkit_search_destroy(b->search);
    rnnkit_tape_destroy(b->tape);
    destroy_model(b);
    rnnkit_context_destroy(b->context);
    free(b->source_ids);
    free(b->inputs);
    free(b->targets);
}

typedef struct kind {
    const char *name, *tape;
    void (*make)(bench *);
    void (*step)(bench *);
} kind;

static const kind kinds[] = {{"attend", "train=1", make_attend, attend},
    {"train", "train=1", make_writer, train}, {"decode", "train=0", make_search, decode}};

int main(int argc, char **argv)
{
    const kind *of = NULL;
    char options[64];
    for (size_t i = 0; (argc == 9 || argc == 10) && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, argv[1]) == 0) of = &kinds[i];
    if (of == NULL) {
        fprintf(stderr,
            "usage: %s attend|train|decode BATCH SOURCE TARGET WIDTH WORDS THREADS SECONDS "
            "[WEIGHTS]\n",
            argv[0]);
        return 1;
    }
    bench b = {.batch = strtoll(argv[2], NULL, 10),
        .source = strtoll(argv[3], NULL, 10),
        .target = strtoll(argv[4], NULL, 10),
        .width = strtoll(argv[5], NULL, 10),
        .words = strtoll(argv[6], NULL, 10),
        .weights = argc == 10 ? argv[9] : "packed"};
    snprintf(options, sizeof options, "threads=%s seed=1", argv[7]);
    b.source_ids = draw_ids(b.source * b.batch, b.words);
    b.inputs = draw_ids(b.target * b.batch, b.words);
    b.targets = draw_ids(b.target * b.batch, b.words);
    must(rnnkit_context_create("cpu", options, &b.context));
    must(rnnkit_model_create(b.context, &b.model));
    must(rnnkit_tape_create(b.context, of->tape, &b.tape));
    of->make(&b);
    measure(&b, of->name, of->step, strtod(argv[8], NULL));
    destroy(&b);
    return 0;
}
