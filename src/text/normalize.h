/* Normal forms and lower case (Unicode Standard Annex 15; utf8proc's tables).
 *
 * A text is normalised in runs that are held until a character comes that no earlier one can
 * change: neither mark nor Hangul vowel or final, and without decomposition; every ASCII character
 * is one. What a text becomes thus does not depend on how it was cut into pieces. A run of
 * more than RKI_HOLD bytes without such a character (real text has none) is normalised in parts.
 *
 * Lower-casing goes by single code points (simple mapping) and happens between decomposition and
 * composition, so that the result is normal and lower-case at once: doing all again changes
 * nothing. No locale is consulted.
 */
#ifndef RKI_TEXT_NORMALIZE_H
#define RKI_TEXT_NORMALIZE_H

#include <stdint.h>

#include "base/memory.h"

typedef enum rki_form { RKI_FORM_NONE, RKI_FORM_NFC, RKI_FORM_NFKC } rki_form;

enum { RKI_HOLD = 1024 };

typedef struct rki_normalizer rki_normalizer;

int32_t rki_normalizer_create(
    const rki_memory *memory, rki_form form, int lowercase, rki_normalizer **out);

/* NULL is fine. */
void rki_normalizer_destroy(const rki_memory *memory, rki_normalizer *normalizer);

/* Whether the run held must be taken before `code` is added. */
int rki_normalizer_full(const rki_normalizer *normalizer, int32_t code);

/* Adds a character; rki_normalizer_full() was 0. */
void rki_normalizer_add(rki_normalizer *normalizer, int32_t code);

/* Whether a run is held. */
int rki_normalizer_holds(const rki_normalizer *normalizer);

/* The run, normalised: code points valid until the next call. Nothing is held afterwards. */
int32_t rki_normalizer_take(rki_normalizer *normalizer, const int32_t **codes, int64_t *count);

int32_t rki_lower(int32_t code);

#endif
