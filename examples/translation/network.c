/* The network of a translation model, and its entries in the model's file. See network.h. */
#include "network.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/model.h"

#define PREFIX "translation."

static const char *const embedding_names[SIDES] = {"source", "target"};

/* Words and vocabularies. */

static int create_tokenizer(network *target, rnnkit_context *context)
{
    char text[96];

    snprintf(text, sizeof text, "unit=word punctuation=%s lowercase=%d invalid=replace",
        target->split ? "tokens" : "keep", target->lowercase);
    return failed(rnnkit_tokenizer_create(context, text, &target->tokenizer));
}

static int push_lines(rnnkit_vocab *vocab, const line *lines, const size_t *chosen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const line *one = &lines[chosen != NULL ? chosen[i] : i];

        if (failed(rnnkit_vocab_push(vocab, one->text, one->length)) ||
            failed(rnnkit_vocab_push(vocab, "\n", 1)))
            return OUTCOME_FAILED;
    }
    return failed(rnnkit_vocab_finish(vocab));
}

int network_read_words(network *target, rnnkit_context *context, const settings *options,
    const corpus *source, const size_t *chosen, size_t count)
{
    char text[64];

    target->lowercase = options->lowercase;
    target->split = strcmp(options->punctuation, "auto") == 0
                        ? !corpus_is_tokenised(source)
                        : strcmp(options->punctuation, "split") == 0;
    if (create_tokenizer(target, context) != OUTCOME_OK) return OUTCOME_FAILED;
    snprintf(text, sizeof text, "min_count=%" PRId64 " boundaries=1", options->min_count);
    for (int side = 0; side < SIDES; side++)
        if (failed(rnnkit_vocab_create(target->tokenizer, text, &target->vocabs[side])) ||
            push_lines(target->vocabs[side], source->lines[side], chosen, count) != OUTCOME_OK)
            return OUTCOME_FAILED;
    return OUTCOME_OK;
}

/* Layers. */

/* As output weights, a table drawn from N(0, 1) would start with wild guesses: rows of length one.
 */
static int create_embedding(network *target, const settings *options, int side)
{
    int64_t count;
    char text[64];

    snprintf(text, sizeof text, "sparse=%d scale=%.9g", side == SOURCE || !options->tie_weights,
        1.0 / sqrt((double)options->embedding));
    return failed(rnnkit_vocab_size(target->vocabs[side], &count, NULL)) ||
                   failed(rnnkit_embedding_create(target->model, embedding_names[side], count,
                       options->embedding, text, &target->embeddings[side]))
               ? OUTCOME_FAILED
               : OUTCOME_OK;
}

static int create_encoder(network *target, const settings *options)
{
    char text[96];

    if (options->hidden % 2 != 0)
        return fail("--hidden %" PRId64
                    " is not even: each direction of the encoder has half of it",
            options->hidden);
    snprintf(text, sizeof text, "bidirectional=1 layers=%" PRId64 " dropout=%.17g", options->layers,
        options->layers > 1 ? options->dropout : 0.0);
    return failed((strcmp(options->cell, "lstm") == 0 ? rnnkit_lstm_create : rnnkit_gru_create)(
        target->model, "encoder", options->embedding, options->hidden / 2, text, &target->encoder));
}

static const char *score_of(const settings *options)
{
    if (strcmp(options->score, "preset") != 0) return options->score;
    if (strcmp(options->preset, "bahdanau") == 0) return "additive";
    return strchr(options->preset, '-') + 1;
}

static int create_decoder(network *target, const settings *options)
{
    char text[256];
    int luong = strcmp(options->preset, "bahdanau") != 0;

    snprintf(text, sizeof text,
        "style=%s%s score=%s attention_window=%" PRId64 " cell=%s layers=%" PRId64
        " dropout=%.17g start=%" PRId64 " output=%" PRId64,
        luong ? "luong" : "bahdanau", luong ? " feeding=1" : "", score_of(options), options->window,
        options->cell, options->layers, options->layers > 1 ? options->dropout : 0.0,
        options->hidden, options->tie_weights ? options->embedding : options->hidden);
    return failed(rnnkit_decoder_create(target->model, "decoder", options->embedding,
        options->hidden, options->hidden, text, &target->decoder));
}

static int create_output(network *target, const settings *options)
{
    int64_t inputs, count;

    if (failed(rnnkit_decoder_size(target->decoder, NULL, NULL, NULL, &inputs)) ||
        failed(rnnkit_vocab_size(target->vocabs[TARGET], &count, NULL)))
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_create(target->model, "output", inputs, count,
        options->tie_weights ? "tie=target" : NULL, &target->output));
}

/* The file: what else a reader has to know. */

static int set_source_vocab(network *target)
{
    int64_t needed = 0;
    int32_t status = rnnkit_vocab_text(target->vocabs[SOURCE], NULL, 0, &needed);
    char *text = status == RNNKIT_E_TOO_SMALL ? malloc((size_t)needed) : NULL;
    int outcome;

    if (status != RNNKIT_E_TOO_SMALL) return failed(status);
    if (text == NULL) return fail("out of memory");
    outcome = failed(rnnkit_vocab_text(target->vocabs[SOURCE], text, needed, &needed)) ||
                      failed(rnnkit_model_set_entry(target->model, PREFIX "source_vocab", text))
                  ? OUTCOME_FAILED
                  : OUTCOME_OK;
    free(text);
    return outcome;
}

static int set_entries(network *target)
{
    char longest[32];

    snprintf(longest, sizeof longest, "%" PRId64, target->longest);
    if (failed(rnnkit_model_set_vocab(target->model, target->vocabs[TARGET])) ||
        failed(rnnkit_model_set_entry(target->model, PREFIX "longest", longest)) ||
        failed(rnnkit_model_set_entry(
            target->model, PREFIX "punctuation", target->split ? "split" : "keep")) ||
        failed(rnnkit_model_set_entry(
            target->model, PREFIX "lowercase", target->lowercase ? "1" : "0")))
        return OUTCOME_FAILED;
    return set_source_vocab(target);
}

int network_create(network *target, rnnkit_context *context, const settings *options)
{
    target->longest = options->max_length;
    target->dropout = options->dropout;
    if (failed(rnnkit_model_create(context, &target->model)) ||
        create_embedding(target, options, SOURCE) != OUTCOME_OK ||
        create_encoder(target, options) != OUTCOME_OK ||
        create_embedding(target, options, TARGET) != OUTCOME_OK ||
        create_decoder(target, options) != OUTCOME_OK ||
        create_output(target, options) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return set_entries(target);
}

/* 0 where a file of another program lacks something. */
static int read_entries(network *target, rnnkit_context *context)
{
    const char *longest = rnnkit_model_entry(target->model, PREFIX "longest");
    const char *punctuation = rnnkit_model_entry(target->model, PREFIX "punctuation");
    const char *lowercase = rnnkit_model_entry(target->model, PREFIX "lowercase");
    const char *vocab = rnnkit_model_entry(target->model, PREFIX "source_vocab");

    if (longest == NULL || punctuation == NULL || lowercase == NULL || vocab == NULL) return 0;
    target->longest = strtoll(longest, NULL, 10);
    target->split = strcmp(punctuation, "split") == 0;
    target->lowercase = strcmp(lowercase, "1") == 0;
    return target->longest >= 1 && target->longest <= LONGEST &&
           create_tokenizer(target, context) == OUTCOME_OK &&
           rnnkit_vocab_open_text(target->tokenizer, vocab, -1, &target->vocabs[SOURCE]) >= 0 &&
           rnnkit_model_vocab(target->model, &target->vocabs[TARGET]) >= 0;
}

static int find_layers(network *target)
{
    for (int side = 0; side < SIDES; side++)
        if (rnnkit_embedding_find(target->model, embedding_names[side], &target->embeddings[side]) <
            0)
            return 0;
    return rnnkit_rnn_find(target->model, "encoder", &target->encoder) >= 0 &&
           rnnkit_decoder_find(target->model, "decoder", &target->decoder) >= 0 &&
           rnnkit_linear_find(target->model, "output", &target->output) >= 0;
}

/* Layers of another program's model may have the same names: their sizes have to fit together. */
static int sizes_fit(const network *source)
{
    int64_t rows[SIDES], widths[SIDES];
    int64_t known, read, inputs, encoded, memory, start, written, wanted, outputs;

    for (int side = 0; side < SIDES; side++)
        if (rnnkit_embedding_size(source->embeddings[side], &rows[side], &widths[side]) < 0 ||
            rnnkit_vocab_size(source->vocabs[side], &known, NULL) < 0 || rows[side] != known ||
            known <= EOS)
            return 0;
    return rnnkit_rnn_size(source->encoder, &read, NULL, NULL) >= 0 &&
           rnnkit_rnn_widths(source->encoder, &encoded, NULL) >= 0 &&
           rnnkit_decoder_size(source->decoder, &inputs, &memory, &start, &written) >= 0 &&
           rnnkit_linear_size(source->output, &wanted, &outputs) >= 0 && read == widths[SOURCE] &&
           inputs == widths[TARGET] && memory == encoded && start == encoded && written == wanted &&
           outputs == rows[TARGET];
}

int network_open(network *target, rnnkit_context *context, const char *path, const char *weights)
{
    if (model_open(context, path, weights, &target->model) != OUTCOME_OK) return OUTCOME_FAILED;
    if (read_entries(target, context) && find_layers(target) && sizes_fit(target))
        return OUTCOME_OK;
    return fail("%s is a model of another program: it lacks what translation train writes", path);
}

void network_close(network *target)
{
    rnnkit_linear_destroy(target->output);
    rnnkit_decoder_destroy(target->decoder);
    rnnkit_rnn_destroy(target->encoder);
    for (int side = 0; side < SIDES; side++) {
        rnnkit_embedding_destroy(target->embeddings[side]);
        rnnkit_vocab_destroy(target->vocabs[side]);
    }
    rnnkit_tokenizer_destroy(target->tokenizer);
    rnnkit_model_destroy(target->model);
    *target = (network){0};
}

/* What it computes. */

static int drop(const network *source, rnnkit_tape *tape, rnnkit_tensor **at)
{
    if (source->dropout <= 0) return OUTCOME_OK;
    return failed(rnnkit_dropout_forward(tape, *at, source->dropout, at));
}

int network_encode(network *source, rnnkit_tape *tape, const batch *from, rnnkit_tensor **memory,
    rnnkit_tensor **start)
{
    if (failed(rnnkit_tape_clear(tape)) ||
        failed(rnnkit_embedding_forward(source->embeddings[SOURCE], tape, from->source,
            from->source_steps, from->rows, memory)) ||
        drop(source, tape, memory) != OUTCOME_OK ||
        failed(rnnkit_rnn_forward(source->encoder, tape, *memory, from->lengths, NULL, memory)) ||
        failed(
            rnnkit_rnn_pool(source->encoder, tape, *memory, from->lengths, "pooling=last", start)))
        return OUTCOME_FAILED;
    return drop(source, tape, memory);
}

int network_loss(network *source, rnnkit_tape *tape, const batch *from, const int32_t *read,
    rnnkit_tensor *memory, rnnkit_tensor *start, const char *options, rnnkit_tensor **loss)
{
    rnnkit_tensor *at = NULL;

    if (failed(rnnkit_embedding_forward(
            source->embeddings[TARGET], tape, read, from->target_steps, from->rows, &at)) ||
        drop(source, tape, &at) != OUTCOME_OK ||
        failed(rnnkit_decoder_forward(
            source->decoder, tape, at, memory, from->lengths, start, &at, NULL)) ||
        drop(source, tape, &at) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_linear_cross_entropy_with_options(source->output, tape, at, from->write,
        from->target_steps * from->rows, NULL, 0, options, loss));
}
