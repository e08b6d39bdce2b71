/** @file
 * Token streams: a corpus as ids, in memory or, when it is large, in a temporary file.
 */
#ifndef RNNKIT_TOKENS_H
#define RNNKIT_TOKENS_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates an empty stream, ready for text.
 *
 * Options (noun "tokens"): memory (1024; MiB of ids, 4 bytes each, that are held in memory; what is
 * beyond goes to an unnamed temporary file), folder (where that file is made; empty: TMPDIR, else
 * /tmp).
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_tokens_destroy; it keeps the vocabulary
 *   alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (vocabulary not finished), RNNKIT_E_ARGUMENT (NULL),
 *   RNNKIT_E_OPTION, RNNKIT_E_MEMORY.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokens_create(
    rnnkit_vocab *vocab, const char *options, rnnkit_tokens **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_tokens_destroy(rnnkit_tokens *tokens);

/** Appends a piece of text; pieces may be cut anywhere, within a character even. After
 * RNNKIT_E_ENCODING, RNNKIT_E_IO or RNNKIT_E_MEMORY the stream takes no more and cannot be
 * finished.
 *
 * Arrays: text: `length` bytes, or -1 when it ends with NUL.
 * Ownership: the text is read during the call only.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_ENCODING, RNNKIT_E_ORDER (finished),
 *   RNNKIT_E_IO (temporary file), RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokens_push(
    rnnkit_tokens *tokens, const char *text, int64_t length);

/** Appends a file, which may be larger than memory. Beginning and end of the file end a token. A
 * file that cannot be opened leaves the stream as it was; after RNNKIT_STOPPED what was read stays,
 * without an unfinished token.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: as rnnkit_tokens_push; RNNKIT_STOPPED when the context was cancelled.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokens_push_file(rnnkit_tokens *tokens, const char *path);

/** Appends ids; a token that was begun with rnnkit_tokens_push ends before them.
 *
 * Arrays: ids: `count` int32, each an id of the vocabulary.
 * Ownership: the ids are copied.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL; an id outside the vocabulary, with its place),
 *   RNNKIT_E_ORDER (finished), RNNKIT_E_IO, RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokens_push_ids(
    rnnkit_tokens *tokens, const int32_t *ids, int64_t count);

/** Ends the stream: it can be read from now on, by any number of threads.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ENCODING (the text ended within a character), RNNKIT_E_ORDER
 *   (finished already), RNNKIT_E_IO, RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokens_finish(rnnkit_tokens *tokens);

/** How many ids the stream has, and how many of them are <unk>.
 *
 * Arrays: none.
 * Ownership: *count and *unknown are set; either may be NULL.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished).
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokens_size(
    const rnnkit_tokens *tokens, int64_t *count, int64_t *unknown);

/** Copies ids out of the stream.
 *
 * Arrays: ids: `count` int32, those at places first to first + count - 1.
 * Ownership: the caller's array is filled.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ORDER (not finished), RNNKIT_E_ARGUMENT (NULL; outside),
 *   RNNKIT_E_IO (temporary file).
 * Threads: any, once finished.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_tokens_read(
    const rnnkit_tokens *tokens, int64_t first, int32_t *ids, int64_t count);

RNNKIT_END

#endif
