/* The three layers of a model that writes while it looks at a source, a step at a time: ids go in,
 * the next ids' logits come out. A step has queries * batch rows, [queries][batch]: hypotheses
 * about the same source share its keys.
 *
 * All memory of a run comes from the writer's own tape, which keeps it for the next run. */
#ifndef RKI_GENERATE_WRITER_H
#define RKI_GENERATE_WRITER_H

#include "nn/decoder.h"
#include "nn/model.h"

typedef struct rki_writer {
    const rki_embedding_layer *embedding;
    const rki_decoder_layer *decoder;
    const rki_linear_layer *output;
    rnnkit_model *models[3]; /* kept alive */
    rnnkit_tape *tape;
    int64_t words;
    /* Of a run: */
    rki_decoder_source source;
    rki_decoder_arrays a;
    void *x, *fed; /* [rows][inputs]; [rows][output] or NULL */
    void *logits;  /* [rows][words] */
} rki_writer;

/* RNNKIT_E_SHAPE when the layers do not fit together. `writer` is all zero before; on failure it is
 * to be freed all the same. */
int32_t rki_writer_init(rki_writer *writer, const rnnkit_embedding *embedding,
    const rnnkit_decoder *decoder, const rnnkit_linear *output);
void rki_writer_free(rki_writer *writer);

rnnkit_context *rki_writer_context(const rki_writer *writer);

/* Checks a source and forgets the run before. */
int32_t rki_writer_look(rki_writer *writer, const rnnkit_tensor *memory, const int32_t *lengths,
    const rnnkit_tensor *start);

/* Begins to write about the source, `steps` steps at a time. */
int32_t rki_writer_begin(
    rki_writer *writer, const rnnkit_tensor *start, int64_t queries, int64_t steps);

static inline int64_t rki_writer_rows(const rki_writer *writer)
{
    return writer->a.queries * writer->a.batch;
}

/* Reads an id for each row (of each step) and leaves out and weights, with logits if there are any.
 */
int32_t rki_writer_read(rki_writer *writer, const int32_t *ids);

/* Row r goes on from what row parents[r] has become; of one step. */
int32_t rki_writer_go_on(rki_writer *writer, const int32_t *parents);

/* The weights of the last step to the host, [rows][positions]. */
int32_t rki_writer_weights(const rki_writer *writer, float *weights);

#endif
