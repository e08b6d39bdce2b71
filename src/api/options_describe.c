/* rnnkit_options_describe: all option tables in one list, so that bindings and --help need no copy. */
#include <stdio.h>
#include <string.h>

#include "autodiff/tape.h"
#include "backend/open.h"
#include "base/give.h"
#include "base/nearest.h"
#include "base/numbers.h"
#include "base/options.h"
#include "generate/generator.h"
#include "generate/search.h"
#include "nn/layers.h"
#include "nn/loss.h"
#include "nn/model_file.h"
#include "nn/optimizer.h"
#include "text/batches.h"
#include "text/tokenizer.h"
#include "text/tokens.h"
#include "text/vocab.h"
#include "word2vec/pairs.h"
#include "word2vec/vectors.h"
#include "word2vec/word2vec.h"

static const rki_option_table *const nouns[] = {
    &rki_context_options,
    &rki_tokenizer_options_table,
    &rki_vocab_options_table,
    &rki_tokens_options_table,
    &rki_batches_options_table,
    &rki_open_options,
    &rki_load_options,
    &rki_embedding_options,
    &rki_embedding_vectors_options,
    &rki_rnn_options,
    &rki_pool_options,
    &rki_linear_options,
    &rki_cross_entropy_options,
    &rki_pointwise_loss_options,
    &rki_attention_options,
    &rki_decoder_options,
    &rki_multihead_options,
    &rki_norm_options,
    &rki_tape_options,
    &rki_optimizer_options,
    &rki_schedule_options,
    &rki_generator_options,
    &rki_search_options,
    &rki_w2v_options_table,
    &rki_w2v_vectors_options,
    &rki_vectors_open_options,
    &rki_vectors_save_options,
    &rki_vectors_query_options,
    &rki_vectors_evaluate_options,
    &rki_pairs_options,
    &rki_noise_options,
};

enum { NOUNS = sizeof nouns / sizeof *nouns, TEXT_SIZE = 16384 };

/* Text that grows in a buffer of fixed size; what does not fit only counts. */
typedef struct listing {
    char text[TEXT_SIZE];
    size_t used;
} listing;

static void add(listing *to, const char *text)
{
    size_t length = strlen(text);
    if (to->used + length < TEXT_SIZE) memcpy(to->text + to->used, text, length + 1);
    to->used += length;
}

static void add_bound(listing *to, const rki_option *row, double bound)
{
    char number[RKI_NUMBER_SIZE];
    int has = row->type != RKI_OPTION_CHOICE && row->type != RKI_OPTION_TEXT;
    add(to, "\t");
    if (has) add(to, rki_format_number(bound, number));
}

static void add_row(listing *to, const rki_option *row)
{
    static const char *const types[] = {"integer", "number", "flag", "choice", "text"};
    add(to, row->name);
    add(to, "\t");
    add(to, types[row->type]);
    add_bound(to, row, row->least);
    add_bound(to, row, row->most);
    const char *rest[] = {row->initial, row->choices, row->since, row->help};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        add(to, "\t");
        if (rest[i] != NULL) add(to, rest[i]);
    }
    add(to, "\n");
}

static int32_t describe(const char *noun, listing *to)
{
    if (noun == NULL) {
        for (int i = 0; i < NOUNS; i++) {
            add(to, nouns[i]->noun);
            add(to, "\n");
        }
        return RNNKIT_OK;
    }
    rki_nearest nearest = rki_nearest_start(noun, strlen(noun));
    for (int i = 0; i < NOUNS; i++) {
        if (strcmp(nouns[i]->noun, noun) != 0) {
            rki_nearest_offer(&nearest, nouns[i]->noun);
            continue;
        }
        for (int32_t k = 0; k < nouns[i]->count; k++)
            add_row(to, &nouns[i]->rows[k]);
        return RNNKIT_OK;
    }
    return rki_fail(RNNKIT_E_NOT_FOUND, "there are no options of '%.40s'%s%s%s", noun,
        nearest.best != NULL ? "; did you mean '" : "", nearest.best != NULL ? nearest.best : "",
        nearest.best != NULL ? "'?" : "");
}

static int32_t give(const char *noun, char *buffer, int64_t capacity, int64_t *needed)
{
    listing list;
    list.used = 0;
    list.text[0] = '\0';
    RKI_TRY(describe(noun, &list));
    if (list.used >= TEXT_SIZE)
        return rki_fail(RNNKIT_E_INTERNAL, "the options of '%.40s' do not fit", noun);
    return rki_give_text(list.text, buffer, capacity, needed);
}

int32_t rnnkit_options_describe(const char *noun, char *buffer, int64_t capacity, int64_t *needed)
{
    return rki_leave(NULL, __func__, give(noun, buffer, capacity, needed));
}
