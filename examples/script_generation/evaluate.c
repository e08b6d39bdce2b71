/* Mean loss over a part of a text. Contiguous text is read in up to 16 lanes of at least 512
 * tokens, whatever the batch size of the training was, so that figures of different runs compare.
 */
#include "evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "corpus.h"

enum { LANES = 16, LANE_TOKENS = 512, STEPS = 32, SLIDING_BATCH = 256 };

typedef struct pass {
    rnnkit_batches *batches;
    rnnkit_state *state; /* NULL: each window starts at zero */
    rnnkit_tape *tape;
} pass;

static int pass_open(pass *target, network *source, rnnkit_context *context, const evaluation *what)
{
    char text[160];
    int sliding = strcmp(what->windows, "sliding") == 0;
    int64_t lanes = what->count / LANE_TOKENS;

    lanes = lanes < 1 ? 1 : lanes > LANES ? LANES : lanes;
    if (sliding) lanes = what->count - what->steps;
    if (sliding && lanes > SLIDING_BATCH) lanes = SLIDING_BATCH;
    if (lanes < 1 || what->count < 2)
        return fail("%" PRId64 " tokens are too few to measure a model on", what->count);
    snprintf(text, sizeof text,
        "windows=%s batch=%" PRId64 " steps=%" PRId64 " first=%" PRId64 " count=%" PRId64
        " shuffle=0",
        what->windows, lanes,
        sliding                   ? what->steps
        : what->count > STEPS + 1 ? STEPS
                                  : what->count - 1,
        what->first, what->count);
    if (failed(rnnkit_batches_create(what->tokens, text, &target->batches)) ||
        failed(rnnkit_tape_create(context, "train=0", &target->tape)))
        return OUTCOME_FAILED;
    return sliding ? OUTCOME_OK : failed(rnnkit_state_create(source->lstm, lanes, &target->state));
}

static void pass_close(pass *target)
{
    rnnkit_tape_destroy(target->tape);
    rnnkit_state_destroy(target->state);
    rnnkit_batches_destroy(target->batches);
}

/* Adds the losses of all batches to *sum. */
static int pass_run(pass *source, network *net, double *sum, int64_t *predicted)
{
    batch next;
    int32_t status;

    while ((status = network_next(source->batches, &next)) == RNNKIT_OK) {
        rnnkit_tensor *loss;
        double mean;

        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        if (network_loss(net, source->tape, source->state, &next, &loss, &mean) != OUTCOME_OK)
            return OUTCOME_FAILED;
        *sum += mean * (double)next.targets;
        *predicted += next.targets;
    }
    return failed(status);
}

int evaluate(network *source, rnnkit_context *context, const evaluation *what, double *loss,
    int64_t *predicted)
{
    pass through = {0};
    double sum = 0;
    int64_t targets = 0;
    int outcome = pass_open(&through, source, context, what);

    if (outcome == OUTCOME_OK) outcome = pass_run(&through, source, &sum, &targets);
    pass_close(&through);
    if (outcome != OUTCOME_OK) return outcome;
    *loss = sum / (double)targets;
    *predicted = targets;
    return OUTCOME_OK;
}

int64_t evaluate_first(int64_t count, double fraction)
{
    return count - (int64_t)((double)count * fraction);
}

static void print_result(
    const settings *options, const corpus *text, const char *unit, double loss, int64_t predicted)
{
    char a[CONSOLE_NUMBER_SIZE], b[CONSOLE_NUMBER_SIZE];
    int characters = strcmp(unit, "word") != 0;

    if (options->json) {
        json_begin("done");
        json_integer("tokens", text->count);
        json_integer("unknown", text->unknown);
        json_integer("predicted", predicted);
        json_number("loss", loss);
        json_number("perplexity", exp(loss));
        if (characters) json_number("bits_per_character", loss / log(2.0));
        json_end();
        return;
    }
    console_line("text         %s tokens (%s), %.2f%% of them unknown to the model",
        console_count(text->count, a), unit, 100.0 * (double)text->unknown / (double)text->count);
    console_line("predicted    %s tokens", console_count(predicted, b));
    console_line("loss %.4f, perplexity %.2f", loss, exp(loss));
    if (characters) console_line("bits per character %.4f", loss / log(2.0));
}

static int evaluate_model(
    const settings *options, rnnkit_context *context, network *net, corpus *text)
{
    const char *unit, *steps;
    rnnkit_vocab *vocab;
    evaluation what;
    double loss;
    int64_t predicted;
    int outcome = network_open(net, context, options->model, options->weights);

    if (outcome != OUTCOME_OK) return outcome;
    if (failed(rnnkit_model_vocab(net->model, &vocab))) return OUTCOME_FAILED;
    outcome = corpus_open_with(text, context, options, vocab);
    if (outcome != OUTCOME_OK) return outcome;
    unit = rnnkit_model_entry(net->model, "script_generation.unit");
    steps = rnnkit_model_entry(net->model, "script_generation.steps");
    what.tokens = text->tokens;
    what.first = evaluate_first(text->count, options->last);
    what.count = text->count - what.first;
    what.windows = rnnkit_model_entry(net->model, "script_generation.windows");
    what.steps = steps != NULL ? strtoll(steps, NULL, 10) : STEPS;
    outcome = evaluate(net, context, &what, &loss, &predicted);
    if (outcome == OUTCOME_OK)
        print_result(options, text, unit != NULL ? unit : "word", loss, predicted);
    return outcome;
}

int evaluate_command(const settings *options)
{
    rnnkit_context *context = NULL;
    network net = {0};
    corpus text = {0};
    char setup[64];
    int outcome = OUTCOME_FAILED;

    snprintf(setup, sizeof setup, "threads=%" PRId64, options->threads);
    if (!failed(rnnkit_context_create(options->device, setup, &context)))
        outcome = evaluate_model(options, context, &net, &text);
    corpus_close(&text);
    network_close(&net);
    rnnkit_context_destroy(context);
    return outcome;
}
