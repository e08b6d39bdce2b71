/* word2vec evaluate and convert. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/json.h"
#include "commands.h"

static int evaluate_pairs(
    const settings *values, const rnnkit_vectors *vectors, const char *options)
{
    double pearson, spearman;
    int64_t pairs, unknown;

    if (failed(rnnkit_vectors_evaluate_pairs(
            vectors, values->pairs, options, &pearson, &spearman, &pairs, &unknown)))
        return OUTCOME_FAILED;
    if (values->json) {
        json_begin("pairs");
        json_number("pearson", pearson);
        json_number("spearman", spearman);
        json_integer("pairs", pairs);
        json_integer("unknown", unknown);
        json_end();
    } else {
        console_line("%lld pairs, %lld with an unknown word: Spearman %.4f, Pearson %.4f",
            (long long)pairs, (long long)unknown, spearman, pearson);
    }
    return OUTCOME_OK;
}

static void print_section(const settings *values, char *line)
{
    char *right = strchr(line, '\t'), *answered = right == NULL ? NULL : strchr(right + 1, '\t');
    double share;

    if (answered == NULL) return;
    *right++ = *answered++ = '\0';
    share = atof(answered) > 0 ? atof(right) / atof(answered) : 0;
    if (values->json) {
        json_begin("section");
        json_text("name", line);
        json_integer("right", atoll(right));
        json_integer("answered", atoll(answered));
        json_end();
    } else {
        console_line("%-30s %5.1f %%  (%s of %s)", line, 100 * share, right, answered);
    }
}

static int evaluate_analogies(
    const settings *values, const rnnkit_vectors *vectors, const char *options)
{
    int64_t needed, room = 1 << 20;
    char *text = malloc((size_t)room);
    int outcome = OUTCOME_OK;

    if (text == NULL) return fail("out of memory");
    if (failed(rnnkit_vectors_evaluate_analogies(
            vectors, values->analogies, options, text, room, &needed, NULL, NULL)))
        outcome = OUTCOME_FAILED;
    for (char *line = outcome == OUTCOME_OK ? strtok(text, "\n") : NULL; line != NULL;
         line = strtok(NULL, "\n"))
        print_section(values, line);
    free(text);
    return outcome;
}

int evaluate_command(arguments *parsed)
{
    const settings *values = parsed->values;
    rnnkit_context *context;
    rnnkit_vectors *vectors;
    char options[96];
    int outcome;

    if (values->pairs[0] == '\0' && values->analogies[0] == '\0')
        return fail("evaluate needs --pairs FILE or --analogies FILE");
    snprintf(options, sizeof options, "restrict=%lld method=%s", (long long)values->restricted,
        values->method);
    outcome = open_vectors(values, &context, &vectors);
    if (outcome == OUTCOME_OK && values->pairs[0] != '\0')
        outcome = evaluate_pairs(values, vectors, options);
    if (outcome == OUTCOME_OK && values->analogies[0] != '\0')
        outcome = evaluate_analogies(values, vectors, options);
    close_vectors(context, vectors);
    return outcome;
}

int convert_command(arguments *parsed)
{
    const settings *values = parsed->values;
    rnnkit_context *context;
    rnnkit_vectors *vectors;
    char options[64];
    int outcome = open_vectors(values, &context, &vectors);

    snprintf(options, sizeof options, "format=%s", values->format);
    if (outcome == OUTCOME_OK && failed(rnnkit_vectors_save(vectors, values->output, options)))
        outcome = OUTCOME_FAILED;
    close_vectors(context, vectors);
    return outcome;
}
