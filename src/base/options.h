/* Option strings: "layers=2 dropout=0.5", one table per noun.
 *
 * A table row says where in the noun's options struct the value goes, its type, range, default,
 * the release it came with, and one line of help. The same rows feed the parser, the messages,
 * rnnkit_options_describe() and the examples' --help, so that nothing is said twice.
 *
 * Grammar: pairs `key=value` separated by white space; a value with spaces stands in double
 * quotes, in which \" and \\ are the only escapes. A key may appear once. Numbers are read
 * independently of the locale.
 */
#ifndef RKI_BASE_OPTIONS_H
#define RKI_BASE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

typedef enum rki_option_type {
    RKI_OPTION_INTEGER, /* int64_t */
    RKI_OPTION_NUMBER,  /* double, finite */
    RKI_OPTION_FLAG,    /* int32_t, 0 or 1 */
    RKI_OPTION_CHOICE,  /* int32_t: place in `choices`, counted from 0 */
    RKI_OPTION_TEXT     /* char[RKI_OPTION_TEXT_SIZE] inside the struct */
} rki_option_type;

enum { RKI_OPTION_TEXT_SIZE = 256 };

typedef struct rki_option {
    const char *name;
    rki_option_type type;
    size_t offset;
    double least, most;  /* INTEGER and NUMBER: inclusive range; TEXT: unused */
    const char *initial; /* the default, in the words a user would write */
    const char *choices; /* CHOICE: "constant|linear|cosine"; else NULL */
    const char *since;
    const char *help;
} rki_option;

typedef struct rki_option_table {
    const char *noun; /* "rnn": what rnnkit_options_describe() is asked for */
    const rki_option *rows;
    int32_t count;
} rki_option_table;

/* Fills the struct at `target` with the defaults, then with what `text` (NULL: nothing) says.
 * RNNKIT_E_OPTION: unknown key (the nearest is named), bad value, out of range, given twice. */
int32_t rki_options_parse(const rki_option_table *table, const char *text, void *target);

/* The same without the defaults: what `text` does not name stays as it is. */
int32_t rki_options_apply(const rki_option_table *table, const char *text, void *target);

/* The options that differ from their defaults, as text that parses back to the same struct. */
int32_t rki_options_format(
    const rki_option_table *table, const void *source, const rki_memory *memory, char **out);

/* The table's name of the row's choice; NULL when out of range. Copies into a thread-local buffer. */
const char *rki_option_choice_name(const rki_option *row, int32_t choice);

#endif
