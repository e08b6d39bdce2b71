/* The CPU backend: its table, and what an open device is. */
#ifndef RKI_CPU_CPU_H
#define RKI_CPU_CPU_H

#include "backend/backend.h"
#include "cpu/isa.h"
#include "cpu/kernels/kernels.h"

/* Which products run in own kernels and which in the BLAS; AUTO is what measures best. */
typedef enum rki_gemm_policy { RKI_GEMM_AUTO, RKI_GEMM_OWN, RKI_GEMM_BLAS } rki_gemm_policy;

/* An open device; the `self` of every operation. Read only once it is open. */
typedef struct rki_cpu {
    const rki_host *host;
    const rki_kernels *kernels;
    const rki_split_kernels *split; /* or NULL */
    int64_t threads;
    int64_t cache; /* floats that the second cache of a core holds, within limits */
    rki_gemm_policy gemm_policy;
} rki_cpu;

const rki_backend *rki_cpu_backend(void);

/* Between open and first use: for tests and benchmarks. */
void rki_cpu_set_isa(rki_cpu *cpu, rki_isa isa);
void rki_cpu_set_gemm_policy(rki_cpu *cpu, rki_gemm_policy policy);
void rki_cpu_set_cache(rki_cpu *cpu, int64_t floats);

/* The operations of the table, by file. */

/* elementwise.c */
int32_t rki_cpu_add_scaled(void *self, int64_t count, double alpha, const void *x, void *y);
int32_t rki_cpu_column_sum(
    void *self, int64_t m, int64_t n, const void *a, int accumulate, void *out);

/* gemm.c */
size_t rki_cpu_gemm_scratch(void *self, const rki_gemm *call);
size_t rki_cpu_gemm_keep(void *self, const rki_gemm *call, void *block);
int32_t rki_cpu_gemm(void *self, const rki_gemm *call);

/* embedding.c */
int32_t rki_cpu_gather(void *self, const rki_gather *call);
int32_t rki_cpu_scatter(void *self, const rki_scatter *call);

/* dropout.c */
int32_t rki_cpu_dropout(void *self, const rki_dropout *call);

/* recurrent_forward.c, recurrent_backward.c, recurrent_step.c, recurrent_gates.c */
size_t rki_cpu_recurrent_stash(void *self, const rki_recurrent *layer);
size_t rki_cpu_recurrent_forward_scratch(void *self, const rki_recurrent *layer);
size_t rki_cpu_recurrent_backward_scratch(void *self, const rki_recurrent *layer);
size_t rki_cpu_recurrent_step_scratch(void *self, const rki_recurrent *layer);
int32_t rki_cpu_recurrent_forward(void *self, const rki_recurrent_forward *call);
int32_t rki_cpu_recurrent_backward(void *self, const rki_recurrent_backward *call);
int32_t rki_cpu_recurrent_step(void *self, const rki_recurrent_step *call);
int32_t rki_cpu_recurrent_gates(void *self, const rki_recurrent_gates *call);

/* pool.c */
int32_t rki_cpu_pool(void *self, const rki_pool *call);
int32_t rki_cpu_pool_backward(void *self, const rki_pool_backward *call);

/* softmax_loss.c */
size_t rki_cpu_softmax_loss_scratch(void *self, const rki_softmax_loss *call);
int32_t rki_cpu_softmax_loss(void *self, const rki_softmax_loss *call);

/* pointwise_loss.c */
int32_t rki_cpu_pointwise_loss(void *self, const rki_pointwise_loss *call);

/* negative_sampling.c */
size_t rki_cpu_negative_sampling_scratch(void *self, const rki_negative_sampling *call);
int32_t rki_cpu_negative_sampling(void *self, const rki_negative_sampling *call);

/* optimizer.c */
int32_t rki_cpu_square_sum(void *self, int64_t count, const rki_square_sum *calls);
int32_t rki_cpu_update(void *self, const rki_update *call);

/* attention.c */
int32_t rki_cpu_attention_forward(void *self, const rki_attention_forward *call);
int32_t rki_cpu_attention_backward(void *self, const rki_attention_backward *call);
size_t rki_cpu_attention_source_scratch(void *self, const rki_attention *attention);
int32_t rki_cpu_attention_source(void *self, const rki_attention_source *call);

/* decoding.c */
int32_t rki_cpu_cell_forward(void *self, const rki_cell_forward *call);
int32_t rki_cpu_cell_backward(void *self, const rki_cell_backward *call);
int32_t rki_cpu_top(void *self, const rki_top *call);

/* norm.c */
int32_t rki_cpu_norm_forward(void *self, const rki_norm_forward *call);
int32_t rki_cpu_norm_backward(void *self, const rki_norm_backward *call);

/* activation.c */
int32_t rki_cpu_tanh(void *self, int64_t count, const void *x, void *y);
int32_t rki_cpu_tanh_backward(void *self, int64_t count, const void *y, const void *dy, void *dx);
int32_t rki_cpu_relu(void *self, int64_t count, const void *x, void *y);
int32_t rki_cpu_relu_backward(void *self, int64_t count, const void *y, const void *dy, void *dx);

#endif
