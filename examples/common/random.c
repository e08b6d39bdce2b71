/* See random.h. */
#include "random.h"

#include <math.h>

static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double random_uniform(uint64_t *state)
{
    return (double)(next(state) >> 11) / 9007199254740992.0;
}

size_t random_below(uint64_t *state, size_t below)
{
    return (size_t)(next(state) % below);
}

/* Box and Muller 1958; 1 - u is never 0. */
double random_normal(uint64_t *state)
{
    double radius = sqrt(-2 * log(1 - random_uniform(state)));

    return radius * cos(6.283185307179586 * random_uniform(state));
}

/* Fisher and Yates 1938, in Durstenfeld's form. */
void random_shuffle(uint64_t *state, size_t *places, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = random_below(state, i), kept = places[i - 1];

        places[i - 1] = places[other];
        places[other] = kept;
    }
}
