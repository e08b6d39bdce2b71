/* A program of several commands: which one the first word names, its options, --help, --version.
 */
#ifndef COMMON_PROGRAM_H
#define COMMON_PROGRAM_H

#include <stddef.h>

#include "arguments.h"

typedef struct program_command {
    const char *name, *purpose;
    unsigned member;               /* its place in argument_row.commands */
    int (*run)(arguments *parsed); /* gives an outcome of console.h */
} program_command;

/* An option that takes options of the library: --help lists those of the noun. */
typedef struct program_noun {
    const char *noun, *option;
} program_noun;

typedef struct program {
    const char *name, *about;
    const char *example; /* lines that --help ends with */
    const program_command *commands;
    size_t command_count;
    const argument_row *rows;
    size_t row_count;
    void *values;
    const char *loose;                    /* list option for words that stand alone; or NULL */
    const argument_alternate *alternates; /* or NULL */
    const char *alternates_when;
    int (*settle)(arguments *parsed); /* after the words were read; or NULL */
    const program_noun *nouns;        /* they end with a NULL noun; or NULL */
} program;

/* All of main(): the exit code. */
int program_main(const program *self, int count, char **words);

#endif
