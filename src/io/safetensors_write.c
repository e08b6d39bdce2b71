/* The safetensors writer (safetensors.h): declare, open, put the values, commit.
 *
 * The header's JSON is written here, without cJSON: only strings and integers occur, the order is
 * fixed, and so the bytes are the same everywhere. It is padded with spaces, so that the data start
 * at a multiple of 8 in the file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "base/utf8.h"
#include "io/json_text.h"
#include "io/safetensors.h"
#include "io/safetensors_checksum.h"

enum { HEADER_LIMIT = 100000000, LENGTH_BYTES = 8, PIECE = 512 };

typedef struct declared {
    char *name;
    rki_st_dtype dtype;
    int64_t size; /* bytes of an element */
    int64_t rank;
    int64_t dims[RKI_RANK];
    int64_t count; /* elements */
} declared;

struct rki_st_writer {
    const rki_memory *memory;
    declared *tensors;
    int64_t count, capacity;
    rki_st_text *texts; /* copies of the caller's */
    int64_t text_count, text_capacity;
    rki_json_text header;
    rki_writer *file;         /* NULL: not open */
    int64_t current;          /* the tensor whose turn it is */
    int64_t given;            /* its elements that were put already */
    const char *checksum_key; /* of the text that commit fills in; NULL: none */
    int64_t checksum_place;   /* where its value stands in the header */
    uint64_t checksum;        /* of the texts and of the tensors that are complete */
    rki_hash hash;            /* of the current tensor */
};

int32_t rki_st_writer_create(const rki_memory *memory, rki_st_writer **out)
{
    void *block;
    RKI_TRY(rki_allocate(memory, 1, sizeof(rki_st_writer), "a safetensors writer", &block));
    rki_st_writer *writer = block;
    writer->memory = memory;
    writer->header = (rki_json_text){.memory = memory, .limit = HEADER_LIMIT};
    *out = writer;
    return RNNKIT_OK;
}

void rki_st_writer_destroy(rki_st_writer *writer)
{
    if (writer == NULL) return;
    const rki_memory *memory = writer->memory;
    rki_writer_abandon(writer->file);
    for (int64_t i = 0; i < writer->count; i++)
        rki_release(memory, writer->tensors[i].name);
    for (int64_t i = 0; i < writer->text_count; i++) {
        rki_release(memory, (char *)(uintptr_t)writer->texts[i].key);
        rki_release(memory, (char *)(uintptr_t)writer->texts[i].value);
    }
    rki_release(memory, writer->tensors);
    rki_release(memory, writer->texts);
    rki_release(memory, writer->header.data);
    rki_release(memory, writer);
}

static int32_t check_utf8(const char *text, const char *what)
{
    char shown[RKI_ST_SHOWN];
    size_t length = strlen(text);
    size_t whole = rki_utf8_span(text, length);
    if (whole == length) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ARGUMENT, "%s \"%s\" is not UTF-8 at byte %zu", what,
        rki_st_shown(text, shown), whole);
}

int32_t rki_st_writer_add_text(rki_st_writer *writer, const char *key, const char *value)
{
    RKI_TRY(check_utf8(key, "metadata key"));
    RKI_TRY(check_utf8(value, "metadata value"));
    void *block = writer->texts;
    RKI_TRY(rki_grow(writer->memory, &block, &writer->text_capacity, writer->text_count,
        writer->text_count + 1, sizeof *writer->texts, "metadata"));
    writer->texts = block;
    char *key_copy, *value_copy;
    RKI_TRY(rki_copy_text(writer->memory, key, -1, &key_copy));
    int32_t status = rki_copy_text(writer->memory, value, -1, &value_copy);
    if (status != RNNKIT_OK) {
        rki_release(writer->memory, key_copy);
        return status;
    }
    writer->texts[writer->text_count++] = (rki_st_text){key_copy, value_copy};
    return RNNKIT_OK;
}

int32_t rki_st_writer_add_checksum(rki_st_writer *writer, const char *key)
{
    char zeros[RKI_ST_CHECKSUM_DIGITS + 1];
    if (writer->checksum_key != NULL) return rki_fail(RNNKIT_E_INTERNAL, "a second checksum");
    rki_st_checksum_text(0, zeros);
    RKI_TRY(rki_st_writer_add_text(writer, key, zeros));
    writer->checksum_key = writer->texts[writer->text_count - 1].key;
    return RNNKIT_OK;
}

/* What only a defect of the library can get wrong. */
static int32_t check_declaration(
    const rki_st_writer *writer, const char *name, rki_st_dtype dtype, int64_t rank)
{
    char shown[RKI_ST_SHOWN];
    if (dtype != RKI_ST_U8 && dtype != RKI_ST_F32 && dtype != RKI_ST_F64 && dtype != RKI_ST_I64)
        return rki_fail(RNNKIT_E_INTERNAL, "tensor \"%s\": %s is not written",
            rki_st_shown(name, shown), rki_st_dtype_name(dtype));
    if (rank < 0 || rank > RKI_RANK)
        return rki_fail(RNNKIT_E_INTERNAL, "tensor \"%s\": rank %lld", rki_st_shown(name, shown),
            (long long)rank);
    if (writer->count > 0 && rki_st_dtype_bits(dtype) > 8 * writer->tensors[writer->count - 1].size)
        return rki_fail(RNNKIT_E_INTERNAL, "tensor \"%s\": wider than the one before it",
            rki_st_shown(name, shown));
    return RNNKIT_OK;
}

int32_t rki_st_writer_add_tensor(
    rki_st_writer *writer, const char *name, rki_st_dtype dtype, const int64_t *dims, int64_t rank)
{
    RKI_TRY(check_utf8(name, "tensor name"));
    RKI_TRY(check_declaration(writer, name, dtype, rank));
    declared tensor = {NULL, dtype, rki_st_dtype_bits(dtype) / 8, rank, {0}, 1};
    for (int64_t i = 0; i < rank; i++) {
        tensor.dims[i] = dims[i];
        RKI_TRY(rki_multiply(tensor.count, dims[i], &tensor.count));
    }
    void *block = writer->tensors;
    RKI_TRY(rki_grow(writer->memory, &block, &writer->capacity, writer->count, writer->count + 1,
        sizeof *writer->tensors, "a list of tensors"));
    writer->tensors = block;
    RKI_TRY(rki_copy_text(writer->memory, name, -1, &tensor.name));
    writer->tensors[writer->count++] = tensor;
    return RNNKIT_OK;
}

/* The header. */

static int compare_texts(const void *a, const void *b)
{
    const rki_st_text *left = a, *right = b;
    return strcmp(left->key, right->key);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static int32_t append_metadata(rki_st_writer *writer)
{
    char shown[RKI_ST_SHOWN];
    if (writer->text_count == 0) return RNNKIT_OK;
    qsort(writer->texts, (size_t)writer->text_count, sizeof *writer->texts, compare_texts);
    RKI_TRY(rki_json_mark(&writer->header, "\"__metadata__\":{"));
    for (int64_t i = 0; i < writer->text_count; i++) {
        const rki_st_text *text = &writer->texts[i];
        if (i > 0 && compare_texts(text - 1, text) == 0)
            return rki_fail(RNNKIT_E_ARGUMENT, "metadata key \"%s\" was given twice",
                rki_st_shown(text->key, shown));
        if (i > 0) RKI_TRY(rki_json_mark(&writer->header, ","));
        RKI_TRY(rki_json_string(&writer->header, text->key));
        RKI_TRY(rki_json_mark(&writer->header, ":"));
        if (text->key == writer->checksum_key)
            writer->checksum_place = writer->header.used + 1;
        else
            writer->checksum += rki_st_hash_text(text->key, text->value);
        RKI_TRY(rki_json_string(&writer->header, text->value));
    }
    return rki_json_mark(&writer->header, writer->count > 0 ? "}," : "}");
}

static int32_t append_tensor(rki_st_writer *writer, const declared *tensor, int64_t *offset)
{
    int64_t bytes, end;
    RKI_TRY(rki_multiply(tensor->count, tensor->size, &bytes));
    if (bytes > INT64_MAX - *offset) return rki_fail(RNNKIT_E_SHAPE, "too much data for a file");
    end = *offset + bytes;
    RKI_TRY(rki_json_string(&writer->header, tensor->name));
    RKI_TRY(rki_json_mark(&writer->header, ":{\"dtype\":\""));
    RKI_TRY(rki_json_mark(&writer->header, rki_st_dtype_name(tensor->dtype)));
    RKI_TRY(rki_json_mark(&writer->header, "\",\"shape\":["));
    for (int64_t i = 0; i < tensor->rank; i++) {
        if (i > 0) RKI_TRY(rki_json_mark(&writer->header, ","));
        RKI_TRY(rki_json_integer(&writer->header, tensor->dims[i]));
    }
    RKI_TRY(rki_json_mark(&writer->header, "],\"data_offsets\":["));
    RKI_TRY(rki_json_integer(&writer->header, *offset));
    RKI_TRY(rki_json_mark(&writer->header, ","));
    RKI_TRY(rki_json_integer(&writer->header, end));
    *offset = end;
    return rki_json_mark(&writer->header, "]}");
}

static int32_t check_names(const rki_st_writer *writer)
{
    char shown[RKI_ST_SHOWN];
    void *block;
    RKI_TRY(
        rki_allocate(writer->memory, writer->count, sizeof(char *), "a list of tensors", &block));
    const char **names = block;
    const char *twice = NULL;
    for (int64_t i = 0; i < writer->count; i++) {
        names[i] = writer->tensors[i].name;
        if (strcmp(names[i], "__metadata__") == 0) twice = names[i];
    }
    qsort(names, (size_t)writer->count, sizeof *names, compare_names);
    for (int64_t i = 1; i < writer->count; i++)
        if (strcmp(names[i - 1], names[i]) == 0) twice = names[i];
    rki_release(writer->memory, block);
    if (twice == NULL) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ARGUMENT, "tensor name \"%s\" is taken", rki_st_shown(twice, shown));
}

static int32_t build_header(rki_st_writer *writer)
{
    int64_t offset = 0;
    RKI_TRY(check_names(writer));
    RKI_TRY(rki_json_mark(&writer->header, "{"));
    RKI_TRY(append_metadata(writer));
    for (int64_t i = 0; i < writer->count; i++) {
        if (i > 0) RKI_TRY(rki_json_mark(&writer->header, ","));
        RKI_TRY(append_tensor(writer, &writer->tensors[i], &offset));
    }
    RKI_TRY(rki_json_mark(&writer->header, "}"));
    while (writer->header.used % 8 != 0)
        RKI_TRY(rki_json_mark(&writer->header, " "));
    return RNNKIT_OK;
}

/* Values. */

int32_t rki_st_writer_open(rki_st_writer *writer, const char *path)
{
    unsigned char length[LENGTH_BYTES];
    if (writer->file != NULL) return rki_fail(RNNKIT_E_INTERNAL, "the writer is open already");
    RKI_TRY(build_header(writer));
    rki_store64(length, (uint64_t)writer->header.used);
    RKI_TRY(rki_writer_open(writer->memory, path, &writer->file));
    RKI_TRY(rki_writer_write(writer->file, length, sizeof length));
    return rki_writer_write(writer->file, writer->header.data, (size_t)writer->header.used);
}

/* Makes the next tensor the current one as long as the current one is complete. */
static void pass_complete(rki_st_writer *writer)
{
    while (writer->current < writer->count) {
        const declared *tensor = &writer->tensors[writer->current];
        if (writer->given == 0)
            rki_st_hash_tensor(
                &writer->hash, tensor->name, tensor->dtype, tensor->dims, tensor->rank);
        if (writer->given < tensor->count) return;
        writer->checksum += rki_hash_value(&writer->hash);
        writer->current++;
        writer->given = 0;
    }
}

static int32_t put_bytes(rki_st_writer *writer, const void *bytes, size_t size)
{
    rki_hash_add(&writer->hash, bytes, size);
    return rki_writer_write(writer->file, bytes, size);
}

/* Writes `count` (PIECE / size at most) elements of `size` bytes, least byte first. */
static int32_t put_piece(
    rki_st_writer *writer, const unsigned char *values, int64_t count, size_t size)
{
    unsigned char bytes[PIECE];
    for (int64_t i = 0; i < count && size == 4; i++) {
        uint32_t bits;
        memcpy(&bits, values + 4 * i, sizeof bits);
        rki_store32(bytes + 4 * i, bits);
    }
    for (int64_t i = 0; i < count && size == 8; i++) {
        uint64_t bits;
        memcpy(&bits, values + 8 * i, sizeof bits);
        rki_store64(bytes + 8 * i, bits);
    }
    return put_bytes(writer, bytes, (size_t)count * size);
}

int32_t rki_st_writer_put(rki_st_writer *writer, const void *values, int64_t count)
{
    pass_complete(writer);
    if (writer->file == NULL || writer->current >= writer->count || count < 0 ||
        count > writer->tensors[writer->current].count - writer->given)
        return rki_fail(RNNKIT_E_INTERNAL, "more values than were declared");
    writer->given += count;
    size_t size = (size_t)writer->tensors[writer->current].size;
    if (size == 1) return put_bytes(writer, values, (size_t)count);
    const unsigned char *next = values;
    while (count > 0) {
        int64_t piece = (int64_t)(PIECE / size);
        if (piece > count) piece = count;
        RKI_TRY(put_piece(writer, next, piece, size));
        next += (size_t)piece * size;
        count -= piece;
    }
    return RNNKIT_OK;
}

int32_t rki_st_writer_commit(rki_st_writer *writer)
{
    char checksum[RKI_ST_CHECKSUM_DIGITS + 1];
    pass_complete(writer);
    if (writer->file == NULL || writer->current < writer->count)
        return rki_fail(RNNKIT_E_INTERNAL, "fewer values than were declared");
    rki_st_checksum_text(writer->checksum, checksum);
    if (writer->checksum_key != NULL)
        RKI_TRY(rki_writer_patch(
            writer->file, LENGTH_BYTES + writer->checksum_place, checksum, RKI_ST_CHECKSUM_DIGITS));
    rki_writer *file = writer->file;
    writer->file = NULL;
    return rki_writer_commit(file);
}
