/* A small language model. See small_model.h. */
#include "small_model.h"

#include <stdio.h>
#include <stdlib.h>

static const char text[] =
    "jerry: so what is the deal with the train? it stops. it goes. it stops again!\n"
    "george: the train is fine, jerry. the deal is you.\n"
    "elaine: (sighs) you two and your train; i take the bus.\n"
    "kramer: \"the bus\"? i know a guy with a boat.\n"
    "jerry: of course you know a guy. what is the deal with the boat?\n"
    "kramer: it goes, jerry. it goes, and it never stops.\n";

void must(int32_t status, const char *what)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "%s: %s\n", what, rnnkit_error_message());
    exit(1);
}

/* Hands the first failure to the caller. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        int32_t try_status = (call);                                                               \
        if (try_status < RNNKIT_OK) return try_status;                                             \
    } while (0)

int32_t small_model_create(rnnkit_context *context, small_model *out)
{
    *out = (small_model){0};
    TRY(rnnkit_tokenizer_create(context, NULL, &out->tokenizer));
    TRY(rnnkit_vocab_create(out->tokenizer, NULL, &out->vocab));
    TRY(rnnkit_vocab_push(out->vocab, text, -1));
    TRY(rnnkit_vocab_finish(out->vocab));
    TRY(rnnkit_vocab_size(out->vocab, &out->words, NULL));
    TRY(rnnkit_tokens_create(out->vocab, NULL, &out->tokens));
    TRY(rnnkit_tokens_push(out->tokens, text, -1));
    TRY(rnnkit_tokens_finish(out->tokens));
    TRY(rnnkit_model_create(context, &out->model));
    TRY(rnnkit_embedding_create(
        out->model, "embedding", out->words, SMALL_WIDTH, NULL, &out->embedding));
    TRY(rnnkit_lstm_create(
        out->model, "lstm", SMALL_WIDTH, SMALL_HIDDEN, "layers=2 dropout=0.1", &out->lstm));
    TRY(rnnkit_linear_create(out->model, "linear", SMALL_HIDDEN, out->words, NULL, &out->linear));
    return rnnkit_model_set_vocab(out->model, out->vocab);
}

void small_model_destroy(small_model *small)
{
    rnnkit_tokenizer_destroy(small->tokenizer);
    rnnkit_vocab_destroy(small->vocab);
    rnnkit_tokens_destroy(small->tokens);
    rnnkit_model_destroy(small->model);
    rnnkit_embedding_destroy(small->embedding);
    rnnkit_rnn_destroy(small->lstm);
    rnnkit_linear_destroy(small->linear);
}

typedef struct training {
    rnnkit_batches *batches;
    rnnkit_optimizer *adam;
    rnnkit_state *state;
    rnnkit_tape *tape;
} training;

static int32_t train_batch(training *run, small_model *small, const int32_t *x, const int32_t *y,
    int64_t steps, int64_t rows, double *value)
{
    rnnkit_tensor *e, *h, *loss;
    TRY(rnnkit_tape_clear(run->tape));
    TRY(rnnkit_embedding_forward(small->embedding, run->tape, x, steps, rows, &e));
    TRY(rnnkit_rnn_forward(small->lstm, run->tape, e, NULL, run->state, &h));
    TRY(rnnkit_linear_cross_entropy(
        small->linear, run->tape, h, y, steps * rows, RNNKIT_IGNORE, &loss));
    TRY(rnnkit_tape_backward(run->tape, loss));
    TRY(rnnkit_tensor_item(loss, value));
    return rnnkit_optimizer_step(run->adam);
}

static int32_t train(training *run, rnnkit_context *context, small_model *small, double *loss)
{
    const int32_t *x, *y;
    int64_t steps, rows;
    int32_t next;
    TRY(rnnkit_batches_create(small->tokens, "batch=2 steps=5", &run->batches));
    TRY(rnnkit_optimizer_create(small->model, "adam", "lr=0.01 clip_norm=1", &run->adam));
    TRY(rnnkit_state_create(small->lstm, 2, &run->state));
    TRY(rnnkit_tape_create(context, NULL, &run->tape));
    while ((next = rnnkit_batches_next(run->batches, &x, &y, &steps, &rows)) == RNNKIT_OK)
        TRY(train_batch(run, small, x, y, steps, rows, loss));
    return next == RNNKIT_DONE ? RNNKIT_OK : next;
}

int32_t small_model_train(rnnkit_context *context, small_model *small, double *loss)
{
    training run = {0};
    int32_t status = train(&run, context, small, loss);
    rnnkit_tape_destroy(run.tape);
    rnnkit_state_destroy(run.state);
    rnnkit_optimizer_destroy(run.adam);
    rnnkit_batches_destroy(run.batches);
    return status;
}

static int32_t draw_all(rnnkit_generator *generator, int32_t *ids, int64_t count)
{
    TRY(rnnkit_generator_prime(generator, "jerry:", -1));
    for (int64_t i = 0; i < count; i++) {
        ids[i] = -1;
        TRY(rnnkit_generator_next(generator, &ids[i]));
    }
    return RNNKIT_OK;
}

int32_t small_model_generate(small_model *small, int64_t seed, int32_t *ids, int64_t count)
{
    rnnkit_generator *generator;
    char options[64];
    snprintf(options, sizeof options, "seed=%lld temperature=0.9", (long long)seed);
    TRY(rnnkit_generator_create(
        small->embedding, small->lstm, small->linear, small->vocab, options, &generator));
    int32_t status = draw_all(generator, ids, count);
    rnnkit_generator_destroy(generator);
    return status;
}

float *parameter_values(const rnnkit_model *model, const char *name, int64_t *count)
{
    int64_t dims[4], rank;
    must(rnnkit_model_parameter_shape(model, name, dims, 4, &rank), "a parameter's shape");
    *count = 1;
    for (int64_t i = 0; i < rank; i++)
        *count *= dims[i];
    float *values = malloc((size_t)*count * sizeof *values);
    must(values ? RNNKIT_OK : RNNKIT_E_MEMORY, "room for a parameter");
    must(rnnkit_model_parameter_read(model, name, values, *count), "a parameter's values");
    return values;
}
