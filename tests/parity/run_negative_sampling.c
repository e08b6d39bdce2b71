/* Negative sampling: candidates that are none, that come again, rows of the table without gradient.
 */
#include "operations.h"

enum { MOST_PLACES = 4096, MOST_TABLE = 64 };

/* A counting sort of the places by row; `left_out` rows have no gradient. */
static int64_t group(const int32_t *ids, int64_t places, int64_t table, int32_t left_out,
    int32_t *starts, int32_t *order)
{
    int64_t unique = 0, used = 0;
    for (int32_t row = 0; row < table; row++) {
        starts[unique] = (int32_t)used;
        for (int64_t i = 0; i < places; i++)
            if (ids[i] == row && row != left_out) order[used++] = (int32_t)i;
        if (used > starts[unique]) unique++;
    }
    starts[unique] = (int32_t)used;
    return unique;
}

void run_negative_sampling(bench *b, int shape)
{
    static int32_t ids[MOST_PLACES], starts[MOST_TABLE + 1], order[MOST_PLACES];
    double loss = 0.0, steep = shape % 7 == 6 ? 40.0 : 1.0; /* steep: exp would overflow */
    int with_gradients = shape % 5 != 4;
    int64_t table = 1 + draw(b, MOST_TABLE - 1);
    rki_negative_sampling call = {.rows = shape < 32 ? 1 + draw(b, 20) : 500 + shape,
        .candidates = 1 + shape % 7,
        .width = shape < 24 ? shape + 1 : 20 + draw(b, 300),
        .scale = 0.3,
        .ids = ids,
        .loss = &loss,
        .starts = starts,
        .order = order};
    int64_t places = call.rows * call.candidates;
    label(b, "rows=%d candidates=%d width=%d table=%d gradients=%d steep=%g", (int)call.rows,
        (int)call.candidates, (int)call.width, (int)table, with_gradients, steep);
    for (int64_t i = 0; i < places; i++)
        ids[i] = i % call.candidates > 0 && draw(b, 4) == 0 ? -1 : (int32_t)draw(b, table);
    call.x = input(b, call.rows * call.width, 1.0);
    call.table = input(b, table * call.width, steep);
    if (with_gradients) {
        call.unique = group(ids, places, table, shape % 3 == 0 ? 0 : -1, starts, order);
        call.dx = unwritten(b, call.rows * call.width);
        if (call.unique > 0) call.dtable = unwritten(b, call.unique * call.width);
    }
    call.scratch = scratch(b, b->on->ops->negative_sampling_scratch(b->on->self, &call));
    succeed(b, b->on->ops->negative_sampling(b->on->self, &call));
    keep_number(b, "loss", loss);
    if (!with_gradients) return;
    keep(b, "dx", call.dx, call.rows * call.width);
    if (call.unique > 0) keep(b, "dtable", call.dtable, call.unique * call.width);
}
