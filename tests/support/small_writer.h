/* A small model that writes about a source, over the public API, for tests that need one whole:
 * embedding and LSTM read the source, a decoder with attention writes; and sequences of symbols for
 * it to copy or to reverse. */
#ifndef TESTS_SUPPORT_SMALL_WRITER_H
#define TESTS_SUPPORT_SMALL_WRITER_H

#include "rnnkit/rnnkit.h"

/* Ids 4 .. WRITER_WORDS - 1 are the symbols; 2 begins and 3 ends what is written. */
enum { WRITER_WORDS = 12, WRITER_BOS = 2, WRITER_EOS = 3, WRITER_FIRST = 4 };
enum { WRITER_WIDTH = 16, WRITER_HIDDEN = 32, WRITER_LONGEST = 7, WRITER_ROWS = 32 };

typedef struct small_writer {
    rnnkit_model *model;
    rnnkit_embedding *source, *target;
    rnnkit_rnn *encoder;
    rnnkit_decoder *decoder;
    rnnkit_linear *output;
} small_writer;

/* Returns the first failure; what was made by then is in *out, to be destroyed. The output layer's
 * weight is the target embedding's (tied), so the decoder's output is WRITER_WIDTH wide. */
int32_t small_writer_create(rnnkit_context *context, const char *decoder, small_writer *out);

/* The same of a model that was opened from a file. */
int32_t small_writer_find(rnnkit_model *model, small_writer *out);
void small_writer_destroy(small_writer *writer);

/* A batch: source [WRITER_LONGEST][rows] with lengths, what the decoder reads and is to write,
 * [WRITER_LONGEST + 1][rows]. */
typedef struct writer_batch {
    int64_t rows;
    int32_t source[WRITER_LONGEST * WRITER_ROWS], lengths[WRITER_ROWS];
    int32_t inputs[(WRITER_LONGEST + 1) * WRITER_ROWS];
    int32_t targets[(WRITER_LONGEST + 1) * WRITER_ROWS];
} writer_batch;

/* Draws sequences of 2 .. WRITER_LONGEST symbols; *state goes on. */
void writer_batch_draw(uint64_t *state, int64_t rows, int reverse, writer_batch *out);

/* The source read: *memory [WRITER_LONGEST][rows][WRITER_HIDDEN]. */
int32_t small_writer_encode(const small_writer *writer, rnnkit_tape *tape,
    const writer_batch *batch, rnnkit_tensor **memory);

/* Forward, backward and one update; the tape is cleared first. */
int32_t small_writer_train(const small_writer *writer, rnnkit_tape *tape,
    rnnkit_optimizer *optimizer, const writer_batch *batch, double *loss);

#endif
