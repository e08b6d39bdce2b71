/* Dropout (Srivastava et al. 2014), scaled when training: y = x * mask / (1 - rate).
 *
 * Element i is kept when its draw is >= rate * 2^32; its draw is word i % 4 of Philox 4x32-10
 * (Salmon et al. 2011) at counter {i / 4 low, i / 4 high, fixed[0], fixed[1]}.
 */
#include "reference/reference.h"

#include <Random123/philox.h>

typedef struct draws {
    uint32_t key[2], fixed[2];
} draws;

static uint32_t draw(const draws *random, int64_t i)
{
    uint64_t index = (uint64_t)i / 4;
    philox4x32_ctr_t counter = {
        {(uint32_t)index, (uint32_t)(index >> 32), random->fixed[0], random->fixed[1]}};
    philox4x32_key_t key = {{random->key[0], random->key[1]}};
    return philox4x32(counter, key).v[i % 4];
}

int32_t rki_reference_dropout(void *self, const rki_dropout *call)
{
    const rki_reference *device = self;
    draws random;
    device->host.random_words(call->random, call->step, random.key, random.fixed);
    for (int64_t i = 0; i < call->count; i++) {
        int kept = (double)draw(&random, i) >= call->rate * 4294967296.0;
        double value = get(device, call->x, i) * (kept ? 1.0 / (1.0 - call->rate) : 0.0);
        if (call->accumulate) value += get(device, call->y, i);
        set(device, call->y, i, value);
    }
    return RNNKIT_OK;
}
