/* Splitting text into tokens, pushed in pieces that may be cut anywhere, within a character even.
 *
 * bytes -> characters (characters.h) -> normal form and lower case (normalize.h) -> tokens:
 * - word: what stands between white space. White space is Unicode's property White_Space, and NUL.
 *   With punctuation=tokens each mark is a token of its own (marks.h), line feed among them, and a
 *   word that looks like such a token is escaped; with punctuation=keep marks are parts of words.
 * - char: each character, white space included.
 * - byte: each byte as it stands; nothing is decoded.
 * U+FEFF, the byte order mark, is left out wherever it stands (but in unit byte).
 *
 * Tokens are never empty. The same text gives the same tokens however it was cut. ASCII, the common
 * case, is scanned by a table of 256 classes and touches no Unicode table.
 *
 * After a failure the splitter must be reset before it is used again.
 */
#ifndef RKI_TEXT_SPLITTER_H
#define RKI_TEXT_SPLITTER_H

#include <stdint.h>

#include "text/characters.h"
#include "text/normalize.h"
#include "text/sink.h"
#include "text/tokenizer.h"

typedef struct rki_splitter {
    rki_tokenizer_settings settings;
    const rki_memory *memory;
    rki_sink sink;
    rki_utf8 utf8;
    rki_normalizer *normalizer; /* NULL: text stays as it is */
    char *word;                 /* a byte for the escape, then the word begun */
    int64_t capacity, used;     /* of word, without that byte */
    unsigned char classes[128]; /* what each ASCII character is */
    char lower[128];            /* what it becomes */
} rki_splitter;

int32_t rki_splitter_init(rki_splitter *splitter, const rnnkit_tokenizer *tokenizer, rki_sink sink);

/* Gives each token that is complete to the sink, whose failure comes back. */
int32_t rki_splitter_push(rki_splitter *splitter, const char *text, size_t size);

/* The text ends here: the last token is given. The splitter is then ready for another text. */
int32_t rki_splitter_end(rki_splitter *splitter);

/* Forgets the text. */
void rki_splitter_reset(rki_splitter *splitter);

/* Frees what init and push took; a splitter that was never initialised must be all zero. */
void rki_splitter_release(rki_splitter *splitter);

/* All of a text that is at hand. */
int32_t rki_splitter_whole(rki_splitter *splitter, const char *text, size_t size);

/* Whether the last character of a text is white space: behind it a new word begins. */
int rki_ends_with_space(const char *text, size_t size);

#endif
