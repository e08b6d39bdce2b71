/** @file
 * Checkpoints: everything a training run needs to go on as if it had never stopped.
 *
 * Attach what belongs to the run, then save as often as you like; a later process builds the same
 * objects, attaches them under the same names, and loads. The result is the same bit for bit.
 */
#ifndef RNNKIT_CHECKPOINT_H
#define RNNKIT_CHECKPOINT_H

#include "rnnkit/api.h"

RNNKIT_BEGIN

/** Creates a checkpoint for a model. Parameters, vocabulary and entries of the model are part of
 * it; a checkpoint file can be opened as a model.
 *
 * Arrays: none.
 * Ownership: *out is the caller's, to be given to rnnkit_checkpoint_destroy; it keeps what is
 *   attached alive.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_MEMORY.
 * Threads: owner of the model.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_create(
    rnnkit_model *model, rnnkit_checkpoint **out);

/** Gives up the handle; NULL is fine.
 *
 * Arrays: none.
 * Ownership: the handle is invalid afterwards; what was attached lives on.
 * Errors: none.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API void rnnkit_checkpoint_destroy(rnnkit_checkpoint *checkpoint);

/** Attaches an optimiser: its moments, step count and learning rate.
 *
 * Arrays: none.
 * Ownership: the checkpoint keeps it alive.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (name NULL, empty or used; one for another model);
 *   RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_add_optimizer(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_optimizer *optimizer);

/** Attaches a schedule: its place and what it has observed.
 *
 * Arrays: none.
 * Ownership: the checkpoint keeps it alive.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (name NULL, empty or used); RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_add_schedule(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_schedule *schedule);

/** Attaches a recurrent state: its values.
 *
 * Arrays: none.
 * Ownership: the checkpoint keeps it alive.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (name NULL, empty or used); RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_add_state(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_state *state);

/** Attaches a tape: the step number that dropout draws from.
 *
 * Arrays: none.
 * Ownership: the checkpoint keeps it alive.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (name NULL, empty or used); RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_add_tape(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_tape *tape);

/** Attaches batches: epoch, order and place in the data.
 *
 * Arrays: none.
 * Ownership: the checkpoint keeps them alive.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (name NULL, empty or used); RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_add_batches(
    rnnkit_checkpoint *checkpoint, const char *name, rnnkit_batches *batches);

/** Writes a number of the caller's own (an epoch, a best loss) into the next save.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE; RNNKIT_E_ARGUMENT (name NULL or empty, or that of an attached object);
 *   RNNKIT_E_MEMORY.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_set_number(
    rnnkit_checkpoint *checkpoint, const char *name, double value);

/** A number of the caller's own: as set, or as the last load found it.
 *
 * Arrays: none.
 * Ownership: *value is set.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_NOT_FOUND.
 * Threads: owner.
 * Since: 0.1.
 * Source: none.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_number(
    const rnnkit_checkpoint *checkpoint, const char *name, double *value);

/** Writes the checkpoint. A crash at any moment leaves the old file or the new one, whole.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO, RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of everything attached.
 * Since: 0.1.
 * Source: safetensors format.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_save(
    rnnkit_checkpoint *checkpoint, const char *path);

/** Sets everything attached to what the file holds: all of it or, on failure, nothing.
 *
 * Arrays: none.
 * Ownership: none.
 * Errors: RNNKIT_E_HANDLE, RNNKIT_E_ARGUMENT (NULL), RNNKIT_E_IO, RNNKIT_E_FORMAT (damaged, or not a
 *   checkpoint), RNNKIT_E_NOT_FOUND (something attached is not in the file), RNNKIT_E_SHAPE (the run
 *   was set up in another way), RNNKIT_E_MEMORY, RNNKIT_E_DEVICE.
 * Threads: owner of everything attached.
 * Since: 0.1.
 * Source: safetensors format.
 */
RNNKIT_API RNNKIT_CHECK int32_t rnnkit_checkpoint_load(
    rnnkit_checkpoint *checkpoint, const char *path);

RNNKIT_END

#endif
