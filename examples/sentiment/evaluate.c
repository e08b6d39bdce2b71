/* The command `evaluate`: accuracy, loss, confusion table, and the reviews it was most wrong about.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "commands.h"

enum { BATCH = 64, SHOWN = 300 };

/* -log p of the true label; a probability that rounds to 0 costs as much as the smallest double. */
static double cost(double positive, int label)
{
    double p = label == 1 ? positive : 1 - positive;

    return -log(p > 1e-300 ? p : 1e-300);
}

static int measure(
    network *source, rnnkit_tape *tape, batches *from, score *result, double *probabilities)
{
    double *found = malloc((size_t)from->order.size * sizeof *found);
    int outcome = found == NULL ? fail("out of memory") : OUTCOME_OK;
    double sum = 0, right = 0;
    batch next;

    buckets_sort(&from->order);
    while (outcome == OUTCOME_OK && batches_next(from, &next)) {
        outcome = network_predict(source, tape, &next, found);
        for (int64_t b = 0; b < next.rows && outcome == OUTCOME_OK; b++) {
            int guess = found[b] >= 0.5;

            sum += cost(found[b], next.labels[b]);
            right += guess == next.labels[b];
            result->table[next.labels[b]][guess]++;
            if (probabilities != NULL) probabilities[next.places[b]] = found[b];
        }
        if (interrupt_signal() != 0) outcome = OUTCOME_INTERRUPTED;
    }
    result->loss = sum / (double)from->source->count;
    result->accuracy = right / (double)from->source->count;
    free(found);
    return outcome;
}

int evaluate_sequences(network *source, rnnkit_context *context, const sequences *from,
    int64_t batch_size, score *result, double *probabilities)
{
    rnnkit_tape *tape = NULL;
    batches parts = {0};
    int outcome = batches_open(&parts, from, batch_size, 0);

    *result = (score){0};
    if (outcome == OUTCOME_OK) outcome = failed(rnnkit_tape_create(context, "train=0", &tape));
    if (outcome == OUTCOME_OK) outcome = measure(source, tape, &parts, result, probabilities);
    rnnkit_tape_destroy(tape);
    batches_close(&parts);
    return outcome;
}

static void tell_json(const network *source, const score *result, size_t count)
{
    json_begin("done");
    json_integer("reviews", (int64_t)count);
    json_number("accuracy", result->accuracy);
    json_number("loss", result->loss);
    json_text("positive", source->labels[1]);
    json_text("negative", source->labels[0]);
    json_integer("true_positive", result->table[1][1]);
    json_integer("false_positive", result->table[0][1]);
    json_integer("true_negative", result->table[0][0]);
    json_integer("false_negative", result->table[1][0]);
    json_end();
}

static void tell_people(const network *source, const score *result, size_t count)
{
    char number[CONSOLE_NUMBER_SIZE];

    console_line("accuracy %.4f, loss %.4f on %s reviews", result->accuracy, result->loss,
        console_count((int64_t)count, number));
    console_line("%-20s %12s", "", "predicted");
    console_line("%-20s %12.12s %12.12s", "truth", source->labels[0], source->labels[1]);
    for (int label = 0; label < 2; label++)
        console_line("%-20.20s %12" PRId64 " %12" PRId64, source->labels[label],
            result->table[label][0], result->table[label][1]);
}

typedef struct mistake {
    double cost;
    size_t place;
} mistake;

static int by_cost(const void *a, const void *b)
{
    const mistake *one = a, *two = b;

    if (one->cost != two->cost) return one->cost < two->cost ? 1 : -1;
    return one->place < two->place ? -1 : 1;
}

static int tell_mistake(const network *source, const review *one, double positive, int json)
{
    char text[SHOWN + 1];
    size_t length = one->length < SHOWN ? (size_t)one->length : SHOWN;

    memcpy(text, one->text, length);
    text[length] = '\0';
    if (json) {
        json_begin("wrong");
        json_text("label", source->labels[one->label]);
        json_number("probability", positive);
        json_text("text", text);
        json_end();
    } else {
        console_line("%s, but %.4f to be %s: %s%s", source->labels[one->label], positive,
            source->labels[1], text, one->length > SHOWN ? "..." : "");
    }
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

static int tell_mistakes(
    const network *source, const reviews *from, const double *probabilities, int64_t most, int json)
{
    mistake *all = malloc(from->count * sizeof *all);
    size_t count = 0;
    int outcome = OUTCOME_OK;

    if (all == NULL) return fail("out of memory");
    for (size_t i = 0; i < from->count; i++)
        if ((probabilities[i] >= 0.5) != from->items[i].label)
            all[count++] = (mistake){cost(probabilities[i], from->items[i].label), i};
    qsort(all, count, sizeof *all, by_cost);
    for (size_t i = 0; i < count && (int64_t)i < most && outcome == OUTCOME_OK; i++)
        outcome =
            tell_mistake(source, &from->items[all[i].place], probabilities[all[i].place], json);
    free(all);
    return outcome;
}

static int evaluate(
    network *source, rnnkit_context *context, const settings *options, reviews *from)
{
    sequences read = {0};
    score result;
    double *probabilities = malloc((from->count + 1) * sizeof *probabilities);
    int outcome = probabilities == NULL ? fail("out of memory") : OUTCOME_OK;

    if (outcome == OUTCOME_OK) outcome = reviews_use_labels(from, options->data, source->labels);
    if (outcome == OUTCOME_OK)
        outcome = encode_reviews(&read, source->vocab, source->part, from, NULL, from->count);
    if (outcome == OUTCOME_OK)
        outcome = evaluate_sequences(source, context, &read, BATCH, &result, probabilities);
    if (outcome == OUTCOME_OK && options->wrong > 0)
        outcome = tell_mistakes(source, from, probabilities, options->wrong, options->json);
    if (outcome == OUTCOME_OK)
        (options->json ? tell_json : tell_people)(source, &result, from->count);
    encode_free(&read);
    free(probabilities);
    return outcome;
}

int evaluate_command(arguments *parsed)
{
    const settings *options = parsed->values;
    rnnkit_context *context = NULL;
    network net = {0};
    reviews from = {0};
    char text[64];
    int outcome;

    snprintf(text, sizeof text, "threads=%" PRId64, options->threads);
    outcome = failed(rnnkit_context_create(options->device, text, &context));
    if (outcome == OUTCOME_OK)
        outcome = network_open(&net, context, options->model, options->weights);
    if (outcome == OUTCOME_OK) outcome = reviews_read(&from, options->data, "test");
    if (outcome == OUTCOME_OK) outcome = evaluate(&net, context, options, &from);
    reviews_free(&from);
    network_close(&net);
    rnnkit_context_destroy(context);
    return outcome;
}
