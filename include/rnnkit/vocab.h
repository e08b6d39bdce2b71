/** @file
 * Vocabularies: which tokens there are, how often each occurred, and their ids.
 *
 * Push text, then finish: ids go by count descending, then bytes ascending, behind the specials
 * <pad> = 0 and <unk> = 1 (and <bos>, <eos> where asked for). A finished vocabulary is immutable.
 * A word of the text that is equal to a special's name is that special. In unit byte all 256 bytes
 * have an id.
 */
#ifndef RNNKIT_VOCAB_H
#define RNNKIT_VOCAB_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

#define RNNKIT_PAD 0 /* the id of <pad> */
#define RNNKIT_UNK 1 /* the id of <unk> */

/** Creates an empty vocabulary, ready for text.
 *
 * Options (noun "vocab"): min_count (1; rarer tokens become <unk>; no effect in unit byte),
 * max_size (0: no limit; specials included), boundaries (1: <bos> = 2 and <eos> = 3 exist; default 0).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_vocab_destroy; it keeps the tokenizer
 *   alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_create(
    rnnkit_tokenizer *tokenizer, const char *options, rnnkit_vocab **out);

/** Opens a vocabulary that rnnkit_vocab_save wrote; it is finished. The tokenizer should have the
 * options of the one that the text was counted with. Ids are the lines' order, whatever the counts.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_vocab_destroy.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO, RNNKIT_E_FORMAT (with the line),
 *   RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: the text format of word2vec.c's -save-vocab: `word count` lines.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_open(
    rnnkit_tokenizer *tokenizer, const char *path, rnnkit_vocab **out);

/** The same from memory: a text that rnnkit_vocab_text gave, or such a file's content. So a model can
 * carry a second vocabulary, that of the language it translates from, in an entry.
 *
 * Arrays: text: `length` bytes, or -1 when it ends with NUL.
 * Ownership: the text is read during the call only; *out is the caller's, to be given to
 *   rnnkit_vocab_destroy; it keeps the tokenizer alive.
 * Errors: as rnnkit_vocab_open, without RNNKIT_E_IO.
 * Threads: any.
 * Since: 0.1.
 * Source: as rnnkit_vocab_open.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_open_text(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t length, rnnkit_vocab **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_vocab_destroy(rnnkit_vocab *vocab);

/** Counts the tokens of a piece of text; pieces may be cut anywhere, within a character even.
 * After RNNKIT_E_ENCODING or RNNKIT_E_MEMORY the vocabulary takes no more text and cannot be
 * finished.
 *
 * Arrays: text: `length` bytes, or -1 when it ends with NUL.
 * Ownership: the text is read during the call only.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ENCODING (strict; with the place),
 *   RNNKIT_E_ORDER (finished already), RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_push(
    rnnkit_vocab *vocab, const char *text, int64_t length);

/** Counts the tokens of a file, which may be larger than memory. Beginning and end of the file end
 * a token. A file that cannot be opened leaves the vocabulary as it was; after RNNKIT_STOPPED what
 * was read stays counted, without an unfinished token.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: as rnnkit_vocab_push; RNNKIT_E_IO; RNNKIT_STOPPED when the context was cancelled.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_push_file(rnnkit_vocab *vocab, const char *path);

/** Assigns the ids.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ENCODING (the text ended within a character), RNNKIT_E_ORDER
 *   (finished already), RNNKIT_E_ARGUMENT (no token at all), RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_finish(rnnkit_vocab *vocab);

/** How many ids there are (specials included), and how many tokens were counted (the sum of all
 * ids' counts: that of <unk> is of the tokens without an id of their own).
 *
 * Arrays: none.
 * Ownership: *words and *tokens are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished).
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_size(
    const rnnkit_vocab *vocab, int64_t *words, int64_t *tokens);

/** The token of an id, and how often it was counted.
 *
 * Arrays: buffer: room for `capacity` bytes, NULL when capacity is 0; *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled; count may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished), RNNKIT_E_NOT_FOUND (no such id),
 *   RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_TOO_SMALL (*needed is set all the same).
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_word(const rnnkit_vocab *vocab, int32_t id,
    char *buffer, int64_t capacity, int64_t *needed, int64_t *count);

/** The id of a token as it stands (nothing is lower-cased or split).
 *
 * Arrays: word: `length` bytes, or -1 when it ends with NUL.
 * Ownership: *id is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished), RNNKIT_E_ARGUMENT (NULL),
 *   RNNKIT_E_NOT_FOUND.
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_find(
    const rnnkit_vocab *vocab, const char *word, int64_t length, int32_t *id);

/** Text to ids; tokens without an id become <unk>.
 *
 * Arrays: text: `length` bytes, or -1 when it ends with NUL; ids: room for `capacity` int32, NULL
 *   when capacity is 0; *needed: ids in all.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished), RNNKIT_E_ARGUMENT (NULL),
 *   RNNKIT_E_ENCODING, RNNKIT_E_TOO_SMALL (*needed is set all the same), RNNKIT_E_MEMORY.
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_encode(const rnnkit_vocab *vocab, const char *text,
    int64_t length, int32_t *ids, int64_t capacity, int64_t *needed);

/** Ids to readable text, joined as rnnkit_tokenizer_join does; <pad>, <bos> and <eos> are left out.
 *
 * Arrays: ids: `count` int32; buffer: room for `capacity` bytes, NULL when capacity is 0; *needed:
 *   bytes including NUL.
 * Ownership: the caller's buffer is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished), RNNKIT_E_ARGUMENT (NULL, negative count),
 *   RNNKIT_E_NOT_FOUND (no such id, with its place), RNNKIT_E_TOO_SMALL (*needed is set all the
 *   same), RNNKIT_E_MEMORY.
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_decode(const rnnkit_vocab *vocab, const int32_t *ids,
    int64_t count, char *buffer, int64_t capacity, int64_t *needed);

/** Writes the vocabulary as text, a line `word count` for each id in order. In a word, control
 * characters and space stand as \xHH (hexadecimal), and so do: in unit byte, bytes from 0x7f on; a
 * backslash that would otherwise begin such an escape; the first byte of an ordinary word that has
 * a special's name.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished), RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO,
 *   RNNKIT_E_MEMORY; an older file of that name is then as it was.
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: the text format of word2vec.c's -save-vocab.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_save(const rnnkit_vocab *vocab, const char *path);

/** The same into memory: what rnnkit_vocab_save writes.
 *
 * Arrays: buffer: room for `capacity` bytes, NULL when capacity is 0; *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished), RNNKIT_E_ARGUMENT (NULL),
 *   RNNKIT_E_TOO_SMALL (*needed is set all the same), RNNKIT_E_MEMORY.
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: as rnnkit_vocab_save.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_vocab_text(
    const rnnkit_vocab *vocab, char *buffer, int64_t capacity, int64_t *needed);

RNNKIT_END

#endif
