/* The library reads the files, in pieces, so that a text may be larger than memory; Ctrl-C cancels
 * it. Standard input cannot be read twice and is therefore copied to a file without a name.
 */
#include "corpus.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"

enum { PIECE = 65536 };

/* Where the text goes: into a vocabulary or a token stream. */
typedef struct sink {
    int32_t (*take)(void *target, const char *text, int64_t length);
    int32_t (*take_file)(void *target, const char *path);
    void *target;
} sink;

static int32_t push_to_vocab(void *vocab, const char *text, int64_t length)
{
    return rnnkit_vocab_push(vocab, text, length);
}

static int32_t push_file_to_vocab(void *vocab, const char *path)
{
    return rnnkit_vocab_push_file(vocab, path);
}

static int32_t push_to_tokens(void *tokens, const char *text, int64_t length)
{
    return rnnkit_tokens_push(tokens, text, length);
}

static int32_t push_file_to_tokens(void *tokens, const char *path)
{
    return rnnkit_tokens_push_file(tokens, path);
}

static int is_standard_input(const char *name)
{
    return strcmp(name, "-") == 0;
}

static int spool_standard_input(corpus *target)
{
    char piece[PIECE];
    size_t length;

    if (target->spool != NULL) return fail("--corpus: - (standard input) is there twice");
    target->spool = tmpfile();
    if (target->spool == NULL)
        return fail("a temporary file for standard input: %s", strerror(errno));
    while ((length = fread(piece, 1, sizeof piece, stdin)) > 0) {
        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        if (fwrite(piece, 1, length, target->spool) != length) break;
    }
    if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (ferror(stdin)) return fail("standard input: %s", strerror(errno));
    if (fflush(target->spool) != 0 || ferror(target->spool))
        return fail("a temporary file for standard input: %s", strerror(errno));
    return OUTCOME_OK;
}

static int spool_where_needed(corpus *target, const argument_list *names)
{
    for (size_t i = 0; i < names->count; i++) {
        int outcome =
            is_standard_input(names->items[i]) ? spool_standard_input(target) : OUTCOME_OK;

        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

static int check_pushed(const char *option, int32_t status)
{
    if (status == RNNKIT_STOPPED || interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    if (status == RNNKIT_E_ENCODING)
        return fail("--%s: %s; train with --invalid replace or skip reads it all the same", option,
            rnnkit_error_message());
    return status < 0 ? fail("--%s: %s", option, rnnkit_error_message()) : OUTCOME_OK;
}

static int push_spool(const corpus *source, const sink *to)
{
    char piece[PIECE];
    size_t length;

    rewind(source->spool);
    while ((length = fread(piece, 1, sizeof piece, source->spool)) > 0) {
        int outcome = check_pushed("corpus -", to->take(to->target, piece, (int64_t)length));

        if (outcome != OUTCOME_OK) return outcome;
    }
    return ferror(source->spool) ? fail("--corpus -: %s", strerror(errno)) : OUTCOME_OK;
}

static int ends_with_a_line(FILE *file)
{
    return file == NULL || fseek(file, -1, SEEK_END) != 0 || fgetc(file) == '\n';
}

/* The last line of a text before another text gets the line feed that it lacks. */
static int push_line_end(const corpus *source, const char *name, const sink *to)
{
    FILE *file = is_standard_input(name) ? source->spool : fopen(name, "rb");
    int whole = ends_with_a_line(file);

    if (file != NULL && file != source->spool) fclose(file);
    return whole ? OUTCOME_OK : check_pushed("corpus", to->take(to->target, "\n", 1));
}

static int push_all(const corpus *source, const argument_list *names, const sink *to)
{
    for (size_t i = 0; i < names->count; i++) {
        const char *name = names->items[i];
        int outcome = is_standard_input(name)
                          ? push_spool(source, to)
                          : check_pushed("corpus", to->take_file(to->target, name));

        if (outcome == OUTCOME_OK && i + 1 < names->count)
            outcome = push_line_end(source, name, to);
        if (outcome != OUTCOME_OK) return outcome;
    }
    return OUTCOME_OK;
}

static int make_tokenizer(corpus *target, rnnkit_context *context, const settings *options)
{
    char text[128];
    int lowercase = options->lowercase;

    if (lowercase < 0) lowercase = strcmp(options->unit, "word") == 0;
    snprintf(text, sizeof text, "unit=%s lowercase=%d invalid=%s", options->unit, lowercase,
        options->invalid);
    return failed(rnnkit_tokenizer_create(context, text, &target->tokenizer));
}

static int fail_without_words(const settings *options)
{
    return fail("--corpus: there is not a word in %s%s", options->corpus.items[0],
        options->corpus.count > 1 ? " and the others" : "");
}

static int build_vocabulary(corpus *target, const settings *options)
{
    sink to = {push_to_vocab, push_file_to_vocab, NULL};
    char text[64];
    int32_t status;
    int outcome;

    snprintf(text, sizeof text, "min_count=%" PRId64, options->min_count);
    if (failed(rnnkit_vocab_create(target->tokenizer, text, &target->vocab))) return OUTCOME_FAILED;
    to.target = target->vocab;
    outcome = push_all(target, &options->corpus, &to);
    if (outcome != OUTCOME_OK) return outcome;
    status = rnnkit_vocab_finish(target->vocab);
    if (status == RNNKIT_E_ARGUMENT) return fail_without_words(options);
    return check_pushed("corpus", status);
}

static int read_tokens(corpus *target, const settings *options)
{
    sink to = {push_to_tokens, push_file_to_tokens, NULL};
    int outcome;

    if (failed(rnnkit_tokens_create(target->vocab, NULL, &target->tokens))) return OUTCOME_FAILED;
    to.target = target->tokens;
    outcome = push_all(target, &options->corpus, &to);
    if (outcome == OUTCOME_OK)
        outcome = check_pushed("corpus", rnnkit_tokens_finish(target->tokens));
    if (outcome != OUTCOME_OK) return outcome;
    if (failed(rnnkit_tokens_size(target->tokens, &target->count, &target->unknown)) ||
        failed(rnnkit_vocab_size(target->vocab, &target->words, NULL)))
        return OUTCOME_FAILED;
    return target->count > 0 ? OUTCOME_OK : fail_without_words(options);
}

int corpus_open(corpus *target, rnnkit_context *context, const settings *options)
{
    int outcome;

    interrupt_cancels(context);
    outcome = spool_where_needed(target, &options->corpus);
    if (outcome == OUTCOME_OK) outcome = make_tokenizer(target, context, options);
    if (outcome == OUTCOME_OK) outcome = build_vocabulary(target, options);
    if (outcome == OUTCOME_OK) outcome = read_tokens(target, options);
    interrupt_cancels(NULL);
    return outcome;
}

int corpus_open_with(
    corpus *target, rnnkit_context *context, const settings *options, rnnkit_vocab *vocab)
{
    int outcome;

    target->vocab = vocab;
    interrupt_cancels(context);
    outcome = spool_where_needed(target, &options->corpus);
    if (outcome == OUTCOME_OK) outcome = read_tokens(target, options);
    interrupt_cancels(NULL);
    return outcome;
}

void corpus_close(corpus *target)
{
    rnnkit_tokens_destroy(target->tokens);
    rnnkit_vocab_destroy(target->vocab);
    rnnkit_tokenizer_destroy(target->tokenizer);
    if (target->spool != NULL) fclose(target->spool);
    *target = (corpus){0};
}

int corpus_fingerprint(const corpus *source, uint64_t *fingerprint)
{
    int32_t ids[4096];
    int64_t most = (int64_t)(sizeof ids / sizeof *ids);
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (int64_t first = 0; first < source->count; first += most) {
        int64_t count = source->count - first < most ? source->count - first : most;

        if (failed(rnnkit_tokens_read(source->tokens, first, ids, count))) return OUTCOME_FAILED;
        for (int64_t i = 0; i < count; i++)
            hash = (hash ^ (uint32_t)ids[i]) * UINT64_C(0x100000001B3);
    }
    *fingerprint = hash;
    return OUTCOME_OK;
}
