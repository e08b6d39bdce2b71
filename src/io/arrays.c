/* The public reader of arrays in safetensors files (rnnkit/arrays.h): a handle around the checked,
 * mapped file.
 */
#include "rnnkit/arrays.h"

#include "base/context.h"
#include "io/safetensors.h"

struct rnnkit_arrays {
    rki_object object;
    rnnkit_context *context;
    rki_st *file;
};

static int32_t open_file(rnnkit_context *context, const char *path, rnnkit_arrays **out)
{
    void *block;
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_arrays), "an arrays handle", &block));
    rnnkit_arrays *arrays = block;
    int32_t status = rki_st_open_file(&context->memory, path, &arrays->file);
    if (status < 0) {
        rki_release(&context->memory, arrays);
        return status;
    }
    rki_object_init(&arrays->object, RKI_KIND_ARRAYS);
    arrays->context = context;
    rki_context_retain(context);
    *out = arrays;
    return RNNKIT_OK;
}

int32_t rnnkit_arrays_open(rnnkit_context *context, const char *path, rnnkit_arrays **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context, __func__, open_file(context, path, out));
}

void rnnkit_arrays_destroy(rnnkit_arrays *arrays)
{
    if (arrays == NULL || rki_check(arrays, RKI_KIND_ARRAYS, "arrays") < 0) return;
    if (!rki_object_release(&arrays->object)) return;
    rnnkit_context *context = arrays->context;
    rki_st_close(arrays->file);
    rki_release(&context->memory, arrays);
    rki_context_release(context);
}

const char *rnnkit_arrays_name(const rnnkit_arrays *arrays, int64_t index)
{
    if (rki_check(arrays, RKI_KIND_ARRAYS, "arrays") < 0) return NULL;
    const rki_st_entry *entry = rki_st_entry_at(arrays->file, index);
    return entry == NULL ? NULL : entry->name;
}

const char *rnnkit_arrays_entry(const rnnkit_arrays *arrays, const char *key)
{
    if (rki_check(arrays, RKI_KIND_ARRAYS, "arrays") < 0 || key == NULL) return NULL;
    return rki_st_metadata(arrays->file, key);
}

static int32_t find(const rnnkit_arrays *arrays, const char *name, const rki_st_entry **out)
{
    char shown[RKI_ST_SHOWN];
    RKI_TRY(rki_check(arrays, RKI_KIND_ARRAYS, "arrays"));
    RKI_TRY(rki_check_pointer(name, "name"));
    *out = rki_st_find(arrays->file, name);
    if (*out != NULL) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_NOT_FOUND, "the file has no array \"%s\"", rki_st_shown(name, shown));
}

static int32_t shape(
    const rnnkit_arrays *arrays, const char *name, int64_t *dims, int64_t capacity, int64_t *rank)
{
    const rki_st_entry *entry;
    RKI_TRY(find(arrays, name, &entry));
    RKI_TRY(rki_check_pointer(dims, "dims"));
    RKI_TRY(rki_check_pointer(rank, "rank"));
    *rank = entry->rank;
    if (capacity < entry->rank)
        return rki_fail(RNNKIT_E_TOO_SMALL, "dims holds %lld sizes, %lld are needed",
            (long long)capacity, (long long)entry->rank);
    for (int64_t i = 0; i < entry->rank; i++)
        dims[i] = entry->dims[i];
    return RNNKIT_OK;
}

int32_t rnnkit_arrays_shape(
    const rnnkit_arrays *arrays, const char *name, int64_t *dims, int64_t capacity, int64_t *rank)
{
    return rki_leave(NULL, __func__, shape(arrays, name, dims, capacity, rank));
}

static int32_t read_part(
    const rnnkit_arrays *arrays, const char *name, int64_t first, float *values, int64_t count)
{
    const rki_st_entry *entry;
    char shown[RKI_ST_SHOWN];
    RKI_TRY(find(arrays, name, &entry));
    RKI_TRY(rki_check_pointer(values, "values"));
    if (first < 0 || count < 0 || first > entry->count || count > entry->count - first)
        return rki_fail(RNNKIT_E_SHAPE,
            "array \"%s\" has %lld elements, but %lld from number %lld on were asked for",
            rki_st_shown(name, shown), (long long)entry->count, (long long)count, (long long)first);
    RKI_TRY(rki_st_check_floats(entry));
    const rki_st_entry part = rki_st_entry_part(entry, first, count);
    return rki_st_read_float32(&part, values);
}

int32_t rnnkit_arrays_read(
    const rnnkit_arrays *arrays, const char *name, int64_t first, float *values, int64_t count)
{
    return rki_leave(NULL, __func__, read_part(arrays, name, first, values, count));
}
