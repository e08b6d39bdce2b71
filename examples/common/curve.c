/* Points of a loss curve. As text a loss has six digits: reading that text and writing it again
 * gives the same text, so that an interrupted and resumed run ends with the same model file.
 */
#include "curve.h"

#include <stdio.h>
#include <stdlib.h>

#include "console.h"

int curve_add(curve *target, int64_t update, double loss)
{
    if (target->count == target->room) {
        size_t room = target->room * 2 + 64;
        curve_point *points = realloc(target->points, room * sizeof *points);

        if (points == NULL) return fail("out of memory");
        target->points = points;
        target->room = room;
    }
    target->points[target->count++] = (curve_point){update, loss};
    return OUTCOME_OK;
}

int curve_read(curve *target, const char *text)
{
    while (*text != '\0') {
        char *end;
        long long update = strtoll(text, &end, 10);
        double loss;

        if (end == text || *end != ':') return fail("the checkpoint's loss curve is damaged");
        text = end + 1;
        loss = strtod(text, &end);
        if (end == text) return fail("the checkpoint's loss curve is damaged");
        if (curve_add(target, update, loss) != OUTCOME_OK) return OUTCOME_FAILED;
        text = *end == ' ' ? end + 1 : end;
    }
    return OUTCOME_OK;
}

char *curve_text(const curve *source)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL) return NULL;
    for (size_t i = 0; i < source->count; i++)
        fprintf(out, "%s%lld:%.6g", i == 0 ? "" : " ", (long long)source->points[i].update,
            source->points[i].loss);
    if (fclose(out) == 0) return text;
    free(text);
    return NULL;
}

void curve_free(curve *target)
{
    free(target->points);
    *target = (curve){0};
}
