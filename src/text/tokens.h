/* The token stream object: ids in chunks of memory, and beyond that on disk. */
#ifndef RKI_TEXT_TOKENS_H
#define RKI_TEXT_TOKENS_H

#include <stdint.h>

#include "base/object.h"
#include "base/options.h"
#include "rnnkit/tokens.h"
#include "text/feed.h"
#include "text/idstore.h"
#include "text/vocab.h"

typedef struct rki_tokens_settings {
    int64_t memory; /* MiB */
    char folder[RKI_OPTION_TEXT_SIZE];
} rki_tokens_settings;

struct rnnkit_tokens {
    rki_object object;
    rnnkit_vocab *vocab;
    rki_tokens_settings settings;
    rki_feed feed; /* closed: finished */
    rki_idstore ids;
    int64_t unknown;
};

extern const rki_option_table rki_tokens_options_table;

void rki_tokens_retain(rnnkit_tokens *tokens);
void rki_tokens_release(rnnkit_tokens *tokens);

/* RNNKIT_E_ORDER unless finished. */
int32_t rki_tokens_check_finished(const rnnkit_tokens *tokens);

/* Copies ids that are known to be inside a finished stream. */
int32_t rki_tokens_copy(const rnnkit_tokens *tokens, int64_t first, int32_t *ids, int64_t count);

#endif
