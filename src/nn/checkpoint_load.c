/* Loading a checkpoint: everything is read and checked before anything is changed.
 *
 * What is loaded waits in a `staged` struct; the arrays wait in the file, whose entries have been
 * checked. Only then comes apply(), in which nothing but the device can fail; a part that refuses
 * its numbers does so first, and those before it get theirs back.
 */
#include <string.h>

#include "io/json_read.h"
#include "nn/checkpoint.h"
#include "nn/device_file.h"
#include "nn/model_file.h"

typedef struct staged_part {
    int64_t index; /* in the file */
    int64_t integers[RKI_PART_INTEGERS], old_integers[RKI_PART_INTEGERS];
    double values[RKI_PART_VALUES], old_values[RKI_PART_VALUES];
} staged_part;

typedef struct staged {
    const rki_memory *memory;
    rki_st *st;
    cJSON *description;
    staged_part *parts; /* one per attached part */
    rki_kept_numbers numbers;
    rki_entries entries; /* of the model */
    void *piece;
} staged;

static int32_t open_file(const char *path, staged *file)
{
    RKI_TRY(rki_st_open_file(file->memory, path, &file->st));
    RKI_TRY(rki_model_check_file(file->st));
    const char *text = rki_st_metadata(file->st, RKI_CHECKPOINT_KEY);
    if (text == NULL)
        return rki_fail(RNNKIT_E_FORMAT, "a model, but no checkpoint: there is no metadata \"%s\"",
            RKI_CHECKPOINT_KEY);
    RKI_TRY(rki_json_parse(
        file->memory, text, strlen(text), 3, RKI_CHECKPOINT_KEY, &file->description));
    if (!cJSON_IsObject(file->description) ||
        !cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(file->description, "objects")) ||
        !cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(file->description, "numbers")))
        return rki_fail(RNNKIT_E_FORMAT,
            "metadata \"%s\" is no object with arrays \"objects\" and \"numbers\"",
            RKI_CHECKPOINT_KEY);
    return RNNKIT_OK;
}

/* The text of a field; NULL when there is none. */
static const char *field(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static int32_t find_part(
    const staged *file, const rki_part *part, int64_t *index, const cJSON **found)
{
    char shown[RKI_ST_SHOWN];
    const cJSON *item, *objects = cJSON_GetObjectItemCaseSensitive(file->description, "objects");
    int64_t place = 0;
    cJSON_ArrayForEach(item, objects)
    {
        const char *name = field(item, "name");
        if (name != NULL && strcmp(name, part->name) == 0) {
            *index = place;
            *found = item;
            return RNNKIT_OK;
        }
        place++;
    }
    return rki_fail(
        RNNKIT_E_NOT_FOUND, "the checkpoint has no object \"%s\"", rki_st_shown(part->name, shown));
}

static int32_t compare_setup(const staged *file, const rki_part *part, const cJSON *found)
{
    char shown[RKI_ST_SHOWN], there[RKI_ST_SHOWN], here[RKI_ST_SHOWN], *own;
    const char *kind = field(found, "kind"), *setup = field(found, "setup");
    if (kind == NULL || setup == NULL)
        return rki_fail(RNNKIT_E_FORMAT, "object \"%s\" has no kind or no setup",
            rki_st_shown(part->name, shown));
    if (strcmp(kind, part->kind->name) != 0)
        return rki_fail(RNNKIT_E_SHAPE, "\"%s\" is of kind %s in the checkpoint, here of kind %s",
            rki_st_shown(part->name, shown), rki_st_shown(kind, there), part->kind->name);
    RKI_TRY(part->kind->setup(part->object, file->memory, &own));
    int32_t status = RNNKIT_OK;
    if (strcmp(setup, own) != 0)
        status = rki_fail(RNNKIT_E_SHAPE,
            "%s \"%s\" was set up as (%s) in the checkpoint, here as (%s)", part->kind->name,
            rki_st_shown(part->name, shown), rki_st_shown(setup, there), rki_st_shown(own, here));
    rki_release(file->memory, own);
    return status;
}

/* The tensor of a part; RNNKIT_E_FORMAT when there is none. */
static int32_t find_tensor(
    const staged *file, int64_t index, const char *what, const char *name, const rki_st_entry **out)
{
    char *tensor, shown[RKI_ST_SHOWN];
    RKI_TRY(rki_part_tensor_name(file->memory, index, what, name, &tensor));
    *out = rki_st_find(file->st, tensor);
    int32_t status = *out != NULL ? RNNKIT_OK
                                  : rki_fail(RNNKIT_E_FORMAT, "the tensor \"%s\" is missing",
                                        rki_st_shown(tensor, shown));
    rki_release(file->memory, tensor);
    return status;
}

static int32_t check_count(const rki_st_entry *entry, int64_t expected)
{
    char shown[RKI_ST_SHOWN];
    if (entry->count == expected) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\" has %lld numbers, expected %lld",
        rki_st_shown(entry->name, shown), (long long)entry->count, (long long)expected);
}

static int32_t read_numbers(const staged *file, const rki_part *part, staged_part *stage)
{
    const rki_st_entry *entry;
    if (part->kind->integers > 0) {
        RKI_TRY(find_tensor(file, stage->index, "integers", NULL, &entry));
        RKI_TRY(check_count(entry, part->kind->integers));
        RKI_TRY(rki_st_read_int64(entry, stage->integers));
    }
    if (part->kind->values > 0) {
        RKI_TRY(find_tensor(file, stage->index, "values", NULL, &entry));
        RKI_TRY(check_count(entry, part->kind->values));
        RKI_TRY(rki_st_read_float64(entry, stage->values));
    }
    part->kind->get(part->object, stage->old_integers, stage->old_values);
    return RNNKIT_OK;
}

/* Goes over a part's arrays: checks their entries or, with a piece, sets them. */
static int32_t walk_arrays(
    const staged *file, const rki_part *part, const staged_part *stage, void *piece)
{
    rki_part_array array;
    const rki_st_entry *entry;
    if (part->kind->device == NULL) return RNNKIT_OK;
    for (int64_t k = 0; part->kind->array(part->object, k, &array); k++) {
        RKI_TRY(find_tensor(file, stage->index, array.what, array.name, &entry));
        if (piece == NULL)
            RKI_TRY(rki_device_check_entry(entry, &array.shape));
        else
            RKI_TRY(rki_device_take(part->kind->device(part->object), piece, entry, array.values));
    }
    return RNNKIT_OK;
}

static int32_t stage_part(const staged *file, const rki_part *part, staged_part *stage)
{
    const cJSON *found = NULL;
    RKI_TRY(find_part(file, part, &stage->index, &found));
    RKI_TRY(compare_setup(file, part, found));
    RKI_TRY(read_numbers(file, part, stage));
    return walk_arrays(file, part, stage, NULL);
}

static int32_t stage_numbers(staged *file)
{
    const rki_st_entry *entry;
    const cJSON *item, *names = cJSON_GetObjectItemCaseSensitive(file->description, "numbers");
    RKI_TRY(find_tensor(file, -1, "numbers", NULL, &entry));
    RKI_TRY(check_count(entry, cJSON_GetArraySize(names)));
    int64_t place = 0;
    cJSON_ArrayForEach(item, names)
    {
        double value;
        const rki_st_entry one = rki_st_entry_part(entry, place++, 1);
        RKI_TRY(rki_st_read_float64(&one, &value));
        if (!cJSON_IsString(item))
            return rki_fail(
                RNNKIT_E_FORMAT, "the name of number %lld is not a string", (long long)place - 1);
        RKI_TRY(rki_kept_numbers_add(file->memory, &file->numbers, item->valuestring, value));
    }
    return RNNKIT_OK;
}

static int32_t stage(const rnnkit_checkpoint *checkpoint, staged *file)
{
    void *block;
    RKI_TRY(rki_model_check_parameters(checkpoint->model, file->st, 1));
    RKI_TRY(rki_model_check_vocab(checkpoint->model, file->st));
    RKI_TRY(rki_model_read_entries(file->memory, file->st, &file->entries));
    RKI_TRY(rki_allocate(file->memory, checkpoint->part_count, sizeof *file->parts,
        "parts of a checkpoint", &block));
    file->parts = block;
    for (int64_t i = 0; i < checkpoint->part_count; i++)
        RKI_TRY(stage_part(file, &checkpoint->parts[i], &file->parts[i]));
    RKI_TRY(stage_numbers(file));
    return rki_piece_allocate(file->memory, &file->piece);
}

static int32_t set_numbers(const rnnkit_checkpoint *checkpoint, const staged *file)
{
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        char shown[RKI_ST_SHOWN];
        const rki_part *part = &checkpoint->parts[i];
        const staged_part *next = &file->parts[i];
        int32_t status = part->kind->set(part->object, next->integers, next->values);
        if (status == RNNKIT_OK) continue;
        rki_prefix_message("%s \"%s\"", part->kind->name, rki_st_shown(part->name, shown));
        while (i-- > 0) {
            part = &checkpoint->parts[i];
            next = &file->parts[i];
            part->kind->set(part->object, next->old_integers, next->old_values);
        }
        return status;
    }
    return RNNKIT_OK;
}

static int32_t apply(rnnkit_checkpoint *checkpoint, staged *file)
{
    RKI_TRY(set_numbers(checkpoint, file));
    for (int64_t i = 0; i < checkpoint->part_count; i++)
        RKI_TRY(walk_arrays(file, &checkpoint->parts[i], &file->parts[i], file->piece));
    RKI_TRY(rki_model_take(checkpoint->model, file->st, file->piece));
    rki_kept_numbers numbers = checkpoint->numbers;
    checkpoint->numbers = file->numbers;
    file->numbers = numbers;
    rki_entries entries = checkpoint->model->entries;
    checkpoint->model->entries = file->entries;
    file->entries = entries;
    return RNNKIT_OK;
}

static int32_t load(rnnkit_checkpoint *checkpoint, const char *path)
{
    staged file = {.memory = &checkpoint->model->context->memory};
    RKI_TRY(rki_check_pointer(path, "path"));
    int32_t status = open_file(path, &file);
    if (status == RNNKIT_OK) status = stage(checkpoint, &file);
    if (status == RNNKIT_OK) status = apply(checkpoint, &file);
    rki_st_close(file.st);
    cJSON_Delete(file.description);
    rki_release(file.memory, file.parts);
    rki_kept_numbers_release(file.memory, &file.numbers);
    rki_entries_release(file.memory, &file.entries);
    rki_release(file.memory, file.piece);
    return status;
}

int32_t rnnkit_checkpoint_load(rnnkit_checkpoint *checkpoint, const char *path)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(checkpoint->model->context, __func__, load(checkpoint, path));
}
