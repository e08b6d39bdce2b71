/* Parting marks from words. See marks.h. */
#include "marks.h"

#include <stdlib.h>
#include <string.h>

#include "../common/console.h"

static const char before[] = "\"'(", behind[] = ".,;:!?\"')";

static int is_mark(const char *marks, char letter)
{
    return letter != '\0' && strchr(marks, letter) != NULL;
}

static int is_known(const network *with, const char *word, int64_t length, int *known)
{
    int32_t id;
    int64_t count = 0;
    int32_t status = rnnkit_vocab_encode(with->vocabs[SOURCE], word, length, &id, 1, &count);

    *known = status == RNNKIT_OK && count == 1 && id != RNNKIT_UNK;
    return status == RNNKIT_E_TOO_SMALL ? OUTCOME_OK : failed(status);
}

static char *put(char *to, const char *text, int64_t length)
{
    memcpy(to, text, (size_t)length);
    to[length] = ' ';
    return to + length + 1;
}

/* Writes a word and its marks, each with a space behind it; *to moves on. */
static int part_word(const network *with, const char *word, int64_t length, char **to)
{
    int64_t first = 0, last = length;
    int known;

    for (;;) {
        if (is_known(with, word + first, last - first, &known) != OUTCOME_OK) return OUTCOME_FAILED;
        if (known || last - first < 2) break;
        if (is_mark(behind, word[last - 1]))
            last--;
        else if (is_mark(before, word[first]))
            first++;
        else
            break;
    }
    for (int64_t i = 0; i < first; i++)
        *to = put(*to, word + i, 1);
    *to = put(*to, word + first, last - first);
    for (int64_t i = last; i < length; i++)
        *to = put(*to, word + i, 1);
    return OUTCOME_OK;
}

int marks_part(const network *with, const line *from, line *to, char **room)
{
    const char *at = from->text, *end = from->text + from->length;
    char *out;

    *to = *from;
    *room = NULL;
    if (with->split) return OUTCOME_OK;
    *room = out = malloc(2 * (size_t)from->length + 1);
    if (out == NULL) return fail("out of memory");
    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space != NULL ? space : end;

        if (stop > at && part_word(with, at, stop - at, &out) != OUTCOME_OK) return OUTCOME_FAILED;
        at = space != NULL ? space + 1 : end;
    }
    *to = (line){*room, out - *room};
    return OUTCOME_OK;
}
