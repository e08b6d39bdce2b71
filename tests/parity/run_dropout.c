/* Dropout. That the same elements are kept everywhere follows from the comparison: a dropped
 * element is 0, a kept one is x / (1 - rate). */
#include "operations.h"

void run_dropout(bench *b, int shape)
{
    static const double rates[] = {0.0, 0.1, 0.5, 0.9, 0.37};
    rki_dropout call = {.rate = rates[shape % 5],
        .random = {.seed = 0x123456789ABCDEFu + (uint64_t)shape,
            .purpose = RKI_PURPOSE_DROPOUT,
            .stream = (uint32_t)shape},
        .step = (uint64_t)shape * 1000,
        .accumulate = shape & 1};
    call.count = shape < 30 ? 1 + draw(b, 150) : 20000 + 1001 * shape;
    if (shape % 4 == 2) call.period = 1 + draw(b, call.count);
    label(b, "count=%d rate=%g period=%d accumulate=%d", (int)call.count, call.rate,
        (int)call.period, call.accumulate);
    call.x = input(b, call.count, 1.0);
    call.y = call.accumulate ? input(b, call.count, 1.0) : unwritten(b, call.count);
    succeed(b, b->on->ops->dropout(b->on->self, &call));
    keep(b, "y", call.y, call.count);
}
