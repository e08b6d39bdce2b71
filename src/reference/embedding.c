/* Rows of a table by their numbers, and the gradient's way back. */
#include "reference/reference.h"

int32_t rki_reference_gather(void *self, const rki_gather *call)
{
    const rki_reference *device = self;
    int64_t width = call->width;
    for (int64_t i = 0; i < call->count; i++)
        for (int64_t j = 0; j < width; j++)
            set(device, call->out, i * width + j,
                get(device, call->table, call->ids[i] * width + j));
    return RNNKIT_OK;
}

int32_t rki_reference_scatter(void *self, const rki_scatter *call)
{
    const rki_reference *device = self;
    int64_t width = call->width;
    for (int64_t u = 0; u < call->unique; u++) {
        for (int64_t j = 0; j < width; j++) {
            double sum = 0.0;
            for (int32_t place = call->starts[u]; place < call->starts[u + 1]; place++)
                sum += get(device, call->dy, call->order[place] * width + j);
            add(device, call->gradient, call->rows[u] * width + j, sum);
        }
    }
    return RNNKIT_OK;
}
