/* A header with every fault that check_header_docs.py looks for; good() has none. */
#define RNNKIT_E_GOOD (-1) /* the only code there is */
typedef struct rnnkit_thing rnnkit_thing;

/** Does what it should.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_GOOD,
 *   and once more RNNKIT_E_GOOD.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_good(const rnnkit_thing *thing, const char **names);

RNNKIT_API void rnnkit_bare(void);

/**
 * Arrays: none.
 * Ownership: none.
 * Errors: none.
 * Threads: any.
 * Since: 0.1.
 * Source:
 */
RNNKIT_API void rnnkit_empty(void);

/** Mixes the order up.
 *
 * Arrays: none.
 * Errors: none.
 * Ownership: none.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_order(void);

/** Forgets who owns what, and the mark of a status.
 *
 * Arrays: none.
 * Errors: none.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API int32_t rnnkit_missing(void);

/** Has bad tags.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_NONE.
 * Threads: perhaps.
 * Since: soon.
 * Source: none.
 */
RNNKIT_API void rnnkit_tags(void);

/** Has types that may not cross the API.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: none.
 * Threads: any.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API long rnnkit_types(int count, struct thing whole);
