/* A small command-line parser that is driven by one table of options.
 *
 * A row gives an option's name, the commands that have it, where its value goes, its default and
 * its help; the parser, --help, the command that repeats a run and the record inside a checkpoint
 * all read the same rows. Both `--name value` and `--name=value` are understood; a flag is turned
 * off by `--no-name`; a list takes every word up to the next option.
 */
#ifndef COMMON_ARGUMENTS_H
#define COMMON_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum argument_type {
    ARGUMENT_HEADING, /* not an option: a line in --help */
    ARGUMENT_TEXT,    /* const char * */
    ARGUMENT_LIST,    /* argument_list */
    ARGUMENT_INTEGER, /* int64_t */
    ARGUMENT_NUMBER,  /* double */
    ARGUMENT_FLAG,    /* int: 1, 0, or -1 when the default is neither yes nor no */
    ARGUMENT_CHOICE   /* const char *, one of the words in `value` */
} argument_type;

typedef struct argument_list {
    const char **items;
    size_t count;
} argument_list;

typedef struct argument_row {
    argument_type type;
    unsigned commands; /* set of the commands that have this option */
    const char *name;
    const char *value;   /* what --help calls the value; for a CHOICE: "word|char|byte" */
    const char *initial; /* the default; NULL: the option must be given */
    size_t offset;       /* of the value inside the caller's struct */
    double least, most;  /* INTEGER and NUMBER */
    unsigned marks;      /* the program's own */
    const char *help;
} argument_row;

/* Another default for the option of that name, for when `alternates` applies. */
typedef struct argument_alternate {
    const char *name, *value;
} argument_alternate;

typedef struct arguments {
    const char *program; /* argv[0] */
    const char *command; /* "train" */
    unsigned member;     /* the command's place in argument_row.commands */
    const argument_row *rows;
    size_t count;
    void *values;
    unsigned char *given;                 /* [count]: the option was on the command line */
    int help;                             /* --help was */
    const argument_alternate *alternates; /* they end with a NULL name */
    const char *alternates_when;          /* in words: "with sliding windows" */
    int use_alternates;
} arguments;

/* Fills in the defaults, then what the words say. OUTCOME_FAILED after a message. */
int arguments_parse(arguments *parsed, int word_count, char **words);
void arguments_free(arguments *parsed);

/* The row of that name, or `count` when the command has none. */
size_t arguments_find(const arguments *parsed, const char *name);

/* Gives the options that were not given their alternate defaults. */
int arguments_use_alternates(arguments *parsed);

/* The alternate default of an option, or NULL. */
const char *arguments_alternate(const arguments *parsed, size_t row);

/* The default that applies; NULL where the option must be given. */
const char *arguments_default(const arguments *parsed, size_t row);

/* Sets an option that is not a list from its text; the text must live as long as `parsed`. */
int arguments_set(arguments *parsed, size_t row, const char *text);

enum { ARGUMENT_TEXT_SIZE = 40 };

/* The value as text that arguments_set takes back; `buffer` is used for numbers. */
const char *arguments_text(const arguments *parsed, size_t row, char buffer[ARGUMENT_TEXT_SIZE]);

/* 1 when the command has that row and it is an option. */
int arguments_has(const arguments *parsed, size_t row);

/* 1 for a word that starts an option: -- and a name. */
int arguments_is_name(const char *word);

/* command.c: "program command --name value ..." with every option that was given, quoted for a
 * shell. The caller frees the text; NULL when memory is short. */
char *arguments_command(const arguments *parsed);

/* The most similar of the names, or NULL when none is near. */
const char *arguments_nearest(const char *word, const char *const *names, size_t count);

/* help.c */
void arguments_print_help(const arguments *parsed, FILE *out);

#endif
