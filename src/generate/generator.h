/* The generator: a language model that goes on from what it was fed, one token a call.
 *
 * What was drawn is fed to the model at once, <eos> and the last token of a stop text included, so
 * that priming can go on from everywhere, and logits of the next token are always at hand.
 * A step does what can fail before it changes anything; only a device's failure comes later.
 */
#ifndef RKI_GENERATE_GENERATOR_H
#define RKI_GENERATE_GENERATOR_H

#include "base/random.h"
#include "generate/pending.h"
#include "generate/predictor.h"
#include "generate/recent.h"
#include "generate/sampling.h"
#include "rnnkit/generator.h"
#include "text/vocab.h"

typedef struct rki_generator_settings {
    rki_sampling sampling;
    int64_t window, seed, length;
    int32_t unknown;
} rki_generator_settings;

struct rnnkit_generator {
    rki_object object;
    rnnkit_context *context;
    rki_generator_settings settings;
    rki_predictor predictor;
    rki_candidate *candidates; /* [words]: room */
    rki_recent recent;
    rki_random random;
    int64_t draws; /* so many were made: the number of the next one */
    int64_t given; /* tokens since the last prime */
    int fed, ended;
    rnnkit_vocab *vocab; /* or NULL; without, what is below is not used */
    rki_joiner joiner;
    rki_pending pending;
};

extern const rki_option_table rki_generator_options;

/* Feeds valid ids to the model and remembers them. */
int32_t rki_generator_feed(rnnkit_generator *generator, const int32_t *ids, int64_t count);

#endif
