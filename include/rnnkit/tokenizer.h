/** @file
 * Tokenizers: text to tokens (words, characters or bytes) and back to readable text.
 *
 * In unit "word" with punctuation "tokens" each mark becomes a token of its own that cannot be
 * mistaken for a word: . , " ; ! ? ( ) - and line feed become ||period||, ||comma||,
 * ||quotation_mark||, ||semicolon||, ||exclamation_mark||, ||question_mark||,
 * ||left_parenthesis||, ||right_parenthesis||, ||dash|| and ||return||. Joining puts them back.
 *
 * Words are parted by white space: Unicode's property White_Space, and NUL. A word of the text that
 * looks like such a token itself (any number of backslashes, then ||lower_case_letters||) gets one
 * more backslash in front, which joining takes off. U+FEFF (byte order mark) is left out of words
 * and characters wherever it stands. Unit "char" gives each code point, white space included; unit
 * "byte" each byte as it stands.
 *
 * Joining the tokens of a text and splitting the result gives the same tokens again.
 */
#ifndef RNNKIT_TOKENIZER_H
#define RNNKIT_TOKENIZER_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates a tokenizer. It is immutable.
 *
 * Options (noun "tokenizer"): unit (word, char, byte), punctuation (tokens, keep; unit word only),
 * lowercase (0), normalize (none, nfc, nfkc), invalid (what bad UTF-8 does: strict, replace, skip).
 * Unit byte decodes nothing: lowercase and normalize do not go with it, invalid has no effect.
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_tokenizer_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: Unicode Standard Annex 15 (normal forms); Udacity deep-learning-v2, script generation
 *   (the marks and their names).
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokenizer_create(
    rnnkit_context *context, const char *options, rnnkit_tokenizer **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_tokenizer_destroy(rnnkit_tokenizer *tokenizer);

/** Splits a text into tokens.
 *
 * Arrays: text: `length` bytes, or -1 when it ends with NUL; buffer: room for `capacity` bytes, NULL
 *   when capacity is 0; it gets each token followed by a NUL; *needed: bytes in all; *count: tokens.
 *   Tokens are never empty: where a NUL stands at a token's place, it is the character or byte NUL
 *   itself (units char and byte), and its own NUL follows.
 * Ownership: the caller's buffer is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ENCODING (strict; with the byte's
 *   place), RNNKIT_E_TOO_SMALL (*needed and *count are set all the same), RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokenizer_split(rnnkit_tokenizer *tokenizer,
    const char *text, int64_t length, char *buffer, int64_t capacity, int64_t *needed,
    int64_t *count);

/** Joins tokens to readable text: marks go back to their place, quotation marks open and close.
 *
 * Arrays: tokens: `count` tokens, each followed by a NUL, as rnnkit_tokenizer_split writes them;
 *   buffer: room for `capacity` bytes, NULL when capacity is 0; *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL, negative count, an empty token in unit word),
 *   RNNKIT_E_TOO_SMALL (*needed is set all the same).
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokenizer_join(rnnkit_tokenizer *tokenizer,
    const char *tokens, int64_t count, char *buffer, int64_t capacity, int64_t *needed);

RNNKIT_END

#endif
