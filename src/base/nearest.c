/* The nearest name by edit distance with transpositions (Damerau 1964), in fixed memory. */
#include "base/nearest.h"

#include <string.h>

enum { LONGEST = 40 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int rows[3][LONGEST + 1];
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_length; i++) {
        int *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = (int)i;
        for (size_t j = 1; j <= b_length; j++) {
            int change = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(change, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

rki_nearest rki_nearest_start(const char *wanted, size_t length)
{
    /* A third of the letters may be wrong; beyond that a suggestion misleads. */
    return (rki_nearest){wanted, length, NULL, (int)(length / 3) + 2};
}

void rki_nearest_offer(rki_nearest *nearest, const char *name)
{
    size_t length = strlen(name);
    if (length > LONGEST || nearest->length > LONGEST) return;
    int found = distance(nearest->wanted, nearest->length, name, length);
    if (found < nearest->distance) {
        nearest->distance = found;
        nearest->best = name;
    }
}
