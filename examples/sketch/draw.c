/* The command `draw`: goes on with a drawing, or begins one on a blank page. Several are drawn at
 * once; each has its own random numbers, so it does not depend on how many there are.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/output.h"
#include "commands.h"
#include "network.h"
#include "page.h"

typedef struct drawer {
    const settings *options;
    rnnkit_context *context;
    network net;
    rnnkit_tape *tape;
    rnnkit_state *state;
    drawings given;
    int64_t given_count;  /* points of the chosen drawing */
    pen_point *points;    /* [count][length], on the network's scale */
    int64_t *lengths;     /* [count] */
    unsigned char *ended; /* [count]: the network said so */
    uint64_t *random;     /* [count] */
    float *inputs, *outputs;
} drawer;

static int read_given(drawer *all)
{
    const settings *options = all->options;
    size_t which = (size_t)options->drawing - 1;

    if (options->begin[0] == '\0') return OUTCOME_OK;
    if (drawings_read(&all->given, options->begin, INT32_MAX) != OUTCOME_OK) return OUTCOME_FAILED;
    if (which >= all->given.count)
        return fail("--drawing %" PRId64 ": %s has %zu drawings", options->drawing, options->begin,
            all->given.count);
    all->given_count = all->given.lengths[which];
    if (options->points > all->given_count)
        return fail("--points %" PRId64 ": the drawing has only %" PRId64, options->points,
            all->given_count);
    if (options->points > 0) all->given_count = options->points;
    if (all->given_count >= options->length)
        return fail("%" PRId64 " points are given, and --length %" PRId64 " leaves room for none",
            all->given_count, options->length);
    return OUTCOME_OK;
}

static int make_room(drawer *all)
{
    size_t count = (size_t)all->options->count, length = (size_t)all->options->length;
    size_t rows = count * (size_t)(all->given_count + 1);

    all->points = malloc(count * length * sizeof *all->points);
    all->lengths = calloc(count, sizeof *all->lengths);
    all->ended = calloc(count, 1);
    all->random = malloc(count * sizeof *all->random);
    all->inputs = malloc(rows * NETWORK_INPUTS * sizeof *all->inputs);
    all->outputs = malloc(rows * (size_t)all->net.width * sizeof *all->outputs);
    if (all->points == NULL || all->lengths == NULL || all->ended == NULL || all->random == NULL ||
        all->inputs == NULL || all->outputs == NULL)
        return fail("out of memory");
    for (size_t i = 0; i < count; i++)
        all->random[i] = (uint64_t)all->options->seed * UINT64_C(0xD1342543DE82EF95) + i * 1000003;
    return OUTCOME_OK;
}

/* Every drawing begins with the points that are given. */
static void begin(drawer *all)
{
    const settings *options = all->options;

    for (int64_t i = 0; i < options->count; i++) {
        pen_point *points = all->points + i * options->length;

        for (int64_t t = 0; t < all->given_count; t++) {
            points[t] = all->given.points[all->given.starts[options->drawing - 1] + (size_t)t];
            points[t].dx = (float)((double)points[t].dx / all->net.scale);
            points[t].dy = (float)((double)points[t].dy / all->net.scale);
        }
        all->lengths[i] = all->given_count;
        for (int64_t t = 0; t <= all->given_count; t++)
            network_input(t == 0 ? NULL : &points[t - 1],
                all->inputs + (t * options->count + i) * NETWORK_INPUTS);
    }
}

/* Runs the network over `steps` rows of inputs; what it says after the last is where *last points. */
static int run(drawer *all, int64_t steps, const float **last)
{
    int64_t count = all->options->count, row = count * all->net.width;
    rnnkit_tensor *out;

    if (failed(rnnkit_tape_clear(all->tape)) ||
        network_run(&all->net, all->tape, all->inputs, NULL, all->state, steps, count, &out) !=
            OUTCOME_OK ||
        failed(rnnkit_tensor_read(out, all->outputs, steps * row)))
        return OUTCOME_FAILED;
    *last = all->outputs + (steps - 1) * row;
    return OUTCOME_OK;
}

/* The next point of each drawing that has not ended; 0 when all have. */
static int draw_next(drawer *all, const float *last)
{
    const settings *options = all->options;
    int going = 0;

    for (int64_t i = 0; i < options->count; i++) {
        pen_point one;

        if (all->ended[i] || all->lengths[i] == options->length) continue;
        one = mixture_draw(last + i * all->net.width, all->net.mixtures, options->temperature,
            options->pen_temperature, &all->random[i]);
        if (one.pen == PEN_END) {
            all->ended[i] = 1;
            continue;
        }
        all->points[i * options->length + all->lengths[i]++] = one;
        network_input(&one, all->inputs + i * NETWORK_INPUTS);
        going = 1;
    }
    return going;
}

static int draw_all(drawer *all)
{
    const float *last = NULL;
    int outcome;

    begin(all);
    outcome = run(all, all->given_count + 1, &last);
    while (outcome == OUTCOME_OK && draw_next(all, last)) {
        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        outcome = run(all, 1, &last);
    }
    return outcome;
}

/* A drawing in the form of the files, in their units, rounded to a hundredth: the caller frees it. */
static char *text_of(const drawer *all, int64_t i)
{
    const pen_point *points = all->points + i * all->options->length;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL) return NULL;
    putc('[', out);
    for (int64_t t = 0; t < all->lengths[i]; t++)
        fprintf(out, "%s[%.9g,%.9g,%d]", t == 0 ? "" : ",",
            round((double)points[t].dx * all->net.scale * 100) / 100 + 0.0,
            round((double)points[t].dy * all->net.scale * 100) / 100 + 0.0, points[t].pen);
    putc(']', out);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

static int tell(const drawer *all)
{
    for (int64_t i = 0; i < all->options->count; i++) {
        char *text = text_of(all, i);

        if (text == NULL) return fail("out of memory");
        if (all->options->json) {
            json_begin("drawing");
            json_integer("points", all->lengths[i]);
            json_integer("given", all->given_count);
            json_flag("ended", all->ended[i]);
            json_text("drawing", text);
            json_end();
        } else {
            console_line("%s", text);
        }
        free(text);
        if (console_is_broken()) return OUTCOME_FAILED;
    }
    return OUTCOME_OK;
}

static int plot(const drawer *all)
{
    int64_t count = all->options->count;
    page_drawing *pages = malloc((size_t)count * sizeof *pages);
    int outcome;

    if (pages == NULL) return fail("out of memory");
    for (int64_t i = 0; i < count; i++)
        pages[i] = (page_drawing){
            all->points + i * all->options->length, all->lengths[i], all->given_count};
    outcome = page_draw(all->options->plot, pages, count);
    free(pages);
    return outcome;
}

static int prepare(drawer *all)
{
    const settings *options = all->options;
    char text[64];

    snprintf(text, sizeof text, "threads=%" PRId64, options->threads);
    if (options->plot[0] != '\0' &&
        (output_check("plot", options->plot) != OUTCOME_OK ||
            output_check_apart("plot", options->plot, "model", options->model) != OUTCOME_OK ||
            (options->begin[0] != '\0' &&
                output_check_apart("plot", options->plot, "begin", options->begin) != OUTCOME_OK)))
        return OUTCOME_FAILED;
    if (failed(rnnkit_context_create(options->device, text, &all->context)) ||
        network_open(&all->net, all->context, options->model, options->weights) != OUTCOME_OK ||
        read_given(all) != OUTCOME_OK || make_room(all) != OUTCOME_OK ||
        failed(rnnkit_tape_create(all->context, "train=0", &all->tape)))
        return OUTCOME_FAILED;
    return failed(rnnkit_state_create(all->net.lstm, options->count, &all->state));
}

int draw_command(arguments *parsed)
{
    drawer all = {.options = parsed->values};
    int outcome = prepare(&all);

    if (outcome == OUTCOME_OK) outcome = draw_all(&all);
    if (outcome == OUTCOME_OK) outcome = tell(&all);
    if (outcome == OUTCOME_OK && all.options->plot[0] != '\0') outcome = plot(&all);
    rnnkit_state_destroy(all.state);
    rnnkit_tape_destroy(all.tape);
    network_close(&all.net);
    drawings_free(&all.given);
    rnnkit_context_destroy(all.context);
    free(all.points);
    free(all.lengths);
    free(all.ended);
    free(all.random);
    free(all.inputs);
    free(all.outputs);
    return outcome;
}
