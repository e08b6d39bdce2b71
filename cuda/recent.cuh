/* A few things that are kept by what they were made for, the key: that which was not used for
 * longest makes room. */
#ifndef RKI_CUDA_RECENT_CUH
#define RKI_CUDA_RECENT_CUH

#include <stdint.h>

/* The key's place among kept[0 .. count - 1], or with `known` 0 the one that makes room for it. A
 * place has a key, and the turn in which it was last used, 0 while it is free; rki_cuda_same compares
 * keys. */
template <typename Kept, typename Key>
static Kept *rki_cuda_place_of(Kept *kept, int count, const Key *key, int *known)
{
    Kept *oldest = kept;
    *known = 1;
    for (int i = 0; i < count; i++) {
        if (kept[i].turn > 0 && rki_cuda_same(&kept[i].key, key)) return &kept[i];
        if (kept[i].turn < oldest->turn) oldest = &kept[i];
    }
    *known = 0;
    return oldest;
}

#endif
