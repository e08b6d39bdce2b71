/* A small model that writes. See small_writer.h. */
#include "small_writer.h"

#include <string.h>

/* Hands the first failure to the caller. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        int32_t try_status = (call);                                                               \
        if (try_status < RNNKIT_OK) return try_status;                                             \
    } while (0)

int32_t small_writer_create(rnnkit_context *context, const char *decoder, small_writer *out)
{
    *out = (small_writer){0};
    TRY(rnnkit_model_create(context, &out->model));
    TRY(rnnkit_embedding_create(
        out->model, "source", WRITER_WORDS, WRITER_WIDTH, NULL, &out->source));
    TRY(rnnkit_lstm_create(
        out->model, "encoder", WRITER_WIDTH, WRITER_HIDDEN, NULL, &out->encoder));
    TRY(rnnkit_embedding_create(
        out->model, "target", WRITER_WORDS, WRITER_WIDTH, "scale=0.3", &out->target));
    TRY(rnnkit_decoder_create(
        out->model, "decoder", WRITER_WIDTH, WRITER_HIDDEN, WRITER_HIDDEN, decoder, &out->decoder));
    return rnnkit_linear_create(
        out->model, "output", WRITER_WIDTH, WRITER_WORDS, "tie=target", &out->output);
}

int32_t small_writer_find(rnnkit_model *model, small_writer *out)
{
    *out = (small_writer){.model = model};
    TRY(rnnkit_embedding_find(model, "source", &out->source));
    TRY(rnnkit_rnn_find(model, "encoder", &out->encoder));
    TRY(rnnkit_embedding_find(model, "target", &out->target));
    TRY(rnnkit_decoder_find(model, "decoder", &out->decoder));
    return rnnkit_linear_find(model, "output", &out->output);
}

void small_writer_destroy(small_writer *writer)
{
    rnnkit_model_destroy(writer->model);
    rnnkit_embedding_destroy(writer->source);
    rnnkit_embedding_destroy(writer->target);
    rnnkit_rnn_destroy(writer->encoder);
    rnnkit_decoder_destroy(writer->decoder);
    rnnkit_linear_destroy(writer->output);
}

static int64_t draw(uint64_t *state, int64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((*state >> 33) % (uint64_t)below);
}

static void draw_row(uint64_t *state, int64_t b, int reverse, writer_batch *out)
{
    int64_t rows = out->rows, length = 2 + draw(state, WRITER_LONGEST - 1);
    out->lengths[b] = (int32_t)length;
    for (int64_t t = 0; t < length; t++)
        out->source[t * rows + b] =
            (int32_t)(WRITER_FIRST + draw(state, WRITER_WORDS - WRITER_FIRST));
    out->inputs[b] = WRITER_BOS;
    for (int64_t t = 0; t < length; t++) {
        int32_t id = out->source[(reverse ? length - 1 - t : t) * rows + b];
        out->targets[t * rows + b] = id;
        out->inputs[(t + 1) * rows + b] = id;
    }
    out->targets[length * rows + b] = WRITER_EOS;
}

void writer_batch_draw(uint64_t *state, int64_t rows, int reverse, writer_batch *out)
{
    memset(out, 0, sizeof *out); /* padding is 0 */
    out->rows = rows;
    for (int64_t i = 0; i < (WRITER_LONGEST + 1) * rows; i++)
        out->targets[i] = RNNKIT_IGNORE;
    for (int64_t b = 0; b < rows; b++)
        draw_row(state, b, reverse, out);
}

int32_t small_writer_encode(const small_writer *writer, rnnkit_tape *tape,
    const writer_batch *batch, rnnkit_tensor **memory)
{
    rnnkit_tensor *x;
    TRY(rnnkit_embedding_forward(
        writer->source, tape, batch->source, WRITER_LONGEST, batch->rows, &x));
    return rnnkit_rnn_forward(writer->encoder, tape, x, batch->lengths, NULL, memory);
}

int32_t small_writer_train(const small_writer *writer, rnnkit_tape *tape,
    rnnkit_optimizer *optimizer, const writer_batch *batch, double *loss)
{
    rnnkit_tensor *memory, *x, *out, *mean;
    int64_t steps = WRITER_LONGEST + 1;
    TRY(rnnkit_tape_clear(tape));
    TRY(small_writer_encode(writer, tape, batch, &memory));
    TRY(rnnkit_embedding_forward(writer->target, tape, batch->inputs, steps, batch->rows, &x));
    TRY(rnnkit_decoder_forward(writer->decoder, tape, x, memory, batch->lengths, NULL, &out, NULL));
    TRY(rnnkit_linear_cross_entropy(
        writer->output, tape, out, batch->targets, steps * batch->rows, RNNKIT_IGNORE, &mean));
    TRY(rnnkit_tape_backward(tape, mean));
    TRY(rnnkit_tensor_item(mean, loss));
    return rnnkit_optimizer_step(optimizer);
}
