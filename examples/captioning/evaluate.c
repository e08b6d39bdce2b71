/* The command `evaluate`: how many captions are right, the perplexity of the known ones, and some
 * that went wrong.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"
#include "../common/json.h"
#include "commands.h"
#include "measure.h"

typedef struct teller {
    const settings *options;
    const captions *known;
    int64_t told;
} teller;

static int tell_wrong(void *user, const writer *self, size_t first, const written *found)
{
    teller *to = user;
    const caption *known = &to->known->items[first];
    const char *name = self->pictures->names[known->picture];
    char *text;

    if (to->told >= to->options->wrong) return OUTCOME_OK;
    text = writer_text(self, found->ids, found->count);
    if (text == NULL) return OUTCOME_FAILED;
    to->told++;
    if (to->options->json) {
        json_begin("wrong");
        json_text("name", name);
        json_text("caption", text);
        json_text("known", known->text);
        json_end();
    } else {
        console_line("%s: %s (should be, say: %s)", name, text, known->text);
    }
    free(text);
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

static void tell(const settings *options, const measured *found)
{
    char number[CONSOLE_NUMBER_SIZE];

    if (options->json) {
        json_begin("done");
        json_integer("pictures", found->pictures);
        json_integer("captions", found->captions);
        json_number("exact", found->exact);
        json_number("loss", found->loss);
        json_number("perplexity", exp(found->loss));
        json_end();
        return;
    }
    console_line("%.4f of the captions are right, of %s pictures; the known captions: loss %.4f "
                 "nats per word, perplexity %.3f",
        found->exact, console_count(found->pictures, number), found->loss, exp(found->loss));
}

static int evaluate(network *net, rnnkit_context *context, const settings *options,
    const gallery *pictures, captions *known)
{
    unsigned char *part = calloc((size_t)pictures->count, 1);
    teller to = {.options = options, .known = known};
    measured found;
    int outcome = part == NULL ? fail("out of memory") : captions_encode(known, net->vocab);

    if (outcome == OUTCOME_OK)
        outcome = measure(net, context, pictures, known, part, 0, options->beam,
            options->wrong > 0 ? tell_wrong : NULL, &to, &found);
    if (outcome == OUTCOME_OK) tell(options, &found);
    free(part);
    return outcome;
}

int evaluate_command(arguments *parsed)
{
    const settings *options = parsed->values;
    rnnkit_context *context = NULL;
    gallery pictures = {0};
    captions known = {0};
    network net = {0};
    char text[64];
    int outcome;

    snprintf(text, sizeof text, "threads=%" PRId64, options->threads);
    outcome = failed(rnnkit_context_create(options->device, text, &context));
    if (outcome == OUTCOME_OK)
        outcome = network_open(&net, context, options->model, options->weights);
    if (outcome == OUTCOME_OK) outcome = gallery_open(&pictures, context, options->features);
    if (outcome == OUTCOME_OK) outcome = network_check(&net, options->model, &pictures);
    if (outcome == OUTCOME_OK) outcome = captions_read(&known, options->captions, &pictures);
    if (outcome == OUTCOME_OK) outcome = evaluate(&net, context, options, &pictures, &known);
    captions_free(&known);
    gallery_close(&pictures);
    network_close(&net);
    rnnkit_context_destroy(context);
    return outcome;
}
