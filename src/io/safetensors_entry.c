/* One tensor of a safetensors header: type, shape, place; each checked, and against the others
 * (safetensors_entry.h). cJSON's numbers are doubles, so sizes of 2^53 and more are refused.
 */
#include "io/safetensors_entry.h"

#include <string.h>

#include "base/status.h"

/* One number of a header: a whole one, at least 0, that a double holds exactly. */
static int read_size(const cJSON *item, int64_t *out)
{
    if (!cJSON_IsNumber(item)) return 0;
    double value = item->valuedouble;
    if (!(value >= 0 && value < 9007199254740992.0) || value != (double)(int64_t)value) return 0;
    *out = (int64_t)value;
    return 1;
}

/* The field of a tensor's object, which must be there once. */
static int32_t find_field(
    const cJSON *tensor, const char *name, const char *field, const cJSON **out)
{
    char shown[RKI_ST_SHOWN];
    const cJSON *found = NULL, *item;
    cJSON_ArrayForEach(item, tensor)
    {
        if (strcmp(item->string, field) != 0) continue;
        if (found != NULL)
            return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\": \"%s\" is given twice",
                rki_st_shown(name, shown), field);
        found = item;
    }
    if (found == NULL)
        return rki_fail(
            RNNKIT_E_FORMAT, "tensor \"%s\": \"%s\" is missing", rki_st_shown(name, shown), field);
    *out = found;
    return RNNKIT_OK;
}

static int32_t read_dtype(const cJSON *tensor, rki_st_entry *entry)
{
    char shown[RKI_ST_SHOWN], value[RKI_ST_SHOWN];
    const cJSON *item;
    RKI_TRY(find_field(tensor, entry->name, "dtype", &item));
    if (!cJSON_IsString(item))
        return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\": dtype is not a string",
            rki_st_shown(entry->name, shown));
    for (int dtype = 0; dtype < RKI_ST_DTYPE_COUNT; dtype++) {
        if (strcmp(item->valuestring, rki_st_dtype_name((rki_st_dtype)dtype)) == 0) {
            entry->dtype = (rki_st_dtype)dtype;
            return RNNKIT_OK;
        }
    }
    return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\": there is no dtype \"%s\"",
        rki_st_shown(entry->name, shown), rki_st_shown(item->valuestring, value));
}

/* Fills entry->dims, which has room; sets rank and count. */
static int32_t read_shape(const cJSON *tensor, int64_t *dims, rki_st_entry *entry)
{
    char shown[RKI_ST_SHOWN];
    const cJSON *shape, *item;
    RKI_TRY(find_field(tensor, entry->name, "shape", &shape));
    if (!cJSON_IsArray(shape))
        return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\": shape is not an array",
            rki_st_shown(entry->name, shown));
    entry->dims = dims;
    entry->count = 1;
    cJSON_ArrayForEach(item, shape)
    {
        if (!read_size(item, &dims[entry->rank]))
            return rki_fail(RNNKIT_E_FORMAT,
                "tensor \"%s\": dimension %lld of its shape is not a whole number from 0 to "
                "2^53 - 1",
                rki_st_shown(entry->name, shown), (long long)entry->rank);
        if (rki_multiply(entry->count, dims[entry->rank], &entry->count) != RNNKIT_OK)
            return rki_fail(RNNKIT_E_FORMAT,
                "tensor \"%s\": its shape has more elements than 63 bits can count",
                rki_st_shown(entry->name, shown));
        entry->rank++;
    }
    return RNNKIT_OK;
}

static int32_t read_offsets(
    const cJSON *tensor, const unsigned char *data, size_t data_size, rki_st_entry *entry)
{
    char shown[RKI_ST_SHOWN];
    const cJSON *offsets;
    RKI_TRY(find_field(tensor, entry->name, "data_offsets", &offsets));
    int64_t begin, end;
    const cJSON *first = cJSON_IsArray(offsets) ? offsets->child : NULL;
    if (first == NULL || first->next == NULL || first->next->next != NULL ||
        !read_size(first, &begin) || !read_size(first->next, &end))
        return rki_fail(RNNKIT_E_FORMAT,
            "tensor \"%s\": data_offsets is not a pair of whole numbers from 0 to 2^53 - 1",
            rki_st_shown(entry->name, shown));
    if (begin > end)
        return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\": data_offsets [%lld, %lld] run backwards",
            rki_st_shown(entry->name, shown), (long long)begin, (long long)end);
    if ((uint64_t)end > data_size)
        return rki_fail(RNNKIT_E_FORMAT,
            "tensor \"%s\": data_offsets [%lld, %lld] reach beyond the data, which has %zu bytes "
            "(is the file cut off?)",
            rki_st_shown(entry->name, shown), (long long)begin, (long long)end, data_size);
    entry->data = data + begin;
    entry->bytes = (size_t)(end - begin);
    return RNNKIT_OK;
}

/* Type, shape and offsets must say the same. */
static int32_t check_size(const rki_st_entry *entry)
{
    char shown[RKI_ST_SHOWN], shape[RKI_ST_SHAPE_TEXT];
    int64_t bits;
    int fits = rki_multiply(entry->count, rki_st_dtype_bits(entry->dtype), &bits) == RNNKIT_OK;
    if (fits && bits % 8 == 0 && (uint64_t)(bits / 8) == entry->bytes) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_FORMAT,
        "tensor \"%s\": data_offsets hold %zu bytes, but shape %s of %s with %lld bits each does "
        "not fill that exactly",
        rki_st_shown(entry->name, shown), entry->bytes, rki_st_shape_text(entry, shape),
        rki_st_dtype_name(entry->dtype), (long long)rki_st_dtype_bits(entry->dtype));
}

int32_t rki_st_parse_entry(const cJSON *item, const unsigned char *data, size_t data_size,
    int64_t *dims, rki_st_entry *entry)
{
    char shown[RKI_ST_SHOWN];
    entry->name = item->string;
    if (!cJSON_IsObject(item))
        return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\" is not described by an object",
            rki_st_shown(entry->name, shown));
    RKI_TRY(read_dtype(item, entry));
    RKI_TRY(read_shape(item, dims, entry));
    RKI_TRY(read_offsets(item, data, data_size, entry));
    return check_size(entry);
}
