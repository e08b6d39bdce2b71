/* The command `caption`: writes about pictures, and draws where it looked for each word. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/output.h"
#include "commands.h"
#include "image.h"
#include "looked.h"
#include "writer.h"

enum { MOST_DRAWN = 12 };

typedef struct captioner {
    const settings *options;
    rnnkit_context *context;
    network net;
    gallery pictures;
    writer pen;
    int64_t *which, count; /* the pictures to write about */
    looked drawn[MOST_DRAWN];
    size_t drawn_count;
} captioner;

static int choose(captioner *all)
{
    const argument_list *names = &all->options->names;

    all->count = names->count > 0 ? (int64_t)names->count : all->pictures.count;
    all->which = malloc((size_t)all->count * sizeof *all->which);
    if (all->which == NULL) return fail("out of memory");
    for (int64_t i = 0; i < all->count; i++) {
        all->which[i] = names->count > 0 ? gallery_find(&all->pictures, names->items[i]) : i;
        if (all->which[i] < 0)
            return fail("%s has no picture '%s'", all->pictures.path, names->items[i]);
    }
    if (all->options->plot[0] != '\0' && all->count > MOST_DRAWN)
        return fail(
            "--plot draws %d pictures at most, not %" PRId64 ": name them", MOST_DRAWN, all->count);
    return OUTCOME_OK;
}

static int tell(const captioner *all, const char *name, const char *text, double score)
{
    if (all->options->json) {
        json_begin("caption");
        json_text("name", name);
        json_text("caption", text);
        json_number("score", score);
        json_end();
    } else {
        console_line("%s\t%s", name, text);
    }
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

/* Keeps what the drawing of caption i of the run needs; `text` is taken over on success. */
static int keep(captioner *all, int64_t i, const written *found, const char *name, char *text)
{
    looked *item = &all->drawn[all->drawn_count++];
    int64_t numbers = found->count * all->pictures.positions;

    item->name = name;
    item->words = calloc((size_t)found->count + 1, sizeof *item->words);
    item->weights = malloc((size_t)(numbers + 1) * sizeof *item->weights);
    if (item->words == NULL || item->weights == NULL) return fail("out of memory");
    for (; item->count < found->count; item->count++) {
        item->words[item->count] = writer_text(&all->pen, found->ids + item->count, 1);
        if (item->words[item->count] == NULL) return OUTCOME_FAILED;
    }
    if (failed(rnnkit_search_weights(all->pen.search, i, 0, item->weights, numbers)))
        return OUTCOME_FAILED;
    if (all->options->pictures[0] != '\0' &&
        image_read(all->options->pictures, name, &item->image) != OUTCOME_OK)
        return OUTCOME_FAILED;
    item->caption = text;
    return OUTCOME_OK;
}

static int write_one(captioner *all, int64_t i, int64_t picture)
{
    const char *name = all->pictures.names[picture];
    written found;
    char *text;
    int outcome;

    if (writer_take(&all->pen, i, &found) != OUTCOME_OK) return OUTCOME_FAILED;
    text = writer_text(&all->pen, found.ids, found.count);
    if (text == NULL) return OUTCOME_FAILED;
    outcome = tell(all, name, text, found.score);
    if (outcome == OUTCOME_OK && all->options->plot[0] != '\0') {
        outcome = keep(all, i, &found, name, text);
        if (outcome == OUTCOME_OK) text = NULL;
    }
    free(text);
    return outcome;
}

static int write_all(captioner *all)
{
    int outcome = OUTCOME_OK;

    for (int64_t at = 0; at < all->count && outcome == OUTCOME_OK; at += WRITER_BATCH) {
        int64_t count = all->count - at < WRITER_BATCH ? all->count - at : WRITER_BATCH;

        outcome = writer_run(&all->pen, all->which + at, count);
        for (int64_t i = 0; i < count && outcome == OUTCOME_OK; i++)
            outcome = write_one(all, i, all->which[at + i]);
        if (outcome == OUTCOME_OK && interrupt_signal() != 0) outcome = OUTCOME_INTERRUPTED;
    }
    if (outcome != OUTCOME_OK || all->options->plot[0] == '\0') return outcome;
    return looked_draw(all->options->plot, all->drawn, all->drawn_count, all->pictures.rows,
        all->pictures.columns);
}

static int check(const settings *options)
{
    if (options->plot[0] == '\0')
        return options->pictures[0] == '\0' ? OUTCOME_OK
                                            : fail("--pictures is for drawing: give --plot too");
    if (output_check("plot", options->plot) != OUTCOME_OK ||
        output_check_apart("plot", options->plot, "model", options->model) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return output_check_apart("plot", options->plot, "features", options->features);
}

static int prepare(captioner *all)
{
    const settings *options = all->options;
    char text[64];

    snprintf(text, sizeof text, "threads=%" PRId64, options->threads);
    if (check(options) != OUTCOME_OK ||
        failed(rnnkit_context_create(options->device, text, &all->context)) ||
        network_open(&all->net, all->context, options->model, options->weights) != OUTCOME_OK ||
        gallery_open(&all->pictures, all->context, options->features) != OUTCOME_OK ||
        network_check(&all->net, options->model, &all->pictures) != OUTCOME_OK ||
        choose(all) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return writer_open(&all->pen, &all->net, all->context, &all->pictures, options->beam);
}

static void free_drawn(looked *item)
{
    for (int64_t i = 0; i < item->count; i++)
        free(item->words[i]);
    free(item->words);
    free(item->weights);
    free(item->caption);
    free(item->image);
}

int caption_command(arguments *parsed)
{
    captioner all = {.options = parsed->values};
    int outcome = prepare(&all);

    if (outcome == OUTCOME_OK) outcome = write_all(&all);
    for (size_t i = 0; i < all.drawn_count; i++)
        free_drawn(&all.drawn[i]);
    free(all.which);
    writer_close(&all.pen);
    gallery_close(&all.pictures);
    network_close(&all.net);
    rnnkit_context_destroy(all.context);
    return outcome;
}
