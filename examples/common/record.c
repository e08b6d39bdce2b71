/* The entries "PROGRAM.*" of a model. Always written in the same order. See record.h. */
#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

enum { KEY_SIZE = 96 };

/* "PROGRAM.name" */
static const char *key_of(const record_kind *kind, const char *name, char key[KEY_SIZE])
{
    snprintf(key, KEY_SIZE, "%s.%s", kind->program, name);
    return key;
}

/* "name=value", in one line whatever the value; the caller frees it. */
static char *option_line(const arguments *parsed, size_t row)
{
    char buffer[ARGUMENT_TEXT_SIZE];
    const char *name = parsed->rows[row].name;
    const char *value = arguments_text(parsed, row, buffer);
    size_t length = strlen(name) + strlen(value) + 2;
    char *line = malloc(length);

    if (line == NULL) return NULL;
    snprintf(line, length, "%s=%s", name, value);
    for (char *at = line; *at != '\0'; at++)
        if (*at == '\n') *at = ' ';
    return line;
}

static int is_recorded(const arguments *parsed, size_t row)
{
    return arguments_has(parsed, row) && (parsed->rows[row].marks & MARK_RECORDED) != 0;
}

/* All recorded options, a line each; the caller frees it. */
static char *option_lines(const arguments *parsed)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    int short_of_memory = out == NULL;

    for (size_t row = 0; row < parsed->count && !short_of_memory; row++) {
        char *line = is_recorded(parsed, row) ? option_line(parsed, row) : NULL;

        short_of_memory = line == NULL && is_recorded(parsed, row);
        if (line != NULL) fprintf(out, "%s\n", line);
        free(line);
    }
    if (out != NULL && fclose(out) != 0) short_of_memory = 1;
    if (!short_of_memory) return text;
    free(text);
    return NULL;
}

/* Sets an entry from a text that is then freed. */
static int set_entry(const record_kind *kind, rnnkit_model *model, const char *name, char *value)
{
    char key[KEY_SIZE];
    int outcome = value == NULL
                      ? fail("out of memory")
                      : failed(rnnkit_model_set_entry(model, key_of(kind, name, key), value));

    free(value);
    return outcome;
}

int record_options(
    const record_kind *kind, rnnkit_model *model, const arguments *parsed, uint64_t fingerprint)
{
    char hash[32], key[KEY_SIZE];

    snprintf(hash, sizeof hash, "%016" PRIx64, fingerprint);
    if (failed(rnnkit_model_set_entry(model, key_of(kind, "data", key), hash)))
        return OUTCOME_FAILED;
    return set_entry(kind, model, "options", option_lines(parsed));
}

static int record_curve(
    const record_kind *kind, rnnkit_model *model, const char *name, const curve *source)
{
    char key[KEY_SIZE];

    if (source != NULL) return set_entry(kind, model, name, curve_text(source));
    return failed(rnnkit_model_set_entry(model, key_of(kind, name, key), NULL));
}

int record_curves(
    const record_kind *kind, rnnkit_model *model, const curve *train, const curve *valid)
{
    if (record_curve(kind, model, "train_curve", train) != OUTCOME_OK) return OUTCOME_FAILED;
    return record_curve(kind, model, "valid_curve", valid);
}

uint64_t record_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* Turns each line's = and line feed into the end of a text. */
static int split_options(char *options)
{
    while (*options != '\0') {
        char *equals = strchr(options, '=');
        char *end = strchr(options, '\n');

        if (equals == NULL || end == NULL || end < equals)
            return fail("the checkpoint's options are damaged: '%s'", options);
        *equals = *end = '\0';
        options = end + 1;
    }
    return OUTCOME_OK;
}

static int read_curve(
    const record_kind *kind, const rnnkit_model *model, const char *name, curve *out)
{
    char key[KEY_SIZE];
    const char *text = rnnkit_model_entry(model, key_of(kind, name, key));

    return text == NULL ? OUTCOME_OK : curve_read(out, text);
}

static int read_entries(record *target, const rnnkit_model *model, const char *path)
{
    const record_kind *kind = target->kind;
    char key[KEY_SIZE];
    const char *options = rnnkit_model_entry(model, key_of(kind, "options", key));
    const char *fingerprint = rnnkit_model_entry(model, key_of(kind, "data", key));

    if (options == NULL || fingerprint == NULL)
        return fail("%s was not written by %s train", path, kind->program);
    target->options = strdup(options);
    target->fingerprint = strdup(fingerprint);
    if (target->options == NULL || target->fingerprint == NULL) return fail("out of memory");
    if (split_options(target->options) != OUTCOME_OK ||
        read_curve(kind, model, "train_curve", &target->train) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return read_curve(kind, model, "valid_curve", &target->valid);
}

int record_read(record *target, const record_kind *kind, const char *path)
{
    rnnkit_context *context = NULL;
    rnnkit_model *model = NULL;
    int outcome = OUTCOME_FAILED;

    target->kind = kind;
    if (!failed(rnnkit_context_create("cpu", "threads=1", &context)) &&
        !failed(rnnkit_model_open(context, path, &model)))
        outcome = read_entries(target, model, path);
    rnnkit_model_destroy(model);
    rnnkit_context_destroy(context);
    return outcome;
}

void record_free(record *target)
{
    free(target->options);
    free(target->fingerprint);
    curve_free(&target->train);
    curve_free(&target->valid);
}

/* More or fewer epochs than first planned fit only schedules that do not look at the end. */
static int may_differ(const record_kind *kind, const arguments *parsed, size_t row)
{
    if ((parsed->rows[row].marks & MARK_LENGTH) == 0) return 0;
    return kind->keeps_length == NULL || !kind->keeps_length(parsed->values);
}

/* Sets what the command line leaves open. */
static int apply_option(
    const record_kind *kind, arguments *parsed, const char *name, const char *value)
{
    size_t row = arguments_find(parsed, name);

    (void)kind;
    if (row == parsed->count || !is_recorded(parsed, row))
        return fail("the checkpoint has an option that this program does not: %s", name);
    return parsed->given[row] ? OUTCOME_OK : arguments_set(parsed, row, value);
}

static int check_option(
    const record_kind *kind, arguments *parsed, const char *name, const char *value)
{
    size_t row = arguments_find(parsed, name);
    char buffer[ARGUMENT_TEXT_SIZE];
    const char *now = arguments_text(parsed, row, buffer);

    if (strcmp(now, value) == 0 || may_differ(kind, parsed, row)) return OUTCOME_OK;
    return fail("--%s was %s in the run that is to go on; it cannot be %s now", name, value, now);
}

static int for_each_option(const record *source, arguments *parsed,
    int (*use)(const record_kind *kind, arguments *parsed, const char *name, const char *value))
{
    const char *name = source->options;

    while (*name != '\0') {
        const char *value = name + strlen(name) + 1;

        if (use(source->kind, parsed, name, value) != OUTCOME_OK) return OUTCOME_FAILED;
        name = value + strlen(value) + 1;
    }
    return OUTCOME_OK;
}

/* A command that repeats the run has to name what is not the default. */
static void name_differences(const record_kind *kind, arguments *parsed)
{
    char buffer[ARGUMENT_TEXT_SIZE];

    if (kind->uses_alternates != NULL)
        parsed->use_alternates = kind->uses_alternates(parsed->values);
    for (size_t row = 0; row < parsed->count; row++)
        if (is_recorded(parsed, row) &&
            strcmp(arguments_text(parsed, row, buffer), arguments_default(parsed, row)) != 0)
            parsed->given[row] = 1;
}

int record_apply(const record *source, arguments *parsed)
{
    if (for_each_option(source, parsed, apply_option) != OUTCOME_OK ||
        for_each_option(source, parsed, check_option) != OUTCOME_OK)
        return OUTCOME_FAILED;
    name_differences(source->kind, parsed);
    return OUTCOME_OK;
}

int record_check_data(const record *source, uint64_t fingerprint)
{
    char hash[32];

    snprintf(hash, sizeof hash, "%016" PRIx64, fingerprint);
    if (strcmp(hash, source->fingerprint) == 0) return OUTCOME_OK;
    return fail("--%s: this is not what the checkpoint was trained on", source->kind->data);
}

int record_check_model(const record *source, const char *path)
{
    record model = {0};
    int outcome;

    if (access(path, F_OK) != 0)
        return fail("--model: %s, with the best weights so far, is gone; to go on needs it", path);
    outcome = record_read(&model, source->kind, path);
    if (outcome == OUTCOME_OK && strcmp(model.fingerprint, source->fingerprint) != 0)
        outcome = fail("--model: %s is of other data, not this run's best weights so far", path);
    record_free(&model);
    return outcome;
}
