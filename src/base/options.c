/* Option strings: scanning, values, messages. See options.h. */
#include "base/options.h"

#include <math.h>
#include <string.h>

#include "base/nearest.h"
#include "base/numbers.h"

typedef struct pair {
    const char *key;
    size_t key_length;
    const char *value; /* within the text; quotes taken off, escapes still in */
    size_t value_length;
    int quoted;
} pair;

static int is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* How much of a word a message shows: a wall of text must not push the reason out of it. */
static int shown(size_t length)
{
    return length > 60 ? 60 : (int)length;
}

/* The next pair at *cursor: 1 found, 0 end of text, or a failure. */
static int32_t scan(const char **cursor, pair *out)
{
    const char *p = *cursor;
    while (is_space(*p))
        p++;
    if (*p == '\0') return 0;
    out->key = p;
    while (*p != '\0' && *p != '=' && !is_space(*p))
        p++;
    out->key_length = (size_t)(p - out->key);
    if (*p != '=' || out->key_length == 0)
        return rki_fail(RNNKIT_E_OPTION, "option '%.*s' has no value, expected key=value",
            shown(out->key_length), out->key);
    p++;
    out->quoted = *p == '"';
    if (out->quoted) {
        out->value = ++p;
        while (*p != '\0' && *p != '"')
            p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
        if (*p == '\0')
            return rki_fail(RNNKIT_E_OPTION,
                "option '%.*s' has an opening quote but no closing one", shown(out->key_length),
                out->key);
        out->value_length = (size_t)(p - out->value);
        p++;
    } else {
        out->value = p;
        while (*p != '\0' && !is_space(*p))
            p++;
        out->value_length = (size_t)(p - out->value);
    }
    *cursor = p;
    return 1;
}

static int same(const char *name, const char *text, size_t length)
{
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

static const rki_option *find_row(const rki_option_table *table, const pair *given)
{
    for (int32_t i = 0; i < table->count; i++)
        if (same(table->rows[i].name, given->key, given->key_length)) return &table->rows[i];
    return NULL;
}

static int32_t unknown_key(const rki_option_table *table, const pair *given)
{
    rki_nearest nearest = rki_nearest_start(given->key, given->key_length);
    for (int32_t i = 0; i < table->count; i++)
        rki_nearest_offer(&nearest, table->rows[i].name);
    if (nearest.best != NULL)
        return rki_fail(RNNKIT_E_OPTION, "%s has no option '%.*s'; did you mean '%s'?", table->noun,
            shown(given->key_length), given->key, nearest.best);
    return rki_fail(RNNKIT_E_OPTION, "%s has no option '%.*s'", table->noun,
        shown(given->key_length), given->key);
}

static int32_t out_of_range(const rki_option *row, const pair *given)
{
    char least[RKI_NUMBER_SIZE], most[RKI_NUMBER_SIZE];
    return rki_fail(RNNKIT_E_OPTION, "option %s=%.*s is out of range, expected %s to %s", row->name,
        shown(given->value_length), given->value, rki_format_number(row->least, least),
        rki_format_number(row->most, most));
}

static int32_t bad_value(const rki_option *row, const pair *given, const char *expected)
{
    return rki_fail(RNNKIT_E_OPTION, "option %s=%.*s is not %s", row->name,
        shown(given->value_length), given->value, expected);
}

static int32_t set_choice(const rki_option *row, const pair *given, int32_t *target)
{
    int32_t place = 0;
    for (const char *p = row->choices; *p != '\0'; place++) {
        size_t length = strcspn(p, "|");
        if (length == given->value_length && memcmp(p, given->value, length) == 0) {
            *target = place;
            return RNNKIT_OK;
        }
        p += length;
        if (*p == '|') p++;
    }
    return rki_fail(RNNKIT_E_OPTION, "option %s=%.*s is none of %s", row->name,
        shown(given->value_length), given->value, row->choices);
}

static int32_t set_text(const rki_option *row, const pair *given, char *target)
{
    size_t used = 0;
    for (size_t i = 0; i < given->value_length; i++) {
        char c = given->value[i];
        if (given->quoted && c == '\\') {
            c = given->value[++i];
            if (c != '"' && c != '\\')
                return rki_fail(RNNKIT_E_OPTION,
                    "option %s: only \\\" and \\\\ are escapes within quotes", row->name);
        }
        if (used + 1 >= RKI_OPTION_TEXT_SIZE)
            return rki_fail(RNNKIT_E_OPTION, "option %s is longer than %d bytes", row->name,
                RKI_OPTION_TEXT_SIZE - 1);
        target[used++] = c;
    }
    memset(target + used, 0, RKI_OPTION_TEXT_SIZE - used);
    return RNNKIT_OK;
}

static int32_t set_value(const rki_option *row, const pair *given, void *target)
{
    char *field = (char *)target + row->offset;
    int64_t integer;
    double number;
    switch (row->type) {
    case RKI_OPTION_INTEGER:
        if (!rki_parse_integer(given->value, given->value_length, &integer))
            return bad_value(row, given, "a whole number");
        if ((double)integer < row->least || (double)integer > row->most)
            return out_of_range(row, given);
        memcpy(field, &integer, sizeof integer);
        return RNNKIT_OK;
    case RKI_OPTION_NUMBER:
        if (!rki_parse_number(given->value, given->value_length, &number) || !isfinite(number))
            return bad_value(row, given, "a finite number");
        if (number < row->least || number > row->most) return out_of_range(row, given);
        memcpy(field, &number, sizeof number);
        return RNNKIT_OK;
    case RKI_OPTION_FLAG: {
        if (!rki_parse_integer(given->value, given->value_length, &integer) || integer < 0 ||
            integer > 1)
            return bad_value(row, given, "0 or 1");
        int32_t flag = (int32_t)integer;
        memcpy(field, &flag, sizeof flag);
        return RNNKIT_OK;
    }
    case RKI_OPTION_CHOICE: return set_choice(row, given, (int32_t *)(void *)field);
    case RKI_OPTION_TEXT: return set_text(row, given, field);
    }
    return rki_fail(RNNKIT_E_INTERNAL, "option %s has no type", row->name);
}

int32_t rki_options_parse(const rki_option_table *table, const char *text, void *target)
{
    for (int32_t i = 0; i < table->count; i++) {
        const rki_option *row = &table->rows[i];
        pair initial = {row->name, strlen(row->name), row->initial, strlen(row->initial), 0};
        RKI_TRY(set_value(row, &initial, target));
    }
    return rki_options_apply(table, text, target);
}

int32_t rki_options_apply(const rki_option_table *table, const char *text, void *target)
{
    uint64_t seen = 0; /* no noun has 64 options; tests/unit/test_options.c checks every table */
    const char *cursor = text == NULL ? "" : text;
    for (;;) {
        pair given;
        int32_t found = scan(&cursor, &given);
        if (found <= 0) return found;
        const rki_option *row = find_row(table, &given);
        if (row == NULL) return unknown_key(table, &given);
        uint64_t bit = (uint64_t)1 << (row - table->rows);
        if (seen & bit) return rki_fail(RNNKIT_E_OPTION, "option %s is given twice", row->name);
        seen |= bit;
        RKI_TRY(set_value(row, &given, target));
    }
}

const char *rki_option_choice_name(const rki_option *row, int32_t choice)
{
    static _Thread_local char name[32];
    const char *p = row->choices;
    for (int32_t i = 0; i < choice && p != NULL; i++) {
        p = strchr(p, '|');
        if (p != NULL) p++;
    }
    if (p == NULL || choice < 0) return NULL;
    size_t length = strcspn(p, "|");
    if (length >= sizeof name) length = sizeof name - 1;
    memcpy(name, p, length);
    name[length] = '\0';
    return name;
}
