/* The last tokens. See recent.h. */
#include "generate/recent.h"

int32_t rki_recent_init(rki_recent *recent, const rki_memory *memory, int64_t window, int64_t words)
{
    void *ids, *counts;
    RKI_TRY(rki_allocate(memory, window, sizeof(int32_t), "the last tokens", &ids));
    int32_t status = rki_allocate(memory, words, sizeof(int32_t), "counts of tokens", &counts);
    if (status < 0)
        rki_release(memory, ids);
    else
        *recent = (rki_recent){.ids = ids, .window = window, .counts = counts};
    return status;
}

void rki_recent_release(rki_recent *recent, const rki_memory *memory)
{
    rki_release(memory, recent->ids);
    rki_release(memory, recent->counts);
}

void rki_recent_add(rki_recent *recent, int32_t id)
{
    if (recent->window == 0) return;
    if (recent->used == recent->window)
        recent->counts[recent->ids[recent->next]]--;
    else
        recent->used++;
    recent->ids[recent->next] = id;
    recent->counts[id]++;
    recent->next = (recent->next + 1) % recent->window;
}
