/* Writes the text as it comes. Standard output carries the text alone (or, with --json, a line for
 * each piece of it); what else there is to say goes to standard error.
 */
#include "generate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rnnkit/rnnkit.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/system.h"
#include "network.h"

typedef struct writer {
    const settings *options;
    rnnkit_context *context;
    network net;
    rnnkit_vocab *vocab;
    rnnkit_generator *generator;
    char *piece;
    int64_t room;
    int64_t seed, tokens;
    char last; /* the last byte that was written */
} writer;

static void write_piece(writer *target, const char *piece)
{
    size_t length = strlen(piece);

    if (length == 0) return;
    target->last = piece[length - 1];
    if (target->options->json) {
        json_begin("text");
        json_text("text", piece);
        json_end();
    } else {
        console_text(piece, length);
    }
}

static const char *skip_empty_lines(const char *text)
{
    return text + strspn(text, "\n");
}

/* Writes what the generator has ready. */
static int write_ready(writer *target)
{
    int64_t needed = 0;
    int32_t status = rnnkit_generator_text(target->generator, target->piece, target->room, &needed);

    if (status == RNNKIT_E_TOO_SMALL) {
        char *piece = realloc(target->piece, (size_t)needed);

        if (piece == NULL) return fail("out of memory");
        target->piece = piece;
        target->room = needed;
        status = rnnkit_generator_text(target->generator, target->piece, target->room, &needed);
    }
    if (failed(status)) return OUTCOME_FAILED;
    write_piece(target, target->last == '\0' ? skip_empty_lines(target->piece) : target->piece);
    return OUTCOME_OK;
}

/* The model has learned what follows on something, not what follows on nothing: every text starts
 * behind a line feed or, where the model knows none, behind its most frequent word (<pad> = 0 and
 * <unk> = 1 come before that). */
static int feed_line_feed(writer *target)
{
    int64_t count;
    int32_t id = RNNKIT_UNK;
    int32_t status = rnnkit_vocab_encode(target->vocab, "\n", -1, &id, 1, &count);

    if (status < 0 || count != 1 || id == RNNKIT_UNK) id = RNNKIT_UNK + 1;
    return failed(rnnkit_generator_prime_ids(target->generator, &id, 1));
}

/* 1 when <unk> stood in the text that was learned, so that the model can do something with it. */
static int knows_unknown(const writer *target)
{
    char word[16];
    int64_t needed, count = 0;

    return rnnkit_vocab_word(target->vocab, RNNKIT_UNK, word, sizeof word, &needed, &count) == 0 &&
           count > 0;
}

/* Feeds the `count` ids as the text that they are; the caller's text is written in full. */
static int feed(writer *target, const int32_t *ids, int64_t count)
{
    int64_t needed = 0;
    char *text;
    int32_t status;
    int outcome;

    if (count == 0) return OUTCOME_OK;
    status = rnnkit_vocab_decode(target->vocab, ids, count, NULL, 0, &needed);
    if (status != RNNKIT_E_TOO_SMALL && failed(status)) return OUTCOME_FAILED;
    text = malloc((size_t)needed + 1);
    if (text == NULL) return fail("out of memory");
    outcome = failed(rnnkit_vocab_decode(target->vocab, ids, count, text, needed, &needed));
    if (outcome == OUTCOME_OK)
        outcome = failed(rnnkit_generator_prime(target->generator, text, -1));
    free(text);
    return outcome;
}

/* Words that the model never saw would only confuse it: they are passed over, and told. */
static int feed_known(writer *target, int32_t *ids, int64_t count)
{
    int64_t known = 0;

    for (int64_t i = 0; i < count; i++)
        if (ids[i] != RNNKIT_UNK) ids[known++] = ids[i];
    console_note("note: the model does not know %" PRId64 " of the %" PRId64
                 " words of --prime and passes over %s",
        count - known, count, count - known == 1 ? "it" : "them");
    return feed(target, ids, known);
}

static int prime_text(writer *target, const char *text)
{
    int64_t count = 0, unknown = 0;
    int32_t *ids;
    int32_t status = rnnkit_vocab_encode(target->vocab, text, -1, NULL, 0, &count);
    int outcome;

    if (status != RNNKIT_E_TOO_SMALL && failed(status)) return OUTCOME_FAILED;
    ids = malloc(((size_t)count + 1) * sizeof *ids);
    if (ids == NULL) return fail("out of memory");
    status = rnnkit_vocab_encode(target->vocab, text, -1, ids, count, &count);
    for (int64_t i = 0; status >= 0 && i < count; i++)
        unknown += ids[i] == RNNKIT_UNK;
    if (status < 0)
        outcome = failed(status);
    else if (unknown > 0 && !knows_unknown(target))
        outcome = feed_known(target, ids, count);
    else
        outcome = failed(rnnkit_generator_prime(target->generator, text, -1));
    free(ids);
    return outcome;
}

static int prime(writer *target)
{
    char *text = settings_unescape(target->options->prime);
    int outcome;

    if (text == NULL) return fail("out of memory");
    outcome = feed_line_feed(target);
    if (outcome == OUTCOME_OK) outcome = prime_text(target, text);
    if (outcome == OUTCOME_OK) write_piece(target, text);
    free(text);
    return outcome;
}

static int add_stops(writer *target)
{
    for (size_t i = 0; i < target->options->stop.count; i++) {
        char *text = settings_unescape(target->options->stop.items[i]);
        int outcome;

        if (text == NULL) return fail("out of memory");
        outcome = failed(rnnkit_generator_stop_at(target->generator, text));
        free(text);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

static int open_generator(writer *target)
{
    const settings *options = target->options;
    char text[256];

    snprintf(text, sizeof text,
        "temperature=%.17g top_k=%" PRId64 " top_p=%.17g repetition_penalty=%.17g length=%" PRId64
        " seed=%" PRId64,
        options->temperature, options->top_k, options->top_p, options->repetition_penalty,
        options->length, target->seed);
    if (network_open(&target->net, target->context, options->model, options->weights) !=
            OUTCOME_OK ||
        failed(rnnkit_model_vocab(target->net.model, &target->vocab)) ||
        failed(rnnkit_generator_create(target->net.embedding, target->net.lstm, target->net.linear,
            target->vocab, text, &target->generator)))
        return OUTCOME_FAILED;
    return add_stops(target);
}

static int write_text(writer *target)
{
    int32_t status;
    int32_t id;

    if (prime(target) != OUTCOME_OK) return OUTCOME_FAILED;
    while ((status = rnnkit_generator_next(target->generator, &id)) == RNNKIT_OK) {
        target->tokens++;
        if (write_ready(target) != OUTCOME_OK) return OUTCOME_FAILED;
        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        if (console_is_broken()) return OUTCOME_FAILED;
    }
    return failed(status) ? OUTCOME_FAILED : write_ready(target);
}

static void write_end(writer *target)
{
    if (target->options->json) {
        json_begin("done");
        json_integer("tokens", target->tokens);
        json_integer("seed", target->seed);
        json_end();
    } else if (target->last != '\n' && target->last != '\0') {
        console_text("\n", 1);
    }
}

static int run(writer *target)
{
    char setup[64];
    int outcome;

    snprintf(setup, sizeof setup, "threads=%" PRId64, target->options->threads);
    if (failed(rnnkit_context_create(target->options->device, setup, &target->context)) ||
        open_generator(target) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (!target->options->json) fprintf(stderr, "seed %" PRId64 "\n", target->seed);
    outcome = write_text(target);
    write_end(target);
    return outcome;
}

int generate_command(const settings *options)
{
    writer target = {.options = options, .seed = options->seed};
    int outcome;

    if (target.seed < 0) target.seed = system_seed();
    outcome = run(&target);
    free(target.piece);
    rnnkit_generator_destroy(target.generator);
    rnnkit_vocab_destroy(target.vocab);
    network_close(&target.net);
    rnnkit_context_destroy(target.context);
    return outcome;
}
