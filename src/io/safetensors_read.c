/* The safetensors reader: opens a file or a block of memory, checks it, lists what is in it
 * (safetensors.h).
 *
 * cJSON holds the header's tree as long as the file is open, for the names and texts live in it.
 * cJSON allocates with malloc; everything else goes through the memory given.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "io/json_read.h"
#include "io/safetensors.h"
#include "io/safetensors_entry.h"

enum {
    HEADER_LIMIT = 100000000,
    HEADER_DEPTH = 3, /* an object of objects of arrays */
    LENGTH_BYTES = 8
};

static const char metadata_name[] = "__metadata__";

struct rki_st {
    const rki_memory *memory;
    rki_mapping mapping; /* of a file; else empty */
    cJSON *root;
    const unsigned char *data;
    size_t data_size;
    int64_t count, metadata_count;
    rki_st_entry *entries;        /* [count], as in the header */
    const rki_st_entry **by_name; /* [count], ascending */
    int64_t *dims;                /* of all entries */
    rki_st_text *metadata;        /* [metadata_count], by key ascending */
};

static int compare_names(const void *a, const void *b)
{
    const rki_st_entry *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static int compare_places(const void *a, const void *b)
{
    const rki_st_entry *const *left = a, *const *right = b;
    if ((*left)->data != (*right)->data) return (*left)->data < (*right)->data ? -1 : 1;
    return ((*left)->bytes > (*right)->bytes) - ((*left)->bytes < (*right)->bytes);
}

static int compare_keys(const void *a, const void *b)
{
    const rki_st_text *left = a, *right = b;
    return strcmp(left->key, right->key);
}

/* The tensors, one behind the other, must be the data: no overlap, no hole, nothing behind. Leaves
 * st->by_name in the order of places. */
static int32_t check_cover(rki_st *st)
{
    char shown[RKI_ST_SHOWN];
    const unsigned char *expected = st->data;
    qsort(st->by_name, (size_t)st->count, sizeof *st->by_name, compare_places);
    for (int64_t i = 0; i < st->count; i++) {
        const rki_st_entry *entry = st->by_name[i];
        if (entry->data != expected)
            return rki_fail(RNNKIT_E_FORMAT,
                "tensor \"%s\": starts at byte %lld of the data, where byte %lld is the next "
                "(%s)",
                rki_st_shown(entry->name, shown), (long long)(entry->data - st->data),
                (long long)(expected - st->data), entry->data < expected ? "overlap" : "hole");
        expected += entry->bytes;
    }
    size_t covered = (size_t)(expected - st->data);
    if (covered != st->data_size)
        return rki_fail(RNNKIT_E_FORMAT, "the data has %zu bytes, but its tensors fill only %zu",
            st->data_size, covered);
    return RNNKIT_OK;
}

static int32_t check_names(rki_st *st)
{
    char shown[RKI_ST_SHOWN];
    qsort(st->by_name, (size_t)st->count, sizeof *st->by_name, compare_names);
    for (int64_t i = 1; i < st->count; i++) {
        if (compare_names(&st->by_name[i - 1], &st->by_name[i]) == 0)
            return rki_fail(RNNKIT_E_FORMAT, "tensor \"%s\" is there twice",
                rki_st_shown(st->by_name[i]->name, shown));
    }
    return RNNKIT_OK;
}

static int32_t read_metadata(rki_st *st, const cJSON *metadata)
{
    char shown[RKI_ST_SHOWN];
    const cJSON *item;
    void *block;
    if (!cJSON_IsObject(metadata))
        return rki_fail(RNNKIT_E_FORMAT, "%s is not an object", metadata_name);
    if (st->metadata != NULL) return rki_fail(RNNKIT_E_FORMAT, "%s is there twice", metadata_name);
    RKI_TRY(rki_allocate(
        st->memory, cJSON_GetArraySize(metadata), sizeof *st->metadata, "metadata", &block));
    st->metadata = block;
    cJSON_ArrayForEach(item, metadata)
    {
        if (!cJSON_IsString(item))
            return rki_fail(RNNKIT_E_FORMAT, "%s: \"%s\" is not a string", metadata_name,
                rki_st_shown(item->string, shown));
        st->metadata[st->metadata_count].key = item->string;
        st->metadata[st->metadata_count].value = item->valuestring;
        st->metadata_count++;
    }
    qsort(st->metadata, (size_t)st->metadata_count, sizeof *st->metadata, compare_keys);
    for (int64_t i = 1; i < st->metadata_count; i++) {
        if (compare_keys(&st->metadata[i - 1], &st->metadata[i]) == 0)
            return rki_fail(RNNKIT_E_FORMAT, "%s: \"%s\" is there twice", metadata_name,
                rki_st_shown(st->metadata[i].key, shown));
    }
    return RNNKIT_OK;
}

/* Room for everything that the tree lists. */
static int32_t allocate_entries(rki_st *st)
{
    int64_t entries = 0, dims = 0;
    const cJSON *item, *field;
    cJSON_ArrayForEach(item, st->root)
    {
        entries++;
        cJSON_ArrayForEach(field, item) dims += cJSON_GetArraySize(field);
    }
    void *block;
    RKI_TRY(rki_allocate(st->memory, entries, sizeof *st->entries, "a list of tensors", &block));
    st->entries = block;
    RKI_TRY(rki_allocate(st->memory, entries, sizeof *st->by_name, "a list of tensors", &block));
    st->by_name = block;
    RKI_TRY(rki_allocate(st->memory, dims, sizeof *st->dims, "shapes of tensors", &block));
    st->dims = block;
    return RNNKIT_OK;
}

static int32_t read_entries(rki_st *st)
{
    const cJSON *item;
    RKI_TRY(allocate_entries(st));
    int64_t *dims = st->dims;
    cJSON_ArrayForEach(item, st->root)
    {
        if (strcmp(item->string, metadata_name) == 0) {
            RKI_TRY(read_metadata(st, item));
            continue;
        }
        rki_st_entry *entry = &st->entries[st->count];
        RKI_TRY(rki_st_parse_entry(item, st->data, st->data_size, dims, entry));
        dims += entry->rank;
        st->by_name[st->count++] = entry;
    }
    RKI_TRY(check_cover(st));
    return check_names(st);
}

static int32_t parse_header(rki_st *st, const unsigned char *bytes, size_t length)
{
    const char *text = (const char *)bytes;
    if (length == 0 || text[0] != '{')
        return rki_fail(RNNKIT_E_FORMAT, "the header does not start with '{'");
    RKI_TRY(rki_json_parse(st->memory, text, length, HEADER_DEPTH, "header", &st->root));
    return read_entries(st);
}

static int32_t read_file(rki_st *st, const unsigned char *bytes, size_t size)
{
    if (size < LENGTH_BYTES)
        return rki_fail(RNNKIT_E_FORMAT,
            "%zu bytes are too few for a safetensors file, which starts with 8 bytes of length",
            size);
    uint64_t length = rki_load64(bytes);
    if (length > HEADER_LIMIT)
        return rki_fail(RNNKIT_E_FORMAT,
            "not a safetensors file: its first 8 bytes give a header of %llu bytes, the limit is "
            "%d",
            (unsigned long long)length, HEADER_LIMIT);
    if (length > size - LENGTH_BYTES)
        return rki_fail(RNNKIT_E_FORMAT,
            "the header should have %llu bytes, but only %zu follow (is the file cut off?)",
            (unsigned long long)length, size - LENGTH_BYTES);
    st->data = bytes + LENGTH_BYTES + length;
    st->data_size = size - LENGTH_BYTES - (size_t)length;
    return parse_header(st, bytes + LENGTH_BYTES, (size_t)length);
}

/* Opens st->mapping, or the bytes when there is none; takes the mapping over even on failure. */
static int32_t open_bytes(const rki_memory *memory, rki_mapping mapping, const unsigned char *bytes,
    size_t size, rki_st **out)
{
    void *block;
    int32_t status = rki_allocate(memory, 1, sizeof(rki_st), "a safetensors file", &block);
    if (status != RNNKIT_OK) {
        rki_unmap_file(&mapping);
        return status;
    }
    rki_st *st = block;
    st->memory = memory;
    st->mapping = mapping;
    status = read_file(st, bytes, size);
    if (status != RNNKIT_OK) {
        rki_st_close(st);
        return status;
    }
    *out = st;
    return RNNKIT_OK;
}

int32_t rki_st_open_file(const rki_memory *memory, const char *path, rki_st **out)
{
    rki_mapping mapping;
    RKI_TRY(rki_map_file(path, &mapping));
    int32_t status = open_bytes(memory, mapping, mapping.data, mapping.size, out);
    if (status != RNNKIT_OK) rki_prefix_message("%s", path);
    return status;
}

int32_t rki_st_open_memory(const rki_memory *memory, const void *bytes, size_t size, rki_st **out)
{
    return open_bytes(memory, (rki_mapping){NULL, 0}, bytes, size, out);
}

void rki_st_close(rki_st *st)
{
    if (st == NULL) return;
    cJSON_Delete(st->root);
    rki_unmap_file(&st->mapping);
    rki_release(st->memory, st->entries);
    rki_release(st->memory, st->by_name);
    rki_release(st->memory, st->dims);
    rki_release(st->memory, st->metadata);
    rki_release(st->memory, st);
}

int64_t rki_st_count(const rki_st *st)
{
    return st->count;
}

const rki_st_entry *rki_st_entry_at(const rki_st *st, int64_t index)
{
    return index >= 0 && index < st->count ? &st->entries[index] : NULL;
}

const rki_st_entry *rki_st_find(const rki_st *st, const char *name)
{
    const rki_st_entry wanted = {.name = name};
    const rki_st_entry *key = &wanted;
    const rki_st_entry **found =
        bsearch(&key, st->by_name, (size_t)st->count, sizeof *st->by_name, compare_names);
    return found == NULL ? NULL : *found;
}

int64_t rki_st_metadata_count(const rki_st *st)
{
    return st->metadata_count;
}

const rki_st_text *rki_st_metadata_at(const rki_st *st, int64_t index)
{
    return index >= 0 && index < st->metadata_count ? &st->metadata[index] : NULL;
}

const char *rki_st_metadata(const rki_st *st, const char *key)
{
    const rki_st_text wanted = {.key = key};
    if (st->metadata_count == 0) return NULL;
    const rki_st_text *found =
        bsearch(&wanted, st->metadata, (size_t)st->metadata_count, sizeof wanted, compare_keys);
    return found == NULL ? NULL : found->value;
}
