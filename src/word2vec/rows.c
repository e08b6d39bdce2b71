/* Rows of the output matrix. See rows.h. */
#include "word2vec/rows.h"

#include "backend/device.h"

int32_t rki_w2v_rows_init(const rnnkit_word2vec *word2vec, int32_t **out)
{
    int64_t size = word2vec->size, next = 0;
    int trained_there = rki_w2v_context(word2vec)->device->ops->word2vec_train != NULL;
    int64_t columns = trained_there ? 1 : RKI_W2V_APART;
    int64_t step = (size + columns - 1) / columns;
    void *block;
    RKI_TRY(rki_allocate(rki_w2v_memory(word2vec), size, sizeof(int32_t), "the rows", &block));
    int32_t *rows = block;
    for (int64_t first = 0; first < step; first++)
        for (int64_t word = first; word < size; word += step)
            rows[word] = (int32_t)next++;
    *out = rows;
    return RNNKIT_OK;
}
