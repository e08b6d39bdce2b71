/* What a training run tells before its first update, to people or as JSON. */
#include <inttypes.h>

#include "../common/console.h"
#include "../common/json.h"
#include "train.h"

static void tell_network(const trainer *run, int64_t parameters)
{
    const settings *options = run->options;
    char number[CONSOLE_NUMBER_SIZE];

    console_count(parameters, number);
    if (run->net.rnn == NULL)
        console_line("network     embedding %" PRId64 ", Transformer of %" PRId64 " x %" PRId64
                     " units, %" PRId64 " heads: %s parameters",
            options->embedding, options->layers, options->hidden, options->heads, number);
    else
        console_line("network     embedding %" PRId64 ", %s%s %" PRId64 " x %" PRId64
                     ", pooling %s: %s parameters",
            options->embedding, options->bidirectional ? "bidirectional " : "", options->cell,
            options->layers, options->hidden, options->pooling, number);
}

void report_start(const trainer *run)
{
    const settings *options = run->options;
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];
    int64_t parameters = 0, words = 0;

    if (run->quiet) return;
    if (rnnkit_model_size(run->net.model, NULL, &parameters) < 0 ||
        rnnkit_vocab_size(run->net.vocab, &words, NULL) < 0)
        parameters = words = 0;
    if (options->json) {
        json_begin("start");
        json_integer("reviews", (int64_t)run->data.count);
        json_integer("train_reviews", (int64_t)run->train.count);
        json_integer("valid_reviews", (int64_t)run->valid.count);
        json_integer("words", words);
        json_integer("parameters", parameters);
        json_text("negative", run->data.labels[0]);
        json_text("positive", run->data.labels[1]);
        json_text("device", rnnkit_context_device(run->context));
        json_integer("threads", options->threads);
        json_integer("seed", options->seed);
        json_end();
        return;
    }
    console_line("reviews     %s to learn from, %s held out; labels %s and %s",
        console_count((int64_t)run->train.count, a), console_count((int64_t)run->valid.count, b),
        run->data.labels[0], run->data.labels[1]);
    console_line("vocabulary  %s entries; %.2f%% of the words have none and become <unk>",
        console_count(words, a), 100.0 * (double)run->train.unknown / (double)run->train.words);
    tell_network(run, parameters);
    console_line("machine     %s, %" PRId64 " thread%s, seed %" PRId64,
        rnnkit_context_device(run->context), options->threads, options->threads == 1 ? "" : "s",
        options->seed);
}

void report_pretraining(const trainer *run)
{
    if (run->options->json) return;
    console_line(
        "first, word vectors from the reviews, %" PRId64 " epochs", run->options->pretrain);
}

void report_vectors(const trainer *run)
{
    char number[CONSOLE_NUMBER_SIZE];

    if (run->quiet) return;
    if (run->options->json) {
        json_begin("vectors");
        json_integer("words", run->known);
        json_end();
        return;
    }
    console_line("vectors     %s words start from those of %s", console_count(run->known, number),
        run->options->vectors);
}
