/* Writing with a model. See decode.h. */
#include "decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"

/* Makes an array larger when it has to be. */
static int grow(void *array, int64_t *room, int64_t wanted, size_t size)
{
    void **place = array;
    void *larger;
    int64_t next = wanted * 2 + 64;

    if (wanted <= *room) return OUTCOME_OK;
    larger = realloc(*place, (size_t)next * size);
    if (larger == NULL) return fail("out of memory");
    *place = larger;
    *room = next;
    return OUTCOME_OK;
}

/* Words as texts. */

static int point_at_items(tokens *target)
{
    const char *at = target->text;

    if (grow(&target->items, &target->item_room, target->count, sizeof *target->items) !=
        OUTCOME_OK)
        return OUTCOME_FAILED;
    for (int64_t i = 0; i < target->count; i++) {
        target->items[i] = at;
        at += strlen(at) + 1;
    }
    return OUTCOME_OK;
}

int tokens_split(tokens *target, const network *source, const line *from)
{
    int32_t status = rnnkit_tokenizer_split(source->tokenizer, from->text, from->length,
        target->text, target->room, &target->size, &target->count);

    if (status == RNNKIT_E_TOO_SMALL) {
        if (grow(&target->text, &target->room, target->size, 1) != OUTCOME_OK)
            return OUTCOME_FAILED;
        status = rnnkit_tokenizer_split(source->tokenizer, from->text, from->length, target->text,
            target->room, &target->size, &target->count);
    }
    return failed(status) ? OUTCOME_FAILED : point_at_items(target);
}

static int append(tokens *target, const char *word)
{
    int64_t length = (int64_t)strlen(word) + 1;

    if (grow(&target->text, &target->room, target->size + length, 1) != OUTCOME_OK)
        return OUTCOME_FAILED;
    memcpy(target->text + target->size, word, (size_t)length);
    target->size += length;
    target->count++;
    return OUTCOME_OK;
}

static int append_id(tokens *target, const rnnkit_vocab *vocab, int32_t id)
{
    int64_t needed, room = target->room - target->size;
    int32_t status = rnnkit_vocab_word(
        vocab, id, room > 0 ? target->text + target->size : NULL, room, &needed, NULL);

    if (status == RNNKIT_E_TOO_SMALL) {
        if (grow(&target->text, &target->room, target->size + needed, 1) != OUTCOME_OK)
            return OUTCOME_FAILED;
        status = rnnkit_vocab_word(
            vocab, id, target->text + target->size, target->room - target->size, &needed, NULL);
    }
    if (failed(status)) return OUTCOME_FAILED;
    target->size += needed;
    target->count++;
    return OUTCOME_OK;
}

char *tokens_join(const tokens *source, const network *from)
{
    int64_t needed = 0;
    int32_t status = rnnkit_tokenizer_join(
        from->tokenizer, source->count > 0 ? source->text : "", source->count, NULL, 0, &needed);
    char *text = status == RNNKIT_E_TOO_SMALL ? malloc((size_t)needed) : NULL;

    if (status == RNNKIT_E_TOO_SMALL && text == NULL) fail("out of memory");
    if (text != NULL)
        status = rnnkit_tokenizer_join(from->tokenizer, source->count > 0 ? source->text : "",
            source->count, text, needed, &needed);
    if (!failed(status)) return text;
    free(text);
    return NULL;
}

void tokens_free(tokens *target)
{
    free(target->text);
    free(target->items);
    *target = (tokens){0};
}

/* The translator. */

static int open_search(translator *target, int64_t n_best)
{
    const settings *options = target->options;
    const network *net = &target->net;
    char text[200];

    if (n_best > options->beam)
        return fail("--n-best %" PRId64 " is more than --beam %" PRId64, n_best, options->beam);
    snprintf(text, sizeof text,
        "beam=%" PRId64 " n_best=%" PRId64 " length_penalty=%.17g unknown=%d max_length=%" PRId64
        " bos=%d eos=%d",
        options->beam, n_best, options->length_penalty, options->replace_unknown, 2 * net->longest,
        BOS, EOS);
    return failed(rnnkit_search_create(
        net->embeddings[TARGET], net->decoder, net->output, text, &target->search));
}

int translator_open(translator *target, settings *options, int64_t n_best)
{
    char text[64];
    int outcome;

    *target = (translator){.options = options};
    snprintf(text, sizeof text, "threads=%" PRId64, options->threads);
    outcome = failed(rnnkit_context_create(options->device, text, &target->context));
    if (outcome != OUTCOME_OK) return outcome;
    interrupt_cancels(target->context);
    outcome = network_open(&target->net, target->context, options->model, options->weights);
    if (outcome == OUTCOME_OK)
        outcome = failed(rnnkit_tape_create(target->context, "train=0", &target->tape));
    return outcome == OUTCOME_OK ? open_search(target, n_best) : outcome;
}

void translator_close(translator *target)
{
    interrupt_cancels(NULL);
    rnnkit_search_destroy(target->search);
    rnnkit_tape_destroy(target->tape);
    network_close(&target->net);
    rnnkit_context_destroy(target->context);
    *target = (translator){0};
}

int translator_run(translator *target, const batch *from)
{
    rnnkit_tensor *memory, *start;
    int32_t status;

    if (network_encode(&target->net, target->tape, from, &memory, &start) != OUTCOME_OK)
        return OUTCOME_FAILED;
    status = rnnkit_search_run(target->search, memory, from->lengths, start);
    if (status == RNNKIT_STOPPED || interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    return failed(status);
}

/* What stands for <unk>: the source word that was looked at most. */
static const char *most_seen(const float *weights, const tokens *from)
{
    int64_t best = 0;

    for (int64_t s = 1; s < from->count; s++)
        if (weights[s] > weights[best]) best = s;
    return from->items[best];
}

static int spell(const translator *source, const tokens *from, int64_t positions, hypothesis *out)
{
    out->words.size = out->words.count = 0;
    for (int64_t t = 0; t < out->count; t++) {
        int outcome = out->ids[t] == RNNKIT_UNK
                          ? append(&out->words, most_seen(out->weights + t * positions, from))
                          : append_id(&out->words, source->net.vocabs[TARGET], out->ids[t]);

        if (outcome != OUTCOME_OK) return outcome;
    }
    return point_at_items(&out->words);
}

int translator_take(translator *source, int64_t row, int64_t rank, int64_t positions,
    const tokens *from, hypothesis *out, int *found)
{
    int32_t status = rnnkit_search_result(
        source->search, row, rank, out->ids, out->id_room, &out->count, &out->score, &out->cut);

    *found = status != RNNKIT_E_NOT_FOUND;
    if (!*found) return OUTCOME_OK;
    if (status == RNNKIT_E_TOO_SMALL) {
        if (grow(&out->ids, &out->id_room, out->count, sizeof *out->ids) != OUTCOME_OK)
            return OUTCOME_FAILED;
        status = rnnkit_search_result(
            source->search, row, rank, out->ids, out->id_room, &out->count, &out->score, &out->cut);
    }
    if (failed(status) || grow(&out->weights, &out->weight_room, out->count * positions,
                              sizeof *out->weights) != OUTCOME_OK)
        return OUTCOME_FAILED;
    if (out->count > 0 && failed(rnnkit_search_weights(
                              source->search, row, rank, out->weights, out->count * positions)))
        return OUTCOME_FAILED;
    return spell(source, from, positions, out);
}

void hypothesis_free(hypothesis *target)
{
    free(target->ids);
    free(target->weights);
    tokens_free(&target->words);
    *target = (hypothesis){0};
}
