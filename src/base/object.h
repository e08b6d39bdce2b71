/* Handles: what stands at the start of every object behind the API.
 *
 * The first word lets a wrong or freed handle be recognised as far as possible; the kind catches
 * a mix-up of two nouns; the reference count lets children keep their parents alive.
 */
#ifndef RKI_BASE_OBJECT_H
#define RKI_BASE_OBJECT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/status.h"

typedef enum rki_kind {
    RKI_KIND_CONTEXT = 1,
    RKI_KIND_TENSOR,
    RKI_KIND_TAPE,
    RKI_KIND_MODEL,
    RKI_KIND_EMBEDDING,
    RKI_KIND_LINEAR,
    RKI_KIND_RNN,
    RKI_KIND_STATE,
    RKI_KIND_OPTIMIZER,
    RKI_KIND_SCHEDULE,
    RKI_KIND_TOKENIZER,
    RKI_KIND_VOCAB,
    RKI_KIND_TOKENS,
    RKI_KIND_BATCHES,
    RKI_KIND_GENERATOR,
    RKI_KIND_CHECKPOINT,
    RKI_KIND_WORD2VEC,
    RKI_KIND_VECTORS,
    RKI_KIND_PAIRS,
    RKI_KIND_NOISE,
    RKI_KIND_ATTENTION,
    RKI_KIND_DECODER,
    RKI_KIND_SEARCH,
    RKI_KIND_MULTIHEAD,
    RKI_KIND_NORM,
    RKI_KIND_ARRAYS,
    RKI_KIND_COUNT
} rki_kind;

typedef struct rki_object {
    uint32_t magic;
    uint32_t kind;
    atomic_int references;
} rki_object;

void rki_object_init(rki_object *object, rki_kind kind);
void rki_object_retain(rki_object *object);

/* 1 when this was the last reference: the caller then frees the object (its magic is cleared). */
int rki_object_release(rki_object *object);

/* RNNKIT_OK, or RNNKIT_E_HANDLE with a message that names the argument and what came instead. */
int32_t rki_check(const void *handle, rki_kind kind, const char *argument);

/* RNNKIT_OK, or RNNKIT_E_ARGUMENT when a required pointer is NULL. */
int32_t rki_check_pointer(const void *pointer, const char *argument);

#endif
