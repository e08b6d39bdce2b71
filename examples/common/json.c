/* The writer of JSON lines. Numbers have the fewest digits that read back to the same value. */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "console.h"
#include "utf8.h"

static void write_string(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    putchar('"');
    while (*at != '\0') {
        int length = utf8_length((const char *)at);

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
