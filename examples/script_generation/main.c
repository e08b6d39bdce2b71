/* script_generation: trains a language model on scripts (or any text) and writes new ones. */
#include <stdio.h>
#include <string.h>

#include <rnnkit/rnnkit.h>

#include "arguments.h"
#include "console.h"
#include "evaluate.h"
#include "generate.h"
#include "interrupt.h"
#include "settings.h"
#include "train.h"

static const char *const command_names[] = {"train", "generate", "evaluate"};
static const unsigned command_members[] = {COMMAND_TRAIN, COMMAND_GENERATE, COMMAND_EVALUATE};
static const char *const command_purposes[] = {
    "learn from a text", "write new text", "measure how well a model predicts a text"};

enum { COMMANDS = sizeof command_names / sizeof *command_names };

static void print_usage(FILE *out)
{
    fputs("Trains a language model on a text and writes new text like it.\n\n", out);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "  script_generation %-8s  %s\n", command_names[i], command_purposes[i]);
    fputs("\nscript_generation COMMAND --help lists a command's options;\n"
          "script_generation --version tells what the library is and has.\n\n"
          "  script_generation train --corpus script.txt --model script.safetensors\n"
          "  script_generation generate --model script.safetensors --prime \"jerry:\"\n",
        out);
}

/* The library's own options of a noun, from the table that it checks them by. */
static int print_library_options(const char *noun, const char *option)
{
    char text[8192];
    int64_t needed;

    if (failed(rnnkit_options_describe(noun, text, sizeof text, &needed))) return OUTCOME_FAILED;
    printf("\n--%s takes\n", option);
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

static int print_version(void)
{
    char text[8192];
    int64_t needed;

    if (failed(rnnkit_build_info(text, sizeof text, &needed))) return OUTCOME_FAILED;
    console_text(text, strlen(text));
    return OUTCOME_OK;
}

static int print_help(const arguments *parsed)
{
    printf("script_generation %s [options]\n", parsed->command);
    arguments_print_help(parsed, stdout);
    if (parsed->member != COMMAND_TRAIN) return OUTCOME_OK;
    if (print_library_options("optimizer", "optimizer-options") != OUTCOME_OK)
        return OUTCOME_FAILED;
    return print_library_options("schedule", "schedule-options");
}

static int run_command(arguments *parsed)
{
    switch (parsed->member) {
    case COMMAND_TRAIN: return train_command(parsed);
    case COMMAND_GENERATE: return generate_command(parsed->values);
    default: return evaluate_command(parsed->values);
    }
}

static int run(int command, int word_count, char **words)
{
    settings values = {0};
    arguments parsed = {.program = words[0],
        .command = command_names[command],
        .member = command_members[command],
        .rows = settings_rows,
        .count = settings_row_count,
        .values = &values,
        .alternates = settings_sliding,
        .alternates_when = "with sliding windows"};
    int outcome = arguments_parse(&parsed, word_count - 2, words + 2);

    if (outcome == OUTCOME_OK && parsed.member == COMMAND_TRAIN && settings_are_sliding(&values))
        outcome = arguments_use_alternates(&parsed);
    if (outcome == OUTCOME_OK) outcome = parsed.help ? print_help(&parsed) : run_command(&parsed);
    arguments_free(&parsed);
    return outcome;
}

static int fail_command(const char *word)
{
    const char *nearest = arguments_nearest(word, command_names, COMMANDS);

    if (nearest != NULL) return fail("no command '%s'; did you mean %s?", word, nearest);
    return fail("no command '%s'; there are train, generate and evaluate", word);
}

static int start(int word_count, char **words)
{
    if (word_count < 2) {
        print_usage(stderr);
        return OUTCOME_FAILED;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(words[1], command_names[i]) == 0) return run(i, word_count, words);
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 ||
        strcmp(words[1], "help") == 0) {
        print_usage(stdout);
        return OUTCOME_OK;
    }
    if (strcmp(words[1], "--version") == 0) return print_version();
    return fail_command(words[1]);
}

int main(int word_count, char **words)
{
    int outcome;

    interrupt_install();
    outcome = console_finish(start(word_count, words));
    return outcome == OUTCOME_INTERRUPTED ? 128 + interrupt_signal() : outcome;
}
