/* What the passes of the recurrent layer share: how rows are dealt out, which of them live, and how
 * a scratch block is cut up.
 *
 * Threads take rows of the batch for the whole sequence, so the time loop needs no barrier. Steps,
 * rows and sizes are those of rki_recurrent; all arrays are float.
 */
#ifndef RKI_CPU_RECURRENT_H
#define RKI_CPU_RECURRENT_H

#include "cpu/cpu.h"

enum { RKI_GATES = 4 };

/* Fails for what this device does not compute. */
int32_t rki_recurrent_check(const rki_cpu *cpu, const rki_recurrent *layer);

/* Row b lives at steps *begin .. *begin + the result - 1. */
int64_t rki_recurrent_life(
    const int32_t *starts, const int32_t *lengths, int64_t steps, int64_t b, int64_t *begin);

/* The number of steps that any row lives through: the longest length. */
int64_t rki_recurrent_steps(const rki_recurrent *size, const int32_t *lengths);

/* How many tasks the rows of the batch are cut into, for a layer with this recurrent product. */
int64_t rki_recurrent_tasks(const rki_cpu *cpu, const rki_recurrent *size);

/* Task `index` has rows *begin .. *end - 1. */
void rki_recurrent_share(int64_t batch, int64_t tasks, int64_t index, int64_t *begin, int64_t *end);

/* Fills `rows` with those of begin .. end - 1 that live at step t (length > t), returns how many.
 */
int64_t rki_recurrent_live(
    const int32_t *lengths, int64_t t, int64_t begin, int64_t end, int32_t *rows);

/* sum[j] = bias_ih[j] + bias_hh[j]; returns sum, or NULL when there are no biases. */
const float *rki_recurrent_bias(
    const float *bias_ih, const float *bias_hh, int64_t count, float *sum);

/* Cuts a block into aligned pieces: with *cursor NULL it only counts. */
typedef struct rki_pieces {
    char *block; /* NULL: only count */
    size_t used;
} rki_pieces;

void *rki_pieces_take(rki_pieces *pieces, size_t bytes);

static inline float *rki_take_floats(rki_pieces *pieces, int64_t count)
{
    return rki_pieces_take(pieces, (size_t)count * sizeof(float));
}

/* Floats of weight_hh packed for the forward or the backward pass: rows of `hidden` units rounded
 * up to whole vectors. */
int64_t rki_recurrent_panels(const rki_cpu *cpu, int64_t hidden);

/* The stash of one forward pass: the gates' values [steps][batch][4 hidden], then the cell states
 * [steps][batch][hidden]. */
typedef struct rki_stash {
    float *gates, *cells;
} rki_stash;

rki_stash rki_recurrent_cut_stash(rki_pieces *pieces, const rki_recurrent *size);

#endif
