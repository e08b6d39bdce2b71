/* Two texts, line by line. See corpus.h. */
#include "corpus.h"

#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/input.h"

/* The line that starts at `at`, which is moved behind it. */
static line take_line(const char **at, const char *end)
{
    const char *feed = memchr(*at, '\n', (size_t)(end - *at));
    const char *stop = feed != NULL ? feed : end;
    line taken = {*at, stop - *at};

    *at = feed != NULL ? feed + 1 : end;
    if (taken.length > 0 && taken.text[taken.length - 1] == '\r') taken.length--;
    return taken;
}

static size_t count_lines(const char *at, const char *end)
{
    size_t count = 0;

    for (; at < end; count++)
        take_line(&at, end);
    return count;
}

static int read_side(corpus *target, int side, const char *path, size_t *count)
{
    const char *at, *end;
    size_t length;

    target->names[side] = input_name(path);
    if (input_read(path, &target->texts[side], &length) != OUTCOME_OK) return OUTCOME_FAILED;
    at = target->texts[side];
    end = at + length;
    if (length >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) at += 3;
    *count = count_lines(at, end);
    if (*count == 0) return fail("%s: there is no sentence in it", target->names[side]);
    target->lines[side] = malloc(*count * sizeof *target->lines[side]);
    if (target->lines[side] == NULL) return fail("out of memory");
    for (size_t i = 0; i < *count; i++)
        target->lines[side][i] = take_line(&at, end);
    return OUTCOME_OK;
}

int corpus_read(corpus *target, const char *source_path, const char *target_path)
{
    size_t counts[SIDES];
    int longer;

    if (strcmp(source_path, "-") == 0 && strcmp(target_path, "-") == 0)
        return fail("--source and --target cannot both be standard input");
    if (read_side(target, SOURCE, source_path, &counts[SOURCE]) != OUTCOME_OK ||
        read_side(target, TARGET, target_path, &counts[TARGET]) != OUTCOME_OK)
        return OUTCOME_FAILED;
    target->count = counts[SOURCE];
    if (counts[SOURCE] == counts[TARGET]) return OUTCOME_OK;
    longer = counts[SOURCE] > counts[TARGET] ? SOURCE : TARGET;
    return fail("%s: line %zu has no partner: %s has only %zu lines", target->names[longer],
        counts[!longer] + 1, target->names[!longer], counts[!longer]);
}

void corpus_free(corpus *target)
{
    for (int side = 0; side < SIDES; side++) {
        free(target->texts[side]);
        free(target->lines[side]);
    }
    *target = (corpus){0};
}

int corpus_is_tokenised(const corpus *source)
{
    size_t alone = 0, attached = 0;

    for (int side = 0; side < SIDES; side++)
        for (size_t i = 0; i < source->count; i++) {
            const line *one = &source->lines[side][i];

            for (int64_t k = 1; k < one->length; k++) {
                char before = one->text[k - 1], mark = one->text[k];
                int ends_word = k + 1 == one->length || one->text[k + 1] == ' ';

                if ((mark != ',' && mark != '.') || !ends_word) continue;
                alone += before == ' ';
                attached += before != ' ';
            }
        }
    return alone > attached;
}
