/* The command `predict`: the probability of the positive label, for a review on the command line or
 * for each line of standard input.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/json.h"
#include "commands.h"

typedef struct predictor {
    const settings *options;
    rnnkit_context *context;
    network net;
    rnnkit_tape *tape;
} predictor;

static int tell(const predictor *all, double positive)
{
    const char *label = all->net.labels[positive >= 0.5];

    if (all->options->json) {
        json_begin("review");
        json_number("probability", positive);
        json_text("label", label);
        json_end();
    } else {
        console_line("%.4f %s", positive, label);
    }
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

static int predict(predictor *all, char *text, int64_t length)
{
    reviews one = {0};
    sequences read = {0};
    batches from = {0};
    batch only;
    double positive = 0;
    int outcome = reviews_add(&one, text, length, "?", 1, "-", 1);

    if (outcome == OUTCOME_OK)
        outcome = encode_reviews(&read, all->net.vocab, all->net.part, &one, NULL, 1);
    if (outcome == OUTCOME_OK) outcome = batches_open(&from, &read, 1, 0);
    if (outcome == OUTCOME_OK) {
        buckets_sort(&from.order);
        batches_next(&from, &only);
        outcome = network_predict(&all->net, all->tape, &only, &positive);
    }
    batches_close(&from);
    encode_free(&read);
    reviews_free(&one);
    return outcome == OUTCOME_OK ? tell(all, positive) : outcome;
}

static int predict_lines(predictor *all)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int outcome = OUTCOME_OK;

    while (outcome == OUTCOME_OK && (length = getline(&line, &room, stdin)) >= 0) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            length--;
        outcome = predict(all, line, length);
    }
    free(line);
    if (outcome == OUTCOME_OK && ferror(stdin)) return fail("standard input cannot be read");
    return outcome;
}

/* The words of the command line, with spaces between them. */
static int predict_words(predictor *all)
{
    const argument_list *words = &all->options->text;
    size_t length = 1;
    char *text;
    int outcome;

    for (size_t i = 0; i < words->count; i++)
        length += strlen(words->items[i]) + 1;
    text = malloc(length);
    if (text == NULL) return fail("out of memory");
    text[0] = '\0';
    for (size_t i = 0; i < words->count; i++) {
        strcat(text, words->items[i]);
        if (i + 1 < words->count) strcat(text, " ");
    }
    outcome = predict(all, text, (int64_t)strlen(text));
    free(text);
    return outcome;
}

int predict_command(arguments *parsed)
{
    const settings *options = parsed->values;
    predictor all = {.options = options};
    const argument_list *words = &options->text;
    int lines = words->count == 0 || (words->count == 1 && strcmp(words->items[0], "-") == 0);
    char text[64];
    int outcome;

    snprintf(text, sizeof text, "threads=%" PRId64, options->threads);
    outcome = failed(rnnkit_context_create(options->device, text, &all.context));
    if (outcome == OUTCOME_OK)
        outcome = network_open(&all.net, all.context, options->model, options->weights);
    if (outcome == OUTCOME_OK)
        outcome = failed(rnnkit_tape_create(all.context, "train=0", &all.tape));
    if (outcome == OUTCOME_OK) outcome = lines ? predict_lines(&all) : predict_words(&all);
    rnnkit_tape_destroy(all.tape);
    network_close(&all.net);
    rnnkit_context_destroy(all.context);
    return outcome;
}
