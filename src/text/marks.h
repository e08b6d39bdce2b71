/* Punctuation marks as tokens of their own: ||period|| for ".", and so on.
 *
 * The ten marks and their names are those of the Udacity deep-learning course's script generation.
 * Each is one ASCII character, so splitting needs no context, and joining text and splitting it
 * again gives the same tokens whatever the spacing.
 *
 * A word of the text that itself looks like a mark's token (any number of backslashes, then
 * ||lower_case_letters||) is kept apart by one backslash more in front, which joining takes off:
 * the text `||period||` is the token `\||period||`. That covers every name of this form, so a mark
 * added one day changes no vocabulary.
 */
#ifndef RKI_TEXT_MARKS_H
#define RKI_TEXT_MARKS_H

#include <stddef.h>
#include <stdint.h>

typedef enum rki_mark_place {
    RKI_MARK_CLOSES, /* stands at the end of what is before it */
    RKI_MARK_OPENS,  /* stands at the start of what is behind it */
    RKI_MARK_QUOTES, /* opens and closes in turn */
    RKI_MARK_BINDS,  /* stands between without spaces */
    RKI_MARK_BREAKS  /* ends a line */
} rki_mark_place;

typedef struct rki_mark {
    char character;
    rki_mark_place place;
    const char *token;
    size_t length;
} rki_mark;

/* NULL when there is none. */
const rki_mark *rki_mark_of_character(int32_t code);
const rki_mark *rki_mark_of_token(const char *token, size_t length);

/* Whether the word is, behind any number of backslashes, of the form ||name||. */
int rki_mark_alike(const char *word, size_t length);

#endif
