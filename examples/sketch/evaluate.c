/* The command `evaluate`: the negative log-likelihood of drawings. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/json.h"
#include "commands.h"
#include "measure.h"

enum { BATCH = 32 };

static void tell(const settings *options, const network *net, size_t count, const measured *found)
{
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];

    if (options->json) {
        json_begin("done");
        json_integer("drawings", (int64_t)count);
        json_integer("points", found->points);
        json_number("loss", found->offset + found->pen);
        json_number("offset_loss", found->offset);
        json_number("pen_loss", found->pen);
        json_number("scale", net->scale);
        json_end();
        return;
    }
    console_line("%s drawings, %s points: loss %.4f nats per point (movement %.4f, pen %.4f), in "
                 "units of %.4g",
        console_count((int64_t)count, a), console_count(found->points, b),
        found->offset + found->pen, found->offset, found->pen, net->scale);
}

static int evaluate(
    network *net, rnnkit_context *context, const settings *options, const drawings *data)
{
    size_t *all = malloc(data->count * sizeof *all);
    batches from = {0};
    measured found;
    int outcome = all == NULL ? fail("out of memory") : OUTCOME_OK;

    for (size_t i = 0; i < data->count && all != NULL; i++)
        all[i] = i;
    if (outcome == OUTCOME_OK)
        outcome = batches_open(&from, data, all, data->count, net, BATCH, 0, 0);
    if (outcome == OUTCOME_OK) outcome = measure(&from, net, context, &found);
    if (outcome == OUTCOME_OK) tell(options, net, data->count, &found);
    batches_close(&from);
    free(all);
    return outcome;
}

int evaluate_command(arguments *parsed)
{
    const settings *options = parsed->values;
    rnnkit_context *context = NULL;
    drawings data = {0};
    network net = {0};
    char text[64];
    int outcome;

    snprintf(text, sizeof text, "threads=%" PRId64, options->threads);
    outcome = failed(rnnkit_context_create(options->device, text, &context));
    if (outcome == OUTCOME_OK)
        outcome = network_open(&net, context, options->model, options->weights);
    if (outcome == OUTCOME_OK) outcome = drawings_read(&data, options->data, options->length);
    if (outcome == OUTCOME_OK) outcome = evaluate(&net, context, options, &data);
    drawings_free(&data);
    network_close(&net);
    rnnkit_context_destroy(context);
    return outcome;
}
