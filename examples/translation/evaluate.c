/* The command `evaluate`: BLEU and perplexity of a model on sentence pairs. BLEU is computed on the
 * words of the model's tokenizer, the reference's as they stand in its file.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/bleu.h"
#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/output.h"
#include "commands.h"
#include "decode.h"

enum { LOSS_BATCH = 64, WRITE_BATCH = 16 };

static int sum_losses(network *source, rnnkit_tape *tape, batches *from, double *loss)
{
    double sum = 0, words = 0;
    batch next;

    buckets_sort(&from->order);
    while (batches_next(from, &next)) {
        rnnkit_tensor *memory, *start, *tensor;
        double value;

        if (network_encode(source, tape, &next, &memory, &start) != OUTCOME_OK ||
            network_loss(source, tape, &next, next.read, memory, start, NULL, &tensor) !=
                OUTCOME_OK ||
            failed(rnnkit_tensor_item(tensor, &value)))
            return OUTCOME_FAILED;
        sum += value * (double)next.words;
        words += (double)next.words;
        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    }
    *loss = sum / words;
    return OUTCOME_OK;
}

int evaluate_loss(network *source, rnnkit_context *context, const pairs *from, double *loss)
{
    rnnkit_tape *tape = NULL;
    batches parts = {0};
    int outcome = batches_open(&parts, from, LOSS_BATCH, 0);

    if (outcome == OUTCOME_OK) outcome = failed(rnnkit_tape_create(context, "train=0", &tape));
    if (outcome == OUTCOME_OK) outcome = sum_losses(source, tape, &parts, loss);
    rnnkit_tape_destroy(tape);
    batches_close(&parts);
    return outcome;
}

/* What the command has read and found. */
typedef struct evaluation {
    settings *options;
    translator with;
    corpus text;
    pairs read;
    char **translations; /* [text.count], NULL for empty lines */
    bleu score;
    double loss;
    int64_t done;
    tokens source, reference;
    hypothesis found;
} evaluation;

static int add_row(evaluation *all, const batch *from, int64_t row)
{
    size_t place = all->read.lines[from->places[row]];
    int found,
        outcome = tokens_split(&all->source, &all->with.net, &all->text.lines[SOURCE][place]);

    if (outcome == OUTCOME_OK)
        outcome = tokens_split(&all->reference, &all->with.net, &all->text.lines[TARGET][place]);
    if (outcome == OUTCOME_OK)
        outcome = translator_take(
            &all->with, row, 0, from->source_steps, &all->source, &all->found, &found);
    if (outcome == OUTCOME_OK)
        outcome = bleu_add(&all->score, all->found.words.items, (size_t)all->found.words.count,
            all->reference.items, (size_t)all->reference.count);
    if (outcome != OUTCOME_OK) return outcome;
    all->translations[place] = tokens_join(&all->found.words, &all->with.net);
    return all->translations[place] != NULL ? OUTCOME_OK : OUTCOME_FAILED;
}

static int translate_batches(evaluation *all, batches *from)
{
    char text[80];
    batch next;

    buckets_sort(&from->order);
    while (batches_next(from, &next)) {
        int outcome = translator_run(&all->with, &next);

        for (int64_t b = 0; b < next.rows && outcome == OUTCOME_OK; b++)
            outcome = add_row(all, &next, b);
        if (outcome != OUTCOME_OK) return outcome;
        all->done += next.rows;
        if (!console_is_terminal() || all->options->json) continue;
        snprintf(text, sizeof text, "%" PRId64 " of %zu translated", all->done, all->read.count);
        console_rewrite(text);
    }
    return OUTCOME_OK;
}

static int translate(evaluation *all)
{
    batches from = {0};
    int outcome;

    all->translations = calloc(all->text.count, sizeof *all->translations);
    if (all->translations == NULL) return fail("out of memory");
    outcome = batches_open(&from, &all->read, WRITE_BATCH, 0);
    if (outcome == OUTCOME_OK) outcome = translate_batches(all, &from);
    batches_close(&from);
    return outcome;
}

static int write_output(const evaluation *all)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    int outcome;

    if (out == NULL) return fail("out of memory");
    for (size_t i = 0; i < all->text.count; i++)
        fprintf(out, "%s\n", all->translations[i] != NULL ? all->translations[i] : "");
    outcome = fclose(out) == 0 ? output_replace(all->options->output, text, length)
                               : fail("out of memory");
    free(text);
    return outcome;
}

static void tell(const evaluation *all)
{
    const bleu *score = &all->score;
    double ratio = (double)score->hypothesis_words / (double)score->reference_words;

    if (all->options->json) {
        json_begin("done");
        json_integer("pairs", (int64_t)all->read.count);
        json_integer("beam", all->options->beam);
        json_number("bleu", bleu_score(score));
        json_number("brevity_penalty", bleu_brevity(score));
        json_number("length_ratio", ratio);
        json_number("loss", all->loss);
        json_number("perplexity", exp(all->loss));
        json_integer("target_words", (int64_t)all->read.sides[TARGET].used);
        json_integer("target_unknown", all->read.sides[TARGET].unknown);
        json_end();
        return;
    }
    console_line("BLEU %.2f with beam %" PRId64 " on %zu pairs (brevity penalty %.3f, length %.3f "
                 "of the reference's)",
        bleu_score(score), all->options->beam, all->read.count, bleu_brevity(score), ratio);
    console_line("loss %.4f, perplexity %.2f", all->loss, exp(all->loss));
}

static int read_pairs(evaluation *all)
{
    const settings *options = all->options;

    if (corpus_read(&all->text, options->source, options->target) != OUTCOME_OK ||
        pairs_encode(&all->read, all->with.net.vocabs, &all->text, NULL, all->text.count,
            LONGEST) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (all->read.too_long > 0)
        return fail("%s: %zu pairs have a sentence of more than %d words", all->text.names[SOURCE],
            all->read.too_long, LONGEST);
    if (all->read.count == 0)
        return fail("%s: there is no sentence in it", all->text.names[SOURCE]);
    return OUTCOME_OK;
}

static int check_output(const settings *options)
{
    const char *const inputs[][2] = {
        {"model", options->model}, {"source", options->source}, {"target", options->target}};

    if (options->output[0] == '\0') return OUTCOME_OK;
    if (output_check("output", options->output) != OUTCOME_OK) return OUTCOME_FAILED;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (output_check_apart("output", options->output, inputs[i][0], inputs[i][1]) != OUTCOME_OK)
            return OUTCOME_FAILED;
    return OUTCOME_OK;
}

int evaluate_command(arguments *parsed)
{
    evaluation all = {.options = parsed->values};
    int outcome = check_output(all.options);

    if (outcome == OUTCOME_OK) outcome = translator_open(&all.with, all.options, 1);
    if (outcome == OUTCOME_OK) outcome = read_pairs(&all);
    if (outcome == OUTCOME_OK)
        outcome = evaluate_loss(&all.with.net, all.with.context, &all.read, &all.loss);
    if (outcome == OUTCOME_OK) outcome = translate(&all);
    if (outcome == OUTCOME_OK && all.options->output[0] != '\0') outcome = write_output(&all);
    if (outcome == OUTCOME_OK) tell(&all);
    for (size_t i = 0; all.translations != NULL && i < all.text.count; i++)
        free(all.translations[i]);
    free(all.translations);
    hypothesis_free(&all.found);
    tokens_free(&all.source);
    tokens_free(&all.reference);
    pairs_free(&all.read);
    corpus_free(&all.text);
    translator_close(&all.with);
    return outcome;
}
