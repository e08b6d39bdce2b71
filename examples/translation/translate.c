/* The command `translate`: a sentence on the command line, or each line of standard input. An empty
 * line stays an empty line.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/output.h"
#include "commands.h"
#include "decode.h"
#include "heatmap.h"
#include "marks.h"

typedef struct job {
    settings *options;
    translator with;
    tokens source; /* the sentence's words */
    int32_t *ids;
    size_t id_room;
    hypothesis found;
    int64_t line; /* number of the present one, from 1 */
} job;

static int tell(const job *all, int64_t rank, const char *text)
{
    const hypothesis *one = &all->found;

    if (all->options->json) {
        json_begin("translation");
        json_integer("line", all->line);
        json_integer("rank", rank + 1);
        json_number("score", one->score);
        json_flag("cut", one->cut);
        json_text("text", text);
        json_end();
    } else if (all->options->n_best > 1) {
        console_line("%" PRId64 "\t%" PRId64 "\t%.4f\t%s", all->line, rank + 1, one->score, text);
    } else {
        console_line("%s", text);
    }
    return console_is_broken() ? OUTCOME_FAILED : OUTCOME_OK;
}

/* A picture's names: words as readable text, each with its NUL; the caller frees both. */
static int name_words(const tokens *from, const network *net, char **names, const char ***items)
{
    size_t length = 0;
    FILE *out = open_memstream(names, &length);
    const char *at;

    *items = calloc((size_t)from->count + 1, sizeof **items);
    if (out == NULL || *items == NULL) {
        if (out != NULL) fclose(out);
        return fail("out of memory");
    }
    for (int64_t i = 0; i < from->count; i++) {
        tokens one = {.text = (char *)from->items[i], .count = 1};
        char *text = tokens_join(&one, net);

        fputs(text != NULL ? text : from->items[i], out);
        fputc('\0', out);
        free(text);
    }
    if (fclose(out) != 0) return fail("out of memory");
    at = *names;
    for (int64_t i = 0; i < from->count; i++) {
        (*items)[i] = at;
        at += strlen(at) + 1;
    }
    return OUTCOME_OK;
}

/* FILE.svg, FILE-2.svg, ...; the caller frees it. */
static char *picture_path(const job *all)
{
    const char *path = all->options->attention_svg, *slash = strrchr(path, '/');
    const char *dot = strrchr(path, '.');
    size_t room = strlen(path) + 32;
    char *text = malloc(room);

    if (text == NULL) return NULL;
    if (dot == NULL || (slash != NULL && dot < slash)) dot = path + strlen(path);
    if (all->line == 1)
        snprintf(text, room, "%s", path);
    else
        snprintf(text, room, "%.*s-%" PRId64 "%s", (int)(dot - path), path, all->line, dot);
    return text;
}

static int draw(const job *all)
{
    heatmap picture = {.column_count = all->source.count,
        .row_count = all->found.count,
        .weights = all->found.weights};
    char *texts[SIDES] = {NULL, NULL}, *path = picture_path(all);
    const char **items[SIDES] = {NULL, NULL};
    int outcome = path == NULL ? fail("out of memory") : OUTCOME_OK;

    if (outcome == OUTCOME_OK)
        outcome = name_words(&all->source, &all->with.net, &texts[SOURCE], &items[SOURCE]);
    if (outcome == OUTCOME_OK)
        outcome = name_words(&all->found.words, &all->with.net, &texts[TARGET], &items[TARGET]);
    picture.columns = items[SOURCE];
    picture.rows = items[TARGET];
    if (outcome == OUTCOME_OK) outcome = heatmap_write(path, &picture);
    for (int side = 0; side < SIDES; side++) {
        free(texts[side]);
        free(items[side]);
    }
    free(path);
    return outcome;
}

/* Tells the hypotheses, and draws the best. */
static int tell_all(job *all)
{
    int found = 1;

    for (int64_t rank = 0; rank < all->options->n_best; rank++) {
        char *text;
        int outcome = translator_take(
            &all->with, 0, rank, all->source.count, &all->source, &all->found, &found);

        if (outcome != OUTCOME_OK || !found) return outcome;
        text = tokens_join(&all->found.words, &all->with.net);
        outcome = text == NULL ? OUTCOME_FAILED : tell(all, rank, text);
        free(text);
        if (outcome == OUTCOME_OK && rank == 0 && all->options->attention_svg[0] != '\0')
            outcome = draw(all);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

static int encode(job *all, const line *from)
{
    int64_t count = 0;

    if (all->source.count > LONGEST)
        return fail("line %" PRId64 " has %" PRId64 " words; a sentence has at most %d", all->line,
            all->source.count, LONGEST);
    if (all->source.count > all->with.net.longest)
        console_note("line %" PRId64 " has %" PRId64 " words, more than the %" PRId64
                     " of the longest sentence that the model learned from: expect mistakes",
            all->line, all->source.count, all->with.net.longest);
    if ((size_t)all->source.count > all->id_room) {
        int32_t *larger = realloc(all->ids, (size_t)all->source.count * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        all->ids = larger;
        all->id_room = (size_t)all->source.count;
    }
    return failed(rnnkit_vocab_encode(all->with.net.vocabs[SOURCE], from->text, from->length,
        all->ids, (int64_t)all->id_room, &count));
}

static int translate_sentence(job *all, const line *from)
{
    int32_t length;
    batch only = {.rows = 1, .lengths = &length};
    int outcome = tokens_split(&all->source, &all->with.net, from);

    if (outcome != OUTCOME_OK) return outcome;
    if (all->source.count == 0) {
        all->found.score = 0;
        all->found.cut = 0;
        return tell(all, 0, "");
    }
    outcome = encode(all, from);
    length = (int32_t)all->source.count;
    only.source = all->ids;
    only.source_steps = length;
    if (outcome == OUTCOME_OK) outcome = translator_run(&all->with, &only);
    return outcome == OUTCOME_OK ? tell_all(all) : outcome;
}

static int translate(job *all, const line *from)
{
    char *room;
    line parted;
    int outcome = marks_part(&all->with.net, from, &parted, &room);

    all->line++;
    if (outcome == OUTCOME_OK) outcome = translate_sentence(all, &parted);
    free(room);
    return outcome;
}

static int translate_lines(job *all)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int outcome = OUTCOME_OK;

    while (outcome == OUTCOME_OK && (length = getline(&text, &room, stdin)) >= 0) {
        while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
            length--;
        outcome = translate(all, &(line){text, length});
    }
    free(text);
    if (outcome == OUTCOME_OK && interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (outcome == OUTCOME_OK && ferror(stdin)) return fail("standard input cannot be read");
    return outcome;
}

/* The words of the command line, with spaces between them. */
static int translate_words(job *all)
{
    const argument_list *list = &all->options->text;
    size_t length = 1;
    char *text;
    int outcome;

    for (size_t i = 0; i < list->count; i++)
        length += strlen(list->items[i]) + 1;
    text = malloc(length);
    if (text == NULL) return fail("out of memory");
    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        strcat(text, list->items[i]);
        if (i + 1 < list->count) strcat(text, " ");
    }
    outcome = translate(all, &(line){text, (int64_t)strlen(text)});
    free(text);
    return outcome;
}

int translate_command(arguments *parsed)
{
    job all = {.options = parsed->values};
    const argument_list *list = &all.options->text;
    int lines = list->count == 0 || (list->count == 1 && strcmp(list->items[0], "-") == 0);
    int outcome;

    if (all.options->attention_svg[0] != '\0' &&
        (output_check("attention-svg", all.options->attention_svg) != OUTCOME_OK ||
            output_check_apart("attention-svg", all.options->attention_svg, "model",
                all.options->model) != OUTCOME_OK))
        return OUTCOME_FAILED;
    outcome = translator_open(&all.with, all.options, all.options->n_best);
    if (outcome == OUTCOME_OK) outcome = lines ? translate_lines(&all) : translate_words(&all);
    hypothesis_free(&all.found);
    tokens_free(&all.source);
    translator_close(&all.with);
    free(all.ids);
    return outcome;
}
