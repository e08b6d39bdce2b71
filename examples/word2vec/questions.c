/* word2vec nearest, analogy and doesnt-match: from the command line, or line by line. */
#define _GNU_SOURCE /* getline */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/console.h"
#include "../common/json.h"
#include "commands.h"

enum { MOST_WORDS = 64 };

/* Answers a question of `count` words. */
typedef int (*answer_fn)(
    const settings *values, const rnnkit_vectors *vectors, const int32_t *ids, int64_t count);

const char *word_of(const rnnkit_vectors *vectors, int32_t id, char buffer[WORD_SIZE])
{
    int64_t needed;

    if (rnnkit_vectors_word(vectors, id, buffer, WORD_SIZE, &needed, NULL) < 0)
        strcpy(buffer, "...");
    return buffer;
}

int open_vectors(const settings *values, rnnkit_context **context, rnnkit_vectors **vectors)
{
    char options[64];

    *context = NULL;
    *vectors = NULL;
    snprintf(options, sizeof options, "threads=%lld", (long long)values->threads);
    if (failed(rnnkit_context_create("cpu", options, context))) return OUTCOME_FAILED;
    snprintf(options, sizeof options, "limit=%lld", (long long)values->limit);
    return failed(rnnkit_vectors_open(*context, values->vectors, options, vectors)) ? OUTCOME_FAILED
                                                                                    : OUTCOME_OK;
}

void close_vectors(rnnkit_context *context, rnnkit_vectors *vectors)
{
    rnnkit_vectors_destroy(vectors);
    rnnkit_context_destroy(context);
}

static int print_neighbours(const settings *values, const rnnkit_vectors *vectors,
    const int32_t *positive, int64_t positive_count, const int32_t *negative,
    int64_t negative_count)
{
    int32_t *ids = malloc((size_t)values->top * sizeof *ids);
    float *scores = malloc((size_t)values->top * sizeof *scores);
    char options[64], word[WORD_SIZE];
    int64_t found = 0;
    int outcome = OUTCOME_FAILED;

    snprintf(options, sizeof options, "restrict=%lld method=%s scan=%s",
        (long long)values->restricted, values->method != NULL ? values->method : "add",
        values->scan);
    if (ids == NULL || scores == NULL)
        fail("out of memory");
    else if (!failed(rnnkit_vectors_most_similar(vectors, positive, positive_count, negative,
                 negative_count, options, values->top, ids, scores, &found)))
        outcome = OUTCOME_OK;
    for (int64_t i = 0; outcome == OUTCOME_OK && i < found; i++) {
        if (values->json) {
            json_begin("neighbour");
            json_text("word", word_of(vectors, ids[i], word));
            json_number("score", (double)scores[i]);
            json_end();
        } else {
            console_line("  %.4f  %s", (double)scores[i], word_of(vectors, ids[i], word));
        }
    }
    free(ids);
    free(scores);
    return outcome;
}

static int answer_nearest(
    const settings *values, const rnnkit_vectors *vectors, const int32_t *ids, int64_t count)
{
    return print_neighbours(values, vectors, ids, count, NULL, 0);
}

static int answer_analogy(
    const settings *values, const rnnkit_vectors *vectors, const int32_t *ids, int64_t count)
{
    if (count != 3) return fail("an analogy has three words: man king woman, for queen");
    return print_neighbours(values, vectors, ids + 1, 2, ids, 1);
}

static int answer_doesnt_match(
    const settings *values, const rnnkit_vectors *vectors, const int32_t *ids, int64_t count)
{
    char word[WORD_SIZE];
    int64_t place;

    if (failed(rnnkit_vectors_doesnt_match(vectors, ids, count, &place))) return OUTCOME_FAILED;
    if (values->json) {
        json_begin("odd");
        json_text("word", word_of(vectors, ids[place], word));
        json_end();
    } else {
        console_line("  %s", word_of(vectors, ids[place], word));
    }
    return OUTCOME_OK;
}

static int answer_words(const settings *values, const rnnkit_vectors *vectors,
    const char *const *words, size_t count, answer_fn answer)
{
    int32_t ids[MOST_WORDS];

    if (count > MOST_WORDS) return fail("more than %d words", MOST_WORDS);
    for (size_t i = 0; i < count; i++)
        if (failed(rnnkit_vectors_find(vectors, words[i], -1, &ids[i]))) return OUTCOME_FAILED;
    return answer(values, vectors, ids, (int64_t)count);
}

/* A question a line; one that fails does not end the conversation. */
static int answer_lines(const settings *values, const rnnkit_vectors *vectors, answer_fn answer)
{
    char *line = NULL;
    size_t room = 0;
    int asks = isatty(STDIN_FILENO) && !values->json;

    for (;;) {
        const char *words[MOST_WORDS];
        size_t count = 0;

        if (asks) console_text("> ", 2);
        if (getline(&line, &room, stdin) < 0) break;
        for (char *word = strtok(line, " \t\r\n"); word != NULL && count < MOST_WORDS;
             word = strtok(NULL, " \t\r\n"))
            words[count++] = word;
        if (count > 0) answer_words(values, vectors, words, count, answer);
        if (console_is_broken()) break;
    }
    free(line);
    return OUTCOME_OK;
}

static int ask(const settings *values, answer_fn answer)
{
    rnnkit_context *context;
    rnnkit_vectors *vectors;
    int outcome = open_vectors(values, &context, &vectors);

    if (outcome == OUTCOME_OK && values->words.count > 0)
        outcome = answer_words(values, vectors, values->words.items, values->words.count, answer);
    else if (outcome == OUTCOME_OK)
        outcome = answer_lines(values, vectors, answer);
    close_vectors(context, vectors);
    return outcome;
}

int nearest_command(arguments *parsed)
{
    const settings *values = parsed->values;
    return ask(values, answer_nearest);
}

int analogy_command(arguments *parsed)
{
    const settings *values = parsed->values;
    return ask(values, answer_analogy);
}

int doesnt_match_command(arguments *parsed)
{
    const settings *values = parsed->values;
    return ask(values, answer_doesnt_match);
}
