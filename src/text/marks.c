/* The table of marks. See marks.h. */
#include "text/marks.h"

#include <string.h>

static const rki_mark marks[] = {
    {'.', RKI_MARK_CLOSES, "||period||", 10},
    {',', RKI_MARK_CLOSES, "||comma||", 9},
    {'"', RKI_MARK_QUOTES, "||quotation_mark||", 18},
    {';', RKI_MARK_CLOSES, "||semicolon||", 13},
    {'!', RKI_MARK_CLOSES, "||exclamation_mark||", 20},
    {'?', RKI_MARK_CLOSES, "||question_mark||", 17},
    {'(', RKI_MARK_OPENS, "||left_parenthesis||", 20},
    {')', RKI_MARK_CLOSES, "||right_parenthesis||", 21},
    {'-', RKI_MARK_BINDS, "||dash||", 8},
    {'\n', RKI_MARK_BREAKS, "||return||", 10},
};

enum { MARKS = sizeof marks / sizeof *marks };

const rki_mark *rki_mark_of_character(int32_t code)
{
    for (int i = 0; i < MARKS; i++)
        if (marks[i].character == code) return &marks[i];
    return NULL;
}

const rki_mark *rki_mark_of_token(const char *token, size_t length)
{
    if (length < 2 || token[0] != '|' || token[1] != '|') return NULL;
    for (int i = 0; i < MARKS; i++)
        if (marks[i].length == length && memcmp(marks[i].token, token, length) == 0)
            return &marks[i];
    return NULL;
}

int rki_mark_alike(const char *word, size_t length)
{
    while (length > 0 && *word == '\\') {
        word++;
        length--;
    }
    if (length < 5 || memcmp(word, "||", 2) != 0 || memcmp(word + length - 2, "||", 2) != 0)
        return 0;
    for (size_t i = 2; i < length - 2; i++)
        if (word[i] != '_' && (word[i] < 'a' || word[i] > 'z')) return 0;
    return 1;
}
