/* Gather and scatter, with rows that come many times, once or never. */
#include "operations.h"

enum { MOST = 4096 };

void run_gather(bench *b, int shape)
{
    static int32_t ids[MOST];
    int64_t table_rows = 1 + draw(b, 50), width = shape < 16 ? shape + 1 : 20 + draw(b, 300);
    rki_gather call = {.count = shape < 20 ? 1 + draw(b, 40) : 1000 + shape, .width = width};
    for (int64_t i = 0; i < call.count; i++)
        ids[i] = (int32_t)draw(b, table_rows);
    label(b, "count=%d width=%d rows=%d", (int)call.count, (int)width, (int)table_rows);
    call.ids = ids;
    call.table = weight(b, table_rows, width, 1.0);
    call.format = held(b);
    call.rows = table_rows;
    call.out = unwritten(b, call.count * width);
    succeed(b, b->on->ops->gather(b->on->self, &call));
    keep(b, "out", call.out, call.count * width);
}

void run_scatter(bench *b, int shape)
{
    static int32_t rows[MOST], starts[MOST + 1], order[MOST];
    int64_t count = shape < 20 ? 1 + draw(b, 60) : 2000 + shape, unique = 0;
    int64_t width = shape < 16 ? shape + 1 : 20 + draw(b, 300);
    for (int64_t used = 0; used < count; unique++) {
        int64_t more = 1 + draw(b, 6) * draw(b, 4);
        if (more > count - used) more = count - used;
        rows[unique] = (int32_t)(3 * unique + draw(b, 3)); /* ascending, with rows left out */
        starts[unique] = (int32_t)used;
        used += more;
    }
    starts[unique] = (int32_t)count;
    for (int64_t i = 0; i < count; i++) /* 7 and count may share a factor: rows may repeat */
        order[i] = (int32_t)(i * 7 % count);
    label(b, "count=%d unique=%d width=%d", (int)count, (int)unique, (int)width);
    rki_scatter call = {
        .unique = unique, .width = width, .rows = rows, .starts = starts, .order = order};
    call.dy = input(b, count * width, 1.0);
    call.gradient = input(b, 3 * (unique + 1) * width, 1.0);
    succeed(b, b->on->ops->scatter(b->on->self, &call));
    keep(b, "gradient", call.gradient, 3 * (unique + 1) * width);
}
