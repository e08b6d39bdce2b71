/* Random search. See search.h. */
#include "search.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "json.h"
#include "system.h"

enum { MOST_RANGES = 16 };

typedef struct tried {
    int64_t number; /* from 1 */
    search_trial result;
    double seconds;
    char values[MOST_RANGES][ARGUMENT_TEXT_SIZE]; /* by range */
} tried;

/* Uniform in (0, 1), from seed, trial and range: SplitMix64 (Steele, Lea and Flood 2014). */
static double draw(int64_t seed, int64_t trial, size_t range)
{
    uint64_t z =
        (uint64_t)seed * UINT64_C(0xD1342543DE82EF95) + (uint64_t)trial * MOST_RANGES + range;

    z = (z + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

/* Two digits are enough to try, and to type again. */
static void draw_text(const search_range *range, int whole, double part, char *text)
{
    double least = range->least, most = range->most + (whole && !range->by_ratio ? 1 : 0);
    double value =
        range->by_ratio ? least * pow(most / least, part) : least + (most - least) * part;

    if (whole) value = range->by_ratio ? round(value) : floor(value);
    snprintf(text, ARGUMENT_TEXT_SIZE, whole ? "%.0f" : "%.2g", value);
}

/* Sets the trial's options; those that the user gave stay. */
static int set_options(
    const search *source, arguments *parsed, const unsigned char *fixed, tried *one)
{
    for (size_t i = 0; i < source->range_count; i++) {
        size_t row = arguments_find(parsed, source->ranges[i].option);
        char buffer[ARGUMENT_TEXT_SIZE];

        if (one->number > 1 && !fixed[row]) {
            draw_text(&source->ranges[i], parsed->rows[row].type == ARGUMENT_INTEGER,
                draw(source->seed, one->number, i), one->values[i]);
            if (arguments_set(parsed, row, one->values[i]) != OUTCOME_OK) return OUTCOME_FAILED;
        } else {
            strcpy(one->values[i], arguments_text(parsed, row, buffer));
        }
    }
    return OUTCOME_OK;
}

static void tell_trial(const search *source, const tried *one)
{
    char text[512] = "", loss[32];
    size_t length = 0;

    if (source->json) {
        json_begin("trial");
        json_integer("trial", one->number);
        json_number("valid_loss", one->result.loss);
        json_integer("epoch", one->result.epoch);
        json_number("seconds", one->seconds);
        json_flag("cut", one->result.cut);
        for (size_t i = 0; i < source->range_count; i++)
            json_number(source->ranges[i].option, strtod(one->values[i], NULL));
        json_end();
        return;
    }
    for (size_t i = 0; i < source->range_count && length < sizeof text; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "  %s %s",
            source->ranges[i].option, one->values[i]);
    snprintf(loss, sizeof loss, isnan(one->result.loss) ? "diverged" : "%.4f", one->result.loss);
    console_line("trial %3" PRId64 "  %-8s epoch %3" PRId64 "  %6.1f s%s%s", one->number, loss,
        one->result.epoch, one->seconds, text, one->result.cut ? "  (cut short)" : "");
}

/* A loss that is not a number stands behind all others; equal ones in their order. */
static int by_loss(const void *a, const void *b)
{
    const tried *one = a, *two = b;
    double x = isnan(one->result.loss) ? INFINITY : one->result.loss;
    double y = isnan(two->result.loss) ? INFINITY : two->result.loss;

    if (x != y) return x < y ? -1 : 1;
    return one->number < two->number ? -1 : 1;
}

/* The winner's options without those of the search. The caller frees it. */
static char *winning_command(
    const search *source, arguments *parsed, unsigned char *fixed, tried *best)
{
    for (size_t i = 0; i < source->range_count; i++) {
        size_t row = arguments_find(parsed, source->ranges[i].option);

        if (arguments_set(parsed, row, best->values[i]) != OUTCOME_OK) return NULL;
        fixed[row] = (unsigned char)(fixed[row] || best->number > 1);
    }
    fixed[arguments_find(parsed, "search")] = 0;
    fixed[arguments_find(parsed, "search-minutes")] = 0;
    fixed[arguments_find(parsed, "seed")] = 1;
    memcpy(parsed->given, fixed, parsed->count);
    return arguments_command(parsed);
}

static int tell_end(
    const search *source, arguments *parsed, unsigned char *fixed, tried *all, int64_t count)
{
    char *command;

    qsort(all, (size_t)count, sizeof *all, by_loss);
    if (isnan(all[0].result.loss)) return fail("no trial has a finite validation loss");
    command = winning_command(source, parsed, fixed, &all[0]);
    if (command == NULL) return fail("out of memory");
    if (source->json) {
        json_begin("done");
        json_integer("trials", count);
        json_integer("trial", all[0].number);
        json_number("valid_loss", all[0].result.loss);
        json_text("command", command);
        json_end();
    } else {
        console_line("the %" PRId64 " trials, best first", count);
        for (int64_t i = 0; i < count; i++)
            tell_trial(source, &all[i]);
        console_line("to repeat the best: %s", command);
    }
    free(command);
    return OUTCOME_OK;
}

static int run_trials(
    const search *source, arguments *parsed, const unsigned char *fixed, tried *all, int64_t *count)
{
    double began = system_clock(), best = INFINITY;
    double deadline = source->minutes > 0 ? began + 60 * source->minutes : INFINITY;

    while (*count < source->trials && (*count == 0 || system_clock() < deadline)) {
        tried *one = &all[*count];
        double start = system_clock();
        int outcome;

        *one = (tried){
            .number = *count + 1, .result = {.to_beat = best, .deadline = deadline, .loss = NAN}};
        if (set_options(source, parsed, fixed, one) != OUTCOME_OK) return OUTCOME_FAILED;
        outcome = source->run(parsed, &one->result);
        if (outcome != OUTCOME_OK) return outcome;
        one->seconds = system_clock() - start;
        if (one->result.loss < best) best = one->result.loss;
        ++*count;
        tell_trial(source, one);
        if (console_is_broken()) return OUTCOME_FAILED;
    }
    return OUTCOME_OK;
}

static int run(const search *source, arguments *parsed)
{
    tried *all = calloc((size_t)source->trials, sizeof *all);
    unsigned char *fixed = malloc(parsed->count);
    int64_t count = 0;
    int outcome = all == NULL || fixed == NULL ? fail("out of memory") : OUTCOME_OK;

    if (outcome == OUTCOME_OK) {
        memcpy(fixed, parsed->given, parsed->count);
        outcome = run_trials(source, parsed, fixed, all, &count);
    }
    if (outcome == OUTCOME_INTERRUPTED && count > 0) {
        console_note("interrupted in trial %" PRId64, count + 1);
        tell_end(source, parsed, fixed, all, count);
    } else if (outcome == OUTCOME_OK) {
        outcome = tell_end(source, parsed, fixed, all, count);
    }
    free(all);
    free(fixed);
    return outcome;
}

int search_train(const search *source, arguments *parsed)
{
    if (source->trials == 0) return source->run(parsed, NULL);
    if (source->saves) return fail("--search has no checkpoint: it cannot be stopped and go on");
    if (strcmp(source->input, "-") == 0)
        return fail("--search reads the %s several times, which standard input is not good for",
            source->what);
    return run(source, parsed);
}
