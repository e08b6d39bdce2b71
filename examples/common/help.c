/* --help of a command, from the table of options: name, value, what it does, default. */
#include <string.h>

#include "arguments.h"

enum { HELP_COLUMN = 30, HELP_WIDTH = 80 };

/* Prints words from column HELP_COLUMN on, breaking lines before HELP_WIDTH. */
static void print_wrapped(FILE *out, const char *text, size_t column)
{
    while (*text != '\0') {
        size_t length = strcspn(text, " ");

        if (column > HELP_COLUMN && column + 1 + length >= HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        if (column > HELP_COLUMN) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, length, out);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/* What stands behind the help: "default: 0.3, with sliding windows 0". */
static void describe_default(const arguments *parsed, size_t row, char text[160])
{
    const char *initial = parsed->rows[row].initial;
    const char *alternate = arguments_alternate(parsed, row);

    if (initial == NULL)
        snprintf(text, 160, "must be given");
    else if (alternate == NULL)
        snprintf(text, 160, "default: %s", initial[0] != '\0' ? initial : "none");
    else
        snprintf(text, 160, "default: %s, %s %s", initial, parsed->alternates_when, alternate);
}

static void print_row(const arguments *parsed, size_t place, FILE *out)
{
    const argument_row *row = &parsed->rows[place];
    char initial[160], text[512];
    int column = fprintf(out, "  --%s", row->name);

    if (row->type != ARGUMENT_FLAG) column += fprintf(out, " %s", row->value);
    if (column + 2 > HELP_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", HELP_COLUMN - column, "");
    describe_default(parsed, place, initial);
    snprintf(text, sizeof text, "%s (%s)", row->help, initial);
    print_wrapped(out, text, HELP_COLUMN);
}

static int heading_has_rows(const arguments *parsed, size_t heading)
{
    for (size_t row = heading + 1; row < parsed->count; row++) {
        if (parsed->rows[row].type == ARGUMENT_HEADING) return 0;
        if ((parsed->rows[row].commands & parsed->member) != 0) return 1;
    }
    return 0;
}

void arguments_print_help(const arguments *parsed, FILE *out)
{
    for (size_t row = 0; row < parsed->count; row++) {
        const argument_row *option = &parsed->rows[row];

        if (option->type == ARGUMENT_HEADING) {
            if (heading_has_rows(parsed, row)) fprintf(out, "\n%s\n", option->help);
        } else if ((option->commands & parsed->member) != 0) {
            print_row(parsed, row, out);
        }
    }
}
