/* Pairs and noise words for models of one's own. */
#ifndef RKI_WORD2VEC_PAIRS_H
#define RKI_WORD2VEC_PAIRS_H

#include "base/options.h"
#include "rnnkit/pairs.h"

extern const rki_option_table rki_pairs_options;
extern const rki_option_table rki_noise_options;

#endif
