/* The cases of the benchmark: operations of the CPU's table at the sizes of models that people
 * train. */
#ifndef BENCH_CASES_H
#define BENCH_CASES_H

#include "cpu/cpu.h"

/* One operation, set up and ready to run again and again. */
typedef struct bench_case {
    char label[96];
    void (*run)(void *user); /* user: the case */
    double flops, bytes;     /* of one run; the one that limits is not 0 */
    rki_cpu *cpu;
    union {
        rki_gemm gemm;
        struct {
            rki_recurrent_forward forward;
            rki_recurrent_backward backward;
        } recurrent;
        rki_recurrent_step step;
        rki_softmax_loss loss;
        rki_update update;
        rki_square_sum squares;
        rki_gather gather;
        rki_scatter scatter;
        rki_dropout dropout;
    } call;
} bench_case;

/* How many cases there are, and the one at a place; its arrays live until free_case_arrays(). */
int case_count(void);
void make_case(int place, rki_cpu *cpu, bench_case *out);
void free_case_arrays(void);

#endif
