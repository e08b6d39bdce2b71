/* Option structs back to option strings: what a model file says of its layers. */
#include <stdio.h>
#include <string.h>

#include "base/numbers.h"
#include "base/options.h"

/* Room for any one value as text: a TEXT in quotes with every byte escaped. */
enum { VALUE_SIZE = 2 * RKI_OPTION_TEXT_SIZE + 3 };

static void quote(const char *text, char out[VALUE_SIZE])
{
    char *p = out;
    *p++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') *p++ = '\\';
        *p++ = *text;
    }
    *p++ = '"';
    *p = '\0';
}

static void value_text(const rki_option *row, const void *source, char out[VALUE_SIZE])
{
    const char *field = (const char *)source + row->offset;
    int64_t integer;
    int32_t small;
    double number;
    switch (row->type) {
    case RKI_OPTION_INTEGER:
        memcpy(&integer, field, sizeof integer);
        snprintf(out, VALUE_SIZE, "%lld", (long long)integer);
        break;
    case RKI_OPTION_NUMBER:
        memcpy(&number, field, sizeof number);
        rki_format_number(number, out);
        break;
    case RKI_OPTION_FLAG:
        memcpy(&small, field, sizeof small);
        snprintf(out, VALUE_SIZE, "%d", (int)small);
        break;
    case RKI_OPTION_CHOICE: {
        memcpy(&small, field, sizeof small);
        const char *name = rki_option_choice_name(row, small);
        snprintf(out, VALUE_SIZE, "%s", name == NULL ? "" : name);
        break;
    }
    case RKI_OPTION_TEXT: quote(field, out); break;
    }
}

/* Whether the field holds something else than the row's default. */
static int differs(const rki_option *row, const char *value)
{
    double number, initial;
    if (row->type == RKI_OPTION_NUMBER && rki_parse_number(value, strlen(value), &number) &&
        rki_parse_number(row->initial, strlen(row->initial), &initial))
        return number != initial;
    if (row->type == RKI_OPTION_TEXT) {
        char quoted[VALUE_SIZE];
        quote(row->initial, quoted);
        return strcmp(quoted, value) != 0;
    }
    return strcmp(row->initial, value) != 0;
}

int32_t rki_options_format(
    const rki_option_table *table, const void *source, const rki_memory *memory, char **out)
{
    void *text = NULL;
    int64_t capacity = 0, used = 0;
    for (int32_t i = 0; i < table->count; i++) {
        const rki_option *row = &table->rows[i];
        char value[VALUE_SIZE];
        value_text(row, source, value);
        if (!differs(row, value)) continue;
        int64_t more = (int64_t)(strlen(row->name) + strlen(value)) + 3;
        int32_t status = rki_grow(memory, &text, &capacity, used, used + more, 1, "an option text");
        if (status < 0) {
            rki_release(memory, text);
            return status;
        }
        used += snprintf((char *)text + used, (size_t)(capacity - used), "%s%s=%s",
            used == 0 ? "" : " ", row->name, value);
    }
    if (text == NULL) return rki_copy_text(memory, "", 0, out);
    *out = text;
    return RNNKIT_OK;
}
