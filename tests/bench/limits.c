/* Prints what one core of the machine can do, as a line of key=value.
 *
 *     limits [BYTES...]
 *
 * peak_gflops: multiply-adds with the vectors in use, each counted as two. read_gbps_BYTES: reading an
 * array of that size again and again, from whichever cache holds it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"

int main(int argc, char **argv)
{
    rki_isa isa = rki_isa_chosen(NULL);
    printf("peak_gflops=%.1f", 1e-9 * measure_peak(isa));
    for (int i = 1; i < argc; i++) {
        long long bytes = atoll(argv[i]);
        if (bytes > 0) printf(" read_gbps_%lld=%.1f", bytes, 1e-9 * measure_reading(isa, bytes));
    }
    printf("\n");
    return 0;
}
