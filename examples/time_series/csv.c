/* A CSV file to a table: the text is cut into fields in place, then the chosen ones become numbers.
 * See csv.h.
 */
#include "csv.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/input.h"

enum { MOST_COLUMNS = 1024 };

typedef struct reader {
    const char *name; /* of the file, for messages */
    char *text;
    size_t length;
    char *at;
    char between;
    int64_t line;               /* where `at` is, from 1 */
    int64_t started;            /* the line on which the record starts */
    char *fields[MOST_COLUMNS]; /* of the record */
    int64_t field_count;
    int64_t width; /* fields of every record */
    int64_t chosen[MOST_COLUMNS];
} reader;

/* A NUL byte would end the text unseen. */
static int check_text(reader *from)
{
    const char *nul = memchr(from->text, '\0', from->length);
    int64_t line = 1;

    if (nul == NULL) return OUTCOME_OK;
    for (const char *at = from->text; at < nul; at++)
        line += *at == '\n';
    return fail("%s: line %lld has a NUL byte: this is no text", from->name, (long long)line);
}

/* What stands between fields: whichever the first line has most of. */
static char find_separator(const char *text)
{
    static const char candidates[] = ",;\t";
    char best = ',';
    size_t most = 0, length = strcspn(text, "\r\n");

    for (const char *c = candidates; *c != '\0'; c++) {
        size_t count = 0;

        for (size_t i = 0; i < length; i++)
            count += text[i] == *c;
        if (count <= most) continue;
        most = count;
        best = *c;
    }
    return best;
}

/* A field in quotes, two of which stand for one; it is unquoted in place. */
static int take_quoted(reader *from, char **field)
{
    char *to = ++from->at;
    int64_t first = from->line;

    *field = to;
    for (;; from->at++) {
        if (*from->at == '\0')
            return fail("%s: line %lld, column %lld: the quote is never closed", from->name,
                (long long)first, (long long)from->field_count + 1);
        if (*from->at == '"' && *++from->at != '"') break;
        from->line += *from->at == '\n';
        *to++ = *from->at;
    }
    if (*from->at != '\0' && strchr("\r\n", *from->at) == NULL && *from->at != from->between)
        return fail("%s: line %lld, column %lld: text behind the closing quote", from->name,
            (long long)from->line, (long long)from->field_count + 1);
    if (to < from->at) *to = '\0';
    return OUTCOME_OK;
}

/* The fields of the next record; 0 at the end of the text, -1 after a message. */
static int take_record(reader *from)
{
    char ended = from->between;

    from->field_count = 0;
    while (*from->at == '\n' || *from->at == '\r') { /* empty lines */
        from->line += *from->at == '\n';
        from->at++;
    }
    if (*from->at == '\0') return 0;
    from->started = from->line;
    while (ended == from->between) {
        char *field = from->at;

        if (from->field_count == MOST_COLUMNS) {
            fail("%s: line %lld has more than %d columns", from->name, (long long)from->line,
                MOST_COLUMNS);
            return -1;
        }
        if (*from->at == '"' && take_quoted(from, &field) != OUTCOME_OK) return -1;
        while (*from->at != '\0' && *from->at != '\n' && *from->at != from->between)
            from->at++;
        ended = *from->at;
        *from->at = '\0';
        if (from->at > field && from->at[-1] == '\r' && ended != from->between) from->at[-1] = '\0';
        from->fields[from->field_count++] = field;
        if (ended != '\0') from->at++;
        from->line += ended == '\n';
    }
    return 1;
}

/* 1 when the text is a finite number, which *value gets. */
static int read_number(const char *text, double *value)
{
    char *end;

    while (isspace((unsigned char)*text))
        text++;
    *value = strtod(text, &end);
    if (end == text) return 0;
    while (isspace((unsigned char)*end))
        end++;
    return *end == '\0' && isfinite(*value);
}

/* Whether a record is the line of names: no field of it is a number. */
static int is_header(const reader *from)
{
    double value;

    for (int64_t i = 0; i < from->field_count; i++)
        if (read_number(from->fields[i], &value)) return 0;
    return 1;
}

static int fail_column(const reader *from, const char *word, char **names)
{
    const char *nearest = NULL;

    if (names != NULL)
        nearest = arguments_nearest(word, (const char *const *)names, (size_t)from->width);
    if (nearest != NULL)
        return fail(
            "--columns: %s has no column '%s'; did you mean '%s'?", from->name, word, nearest);
    return fail("--columns: %s has no column '%s'; there are %lld", from->name, word,
        (long long)from->width);
}

/* A name, or a number from 1. */
static int choose_column(reader *from, table *target, const char *word, char **names)
{
    double number;
    int64_t place = -1;

    for (int64_t i = 0; names != NULL && i < from->width && place < 0; i++)
        if (strcmp(names[i], word) == 0) place = i;
    if (place < 0 && read_number(word, &number) && number == floor(number) && number >= 1 &&
        number <= (double)from->width)
        place = (int64_t)number - 1;
    if (place < 0) return fail_column(from, word, names);
    if (target->columns == MOST_COLUMNS) return fail("--columns: more than %d", MOST_COLUMNS);
    from->chosen[target->columns++] = place;
    return OUTCOME_OK;
}

/* The current record is the first one with values. */
static int choose_columns(reader *from, table *target, const argument_list *columns, char **names)
{
    double value;

    for (size_t i = 0; i < columns->count; i++)
        if (choose_column(from, target, columns->items[i], names) != OUTCOME_OK)
            return OUTCOME_FAILED;
    for (int64_t i = 0; columns->count == 0 && i < from->width; i++)
        if (read_number(from->fields[i], &value)) from->chosen[target->columns++] = i;
    if (target->columns == 0)
        return fail("%s: line %lld has no number", from->name, (long long)from->started);
    return OUTCOME_OK;
}

static int name_columns(reader *from, table *target, char **names)
{
    target->names = calloc((size_t)target->columns, sizeof *target->names);
    if (target->names == NULL) return fail("out of memory");
    for (int64_t i = 0; i < target->columns; i++) {
        char number[32];

        snprintf(number, sizeof number, "column%lld", (long long)from->chosen[i] + 1);
        target->names[i] = strdup(names != NULL ? names[from->chosen[i]] : number);
        if (target->names[i] == NULL) return fail("out of memory");
    }
    return OUTCOME_OK;
}

static int add_row(reader *from, table *target, int64_t *room)
{
    if (from->field_count != from->width)
        return fail("%s: line %lld has %lld columns, expected %lld", from->name,
            (long long)from->started, (long long)from->field_count, (long long)from->width);
    if (target->rows == *room) {
        size_t wanted = (size_t)(*room * 2 + 256) * (size_t)target->columns;
        double *larger = realloc(target->values, wanted * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        target->values = larger;
        *room = *room * 2 + 256;
    }
    for (int64_t i = 0; i < target->columns; i++) {
        const char *field = from->fields[from->chosen[i]];

        if (!read_number(field, &target->values[target->rows * target->columns + i]))
            return fail("%s: line %lld, column %lld (%s): '%.40s' is not a finite number",
                from->name, (long long)from->started, (long long)from->chosen[i] + 1,
                target->names[i], field);
    }
    target->rows++;
    return OUTCOME_OK;
}

/* The lines behind the first: field pointers of the line of names stay good, since every field has
 * its own place in the text. */
static int read_rows(reader *from, table *target, const argument_list *columns)
{
    static char *names[MOST_COLUMNS];
    char **header = NULL;
    int64_t room = 0;
    int more = take_record(from);

    if (more == 0) return fail("%s: there is nothing in it", from->name);
    if (more > 0 && is_header(from)) {
        memcpy(names, from->fields, sizeof names);
        header = names;
        from->width = from->field_count;
        more = take_record(from);
        if (more == 0) return fail("%s: there is no line behind the names", from->name);
    }
    if (more < 0) return OUTCOME_FAILED;
    if (header != NULL && from->field_count != from->width) return add_row(from, target, &room);
    from->width = from->field_count;
    if (choose_columns(from, target, columns, header) != OUTCOME_OK ||
        name_columns(from, target, header) != OUTCOME_OK)
        return OUTCOME_FAILED;
    for (; more > 0; more = take_record(from))
        if (add_row(from, target, &room) != OUTCOME_OK) return OUTCOME_FAILED;
    return more == 0 ? OUTCOME_OK : OUTCOME_FAILED;
}

int csv_read(table *target, const char *path, const argument_list *columns)
{
    static reader from;
    int outcome;

    memset(&from, 0, sizeof from);
    *target = (table){0};
    from.line = 1;
    from.name = input_name(path);
    outcome = input_read(path, &from.text, &from.length);
    if (outcome == OUTCOME_OK) outcome = check_text(&from);
    if (outcome == OUTCOME_OK) {
        from.at = from.text;
        if (strncmp(from.at, "\xEF\xBB\xBF", 3) == 0) from.at += 3;
        from.between = find_separator(from.at);
        outcome = read_rows(&from, target, columns);
    }
    free(from.text);
    if (outcome != OUTCOME_OK) csv_free(target);
    return outcome;
}

void csv_free(table *target)
{
    for (int64_t i = 0; i < target->columns && target->names != NULL; i++)
        free(target->names[i]);
    free(target->names);
    free(target->values);
    *target = (table){0};
}
