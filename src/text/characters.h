/* Characters out of UTF-8 bytes that come in pieces cut anywhere, and back to bytes.
 *
 * Unicode Standard 15.0, table 3-7 (well-formed sequences). Where bytes are not UTF-8, the policy
 * says what happens: strict fails with the byte's place, replace gives one U+FFFD for each maximal
 * subpart (section 3.9, the practice the standard recommends), skip leaves them out.
 */
#ifndef RKI_TEXT_CHARACTERS_H
#define RKI_TEXT_CHARACTERS_H

#include <stddef.h>
#include <stdint.h>

typedef enum rki_utf8_policy { RKI_UTF8_STRICT, RKI_UTF8_REPLACE, RKI_UTF8_SKIP } rki_utf8_policy;

typedef struct rki_utf8 {
    rki_utf8_policy policy;
    int64_t offset;          /* place of the next byte, counted from the start of the text */
    int32_t code;            /* bits of the character begun */
    int32_t begun, wanted;   /* bytes of it seen, and still to come; 0, 0 between characters */
    unsigned char low, high; /* range of the next byte */
} rki_utf8;

void rki_utf8_init(rki_utf8 *decoder, rki_utf8_policy policy);

/* Takes bytes from *cursor on until a character is complete: 1 and *code. 0: all bytes up to `end`
 * are taken and more are needed. RNNKIT_E_ENCODING under the strict policy. */
int32_t rki_utf8_take(
    rki_utf8 *decoder, const unsigned char **cursor, const unsigned char *end, int32_t *code);

/* The text ends here: 1 and *code when an unfinished character is replaced, 0 when there is nothing
 * to give, RNNKIT_E_ENCODING under the strict policy. The decoder is then as new, offset included.
 */
int32_t rki_utf8_end(rki_utf8 *decoder, int32_t *code);

enum { RKI_UTF8_LONGEST = 4 };

/* Writes a Unicode scalar value; returns how many bytes. */
size_t rki_utf8_encode(int32_t code, char out[RKI_UTF8_LONGEST]);

/* How many characters well-formed UTF-8 has; -1 when it is not well-formed. */
int64_t rki_utf8_count(const char *text, size_t size);

/* How many bytes stand before a character that is begun but not finished at the end of the text. */
size_t rki_utf8_whole(const char *text, size_t size);

enum { RKI_UTF8_SHOWN = 80 };

/* A text for a message: cut to fit, other than printing characters as \xHH. Returns `out`. */
const char *rki_utf8_show(const char *text, size_t size, char out[RKI_UTF8_SHOWN]);

#endif
