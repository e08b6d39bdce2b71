/* See captions.h. */
#include "captions.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/input.h"

/* Where the name's number begins, as in `1000268201.jpg#0`; NULL when it has none. */
static char *number_of(char *name)
{
    char *mark = strrchr(name, '#');

    if (mark == NULL || mark[1] == '\0' || strspn(mark + 1, "0123456789") != strlen(mark + 1))
        return NULL;
    return mark;
}

static int64_t find_picture(const gallery *pictures, char *name)
{
    int64_t found = gallery_find(pictures, name);
    char *mark = number_of(name);

    if (found >= 0 || mark == NULL) return found;
    *mark = '\0';
    found = gallery_find(pictures, name);
    *mark = '#';
    return found;
}

static int add(captions *target, int64_t picture, const char *text)
{
    if (target->count == target->room) {
        size_t room = target->room * 2 + 1024;
        caption *larger = realloc(target->items, room * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        target->items = larger;
        target->room = room;
    }
    target->items[target->count++] = (caption){.picture = picture, .text = text};
    return OUTCOME_OK;
}

static int read_line(
    captions *target, char *line, const char *name, int64_t number, const gallery *pictures)
{
    char *tab = strchr(line, '\t');
    int64_t picture;

    if (tab == NULL)
        return fail(
            "%s, line %" PRId64 ": expected name<TAB>caption, there is no tab", name, number);
    *tab = '\0';
    picture = find_picture(pictures, line);
    if (picture < 0)
        return fail(
            "%s, line %" PRId64 ": %s has no picture '%.80s'", name, number, pictures->path, line);
    if (tab[1 + strspn(tab + 1, " \t")] == '\0')
        return fail("%s, line %" PRId64 ": the caption is empty", name, number);
    return add(target, picture, tab + 1);
}

/* The texts lie in the order of the file, so their addresses tell it. */
static int by_picture(const void *a, const void *b)
{
    const caption *one = a, *two = b;

    if (one->picture != two->picture) return one->picture < two->picture ? -1 : 1;
    return one->text < two->text ? -1 : 1;
}

int captions_read(captions *target, const char *path, const gallery *pictures)
{
    const char *name = input_name(path);
    int64_t number = 0;
    size_t length;
    char *end;

    *target = (captions){0};
    if (input_read(path, &target->text, &length) != OUTCOME_OK) return OUTCOME_FAILED;
    end = target->text + length;
    for (char *line = target->text; line < end;) {
        char *feed = memchr(line, '\n', (size_t)(end - line)), *stop = feed != NULL ? feed : end;

        number++;
        if (memchr(line, '\0', (size_t)(stop - line)) != NULL)
            return fail("%s, line %" PRId64 " has a NUL byte", name, number);
        *stop = '\0';
        if (stop > line && stop[-1] == '\r') stop[-1] = '\0';
        if (number == 1 && strncmp(line, "\xEF\xBB\xBF", 3) == 0) line += 3;
        if (line[0] != '\0' && read_line(target, line, name, number, pictures) != OUTCOME_OK)
            return OUTCOME_FAILED;
        line = stop + 1;
    }
    if (target->count == 0) return fail("%s: there is no caption in it", name);
    qsort(target->items, target->count, sizeof *target->items, by_picture);
    return OUTCOME_OK;
}

void captions_free(captions *target)
{
    free(target->text);
    free(target->items);
    free(target->ids);
    *target = (captions){0};
}

size_t captions_next(const captions *source, size_t at)
{
    int64_t picture = source->items[at].picture;

    while (at < source->count && source->items[at].picture == picture)
        at++;
    return at;
}

int captions_vocab(const captions *source, rnnkit_context *context, const char *options,
    const unsigned char *part, int which, rnnkit_vocab **out)
{
    rnnkit_tokenizer *tokenizer;
    int outcome;

    if (failed(rnnkit_tokenizer_create(
            context, "unit=word punctuation=tokens lowercase=1 invalid=replace", &tokenizer)))
        return OUTCOME_FAILED;
    outcome = failed(rnnkit_vocab_create(tokenizer, options, out));
    rnnkit_tokenizer_destroy(tokenizer);
    for (size_t i = 0; i < source->count && outcome == OUTCOME_OK; i++)
        if (part[source->items[i].picture] == which)
            outcome = failed(rnnkit_vocab_push(*out, source->items[i].text, -1)) ||
                      failed(rnnkit_vocab_push(*out, " ", 1));
    return outcome == OUTCOME_OK ? failed(rnnkit_vocab_finish(*out)) : outcome;
}

/* A text has at most a token for each byte, so `ids` has room for all of them. */
int captions_encode(captions *target, const rnnkit_vocab *vocab)
{
    size_t room = 0, used = 0;

    for (size_t i = 0; i < target->count; i++)
        room += strlen(target->items[i].text);
    target->ids = malloc(room * sizeof *target->ids);
    if (target->ids == NULL) return fail("out of memory");
    for (size_t i = 0; i < target->count; i++) {
        caption *one = &target->items[i];

        one->ids = target->ids + used;
        if (failed(rnnkit_vocab_encode(
                vocab, one->text, -1, one->ids, (int64_t)(room - used), &one->count)))
            return OUTCOME_FAILED;
        for (int64_t k = 0; k < one->count; k++)
            target->unknown += one->ids[k] == RNNKIT_UNK;
        target->words += one->count;
        used += (size_t)one->count;
    }
    return OUTCOME_OK;
}
