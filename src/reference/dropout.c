/* Dropout (Srivastava et al. 2014), scaled when training: y = x * mask / (1 - rate).
 *
 * Element i is kept when its draw is >= rate * 2^32; its draw is word i % 4 of Philox 4x32-10
 * (Salmon et al. 2011) at counter {i / 4 low, i / 4 high, fixed[0], fixed[1]}. With a period the
 * mask repeats (Gal and Ghahramani 2016: the same units are dropped at all steps of a sequence).
 */
#include "reference/reference.h"

#include <Random123/philox.h>

uint32_t rki_reference_draw(
    const rki_reference *device, rki_random random, uint64_t step, int64_t i)
{
    uint32_t key_words[2], fixed[2];
    device->host.random_words(random, step, key_words, fixed);
    uint64_t index = (uint64_t)i / 4;
    philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), fixed[0], fixed[1]}};
    philox4x32_key_t key = {{key_words[0], key_words[1]}};
    return philox4x32(counter, key).v[i % 4];
}

int32_t rki_reference_dropout(void *self, const rki_dropout *call)
{
    const rki_reference *device = self;
    for (int64_t i = 0; i < call->count; i++) {
        int64_t place = call->period > 0 ? i % call->period : i;
        uint32_t draw = rki_reference_draw(device, call->random, call->step, place);
        int kept = (double)draw >= call->rate * 4294967296.0;
        double value = get(device, call->x, i) * (kept ? 1.0 / (1.0 - call->rate) : 0.0);
        if (call->accumulate) value += get(device, call->y, i);
        set(device, call->y, i, value);
    }
    return RNNKIT_OK;
}
