/* Joining tokens to readable text, one token at a time.
 *
 * punctuation=tokens: . , ; ! ? ) stand at the end of what is before them, ( at the start of what
 * is behind it, quotation marks open and close in turn (anew in each line), a dash binds both
 * sides, a line feed is followed by no space, a word that begins with a colon follows ) and a
 * closing quotation mark without one ("kramer (off camera): yes"); elsewhere one space parts two
 * tokens. A word's escape is taken off (marks.h). punctuation=keep: one space between two tokens.
 * char, byte: the tokens one behind the other.
 *
 * Text -> tokens -> text changes spacing only (and what the tokenizer's options change). Tokens ->
 * text -> tokens is the identity for every sequence of tokens that splitting can give, in any
 * order: words and marks never run together. Limits: in unit char a composing character must not
 * follow one that it composes with (splitting under nfc or nfkc never gives that, a model may);
 * under nfc and nfkc no run of combining marks may be longer than normalize.h holds; and the ids of
 * <pad>, <bos> and <eos> are left out of text (rki_vocab_join).
 *
 * What is given is certain: nothing that comes later changes it. No memory is taken.
 */
#ifndef RKI_TEXT_JOINER_H
#define RKI_TEXT_JOINER_H

#include <stddef.h>
#include <stdint.h>

#include "text/sink.h"
#include "text/tokenizer.h"

typedef struct rki_joiner {
    int32_t unit, punctuation;
    int32_t glued;  /* no space before the next word: at the start, behind "(" and the like */
    int32_t quoted; /* between quotation marks */
    int32_t closed; /* behind a mark at which a colon is joined on */
} rki_joiner;

void rki_joiner_init(rki_joiner *joiner, const rnnkit_tokenizer *tokenizer);

/* Gives the sink what the token adds to the text, in one or two pieces. */
int32_t rki_joiner_add(rki_joiner *joiner, const char *token, size_t length, rki_sink sink);

#endif
