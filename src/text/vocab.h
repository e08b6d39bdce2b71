/* The vocabulary object: while it is being counted, and finished.
 *
 * The map holds the specials first. Until finish, other words stand behind them in the order of
 * their first occurrence; from then on a word's place in the map is its id. A word of the text that
 * is equal to a special's name is that special. The count of <unk> is that of the tokens without
 * an id of their own, so that all counts together are the number of tokens.
 * In unit byte all 256 bytes have an id, whatever their counts; min_count does not apply.
 */
#ifndef RKI_TEXT_VOCAB_H
#define RKI_TEXT_VOCAB_H

#include <stdint.h>

#include "base/object.h"
#include "base/options.h"
#include "rnnkit/vocab.h"
#include "text/feed.h"
#include "text/joiner.h"
#include "text/tokenizer.h"
#include "text/wordmap.h"

enum { RKI_BOS = 2, RKI_EOS = 3 }; /* with boundaries only */

typedef struct rki_vocab_settings {
    int64_t min_count, max_size;
    int32_t boundaries;
} rki_vocab_settings;

struct rnnkit_vocab {
    rki_object object;
    rnnkit_tokenizer *tokenizer;
    rki_vocab_settings settings;
    rki_feed feed; /* closed: finished */
    rki_wordmap words;
    int64_t tokens;
};

extern const rki_option_table rki_vocab_options_table;

void rki_vocab_retain(rnnkit_vocab *vocab);
void rki_vocab_release(rnnkit_vocab *vocab);

/* RNNKIT_E_ORDER unless finished. */
int32_t rki_vocab_check_finished(const rnnkit_vocab *vocab);

/* How many specials there are: their ids are the first. */
int32_t rki_vocab_specials(const rnnkit_vocab *vocab);

/* The name of special number `id`. */
const char *rki_special_name(int32_t id);

/* A vocabulary with its specials and without any text, feed closed. */
int32_t rki_vocab_new(rnnkit_tokenizer *tokenizer, rki_vocab_settings settings, rnnkit_vocab **out);

/* A finished vocabulary's ids: how many; the token of a valid one, followed by a NUL. */
int32_t rki_vocab_ids(const rnnkit_vocab *vocab);
const char *rki_vocab_token(const rnnkit_vocab *vocab, int32_t id, int64_t *length);

/* RNNKIT_E_NOT_FOUND when there is no such id. */
int32_t rki_vocab_check_id(const rnnkit_vocab *vocab, int32_t id);

/* The token's id, RNNKIT_UNK when it has none. */
int32_t rki_vocab_id(const rnnkit_vocab *vocab, const char *token, size_t length);

/* Gives the ids of a text one by one. */
typedef int32_t (*rki_take_id_fn)(void *user, int32_t id);
int32_t rki_vocab_each_id(
    const rnnkit_vocab *vocab, const char *text, size_t size, rki_take_id_fn take, void *user);

/* Adds an id's token to a text that is being joined; <pad>, <bos> and <eos> add nothing.
 * RNNKIT_E_NOT_FOUND when there is no such id. */
int32_t rki_vocab_join(const rnnkit_vocab *vocab, rki_joiner *joiner, int32_t id, rki_sink sink);

/* The vocabulary as text (format: vocab_file.c), `*size` bytes and a NUL; and back. */
int32_t rki_vocab_write_text(
    const rnnkit_vocab *vocab, const rki_memory *memory, char **text, int64_t *size);
int32_t rki_vocab_read_text(
    rnnkit_tokenizer *tokenizer, const char *text, int64_t size, rnnkit_vocab **out);

#endif
