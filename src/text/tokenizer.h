/* The tokenizer object: its options, fixed when it was created. */
#ifndef RKI_TEXT_TOKENIZER_H
#define RKI_TEXT_TOKENIZER_H

#include <stdint.h>

#include "base/context.h"
#include "base/object.h"
#include "base/options.h"
#include "rnnkit/tokenizer.h"

typedef enum rki_unit { RKI_UNIT_WORD, RKI_UNIT_CHAR, RKI_UNIT_BYTE } rki_unit;
typedef enum rki_punctuation { RKI_PUNCTUATION_TOKENS, RKI_PUNCTUATION_KEEP } rki_punctuation;

/* The option table's rows, in its order. */
typedef struct rki_tokenizer_settings {
    int32_t unit;        /* rki_unit */
    int32_t punctuation; /* rki_punctuation; unit word only */
    int32_t lowercase;
    int32_t normalize; /* rki_form */
    int32_t invalid;   /* rki_utf8_policy */
} rki_tokenizer_settings;

struct rnnkit_tokenizer {
    rki_object object;
    rnnkit_context *context;
    rki_tokenizer_settings settings;
};

extern const rki_option_table rki_tokenizer_options_table;

/* The options as text, from which rnnkit_tokenizer_create makes the same tokenizer. */
int32_t rki_tokenizer_options(
    const rnnkit_tokenizer *tokenizer, const rki_memory *memory, char **text);

int32_t rki_tokenizer_new(rnnkit_context *context, const char *options, rnnkit_tokenizer **out);
void rki_tokenizer_retain(rnnkit_tokenizer *tokenizer);
void rki_tokenizer_release(rnnkit_tokenizer *tokenizer);

#endif
