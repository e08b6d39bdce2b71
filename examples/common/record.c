/* The entries of a model that tell about its training. See record.h. */
#include "record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

enum { KEY_SIZE = 64 };

/* The entry's key; returns `key`. */
static const char *key_of(const record_owner *owner, const char *name, char key[KEY_SIZE])
{
    snprintf(key, KEY_SIZE, "%s.%s", owner->program, name);
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
static int set_entry(const record_owner *owner, rnnkit_model *model, const char *name, char *value)
{
    char key[KEY_SIZE];
    int outcome = value == NULL
                      ? fail("out of memory")
                      : failed(rnnkit_model_set_entry(model, key_of(owner, name, key), value));

    free(value);
    return outcome;
}

int record_options(
    const record_owner *owner, rnnkit_model *model, const arguments *parsed, uint64_t fingerprint)
{
    char hash[32], key[KEY_SIZE];

    snprintf(hash, sizeof hash, "%016" PRIx64, fingerprint);
    if (failed(rnnkit_model_set_entry(model, key_of(owner, "text", key), hash)))
        return OUTCOME_FAILED;
    return set_entry(owner, model, "options", option_lines(parsed));
}

int record_curves(
    const record_owner *owner, rnnkit_model *model, const curve *train, const curve *valid)
{
    if (set_entry(owner, model, "train_curve", curve_text(train)) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return set_entry(owner, model, "valid_curve", curve_text(valid));
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

static int read_entries(
    const record_owner *owner, record *target, rnnkit_model *model, const char *path)
{
    char key[KEY_SIZE];
    const char *options = rnnkit_model_entry(model, key_of(owner, "options", key));
    const char *fingerprint = rnnkit_model_entry(model, key_of(owner, "text", key));
    const char *train = rnnkit_model_entry(model, key_of(owner, "train_curve", key));
    const char *valid = rnnkit_model_entry(model, key_of(owner, "valid_curve", key));

    if (options == NULL || fingerprint == NULL || train == NULL || valid == NULL)
        return fail("%s was not written by %s train", path, owner->program);
    target->options = strdup(options);
    target->fingerprint = strdup(fingerprint);
    if (target->options == NULL || target->fingerprint == NULL) return fail("out of memory");
    if (split_options(target->options) != OUTCOME_OK ||
        curve_read(&target->train, train) != OUTCOME_OK)
        return OUTCOME_FAILED;
    return curve_read(&target->valid, valid);
}

int record_read(const record_owner *owner, record *target, const char *path)
{
    rnnkit_context *context = NULL;
    rnnkit_model *model = NULL;
    int outcome = OUTCOME_FAILED;

    if (!failed(rnnkit_context_create("cpu", "threads=1", &context)) &&
        !failed(rnnkit_model_open(context, path, &model)))
        outcome = read_entries(owner, target, model, path);
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

/* Sets what the command line leaves open. */
static int apply_option(
    const record_owner *owner, arguments *parsed, const char *name, const char *value)
{
    size_t row = arguments_find(parsed, name);

    (void)owner;
    if (row == parsed->count || !is_recorded(parsed, row))
        return fail("the checkpoint has an option that this program does not: %s", name);
    return parsed->given[row] ? OUTCOME_OK : arguments_set(parsed, row, value);
}

static int check_option(
    const record_owner *owner, arguments *parsed, const char *name, const char *value)
{
    size_t row = arguments_find(parsed, name);
    char buffer[ARGUMENT_TEXT_SIZE];
    const char *now = arguments_text(parsed, row, buffer);

    if (strcmp(now, value) == 0) return OUTCOME_OK;
    if (owner->may_differ != NULL && owner->may_differ(parsed, row)) return OUTCOME_OK;
    return fail("--%s was %s in the run that is to go on; it cannot be %s now", name, value, now);
}

static int for_each_option(const record_owner *owner, const record *source, arguments *parsed,
    int (*use)(const record_owner *owner, arguments *parsed, const char *name, const char *value))
{
    const char *name = source->options;

    while (*name != '\0') {
        const char *value = name + strlen(name) + 1;

        if (use(owner, parsed, name, value) != OUTCOME_OK) return OUTCOME_FAILED;
        name = value + strlen(value) + 1;
    }
    return OUTCOME_OK;
}

/* A command that repeats the run has to name what is not the default. */
static void name_differences(arguments *parsed)
{
    char buffer[ARGUMENT_TEXT_SIZE];

    for (size_t row = 0; row < parsed->count; row++)
        if (is_recorded(parsed, row) &&
            strcmp(arguments_text(parsed, row, buffer), arguments_default(parsed, row)) != 0)
            parsed->given[row] = 1;
}

int record_apply(const record_owner *owner, const record *source, arguments *parsed)
{
    if (for_each_option(owner, source, parsed, apply_option) != OUTCOME_OK ||
        for_each_option(owner, source, parsed, check_option) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (owner->settle != NULL) owner->settle(parsed);
    name_differences(parsed);
    return OUTCOME_OK;
}

int record_check_text(const record_owner *owner, const record *source, uint64_t fingerprint)
{
    char hash[32];

    snprintf(hash, sizeof hash, "%016" PRIx64, fingerprint);
    if (strcmp(hash, source->fingerprint) == 0) return OUTCOME_OK;
    return fail("--%s: this is not the text that the checkpoint was trained on", owner->text);
}

int record_check_model(const record_owner *owner, const record *source, const char *path)
{
    record model = {0};
    int outcome;

    if (access(path, F_OK) != 0)
        return fail("--model: %s, with the best weights so far, is gone; to go on needs it", path);
    outcome = record_read(owner, &model, path);
    if (outcome == OUTCOME_OK && strcmp(model.fingerprint, source->fingerprint) != 0)
        outcome = fail("--model: %s is of another text, not this run's best weights so far", path);
    record_free(&model);
    return outcome;
}
