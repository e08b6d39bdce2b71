/* Ids in a row. See idstore.h. */
#include "text/idstore.h"

#include <string.h>

void rki_idstore_init(
    rki_idstore *store, const rki_memory *memory, int64_t mebibytes, const char *folder)
{
    const int64_t per_mebibyte = (1 << 20) / (int64_t)sizeof(int32_t);
    *store =
        (rki_idstore){.memory = memory, .folder = folder, .in_memory = mebibytes * per_mebibyte};
    rki_spill_init(&store->spill);
}

void rki_idstore_release(rki_idstore *store)
{
    rki_spill_release(&store->spill, store->memory);
    for (int64_t i = 0; i < store->chunk_count; i++)
        rki_release(store->memory, store->chunks[i]);
    rki_release(store->memory, store->chunks);
    store->chunks = NULL;
    store->chunk_count = store->chunk_capacity = store->count = 0;
}

static int32_t add_chunk(rki_idstore *store)
{
    void *list = store->chunks, *chunk;
    RKI_TRY(rki_grow(store->memory, &list, &store->chunk_capacity, store->chunk_count,
        store->chunk_count + 1, sizeof *store->chunks, "a list of token chunks"));
    store->chunks = list;
    RKI_TRY(rki_allocate(store->memory, RKI_CHUNK, sizeof(int32_t), "tokens", &chunk));
    store->chunks[store->chunk_count++] = chunk;
    return RNNKIT_OK;
}

int32_t rki_idstore_add(rki_idstore *store, const int32_t *ids, int64_t count)
{
    while (count > 0 && store->count < store->in_memory) {
        int64_t chunk = store->count / RKI_CHUNK, place = store->count % RKI_CHUNK;
        int64_t part = RKI_CHUNK - place < count ? RKI_CHUNK - place : count;
        if (chunk == store->chunk_count) RKI_TRY(add_chunk(store));
        if (part > store->in_memory - store->count) part = store->in_memory - store->count;
        memcpy(store->chunks[chunk] + place, ids, (size_t)part * sizeof *ids);
        store->count += part;
        ids += part;
        count -= part;
    }
    for (int64_t i = 0; i < count; i++) {
        RKI_TRY(rki_spill_add(&store->spill, store->memory, store->folder, ids[i]));
        store->count++;
    }
    return RNNKIT_OK;
}

int32_t rki_idstore_finish(rki_idstore *store)
{
    return rki_spill_finish(&store->spill, store->memory);
}

int32_t rki_idstore_copy(const rki_idstore *store, int64_t first, int32_t *ids, int64_t count)
{
    int64_t in_memory = store->count - store->spill.written;
    while (count > 0 && first < in_memory) {
        int64_t place = first % RKI_CHUNK, part = RKI_CHUNK - place;
        if (part > count) part = count;
        if (part > in_memory - first) part = in_memory - first;
        memcpy(ids, store->chunks[first / RKI_CHUNK] + place, (size_t)part * sizeof *ids);
        ids += part;
        first += part;
        count -= part;
    }
    return count > 0 ? rki_spill_read(&store->spill, first - in_memory, ids, count) : RNNKIT_OK;
}
