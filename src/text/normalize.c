/* Normal forms on utf8proc. See normalize.h. */
#include "text/normalize.h"

#include <utf8proc.h>

#include "text/characters.h"

/* No character gives more code points for each of its bytes (U+FDFA: 18 for 3, under NFKC). */
enum { EXPANSION = 6 };

struct rki_normalizer {
    utf8proc_option_t options;
    int lowercase;
    int single; /* the run is one character that normalising leaves as it is */
    size_t held;
    char run[RKI_HOLD + RKI_UTF8_LONGEST];
    utf8proc_int32_t codes[(RKI_HOLD + RKI_UTF8_LONGEST) * EXPANSION];
};

int32_t rki_normalizer_create(
    const rki_memory *memory, rki_form form, int lowercase, rki_normalizer **out)
{
    void *block;
    RKI_TRY(rki_allocate(memory, 1, sizeof(rki_normalizer), "a normaliser", &block));
    rki_normalizer *normalizer = block;
    normalizer->lowercase = lowercase;
    normalizer->options = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    if (form == RKI_FORM_NFKC) normalizer->options |= UTF8PROC_COMPAT;
    *out = normalizer;
    return RNNKIT_OK;
}

void rki_normalizer_destroy(const rki_memory *memory, rki_normalizer *normalizer)
{
    rki_release(memory, normalizer);
}

/* Whether the text may be cut before `code`: it neither decomposes nor moves, nor is it ever the
 * second of a composition (those are marks, Hangul vowels and finals, and one Kirat Rai vowel). */
static int is_boundary(int32_t code)
{
    if (code < 0x80) return 1;
    if ((code >= 0x1160 && code <= 0x11FF) || code == 0x16D67) return 0;
    const utf8proc_property_t *property = utf8proc_get_property(code);
    if (property->combining_class != 0 || property->decomp_seqindex != UINT16_MAX) return 0;
    return property->category < UTF8PROC_CATEGORY_MN || property->category > UTF8PROC_CATEGORY_ME;
}

int rki_normalizer_full(const rki_normalizer *normalizer, int32_t code)
{
    return normalizer->held > 0 && (normalizer->held >= RKI_HOLD || is_boundary(code));
}

void rki_normalizer_add(rki_normalizer *normalizer, int32_t code)
{
    normalizer->single = normalizer->held == 0 && is_boundary(code);
    normalizer->codes[0] = code;
    normalizer->held += rki_utf8_encode(code, normalizer->run + normalizer->held);
}

int rki_normalizer_holds(const rki_normalizer *normalizer)
{
    return normalizer->held > 0;
}

int32_t rki_normalizer_take(rki_normalizer *normalizer, const int32_t **codes, int64_t *count)
{
    utf8proc_ssize_t length = 1;
    int whole = normalizer->single;
    if (!whole)
        length = utf8proc_decompose((const utf8proc_uint8_t *)normalizer->run,
            (utf8proc_ssize_t)normalizer->held, normalizer->codes,
            sizeof normalizer->codes / sizeof *normalizer->codes, normalizer->options);
    normalizer->held = 0;
    if (length >= 0 && normalizer->lowercase)
        for (utf8proc_ssize_t i = 0; i < length; i++)
            normalizer->codes[i] = rki_lower(normalizer->codes[i]);
    if (length >= 0 && !whole)
        length = utf8proc_normalize_utf32(normalizer->codes, length, normalizer->options);
    if (length < 0)
        return rki_fail(RNNKIT_E_INTERNAL, "normalising failed: %s", utf8proc_errmsg(length));
    *codes = normalizer->codes;
    *count = length;
    return RNNKIT_OK;
}

int32_t rki_lower(int32_t code)
{
    if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
    return utf8proc_tolower(code);
}
