/* The gates' values and cell states of a sequence, out of the stash. */
#include "cpu/recurrent.h"

int32_t rki_cpu_recurrent_gates(void *self, const rki_recurrent_gates *call)
{
    const rki_recurrent *layer = &call->layer;
    rki_pieces pieces = {(char *)(uintptr_t)call->stash, 0};
    rki_plan plan = rki_plan_make(self, layer, &pieces, 0);
    rki_stash stash = rki_stash_cut(&pieces, layer);
    rki_plan_return(self, &plan, stash.gates, plan.gates, call->gates, plan.gates, 0);
    if (call->cells)
        rki_plan_return(self, &plan, stash.cells, layer->hidden, call->cells, layer->hidden, 0);
    return RNNKIT_OK;
}
