/* Floats as text. See float_text.h.
 *
 * Both ways rest on one fact (Clinger, PLDI 1990): a whole number below 2^53 times or divided by a
 * power of ten up to 10^22, all exact in double, is rounded once, so it is the double nearest to
 * the decimal number. Where that does not apply, the C library does the work (base/numbers.h).
 *
 * Writing tries more and more digits until that double rounds to the value. A double within one
 * unit of the middle between two floats counts as not rounding to it, so that readers which round
 * the decimal number straight to float agree.
 */
#include "word2vec/float_text.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/numbers.h"

enum { MOST_POWER = 22 };

static const double powers[MOST_POWER + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
    1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* digits * 10^exponent, |exponent| <= MOST_POWER. */
static double scaled(uint64_t digits, int exponent)
{
    return exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
}

/* Whether a decimal number whose double this is rounds to the float. */
static int rounds_to(double decimal, float value)
{
    uint64_t bits;
    memcpy(&bits, &decimal, sizeof bits);
    uint64_t rest = bits & 0x1FFFFFFF; /* what a float does not hold */
    return (float)decimal == value && (rest < 0x0FFFFFFF || rest > 0x10000001);
}

/* The least number of digits, `digits` * 10^`exponent`; 0 when the C library must do it. */
static int shortest(float value, uint64_t *digits, int *exponent)
{
    double x = (double)value;
    int place = (int)floor(log10(x)); /* may be off by one at powers of ten */
    int count = 6, tried_down = 0;
    if (place < -13 || place > 20) return 0;
    for (;;) {
        int power = place + 1 - count;
        double whole = power < 0 ? x * powers[-power] : x / powers[power];
        uint64_t rounded = (uint64_t)(whole + 0.5);
        int fits = rounds_to(scaled(rounded, power), value);
        if (fits) {
            *digits = rounded;
            *exponent = power;
        }
        if (fits && count <= 6 && count > 1) {
            tried_down = 1;
            count--;
        } else if (fits || tried_down) {
            return 1;
        } else if (++count > 10) {
            return 0;
        }
    }
}

/* Writes digits with a point, or with an exponent where that is shorter to read. */
static size_t place_digits(char *text, size_t count, int exponent, char *out)
{
    int point = (int)count + exponent; /* digits before the point */
    size_t used = 0;
    if (point > 0 && point <= 9) {
        for (size_t i = 0; i < count || (int)i < point; i++) {
            if ((int)i == point) out[used++] = '.';
            out[used++] = i < count ? text[i] : '0';
        }
        return used;
    }
    if (point <= 0 && point > -5) {
        out[used++] = '0';
        out[used++] = '.';
        for (int i = point; i < 0; i++)
            out[used++] = '0';
        memcpy(out + used, text, count);
        return used + count;
    }
    out[used++] = text[0];
    if (count > 1) out[used++] = '.';
    memcpy(out + used, text + 1, count - 1);
    used += count - 1;
    out[used++] = 'e';
    int power = point - 1;
    out[used++] = power < 0 ? '-' : '+';
    if (power < 0) power = -power;
    out[used++] = (char)('0' + power / 10);
    out[used++] = (char)('0' + power % 10);
    return used;
}

size_t rki_float_write(float value, char out[RKI_FLOAT_TEXT])
{
    uint64_t digits = 0;
    int exponent = 0;
    size_t used = 0, count = 0;
    char text[RKI_NUMBER_SIZE], reversed[RKI_NUMBER_SIZE];
    if (signbit(value)) {
        out[used++] = '-';
        value = -value;
    }
    if (value == 0) {
        out[used++] = '0';
        return used;
    }
    if (!shortest(value, &digits, &exponent)) {
        rki_format_single(value, text);
        memcpy(out + used, text, strlen(text));
        return used + strlen(text);
    }
    while (digits % 10 == 0) {
        digits /= 10;
        exponent++;
    }
    for (; digits > 0; digits /= 10)
        reversed[count++] = (char)('0' + digits % 10);
    for (size_t i = 0; i < count; i++)
        text[i] = reversed[count - 1 - i];
    return used + place_digits(text, count, exponent, out + used);
}

/* Decimal digits with at most one point, as a whole number and a power of ten; returns what is
 * behind them, or NULL when there are none or too many. */
static const char *read_digits(const char *text, const char *end, uint64_t *digits, int *exponent)
{
    int count = 0, point = 0, seen = 0;
    *digits = 0;
    *exponent = 0;
    for (; text < end; text++) {
        if (*text == '.' && !point) {
            point = 1;
            continue;
        }
        if (*text < '0' || *text > '9') break;
        seen = 1;
        *digits = *digits * 10 + (uint64_t)(*text - '0');
        *exponent -= point;
        if (*digits != 0 && ++count > 15) return NULL;
    }
    return seen ? text : NULL;
}

static int slow(const char *text, size_t size, float *value)
{
    double wide;
    if (!rki_parse_number(text, size, &wide)) return 0;
    *value = (float)wide;
    return isfinite(*value);
}

int rki_float_read(const char *text, size_t size, float *value)
{
    const char *end = text + size, *start = text;
    uint64_t digits;
    int exponent, more = 0, negative = 0;
    if (start < end && (*start == '-' || *start == '+')) negative = *start++ == '-';
    const char *next = read_digits(start, end, &digits, &exponent);
    if (next == NULL) return slow(text, size, value);
    if (next < end && (*next == 'e' || *next == 'E')) {
        const char *at = next + 1;
        int down = at < end && *at == '-', read = 0;
        if (at < end && (*at == '-' || *at == '+')) at++;
        for (; at < end && *at >= '0' && *at <= '9' && more < 1000; at++, read = 1)
            more = more * 10 + (*at - '0');
        if (!read) return slow(text, size, value);
        next = at;
        if (down) more = -more;
    }
    exponent += more;
    if (next != end || exponent < -MOST_POWER || exponent > MOST_POWER)
        return slow(text, size, value);
    float read = (float)scaled(digits, exponent);
    *value = negative ? -read : read;
    return isfinite(read);
}
