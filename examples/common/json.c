/* The writer of JSON lines. Numbers have the fewest digits that read back to the same value. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "console.h"

/* The length of the well-formed UTF-8 character at `at` (Unicode 15, table 3-7), or 0. */
static int character_length(const unsigned char *at)
{
    unsigned char least = 0x80, most = 0xBF;
    int length;

    if (at[0] < 0x80) return 1;
    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        length = 2;
    else if (at[0] >= 0xE0 && at[0] <= 0xEF)
        length = 3;
    else if (at[0] >= 0xF0 && at[0] <= 0xF4)
        length = 4;
    else
        return 0;
    if (at[0] == 0xE0) least = 0xA0;
    if (at[0] == 0xED) most = 0x9F;
    if (at[0] == 0xF0) least = 0x90;
    if (at[0] == 0xF4) most = 0x8F;
    if (at[1] < least || at[1] > most) return 0;
    for (int i = 2; i < length; i++)
        if (at[i] < 0x80 || at[i] > 0xBF) return 0;
    return length;
}

static void write_string(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    putchar('"');
    while (*at != '\0') {
        int length = character_length(at);

        if (length == 0)
            fputs("\\ufffd", stdout);
        else if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if (*at == '\n')
            fputs("\\n", stdout);
        else if (*at < 0x20 || *at == 0x7F)
            printf("\\u%04x", *at);
        else
            fwrite(at, 1, (size_t)length, stdout);
        at += length > 0 ? length : 1;
    }
    putchar('"');
}

static void write_name(const char *name)
{
    putchar(',');
    write_string(name);
    putchar(':');
}

void json_begin(const char *event)
{
    fputs("{\"event\":", stdout);
    write_string(event);
}

void json_text(const char *name, const char *text)
{
    write_name(name);
    write_string(text);
}

void json_integer(const char *name, int64_t value)
{
    write_name(name);
    printf("%lld", (long long)value);
}

void json_number(const char *name, double value)
{
    char digits[40] = "null";

    for (int precision = 1; isfinite(value) && precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value) break;
    }
    write_name(name);
    fputs(digits, stdout);
}

void json_flag(const char *name, int value)
{
    write_name(name);
    fputs(value ? "true" : "false", stdout);
}

void json_end(void)
{
    console_line("}");
}
