/* Reviews from lines of text. See reviews.h. */
#include "reviews.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/console.h"
#include "../common/input.h"

static const char mark[] = "__label__";

int reviews_keep(reviews *target, char *text)
{
    if (target->text_count == target->text_room) {
        size_t room = target->text_room * 2 + 16;
        char **texts = realloc(target->texts, room * sizeof *texts);

        if (texts == NULL) {
            free(text);
            return fail("out of memory");
        }
        target->texts = texts;
        target->text_room = room;
    }
    target->texts[target->text_count++] = text;
    return OUTCOME_OK;
}

/* Spaces for NUL bytes and for the line breaks of HTML. */
static void clean(char *text, int64_t length)
{
    static const char tag[] = "<br />";
    char *end = text + length, *at = text;

    for (char *nul = memchr(text, '\0', (size_t)length); nul != NULL;
         nul = memchr(nul, '\0', (size_t)(end - nul)))
        *nul = ' ';
    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        if ((size_t)(end - at) >= strlen(tag) && memcmp(at, tag, strlen(tag)) == 0)
            memset(at, ' ', strlen(tag));
        at++;
    }
}

static int find_label(
    reviews *target, const char *label, int64_t length, const char *path, int64_t line)
{
    int shown = length < 40 ? (int)length : 40;

    if (length == 0) {
        fail("%s: line %lld has no label", path, (long long)line);
        return -1;
    }
    if (length >= REVIEW_LABEL_SIZE || memchr(label, '\0', (size_t)length) != NULL) {
        fail("%s: line %lld: '%.*s' is no label", path, (long long)line, shown, label);
        return -1;
    }
    for (int i = 0; i < target->label_count; i++)
        if (strlen(target->labels[i]) == (size_t)length &&
            memcmp(target->labels[i], label, (size_t)length) == 0)
            return i;
    if (target->label_count == REVIEW_LABELS) {
        fail("%s: line %lld has a third label '%.*s' beside '%s' and '%s'", path, (long long)line,
            shown, label, target->labels[0], target->labels[1]);
        return -1;
    }
    memcpy(target->labels[target->label_count], label, (size_t)length);
    return target->label_count++;
}

int reviews_add(reviews *target, char *text, int64_t length, const char *label,
    int64_t label_length, const char *path, int64_t line)
{
    int place = find_label(target, label, label_length, path, line);

    if (place < 0) return OUTCOME_FAILED;
    if (target->count == target->room) {
        size_t room = target->room * 2 + 1024;
        review *items = realloc(target->items, room * sizeof *items);

        if (items == NULL) return fail("out of memory");
        target->items = items;
        target->room = room;
    }
    clean(text, length);
    target->items[target->count++] = (review){text, length, place};
    return OUTCOME_OK;
}

/* "label<TAB>text", or "__label__x text" where the file starts so. */
static int add_line(
    reviews *target, const char *path, int64_t number, char *line, int64_t length, int marked)
{
    char *label = line, *gap;
    int64_t skip = (int64_t)strlen(mark);

    if (marked) {
        if (length < skip || memcmp(line, mark, (size_t)skip) != 0)
            return fail("%s: line %lld does not begin with %s, as the first does", path,
                (long long)number, mark);
        label += skip;
        length -= skip;
    }
    gap = memchr(label, marked ? ' ' : '\t', (size_t)length);
    if (gap == NULL && !marked)
        return fail("%s: line %lld has no tab between label and text", path, (long long)number);
    if (gap == NULL) gap = label + length; /* a label and no word */
    skip = gap < label + length;
    return reviews_add(
        target, gap + skip, label + length - gap - skip, label, gap - label, path, number);
}

static int read_lines(reviews *target, const char *path, char *text, size_t length)
{
    char *at = text, *end = text + length;
    int marked;

    if (length >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
    marked = (size_t)(end - at) >= strlen(mark) && memcmp(at, mark, strlen(mark)) == 0;
    for (int64_t number = 1; at < end; number++) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        int64_t size;

        if (stop == NULL) stop = end;
        size = stop - at;
        if (size > 0 && at[size - 1] == '\r') size--;
        if (size > 0 && add_line(target, path, number, at, size, marked) != OUTCOME_OK)
            return OUTCOME_FAILED;
        at = stop + 1;
    }
    return OUTCOME_OK;
}

static int read_file(reviews *target, const char *path)
{
    char *text;
    size_t length;

    if (input_read(path, &text, &length) != OUTCOME_OK || reviews_keep(target, text) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return read_lines(target, input_name(path), text, length);
}

static void swap_labels(reviews *target)
{
    char first[REVIEW_LABEL_SIZE];

    memcpy(first, target->labels[0], sizeof first);
    memcpy(target->labels[0], target->labels[1], sizeof first);
    memcpy(target->labels[1], first, sizeof first);
    for (size_t i = 0; i < target->count; i++)
        target->items[i].label = !target->items[i].label;
}

int reviews_read(reviews *target, const char *path, const char *part)
{
    struct stat status;
    int is_folder = strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode);

    *target = (reviews){0};
    if ((is_folder ? reviews_read_tree(target, path, part) : read_file(target, path)) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (target->count == 0) return fail("%s: there is no review in it", input_name(path));
    if (target->label_count == 2 && strcmp(target->labels[0], target->labels[1]) > 0)
        swap_labels(target);
    return OUTCOME_OK;
}

int reviews_check_labels(const reviews *source, const char *path)
{
    if (source->label_count == 2) return OUTCOME_OK;
    return fail("%s: all %zu reviews have the label '%s'; to learn takes two labels",
        input_name(path), source->count, source->labels[0]);
}

int reviews_use_labels(reviews *target, const char *path, const char labels[2][REVIEW_LABEL_SIZE])
{
    int place[REVIEW_LABELS];

    for (int i = 0; i < target->label_count; i++) {
        place[i] = strcmp(target->labels[i], labels[0]) == 0   ? 0
                   : strcmp(target->labels[i], labels[1]) == 0 ? 1
                                                               : -1;
        if (place[i] < 0)
            return fail("%s: the model does not know the label '%s', only '%s' and '%s'",
                input_name(path), target->labels[i], labels[0], labels[1]);
    }
    for (size_t i = 0; i < target->count; i++)
        target->items[i].label = place[target->items[i].label];
    memcpy(target->labels, labels, sizeof target->labels);
    target->label_count = 2;
    return OUTCOME_OK;
}

void reviews_free(reviews *target)
{
    for (size_t i = 0; i < target->text_count; i++)
        free(target->texts[i]);
    free(target->texts);
    free(target->items);
    *target = (reviews){0};
}
