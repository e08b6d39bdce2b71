/* A counting sort of places by row. See row_groups.h. */
#include "nn/row_groups.h"

#include <string.h>

int32_t rki_row_groups_make(rnnkit_tape *tape, const int32_t *ids, int64_t count, int64_t words,
    int64_t left_out, rki_row_groups *out)
{
    void *block;
    RKI_TRY(rki_tape_host(tape, words + 3 * count + 1, sizeof(int32_t), &block));
    int32_t *slots = block, *used = slots + words, *order = used + count, *starts = order + count;
    int64_t unique = 0;
    memset(slots, 0, (size_t)words * sizeof *slots);
    memset(starts, 0, (size_t)(count + 1) * sizeof *starts);
    for (int64_t i = 0; i < count; i++) {
        int32_t row = ids[i];
        if (row < 0 || row == left_out) continue;
        if (slots[row] == 0) {
            used[unique++] = row;
            slots[row] = (int32_t)unique;
        }
        starts[slots[row]]++;
    }
    for (int64_t u = 0; u < unique; u++)
        starts[u + 1] += starts[u];
    for (int64_t u = 0; u < unique; u++)
        slots[used[u]] = starts[u];
    for (int64_t i = 0; i < count; i++)
        if (ids[i] >= 0 && ids[i] != left_out) order[slots[ids[i]]++] = (int32_t)i;
    *out = (rki_row_groups){unique, used, starts, order};
    return RNNKIT_OK;
}
