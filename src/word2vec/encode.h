/* Text to rows: words without one are left out, -1 stands behind each sentence.
 *
 * Text in unit word is split by several threads (text/slab.h), other text by one.
 */
#ifndef RKI_WORD2VEC_ENCODE_H
#define RKI_WORD2VEC_ENCODE_H

#include <stdint.h>

#include "text/idstore.h"
#include "text/slab.h"
#include "text/splitter.h"
#include "text/vocab.h"

typedef struct rki_w2v_range {
    const rnnkit_vocab *vocab;
    rki_splitter splitter;
    int32_t *rows;
    int64_t capacity, count;
    int ready; /* the splitter is initialised */
} rki_w2v_range;

typedef struct rki_w2v_encoder {
    const rnnkit_vocab *vocab;
    rki_idstore *to;
    int lines; /* a line feed ends a sentence */
    rki_slab slab;
    rki_w2v_range *ranges; /* [slab.threads] */
    int32_t last;          /* the row appended last; -1 at the start */
    int64_t words;         /* appended, without ends of sentences */
} rki_w2v_encoder;

/* Rows go to `to`, which must live as long as the encoder. */
int32_t rki_w2v_encoder_init(rki_w2v_encoder *encoder, const rnnkit_vocab *vocab, int64_t threads,
    int lines, rki_idstore *to);
void rki_w2v_encoder_release(rki_w2v_encoder *encoder);

int32_t rki_w2v_encoder_text(rki_w2v_encoder *encoder, const char *text, size_t size);
/* *begun: whether anything of the file was read. */
int32_t rki_w2v_encoder_file(rki_w2v_encoder *encoder, const char *path, int *begun);

/* The text, and with it a sentence, ends here. More may follow. */
int32_t rki_w2v_encoder_end(rki_w2v_encoder *encoder);

#endif
