/* The command that repeats a run: every option that was given, quoted so that a POSIX shell reads
 * back the same words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"

static void write_quoted(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_-+=./,:@%";

    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (const char *at = word; *at != '\0'; at++)
        if (*at == '\'')
            fputs("'\\''", out);
        else
            fputc(*at, out);
    fputc('\'', out);
}

static void write_pair(FILE *out, const char *name, const char *value)
{
    fprintf(out, " --%s%c", name, arguments_is_name(value) ? '=' : ' ');
    write_quoted(out, value);
}

static void write_option(FILE *out, const arguments *parsed, size_t row)
{
    const argument_row *option = &parsed->rows[row];
    char buffer[ARGUMENT_TEXT_SIZE];

    if (option->type == ARGUMENT_LIST) {
        const argument_list *list =
            (const argument_list *)(const void *)((const char *)parsed->values + option->offset);

        for (size_t i = 0; i < list->count; i++)
            write_pair(out, option->name, list->items[i]);
    } else if (option->type == ARGUMENT_FLAG) {
        const char *text = arguments_text(parsed, row, buffer);

        fprintf(out, strcmp(text, "no") == 0 ? " --no-%s" : " --%s", option->name);
    } else {
        write_pair(out, option->name, arguments_text(parsed, row, buffer));
    }
}

char *arguments_command(const arguments *parsed)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL) return NULL;
    write_quoted(out, parsed->program);
    fprintf(out, " %s", parsed->command);
    for (size_t row = 0; row < parsed->count; row++)
        if (arguments_has(parsed, row) && parsed->given[row]) write_option(out, parsed, row);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}
