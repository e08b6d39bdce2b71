/* The kinds of objects that a checkpoint can keep. */
#ifndef RKI_NN_CHECKPOINT_KINDS_H
#define RKI_NN_CHECKPOINT_KINDS_H

#include "nn/checkpoint.h"

/* Attaches an object, which was checked, under a name; it is retained. */
int32_t rki_checkpoint_add(
    rnnkit_checkpoint *checkpoint, const char *name, const rki_part_kind *kind, void *object);

#endif
