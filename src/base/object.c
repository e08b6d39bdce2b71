/* Handles: recognition and reference counts. See object.h. */
#include "base/object.h"

/* Two values that ordinary data hardly starts with: alive, and freed. */
static const uint32_t alive = 0x524E4B54u;
static const uint32_t freed = 0xDEAD4B54u;

static const char *const kind_names[RKI_KIND_COUNT] = {
    [RKI_KIND_CONTEXT] = "context",
    [RKI_KIND_TENSOR] = "tensor",
    [RKI_KIND_TAPE] = "tape",
    [RKI_KIND_MODEL] = "model",
    [RKI_KIND_EMBEDDING] = "embedding",
    [RKI_KIND_LINEAR] = "linear layer",
    [RKI_KIND_RNN] = "recurrent layer",
    [RKI_KIND_STATE] = "state",
    [RKI_KIND_OPTIMIZER] = "optimizer",
    [RKI_KIND_SCHEDULE] = "schedule",
    [RKI_KIND_TOKENIZER] = "tokenizer",
    [RKI_KIND_VOCAB] = "vocabulary",
    [RKI_KIND_TOKENS] = "token stream",
    [RKI_KIND_BATCHES] = "batches handle",
    [RKI_KIND_GENERATOR] = "generator",
    [RKI_KIND_CHECKPOINT] = "checkpoint",
    [RKI_KIND_WORD2VEC] = "word2vec handle",
    [RKI_KIND_VECTORS] = "vectors handle",
    [RKI_KIND_PAIRS] = "pairs handle",
    [RKI_KIND_NOISE] = "noise table",
    [RKI_KIND_ATTENTION] = "attention",
    [RKI_KIND_DECODER] = "decoder",
    [RKI_KIND_SEARCH] = "search",
    [RKI_KIND_MULTIHEAD] = "multi-head attention",
    [RKI_KIND_NORM] = "layer normalisation",
    [RKI_KIND_ARRAYS] = "arrays handle",
};

void rki_object_init(rki_object *object, rki_kind kind)
{
    object->magic = alive;
    object->kind = kind;
    atomic_init(&object->references, 1);
}

void rki_object_retain(rki_object *object)
{
    atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
}

int rki_object_release(rki_object *object)
{
    if (atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) != 1) return 0;
    object->magic = freed;
    return 1;
}

int32_t rki_check(const void *handle, rki_kind kind, const char *argument)
{
    const char *expected = kind_names[kind];
    if (handle == NULL)
        return rki_fail(RNNKIT_E_HANDLE, "%s is NULL, expected a %s", argument, expected);
    const rki_object *object = handle;
    if (object->magic == freed)
        return rki_fail(
            RNNKIT_E_HANDLE, "%s was destroyed already, expected a %s", argument, expected);
    if (object->magic != alive || object->kind == 0 || object->kind >= RKI_KIND_COUNT)
        return rki_fail(RNNKIT_E_HANDLE, "%s is not a handle, expected a %s", argument, expected);
    if (object->kind != (uint32_t)kind)
        return rki_fail(RNNKIT_E_HANDLE, "%s is a %s, expected a %s", argument,
            kind_names[object->kind], expected);
    return RNNKIT_OK;
}

int32_t rki_check_pointer(const void *pointer, const char *argument)
{
    if (pointer == NULL) return rki_fail(RNNKIT_E_ARGUMENT, "%s is NULL", argument);
    return RNNKIT_OK;
}
