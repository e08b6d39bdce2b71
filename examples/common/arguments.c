/* Words to values, by the table of options. Every mistake is one line that says what came, what was
 * expected and, for a misspelt name, which name is nearest.
 */
#include "arguments.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

int arguments_has(const arguments *parsed, size_t row)
{
    return parsed->rows[row].type != ARGUMENT_HEADING &&
           (parsed->rows[row].commands & parsed->member) != 0;
}

static void *place_of(const arguments *parsed, size_t row)
{
    return (char *)parsed->values + parsed->rows[row].offset;
}

size_t arguments_find(const arguments *parsed, const char *name)
{
    for (size_t row = 0; row < parsed->count; row++)
        if (arguments_has(parsed, row) && strcmp(parsed->rows[row].name, name) == 0) return row;
    return parsed->count;
}

/* Edits that turn one word into the other (Levenshtein 1966), for words of ordinary length. */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 40 };
    size_t line[MOST + 1];
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > MOST || b_length > MOST) return MOST;
    for (size_t j = 0; j <= b_length; j++)
        line[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = line[0];

        line[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t best = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = line[j];
            if (line[j] + 1 < best) best = line[j] + 1;
            if (line[j - 1] + 1 < best) best = line[j - 1] + 1;
            line[j] = best;
        }
    }
    return line[b_length];
}

const char *arguments_nearest(const char *word, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = strlen(word) / 2 + 1;

    for (size_t i = 0; i < count; i++) {
        size_t edits = distance(word, names[i]);
        int begins = strlen(word) >= 2 && strncmp(names[i], word, strlen(word)) == 0;

        if (begins && least > 1) edits = 1;
        if (edits >= least) continue;
        least = edits;
        nearest = names[i];
    }
    return nearest;
}

static int fail_unknown(const arguments *parsed, const char *name)
{
    const char **names = malloc((parsed->count + 1) * sizeof *names);
    const char *nearest;
    size_t count = 0;

    if (names == NULL) return fail("out of memory");
    for (size_t row = 0; row < parsed->count; row++)
        if (arguments_has(parsed, row)) names[count++] = parsed->rows[row].name;
    nearest = arguments_nearest(name, names, count);
    if (nearest != NULL)
        fail("%s has no option --%s; did you mean --%s?", parsed->command, name, nearest);
    else
        fail("%s has no option --%s; --help lists them all", parsed->command, name);
    free(names);
    return OUTCOME_FAILED;
}

static int is_choice(const char *choices, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        if (*at == '|') at++;
        if (length > 0 && strncmp(at, word, length) == 0 &&
            (at[length] == '|' || at[length] == '\0'))
            return 1;
    }
    return 0;
}

static int set_number(const argument_row *row, const char *text, void *place)
{
    char *end;
    double value;
    long long integer = 0;

    errno = 0;
    if (row->type == ARGUMENT_INTEGER) {
        integer = strtoll(text, &end, 10);
        value = (double)integer;
    } else {
        value = strtod(text, &end);
    }
    if (end == text || *end != '\0' || !isfinite(value))
        return fail("--%s: '%s' is not a %snumber", row->name, text,
            row->type == ARGUMENT_INTEGER ? "whole " : "");
    if (errno == ERANGE || value < row->least || value > row->most)
        return fail("--%s: %s is outside %.15g to %.15g", row->name, text, row->least, row->most);
    if (row->type == ARGUMENT_INTEGER)
        *(int64_t *)place = integer;
    else
        *(double *)place = value;
    return OUTCOME_OK;
}

static int set_flag(const argument_row *row, const char *text, int *place)
{
    if (strcmp(text, "yes") == 0)
        *place = 1;
    else if (strcmp(text, "no") == 0)
        *place = 0;
    else if (strcmp(text, row->initial) == 0)
        *place = -1;
    else
        return fail("--%s: '%s' is neither yes nor no", row->name, text);
    return OUTCOME_OK;
}

int arguments_set(arguments *parsed, size_t row, const char *text)
{
    const argument_row *option = &parsed->rows[row];
    void *place = place_of(parsed, row);

    switch (option->type) {
    case ARGUMENT_INTEGER:
    case ARGUMENT_NUMBER: return set_number(option, text, place);
    case ARGUMENT_FLAG: return set_flag(option, text, place);
    case ARGUMENT_CHOICE:
        if (!is_choice(option->value, text))
            return fail("--%s: '%s' is not one of %s", option->name, text, option->value);
        *(const char **)place = text;
        return OUTCOME_OK;
    default: *(const char **)place = text; return OUTCOME_OK;
    }
}

static int set_defaults(arguments *parsed, size_t room)
{
    for (size_t row = 0; row < parsed->count; row++) {
        const argument_row *option = &parsed->rows[row];

        if (!arguments_has(parsed, row)) continue;
        if (option->type == ARGUMENT_LIST) {
            argument_list *list = place_of(parsed, row);

            list->count = 0;
            list->items = calloc(room + 1, sizeof *list->items);
            if (list->items == NULL) return fail("out of memory");
        } else if (option->initial != NULL) {
            if (arguments_set(parsed, row, option->initial) != OUTCOME_OK) return OUTCOME_FAILED;
        }
    }
    return OUTCOME_OK;
}

const char *arguments_alternate(const arguments *parsed, size_t row)
{
    const argument_alternate *at = parsed->alternates;

    while (at->name != NULL && strcmp(at->name, parsed->rows[row].name) != 0)
        at++;
    return at->value;
}

const char *arguments_default(const arguments *parsed, size_t row)
{
    const char *alternate = parsed->use_alternates ? arguments_alternate(parsed, row) : NULL;

    return alternate != NULL ? alternate : parsed->rows[row].initial;
}

int arguments_use_alternates(arguments *parsed)
{
    parsed->use_alternates = 1;
    for (size_t row = 0; row < parsed->count; row++) {
        const char *value;

        if (!arguments_has(parsed, row) || parsed->given[row]) continue;
        value = arguments_alternate(parsed, row);
        if (value != NULL && arguments_set(parsed, row, value) != OUTCOME_OK) return OUTCOME_FAILED;
    }
    return OUTCOME_OK;
}

int arguments_is_name(const char *word)
{
    return word[0] == '-' && word[1] == '-' && word[2] != '\0';
}

/* Takes the value or values of an option; `*next` is the first word behind its name. */
static int take_value(
    arguments *parsed, size_t row, const char *attached, int *next, int word_count, char **words)
{
    const argument_row *option = &parsed->rows[row];

    parsed->given[row] = 1;
    if (option->type == ARGUMENT_FLAG)
        return arguments_set(parsed, row, attached != NULL ? attached : "yes");
    if (attached == NULL && (*next >= word_count || arguments_is_name(words[*next])))
        return fail("--%s needs a value: --%s %s", option->name, option->name, option->value);
    if (option->type != ARGUMENT_LIST)
        return arguments_set(parsed, row, attached != NULL ? attached : words[(*next)++]);

    argument_list *list = place_of(parsed, row);

    if (attached != NULL) list->items[list->count++] = attached;
    while (attached == NULL && *next < word_count && !arguments_is_name(words[*next]))
        list->items[list->count++] = words[(*next)++];
    return OUTCOME_OK;
}

static int take_option(arguments *parsed, int *next, int word_count, char **words)
{
    char name[64];
    const char *word = words[(*next)++] + 2;
    const char *equals = strchr(word, '=');
    size_t length = equals != NULL ? (size_t)(equals - word) : strlen(word);
    size_t row;

    if (length >= sizeof name) length = sizeof name - 1;
    memcpy(name, word, length);
    name[length] = '\0';
    if (strcmp(name, "help") == 0) {
        parsed->help = 1;
        return OUTCOME_OK;
    }
    row = arguments_find(parsed, name);
    if (row < parsed->count)
        return take_value(parsed, row, equals != NULL ? equals + 1 : NULL, next, word_count, words);
    if (strncmp(name, "no-", 3) == 0 && equals == NULL) {
        row = arguments_find(parsed, name + 3);
        if (row < parsed->count && parsed->rows[row].type == ARGUMENT_FLAG)
            return take_value(parsed, row, "no", next, word_count, words);
    }
    return fail_unknown(parsed, name);
}

static int check_required(const arguments *parsed)
{
    for (size_t row = 0; row < parsed->count; row++) {
        const argument_row *option = &parsed->rows[row];

        if (arguments_has(parsed, row) && option->initial == NULL && !parsed->given[row])
            return fail("%s needs --%s %s (%s --help lists all options)", parsed->command,
                option->name, option->value, parsed->command);
    }
    return OUTCOME_OK;
}

int arguments_parse(arguments *parsed, int word_count, char **words)
{
    int next = 0;

    parsed->given = calloc(parsed->count, 1);
    if (parsed->given == NULL) return fail("out of memory");
    if (set_defaults(parsed, (size_t)word_count) != OUTCOME_OK) return OUTCOME_FAILED;
    while (next < word_count) {
        if (strcmp(words[next], "-h") == 0) {
            parsed->help = 1;
            next++;
        } else if (!arguments_is_name(words[next])) {
            return fail("unexpected word '%s': an option starts with --", words[next]);
        } else if (take_option(parsed, &next, word_count, words) != OUTCOME_OK) {
            return OUTCOME_FAILED;
        }
    }
    return parsed->help ? OUTCOME_OK : check_required(parsed);
}

void arguments_free(arguments *parsed)
{
    for (size_t row = 0; row < parsed->count; row++) {
        if (!arguments_has(parsed, row) || parsed->rows[row].type != ARGUMENT_LIST) continue;
        free(((argument_list *)place_of(parsed, row))->items);
    }
    free(parsed->given);
}

static const char *number_text(double value, char buffer[ARGUMENT_TEXT_SIZE])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buffer, ARGUMENT_TEXT_SIZE, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value) break;
    }
    return buffer;
}

const char *arguments_text(const arguments *parsed, size_t row, char buffer[ARGUMENT_TEXT_SIZE])
{
    const argument_row *option = &parsed->rows[row];
    const void *place = place_of(parsed, row);

    switch (option->type) {
    case ARGUMENT_INTEGER:
        snprintf(buffer, ARGUMENT_TEXT_SIZE, "%lld", (long long)*(const int64_t *)place);
        return buffer;
    case ARGUMENT_NUMBER: return number_text(*(const double *)place, buffer);
    case ARGUMENT_FLAG:
        return *(const int *)place < 0 ? option->initial : *(const int *)place ? "yes" : "no";
    default: return *(const char *const *)place;
    }
}
