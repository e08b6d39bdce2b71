/* word2vec: learns word vectors from text, and answers questions about them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rnnkit/rnnkit.h>

#include "../script_generation/console.h"
#include "../script_generation/interrupt.h"
#include "commands.h"

typedef struct command {
    const char *name, *purpose;
    unsigned member;
    int (*run)(const settings *values);
} command;

static const command commands[] = {
    {"train", "learn vectors from text", COMMAND_TRAIN, train_command},
    {"nearest", "words that are used alike", COMMAND_NEAREST, nearest_command},
    {"analogy", "a is to b as c is to ...", COMMAND_ANALOGY, analogy_command},
    {"doesnt-match", "the word that goes least with the others", COMMAND_DOESNT_MATCH,
        doesnt_match_command},
    {"evaluate", "compare with people's judgement", COMMAND_EVALUATE, evaluate_command},
    {"convert", "write the vectors in another format", COMMAND_CONVERT, convert_command},
    {"map", "draw the most frequent words", COMMAND_MAP, map_command},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    fputs("Learns word vectors from text, and answers questions about them.\n\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  word2vec %-12s  %s\n", commands[i].name, commands[i].purpose);
    fputs("\nword2vec COMMAND --help lists a command's options.\n\n"
          "  word2vec train --corpus text.txt --output vectors.txt\n"
          "  word2vec nearest --vectors vectors.txt king\n",
        out);
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

/* Puts words that stand by themselves behind --words. `out` has room for count + 1. */
static int gather_words(const arguments *parsed, int count, char **words, char **out)
{
    static char name[] = "--words";
    int used = 0, loose = 0, values = 0, list = 0;

    for (int i = 0; i < count; i++) { /* options and their values */
        if (arguments_is_name(words[i])) {
            values = takes_values(parsed, words[i], &list);
            out[used++] = words[i];
        } else if (values > 0 || strcmp(words[i], "-h") == 0) {
            out[used++] = words[i];
            values = list;
        } else {
            loose++;
        }
    }
    if (loose == 0 || arguments_find(parsed, "words") == parsed->count) {
        memcpy(out, words, (size_t)count * sizeof *out);
        return count;
    }
    out[used++] = name;
    values = 0;
    for (int i = 0; i < count; i++) {
        if (arguments_is_name(words[i]))
            values = takes_values(parsed, words[i], &list);
        else if (values > 0)
            values = list;
        else
            out[used++] = words[i];
    }
    return used;
}

static int run(const command *chosen, int count, char **words)
{
    static const argument_alternate none[] = {{NULL, NULL}};
    settings values = {0};
    arguments parsed = {.program = words[0],
        .command = chosen->name,
        .member = chosen->member,
        .rows = settings_rows,
        .count = settings_row_count,
        .values = &values,
        .alternates = none};
    char **ordered = malloc(((size_t)count + 1) * sizeof *ordered);
    int outcome = OUTCOME_FAILED;

    if (ordered == NULL) return fail("out of memory");
    count = gather_words(&parsed, count - 2, words + 2, ordered);
    outcome = arguments_parse(&parsed, count, ordered);
    if (outcome == OUTCOME_OK && parsed.help) {
        printf("word2vec %s [options]\n", chosen->name);
        arguments_print_help(&parsed, stdout);
    } else if (outcome == OUTCOME_OK) {
        outcome = chosen->run(&values);
    }
    arguments_free(&parsed);
    free(ordered);
    return outcome;
}

static int fail_command(const char *word)
{
    const char *names[COMMANDS], *nearest;

    for (int i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    nearest = arguments_nearest(word, names, COMMANDS);
    if (nearest != NULL) return fail("no command '%s'; did you mean %s?", word, nearest);
    return fail("no command '%s'; --help lists them", word);
}

static int start(int count, char **words)
{
    if (count < 2) {
        print_usage(stderr);
        return OUTCOME_FAILED;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(words[1], commands[i].name) == 0) return run(&commands[i], count, words);
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 ||
        strcmp(words[1], "help") == 0) {
        print_usage(stdout);
        return OUTCOME_OK;
    }
    if (strcmp(words[1], "--version") == 0) {
        console_line("word2vec with librnnkit %s", rnnkit_version());
        return OUTCOME_OK;
    }
    return fail_command(words[1]);
}

int main(int count, char **words)
{
    int outcome;

    interrupt_install();
    outcome = console_finish(start(count, words));
    return outcome == OUTCOME_INTERRUPTED ? 128 + interrupt_signal() : outcome;
}
