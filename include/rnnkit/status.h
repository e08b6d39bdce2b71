/** @file
 * Status codes and messages, version, and what this build can do.
 *
 * Every call that can fail returns an int32_t. 0 is success, a positive value is success with a
 * note, a negative value is a failure: outputs are then untouched and rnnkit_error_message() says
 * which call failed, on what, and what was expected. The numbers never change.
 */
#ifndef RNNKIT_STATUS_H
#define RNNKIT_STATUS_H

#include "rnnkit/api.h"

#define RNNKIT_VERSION_MAJOR 0
#define RNNKIT_VERSION_MINOR 1
#define RNNKIT_VERSION_PATCH 0

#define RNNKIT_OK      0 /* done as asked */
#define RNNKIT_DONE    1 /* nothing left: the end of an epoch, of a generated text */
#define RNNKIT_STOPPED 2 /* stopped at a clean point because a callback or a cancel asked for it */

#define RNNKIT_E_ARGUMENT    (-1)  /* a NULL where none may be, or a number outside its range */
#define RNNKIT_E_HANDLE      (-2)  /* not a handle, a freed one, or one of another kind */
#define RNNKIT_E_SHAPE       (-3)  /* array sizes that do not fit together, or overflow */
#define RNNKIT_E_OPTION      (-4)  /* an option that is unknown, given twice, or out of range */
#define RNNKIT_E_ORDER       (-5)  /* a call that is not possible in the handle's present state */
#define RNNKIT_E_NOT_FOUND   (-6)  /* no such name, word, id or file entry */
#define RNNKIT_E_TOO_SMALL   (-7)  /* the caller's buffer is too small; the needed size is given */
#define RNNKIT_E_MEMORY      (-20) /* an allocation failed */
#define RNNKIT_E_IO          (-30) /* the operating system refused to open, read or write */
#define RNNKIT_E_FORMAT      (-31) /* a file is damaged, truncated or of another format */
#define RNNKIT_E_ENCODING    (-32) /* text is not UTF-8 and the tokenizer is strict */
#define RNNKIT_E_BACKEND     (-40) /* no such device, or its plug-in cannot be used here */
#define RNNKIT_E_DEVICE      (-41) /* the device failed; the context is of no more use */
#define RNNKIT_E_UNSUPPORTED (-42) /* the device does not offer this operation */
#define RNNKIT_E_DIVERGED    (-50) /* loss or gradient is not finite; the weights are untouched */
#define RNNKIT_E_INTERNAL    (-90) /* a defect of the library */

RNNKIT_BEGIN

/** The calling thread's last failure in words; an empty text before the first one.
 *
 * Arrays: none.
 * Ownership: the text belongs to the library and stays valid until this thread's next failing call.
 * Errors: none; never NULL.
 * Threads: any; each thread has its own message (a context keeps its own last one as well, see
 *   rnnkit_context_error_message, for hosts whose tasks change threads).
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API const char *rnnkit_error_message(void);

/** The name of a status code: "RNNKIT_E_SHAPE"; "unknown status" for a number that is none.
 *
 * Arrays: none.
 * Ownership: a constant text.
 * Errors: none; never NULL.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API const char *rnnkit_status_name(int32_t status);

/** The version of the library that is running: "0.1.0".
 *
 * Arrays: none.
 * Ownership: a constant text.
 * Errors: none; never NULL.
 * Threads: any.
 * Since: 0.1.
 * Source: semver.org, 2.0.0.
 */
RNNKIT_API const char *rnnkit_version(void);

/** Describes the running library, a line each: version, compiler, BLAS with its core name and
 * threading kind, instruction set in use, threads, and each backend with its state or the reason
 * why it cannot be used.
 *
 * Arrays: buffer: room for `capacity` bytes; NULL when capacity is 0. *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled.
 * Errors: RNNKIT_E_ARGUMENT when needed is NULL; RNNKIT_E_TOO_SMALL when capacity < *needed, and
 *   *needed is set all the same.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_build_info(char *buffer, int64_t capacity, int64_t *needed);

/** Lists the options of a noun, a line each, fields parted by tabs: name, type (integer, number,
 * flag, choice, text), least, most, default, choices, since, help. With noun NULL: the nouns.
 *
 * Arrays: buffer: room for `capacity` bytes; NULL when capacity is 0. *needed: bytes including NUL.
 * Ownership: the caller's buffer is filled.
 * Errors: RNNKIT_E_NOT_FOUND for an unknown noun (the nearest is named); RNNKIT_E_ARGUMENT when
 *   needed is NULL; RNNKIT_E_TOO_SMALL when capacity < *needed, and *needed is set all the same.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_options_describe(
    const char *noun, char *buffer, int64_t capacity, int64_t *needed);

RNNKIT_END

#endif
