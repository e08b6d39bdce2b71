/* Any bytes as a safetensors file: opened, listed, looked up, read, compared with their checksum.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* What the reader says of an entry must hold: a wrong pointer or size shows under a sanitizer. */
static void read_entry(const rki_st *st, const rki_st_entry *entry)
{
    rki_shape shape;
    char text[RKI_ST_SHAPE_TEXT];
    if (rki_st_find(st, entry->name) != entry) abort();
    rki_st_shape_text(entry, text);
    if (rki_st_entry_shape(entry, &shape) == RNNKIT_OK && rki_shape_count(&shape) != entry->count)
        abort();
    size_t room = (size_t)entry->count * sizeof(double) + 1;
    void *values = malloc(room);
    if (values == NULL) return;
    int read = rki_st_read_float64(entry, values) == RNNKIT_OK;
    if (read != (rki_st_read_float32(entry, values) == RNNKIT_OK)) abort();
    if (rki_st_read_int64(entry, values) == RNNKIT_OK && read) abort();
    free(values);
}

static void read_file(const uint8_t *bytes, size_t size)
{
    rki_memory memory = rki_default_memory();
    rki_st *st = NULL;
    if (rki_st_open_memory(&memory, bytes, size, &st) != RNNKIT_OK) return;
    for (int64_t i = 0; i < rki_st_count(st); i++)
        read_entry(st, rki_st_entry_at(st, i));
    for (int64_t i = 0; i < rki_st_metadata_count(st); i++) {
        const rki_st_text *text = rki_st_metadata_at(st, i);
        if (rki_st_metadata(st, text->key) != text->value) abort();
        rki_st_check(st, text->key);
    }
    rki_st_close(st);
}

/* The same bytes with a header length that ends the header at the last '}', so that changes of the
 * JSON text get past the first check. */
static void read_repaired(const uint8_t *bytes, size_t size)
{
    size_t end = size;
    while (end > 8 && bytes[end - 1] != '}')
        end--;
    if (end <= 8) return;
    uint8_t *copy = malloc(size);
    if (copy == NULL) return;
    memcpy(copy, bytes, size);
    for (int i = 0; i < 8; i++)
        copy[i] = (uint8_t)((uint64_t)(end - 8) >> 8 * i);
    read_file(copy, size);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    read_file(bytes, size);
    read_repaired(bytes, size);
    return 0;
}
