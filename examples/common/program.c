/* From the words of the command line to the command that runs. See program.h. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rnnkit/rnnkit.h>

#include "console.h"
#include "interrupt.h"

static void print_usage(const program *self, FILE *out)
{
    fprintf(out, "%s\n\n", self->about);
    for (size_t i = 0; i < self->command_count; i++)
        fprintf(
            out, "  %s %-12s  %s\n", self->name, self->commands[i].name, self->commands[i].purpose);
    fprintf(out,
        "\n%s COMMAND --help lists a command's options;\n"
        "%s --version tells what the library is and has.\n\n%s",
        self->name, self->name, self->example);
}

static int print_version(void)
{
    char text[8192];
    int64_t needed;

    if (failed(rnnkit_build_info(text, sizeof text, &needed))) return OUTCOME_FAILED;
    console_text(text, strlen(text));
    return OUTCOME_OK;
}

/* The library's own options of a noun, from the table that it checks them by. */
static int print_library_options(const program_noun *from)
{
    char text[8192];
    int64_t needed;

    if (failed(rnnkit_options_describe(from->noun, text, sizeof text, &needed)))
        return OUTCOME_FAILED;
    printf("\n--%s takes\n", from->option);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *fields[8];
        int count = 0;

        for (char *at = line; at != NULL && count < 8; count++) {
            fields[count] = at;
            at = strchr(at, '\t');
            if (at != NULL) *at++ = '\0';
        }
        if (count == 8) printf("  %-26s  %s (default: %s)\n", fields[0], fields[7], fields[4]);
    }
    return OUTCOME_OK;
}

static int print_help(const program *self, const arguments *parsed)
{
    printf("%s %s [options]\n", self->name, parsed->command);
    arguments_print_help(parsed, stdout);
    for (const program_noun *at = self->nouns; at != NULL && at->noun != NULL; at++)
        if (arguments_find(parsed, at->option) < parsed->count &&
            print_library_options(at) != OUTCOME_OK)
            return OUTCOME_FAILED;
    return OUTCOME_OK;
}

/* 1 when the word is an option that takes the next word, or all up to the next option. */
static int takes_values(const arguments *parsed, const char *word, int *list)
{
    size_t row;

    *list = 0;
    if (strchr(word, '=') != NULL || strcmp(word, "--help") == 0) return 0;
    row = arguments_find(parsed, word + 2);
    if (row == parsed->count) return 0;
    *list = parsed->rows[row].type == ARGUMENT_LIST;
    return parsed->rows[row].type != ARGUMENT_FLAG;
}

/* Copies options with their values, or else the words that stand alone; returns how many. */
static int copy_words(const arguments *parsed, int count, char **words, int loose, char **out)
{
    int used = 0, values = 0, list = 0;

    for (int i = 0; i < count; i++) {
        int belongs = 1;

        if (arguments_is_name(words[i]))
            values = takes_values(parsed, words[i], &list);
        else if (values > 0)
            values = list;
        else
            belongs = strcmp(words[i], "-h") == 0;
        if (belongs != loose) out[used++] = words[i];
    }
    return used;
}

/* Puts words that stand alone behind the option for them; `out` has room for count + 1. */
static int order_words(
    const program *self, const arguments *parsed, int count, char **words, char **out)
{
    static char name[64];
    int used, loose;

    if (self->loose == NULL || arguments_find(parsed, self->loose) == parsed->count) {
        memcpy(out, words, (size_t)count * sizeof *out);
        return count;
    }
    used = copy_words(parsed, count, words, 0, out);
    if (used == count) return count;
    snprintf(name, sizeof name, "--%s", self->loose);
    out[used++] = name;
    loose = copy_words(parsed, count, words, 1, out + used);
    return used + loose;
}

static int run(const program *self, const program_command *chosen, int count, char **words)
{
    static const argument_alternate none[] = {{NULL, NULL}};
    arguments parsed = {.program = words[0],
        .command = chosen->name,
        .member = chosen->member,
        .rows = self->rows,
        .count = self->row_count,
        .values = self->values,
        .alternates = self->alternates != NULL ? self->alternates : none,
        .alternates_when = self->alternates_when};
    char **ordered = malloc(((size_t)count + 1) * sizeof *ordered);
    int outcome;

    if (ordered == NULL) return fail("out of memory");
    count = order_words(self, &parsed, count - 2, words + 2, ordered);
    outcome = arguments_parse(&parsed, count, ordered);
    if (outcome == OUTCOME_OK && self->settle != NULL) outcome = self->settle(&parsed);
    if (outcome == OUTCOME_OK)
        outcome = parsed.help ? print_help(self, &parsed) : chosen->run(&parsed);
    arguments_free(&parsed);
    free(ordered);
    return outcome;
}

static int fail_command(const program *self, const char *word)
{
    enum { MOST = 16 };
    const char *names[MOST], *nearest;
    char list[256] = "";
    size_t count = self->command_count < MOST ? self->command_count : MOST, length = 0;

    for (size_t i = 0; i < count && length < sizeof list; i++) {
        const char *between = i == 0 ? "" : i + 1 == count ? " and " : ", ";

        names[i] = self->commands[i].name;
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", between, names[i]);
    }
    nearest = arguments_nearest(word, names, count);
    if (nearest != NULL) return fail("no command '%s'; did you mean %s?", word, nearest);
    return fail("no command '%s'; there are %s", word, list);
}

static int start(const program *self, int count, char **words)
{
    if (count < 2) {
        print_usage(self, stderr);
        return OUTCOME_FAILED;
    }
    for (size_t i = 0; i < self->command_count; i++)
        if (strcmp(words[1], self->commands[i].name) == 0)
            return run(self, &self->commands[i], count, words);
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 ||
        strcmp(words[1], "help") == 0) {
        print_usage(self, stdout);
        return OUTCOME_OK;
    }
    if (strcmp(words[1], "--version") == 0) return print_version();
    return fail_command(self, words[1]);
}

int program_main(const program *self, int count, char **words)
{
    int outcome;

    interrupt_install();
    outcome = console_finish(start(self, count, words));
    return outcome == OUTCOME_INTERRUPTED ? 128 + interrupt_signal() : outcome;
}
