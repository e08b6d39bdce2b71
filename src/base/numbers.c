/* Numbers as text in the "C" locale's form, whatever the host has set. See numbers.h. */
#include "base/numbers.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static locale_t c_locale; /* made once and kept: the process may end with calls in flight */
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static int copy_word(const char *text, size_t length, char buffer[64])
{
    if (length == 0 || length >= 64 || memchr(text, 0, length) != NULL) return 0;
    if (text[0] == ' ' || text[0] == '\t' || text[0] == '\n') return 0;
    memcpy(buffer, text, length);
    buffer[length] = '\0';
    return 1;
}

int rki_parse_integer(const char *text, size_t length, int64_t *value)
{
    char word[64], *end;
    if (!copy_word(text, length, word)) return 0;
    errno = 0;
    long long parsed = strtoll(word, &end, 10);
    if (errno != 0 || *end != '\0') return 0;
    *value = parsed;
    return 1;
}

int rki_parse_number(const char *text, size_t length, double *value)
{
    char word[64], *end;
    if (!copy_word(text, length, word)) return 0;
    pthread_once(&c_locale_once, make_c_locale);
    errno = 0;
    double parsed = c_locale != (locale_t)0 ? strtod_l(word, &end, c_locale) : strtod(word, &end);
    if (*end != '\0' || (errno == ERANGE && isinf(parsed))) return 0;
    *value = parsed;
    return 1;
}

/* Whether the text reads back to the value: as a double, or rounded to a float. */
static int reads_back(const char *text, double value, int single)
{
    double back;
    if (!rki_parse_number(text, strlen(text), &back)) return 0;
    return single ? (float)back == (float)value : back == value;
}

static const char *format(double value, int single, char buffer[RKI_NUMBER_SIZE])
{
    pthread_once(&c_locale_once, make_c_locale);
    locale_t host = c_locale != (locale_t)0 ? uselocale(c_locale) : (locale_t)0;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buffer, RKI_NUMBER_SIZE, "%.*g", digits, value);
        if (reads_back(buffer, value, single)) break;
    }
    if (host != (locale_t)0) uselocale(host);
    return buffer;
}

const char *rki_format_number(double value, char buffer[RKI_NUMBER_SIZE])
{
    return format(value, 0, buffer);
}

const char *rki_format_single(float value, char buffer[RKI_NUMBER_SIZE])
{
    return format((double)value, 1, buffer);
}
