/* word2vec train: vocabulary, text, the training loop with its progress, and what is written. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/output.h"
#include "../common/system.h"
#include "commands.h"

typedef struct run {
    const settings *values;
    rnnkit_context *context;
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_word2vec *word2vec;
    double begun, trained; /* when training began; seconds that it took */
    double shown;          /* when progress was shown last */
    int64_t before;        /* words trained on in an earlier part of the run */
    char *standard_input;  /* - is read once and kept: vocabulary and training both need it */
    size_t standard_size;
} run;

static const char *path_of(const char *name)
{
    return strcmp(name, "-") == 0 ? "/dev/stdin" : name;
}

static int read_standard_input(run *of)
{
    size_t room = 0;

    if (of->standard_input != NULL) return OUTCOME_OK;
    for (;;) {
        if (of->standard_size == room) {
            char *larger = realloc(of->standard_input, room = room * 2 + 65536);

            if (larger == NULL) return fail("out of memory");
            of->standard_input = larger;
        }
        size_t got =
            fread(of->standard_input + of->standard_size, 1, room - of->standard_size, stdin);

        of->standard_size += got;
        if (got == 0) return ferror(stdin) ? fail("cannot read standard input") : OUTCOME_OK;
    }
}

/* Gives each file to the vocabulary or to training. */
static int push_corpus(run *of, int training)
{
    for (size_t i = 0; i < of->values->corpus.count; i++) {
        const char *name = of->values->corpus.items[i];
        int32_t status;

        if (strcmp(name, "-") == 0) {
            if (read_standard_input(of) != OUTCOME_OK) return OUTCOME_FAILED;
            status = training ? rnnkit_word2vec_push(
                                    of->word2vec, of->standard_input, (int64_t)of->standard_size)
                              : rnnkit_vocab_push(
                                    of->vocab, of->standard_input, (int64_t)of->standard_size);
        } else {
            status = training ? rnnkit_word2vec_push_file(of->word2vec, path_of(name))
                              : rnnkit_vocab_push_file(of->vocab, path_of(name));
        }
        if (failed(status)) return OUTCOME_FAILED;
        if (status == RNNKIT_STOPPED) return OUTCOME_INTERRUPTED;
    }
    return OUTCOME_OK;
}

static int make_vocabulary(run *of)
{
    char options[128];
    int outcome;

    snprintf(options, sizeof options, "punctuation=%s lowercase=%d invalid=%s",
        of->values->punctuation, of->values->lowercase, of->values->invalid);
    if (failed(rnnkit_tokenizer_create(of->context, options, &of->tokenizer)))
        return OUTCOME_FAILED;
    snprintf(options, sizeof options, "min_count=%lld", (long long)of->values->min_count);
    if (failed(rnnkit_vocab_create(of->tokenizer, options, &of->vocab))) return OUTCOME_FAILED;
    outcome = push_corpus(of, 0);
    if (outcome != OUTCOME_OK) return outcome;
    return failed(rnnkit_vocab_finish(of->vocab)) ? OUTCOME_FAILED : OUTCOME_OK;
}

static int create(run *of)
{
    const settings *values = of->values;
    char options[512];
    int outcome = make_vocabulary(of);

    if (outcome != OUTCOME_OK) return outcome;
    snprintf(options, sizeof options,
        "dimension=%lld window=%lld shrink=%d negative=%lld sample=%.17g subsampling=%s "
        "epochs=%lld lr=%.17g architecture=%s cbow_gradient=%s sentence=%s deterministic=%d",
        (long long)values->dim, (long long)values->window, !values->fixed_window,
        (long long)values->negative, values->sample, values->subsampling, (long long)values->epochs,
        values->lr, values->cbow ? "cbow" : "skipgram", values->cbow_gradient,
        values->whole_text ? "text" : "line", values->deterministic);
    return failed(rnnkit_word2vec_create(of->vocab, options, &of->word2vec)) ? OUTCOME_FAILED
                                                                             : OUTCOME_OK;
}

static int prepare(run *of)
{
    if (of->values->go_on[0] == '\0') return create(of);
    if (failed(rnnkit_word2vec_open(of->context, of->values->go_on, NULL, &of->word2vec)))
        return OUTCOME_FAILED;
    return failed(rnnkit_word2vec_vocab(of->word2vec, &of->vocab)) ? OUTCOME_FAILED : OUTCOME_OK;
}

static void tell_start(const run *of)
{
    int64_t words = 0, dimension = 0;
    char number[CONSOLE_NUMBER_SIZE];

    if (failed(rnnkit_word2vec_size(of->word2vec, &words, &dimension))) return;
    if (of->values->json) {
        json_begin("start");
        json_text("version", rnnkit_version());
        json_integer("vocabulary", words);
        json_integer("dimension", dimension);
        json_end();
    } else {
        console_line(
            "%s words, %lld numbers each", console_count(words, number), (long long)dimension);
    }
}

static double words_per_second(const run *of)
{
    int64_t words = 0;
    double seconds = system_clock() - of->begun;

    if (failed(rnnkit_word2vec_progress(of->word2vec, NULL, NULL, &words, NULL, NULL))) return 0;
    return seconds > 0 ? (double)(words - of->before) / seconds : 0;
}

static void tell_progress(run *of, double done, double loss, double rate)
{
    char line[256], speed[CONSOLE_NUMBER_SIZE], left[CONSOLE_NUMBER_SIZE];
    double time = system_clock(), seconds = time - of->begun;
    double interval = of->values->json || !console_is_terminal() ? 10 : 0.1;
    double remaining = done > 0 ? seconds * (1 - done) / done : 0;

    if (time - of->shown < interval) return;
    of->shown = time;
    if (of->values->json) {
        json_begin("progress");
        json_number("done", done);
        json_number("loss", loss);
        json_number("learning_rate", rate);
        json_number("words_per_second", words_per_second(of));
        json_number("seconds", seconds);
        json_number("seconds_left", remaining);
        json_end();
        return;
    }
    snprintf(line, sizeof line, "%3d%% loss %.4f lr %.5f %s words/s %s left", (int)(100 * done),
        loss, rate, console_count((int64_t)words_per_second(of), speed),
        console_duration(remaining, left));
    if (console_is_terminal())
        console_rewrite(line);
    else
        console_line("%s", line);
}

static int on_progress(double done, double loss, double rate, void *user)
{
    run *of = user;

    tell_progress(of, done, loss, rate);
    return interrupt_signal() != 0;
}

static int train(run *of)
{
    int32_t status;

    of->begun = of->shown = system_clock();
    if (failed(rnnkit_word2vec_progress(of->word2vec, NULL, NULL, &of->before, NULL, NULL)))
        return OUTCOME_FAILED;
    status = rnnkit_word2vec_train(of->word2vec, on_progress, of);
    if (failed(status)) return OUTCOME_FAILED;
    of->trained = system_clock() - of->begun;
    return status == RNNKIT_STOPPED ? OUTCOME_INTERRUPTED : OUTCOME_OK;
}

static int write_vectors(const run *of)
{
    char options[64];
    rnnkit_vectors *vectors;
    int32_t status;

    if (failed(rnnkit_word2vec_vectors(of->word2vec, NULL, &vectors))) return OUTCOME_FAILED;
    snprintf(options, sizeof options, "format=%s", of->values->format);
    status = rnnkit_vectors_save(vectors, of->values->output, options);
    rnnkit_vectors_destroy(vectors);
    return failed(status) ? OUTCOME_FAILED : OUTCOME_OK;
}

static int tell_done(const run *of)
{
    int64_t words = 0, vocabulary = 0;
    double loss = NAN, speed;
    char number[CONSOLE_NUMBER_SIZE], count[CONSOLE_NUMBER_SIZE];

    if (failed(rnnkit_word2vec_progress(of->word2vec, NULL, NULL, &words, &loss, NULL)) ||
        failed(rnnkit_word2vec_size(of->word2vec, &vocabulary, NULL)))
        return OUTCOME_FAILED;
    speed = of->trained > 0 ? (double)(words - of->before) / of->trained : 0;
    if (of->values->json) {
        json_begin("done");
        json_number("words_per_second", speed);
        json_number("seconds", of->trained);
        json_number("loss", loss);
        json_integer("vocabulary", vocabulary);
        json_text("output", of->values->output);
        json_end();
    } else {
        console_line("%s words in %.1f s, %s words/s, loss %.4f: %s",
            console_count(words - of->before, count), of->trained,
            console_count((int64_t)speed, number), loss, of->values->output);
    }
    return OUTCOME_OK;
}

static int save_state(const run *of)
{
    if (of->values->state[0] == '\0') return OUTCOME_OK;
    return failed(rnnkit_word2vec_save(of->word2vec, of->values->state)) ? OUTCOME_FAILED
                                                                         : OUTCOME_OK;
}

static int stopped(const run *of)
{
    if (of->word2vec == NULL || of->values->state[0] == '\0' || of->trained == 0)
        return OUTCOME_INTERRUPTED;
    if (save_state(of) != OUTCOME_OK) return OUTCOME_FAILED;
    if (of->values->json) {
        json_begin("interrupted");
        json_text("state", of->values->state);
        json_end();
    } else {
        console_line("stopped; --continue %s goes on with the same text", of->values->state);
    }
    return OUTCOME_INTERRUPTED;
}

static int train_all(run *of)
{
    int outcome = prepare(of);

    if (outcome == OUTCOME_OK) outcome = push_corpus(of, 1);
    if (outcome == OUTCOME_OK) {
        tell_start(of);
        outcome = train(of);
    }
    if (outcome == OUTCOME_INTERRUPTED) return stopped(of);
    if (outcome == OUTCOME_OK) outcome = write_vectors(of);
    if (outcome == OUTCOME_OK) outcome = save_state(of);
    return outcome == OUTCOME_OK ? tell_done(of) : outcome;
}

int train_command(arguments *parsed)
{
    const settings *values = parsed->values;
    run of = {.values = values};
    char options[64];
    int outcome;

    if (output_check("output", values->output) != OUTCOME_OK) return OUTCOME_FAILED;
    if (values->state[0] != '\0' && output_check("state", values->state) != OUTCOME_OK)
        return OUTCOME_FAILED;
    snprintf(options, sizeof options, "threads=%lld seed=%lld", (long long)values->threads,
        (long long)values->seed);
    if (failed(rnnkit_context_create(values->device, options, &of.context))) return OUTCOME_FAILED;
    interrupt_cancels(of.context);
    outcome = train_all(&of);
    interrupt_cancels(NULL);
    rnnkit_word2vec_destroy(of.word2vec);
    rnnkit_vocab_destroy(of.vocab);
    rnnkit_tokenizer_destroy(of.tokenizer);
    rnnkit_context_destroy(of.context);
    free(of.standard_input);
    return outcome;
}
