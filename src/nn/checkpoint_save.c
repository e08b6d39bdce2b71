/* Saving a checkpoint (docs/file-format.md): a model file with the parts beside the parameters.
 *
 * Order in the file, from wide types to narrow: whole numbers (I64), numbers (F64), parameters,
 * arrays of the parts.
 */
#include <string.h>

#include "io/json_text.h"
#include "nn/checkpoint.h"
#include "nn/device_file.h"
#include "nn/model_file.h"

static const rki_memory *memory_of(const rnnkit_checkpoint *checkpoint)
{
    return &checkpoint->model->context->memory;
}

/* {"name": ..., "kind": ..., "setup": ...} */
static int32_t describe_part(rki_json_text *json, const rki_memory *memory, const rki_part *part)
{
    char *setup;
    RKI_TRY(part->kind->setup(part->object, memory, &setup));
    int32_t status = rki_json_mark(json, "{\"name\":");
    if (status == RNNKIT_OK) status = rki_json_string(json, part->name);
    if (status == RNNKIT_OK) status = rki_json_mark(json, ",\"kind\":");
    if (status == RNNKIT_OK) status = rki_json_string(json, part->kind->name);
    if (status == RNNKIT_OK) status = rki_json_mark(json, ",\"setup\":");
    if (status == RNNKIT_OK) status = rki_json_string(json, setup);
    if (status == RNNKIT_OK) status = rki_json_mark(json, "}");
    rki_release(memory, setup);
    return status;
}

static int32_t describe(rki_json_text *json, const rnnkit_checkpoint *checkpoint)
{
    RKI_TRY(rki_json_mark(json, "{\"objects\":["));
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        if (i > 0) RKI_TRY(rki_json_mark(json, ","));
        RKI_TRY(describe_part(json, memory_of(checkpoint), &checkpoint->parts[i]));
    }
    RKI_TRY(rki_json_mark(json, "],\"numbers\":["));
    for (int64_t i = 0; i < checkpoint->numbers.count; i++) {
        if (i > 0) RKI_TRY(rki_json_mark(json, ","));
        RKI_TRY(rki_json_string(json, checkpoint->numbers.items[i].name));
    }
    RKI_TRY(rki_json_mark(json, "]}"));
    return rki_json_raw(json, "", 1);
}

static int32_t add_description(const rnnkit_checkpoint *checkpoint, rki_st_writer *writer)
{
    rki_json_text json = {.memory = memory_of(checkpoint), .limit = RKI_JSON_LIMIT};
    int32_t status = describe(&json, checkpoint);
    if (status == RNNKIT_OK) status = rki_st_writer_add_text(writer, RKI_CHECKPOINT_KEY, json.data);
    rki_release(json.memory, json.data);
    return status;
}

static int32_t declare(const rnnkit_checkpoint *checkpoint, rki_st_writer *writer, int64_t index,
    const char *what, const char *name, rki_st_dtype dtype, const rki_shape *shape)
{
    char *tensor;
    RKI_TRY(rki_part_tensor_name(memory_of(checkpoint), index, what, name, &tensor));
    int32_t status = rki_st_writer_add_tensor(writer, tensor, dtype, shape->dims, shape->rank);
    rki_release(memory_of(checkpoint), tensor);
    return status;
}

static int32_t declare_numbers(const rnnkit_checkpoint *checkpoint, rki_st_writer *writer)
{
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        rki_shape shape = {1, {checkpoint->parts[i].kind->integers}};
        if (shape.dims[0] > 0)
            RKI_TRY(declare(checkpoint, writer, i, "integers", NULL, RKI_ST_I64, &shape));
    }
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        rki_shape shape = {1, {checkpoint->parts[i].kind->values}};
        if (shape.dims[0] > 0)
            RKI_TRY(declare(checkpoint, writer, i, "values", NULL, RKI_ST_F64, &shape));
    }
    rki_shape shape = {1, {checkpoint->numbers.count}};
    return declare(checkpoint, writer, -1, "numbers", NULL, RKI_ST_F64, &shape);
}

static int32_t declare_arrays(const rnnkit_checkpoint *checkpoint, rki_st_writer *writer)
{
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        const rki_part *part = &checkpoint->parts[i];
        rki_part_array array;
        if (part->kind->device == NULL) continue;
        rki_st_dtype dtype = rki_device_file_type(part->kind->device(part->object));
        for (int64_t k = 0; part->kind->array(part->object, k, &array); k++)
            RKI_TRY(declare(checkpoint, writer, i, array.what, array.name, dtype, &array.shape));
    }
    return RNNKIT_OK;
}

static int32_t put_numbers(const rnnkit_checkpoint *checkpoint, rki_st_writer *writer)
{
    int64_t integers[RKI_PART_INTEGERS];
    double values[RKI_PART_VALUES];
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        const rki_part *part = &checkpoint->parts[i];
        part->kind->get(part->object, integers, values);
        if (part->kind->integers > 0)
            RKI_TRY(rki_st_writer_put(writer, integers, part->kind->integers));
    }
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        const rki_part *part = &checkpoint->parts[i];
        part->kind->get(part->object, integers, values);
        if (part->kind->values > 0) RKI_TRY(rki_st_writer_put(writer, values, part->kind->values));
    }
    for (int64_t i = 0; i < checkpoint->numbers.count; i++)
        RKI_TRY(rki_st_writer_put(writer, &checkpoint->numbers.items[i].value, 1));
    return RNNKIT_OK;
}

static int32_t put_arrays(const rnnkit_checkpoint *checkpoint, void *piece, rki_st_writer *writer)
{
    for (int64_t i = 0; i < checkpoint->part_count; i++) {
        const rki_part *part = &checkpoint->parts[i];
        rki_part_array array;
        if (part->kind->device == NULL) continue;
        const rki_device *device = part->kind->device(part->object);
        for (int64_t k = 0; part->kind->array(part->object, k, &array); k++)
            RKI_TRY(
                rki_device_put(device, piece, array.values, rki_shape_count(&array.shape), writer));
    }
    return RNNKIT_OK;
}

static int32_t write_file(
    const rnnkit_checkpoint *checkpoint, const char *path, void *piece, rki_st_writer *writer)
{
    RKI_TRY(rki_model_add_texts(checkpoint->model, writer));
    RKI_TRY(add_description(checkpoint, writer));
    RKI_TRY(declare_numbers(checkpoint, writer));
    RKI_TRY(rki_model_declare(checkpoint->model, writer));
    RKI_TRY(declare_arrays(checkpoint, writer));
    RKI_TRY(rki_st_writer_open(writer, path));
    RKI_TRY(put_numbers(checkpoint, writer));
    RKI_TRY(rki_model_put(checkpoint->model, piece, writer));
    RKI_TRY(put_arrays(checkpoint, piece, writer));
    return rki_st_writer_commit(writer);
}

static int32_t save(const rnnkit_checkpoint *checkpoint, const char *path)
{
    rki_st_writer *writer = NULL;
    void *piece;
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_piece_allocate(memory_of(checkpoint), &piece));
    int32_t status = rki_st_writer_create(memory_of(checkpoint), &writer);
    if (status == RNNKIT_OK) status = write_file(checkpoint, path, piece, writer);
    rki_st_writer_destroy(writer);
    rki_release(memory_of(checkpoint), piece);
    return status;
}

int32_t rnnkit_checkpoint_save(rnnkit_checkpoint *checkpoint, const char *path)
{
    int32_t status = rki_check(checkpoint, RKI_KIND_CHECKPOINT, "checkpoint");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(checkpoint->model->context, __func__, save(checkpoint, path));
}
