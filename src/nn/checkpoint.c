/* Checkpoints: the object, and what is attached to it. See checkpoint.h; saving and loading are in
 * checkpoint_save.c and checkpoint_load.c, the kinds of parts in checkpoint_kinds.c.
 */
#include "nn/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "nn/checkpoint_kinds.h"

static const rki_memory *memory_of(const rnnkit_checkpoint *checkpoint)
{
    return &checkpoint->model->context->memory;
}

/* Numbers. */

int32_t rki_kept_numbers_add(
    const rki_memory *memory, rki_kept_numbers *numbers, const char *name, double value)
{
    void *block = numbers->items;
    RKI_TRY(rki_grow(memory, &block, &numbers->capacity, numbers->count, numbers->count + 1,
        sizeof *numbers->items, "numbers of a checkpoint"));
    numbers->items = block;
    rki_kept_number number = {NULL, value};
    RKI_TRY(rki_copy_text(memory, name, -1, &number.name));
    numbers->items[numbers->count++] = number;
    return RNNKIT_OK;
}

void rki_kept_numbers_release(const rki_memory *memory, rki_kept_numbers *numbers)
{
    for (int64_t i = 0; i < numbers->count; i++)
        rki_release(memory, numbers->items[i].name);
    rki_release(memory, numbers->items);
    *numbers = (rki_kept_numbers){NULL, 0, 0};
}

static rki_kept_number *find_number(const rnnkit_checkpoint *checkpoint, const char *name)
{
    for (int64_t i = 0; i < checkpoint->numbers.count; i++)
        if (strcmp(checkpoint->numbers.items[i].name, name) == 0)
            return &checkpoint->numbers.items[i];
    return NULL;
}

/* Life. */

static int32_t create(rnnkit_model *model, rnnkit_checkpoint **out)
{
    void *block;
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_allocate(
        &model->context->memory, 1, sizeof(rnnkit_checkpoint), "a checkpoint", &block));
    rnnkit_checkpoint *checkpoint = block;
    rki_object_init(&checkpoint->object, RKI_KIND_CHECKPOINT);
    checkpoint->model = model;
    rki_model_retain(model);
    *out = checkpoint;
    return RNNKIT_OK;
}

int32_t rnnkit_checkpoint_create(rnnkit_model *model, rnnkit_checkpoint **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, create(model, out));
}

void rnnkit_checkpoint_destroy(rnnkit_checkpoint *checkpoint)
{
    if (checkpoint == NULL || rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint") < 0) return;
    if (!rki_object_release(&checkpoint->object)) return;
    rnnkit_model *model = checkpoint->model;
    const rki_memory *memory = &model->context->memory;
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        checkpoint->parts[i].kind->release(checkpoint->parts[i].object);
        rki_release(memory, checkpoint->parts[i].name);
    }
    rki_release(memory, checkpoint->parts);
    rki_kept_numbers_release(memory, &checkpoint->numbers);
    rki_release(memory, checkpoint);
    rki_model_release(model);
}

/* Attaching. */

static int32_t check_name(const char *name)
{
    RKI_TRY(rki_check_pointer(name, "name"));
    if (name[0] == '\0') return rki_fail(RNNKIT_E_ARGUMENT, "name is empty");
    size_t length = strlen(name), whole = rki_utf8_span(name, length);
    if (whole != length) return rki_fail(RNNKIT_E_ARGUMENT, "name is not UTF-8 at byte %zu", whole);
    return RNNKIT_OK;
}

static int is_attached(const rnnkit_checkpoint *checkpoint, const char *name)
{
    for (int64_t i = 0; i < checkpoint->part_count; i++)
        if (strcmp(checkpoint->parts[i].name, name) == 0) return 1;
    return 0;
}

int32_t rki_checkpoint_add(
    rnnkit_checkpoint *checkpoint, const char *name, const rki_part_kind *kind, void *object)
{
    char shown[RKI_ST_SHOWN];
    RKI_TRY(check_name(name));
    if (is_attached(checkpoint, name) || find_number(checkpoint, name) != NULL)
        return rki_fail(
            RNNKIT_E_ARGUMENT, "the name \"%s\" is used already", rki_st_shown(name, shown));
    const rki_memory *memory = memory_of(checkpoint);
    void *block = checkpoint->parts;
    rki_part part = {NULL, kind, object};
    RKI_TRY(rki_copy_text(memory, name, -1, &part.name));
    int32_t status = rki_grow(memory, &block, &checkpoint->part_capacity, checkpoint->part_count,
        checkpoint->part_count + 1, sizeof *checkpoint->parts, "parts of a checkpoint");
    if (status < 0) {
        rki_release(memory, part.name);
        return status;
    }
    checkpoint->parts = block;
    checkpoint->parts[checkpoint->part_count++] = part;
    rki_object_retain(object); /* every handle starts with its rki_object */
    return RNNKIT_OK;
}

static int32_t set_number(rnnkit_checkpoint *checkpoint, const char *name, double value)
{
    char shown[RKI_ST_SHOWN];
    RKI_TRY(check_name(name));
    if (is_attached(checkpoint, name))
        return rki_fail(RNNKIT_E_ARGUMENT, "the name \"%s\" is that of an attached object",
            rki_st_shown(name, shown));
    rki_kept_number *number = find_number(checkpoint, name);
    if (number == NULL)
        return rki_kept_numbers_add(memory_of(checkpoint), &checkpoint->numbers, name, value);
    number->value = value;
    return RNNKIT_OK;
}

int32_t rnnkit_checkpoint_set_number(rnnkit_checkpoint *checkpoint, const char *name, double value)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(checkpoint->model->context, __func__, set_number(checkpoint, name, value));
}

static int32_t get_number(const rnnkit_checkpoint *checkpoint, const char *name, double *value)
{
    char shown[RKI_ST_SHOWN];
    RKI_TRY(rki_check_pointer(name, "name"));
    RKI_TRY(rki_check_pointer(value, "value"));
    const rki_kept_number *number = find_number(checkpoint, name);
    if (number == NULL)
        return rki_fail(RNNKIT_E_NOT_FOUND, "there is no number \"%s\"", rki_st_shown(name, shown));
    *value = number->value;
    return RNNKIT_OK;
}

int32_t rnnkit_checkpoint_number(
    const rnnkit_checkpoint *checkpoint, const char *name, double *value)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(checkpoint->model->context, __func__, get_number(checkpoint, name, value));
}

/* Names. */

int32_t rki_part_tensor_name(
    const rki_memory *memory, int64_t index, const char *what, const char *name, char **out)
{
    char number[24] = "";
    void *block;
    if (index >= 0) snprintf(number, sizeof number, ".%lld", (long long)index);
    const char *dot = name != NULL ? "." : "";
    if (name == NULL) name = "";
    size_t size = sizeof RKI_CHECKPOINT_KEY + strlen(number) + strlen(what) + strlen(name) + 3;
    RKI_TRY(rki_allocate(memory, (int64_t)size, 1, "a name in a checkpoint", &block));
    snprintf(block, size, "%s%s.%s%s%s", RKI_CHECKPOINT_KEY, number, what, dot, name);
    *out = block;
    return RNNKIT_OK;
}
