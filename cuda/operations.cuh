/* The table's operations, by the files that hold them. Each is what backend.h says. */
#ifndef RKI_CUDA_OPERATIONS_CUH
#define RKI_CUDA_OPERATIONS_CUH

#include "backend/backend.h"

struct rki_cuda;

/* memory.cu */
int32_t rki_cuda_allocate(void *self, size_t bytes, void **out);
void rki_cuda_release(void *self, void *block);
int32_t rki_cuda_upload(void *self, void *target, const void *source, size_t bytes);
int32_t rki_cuda_download(void *self, void *target, const void *source, size_t bytes);
int32_t rki_cuda_copy(void *self, void *target, const void *source, size_t bytes);
int32_t rki_cuda_zero(void *self, void *block, size_t bytes);
int32_t rki_cuda_synchronize(void *self);

/* matrix.cu */
int32_t rki_cuda_add_scaled(void *self, int64_t count, double alpha, const void *x, void *y);
int32_t rki_cuda_column_sum(
    void *self, int64_t m, int64_t n, const void *a, int accumulate, void *out);
size_t rki_cuda_gemm_scratch(void *self, const rki_gemm *call);
int32_t rki_cuda_gemm(void *self, const rki_gemm *call);
size_t rki_cuda_gemm_keep(void *self, const rki_gemm *call, void *block);

/* embedding.cu */
int32_t rki_cuda_gather(void *self, const rki_gather *call);
int32_t rki_cuda_scatter(void *self, const rki_scatter *call);

/* dropout.cu */
int32_t rki_cuda_dropout(void *self, const rki_dropout *call);

/* recurrent_forward.cu */
size_t rki_cuda_recurrent_stash(void *self, const rki_recurrent *layer);
size_t rki_cuda_recurrent_forward_scratch(void *self, const rki_recurrent *layer);
size_t rki_cuda_recurrent_step_scratch(void *self, const rki_recurrent *layer);
int32_t rki_cuda_recurrent_forward(void *self, const rki_recurrent_forward *call);
int32_t rki_cuda_recurrent_step(void *self, const rki_recurrent_step *call);

/* recurrent_backward.cu */
size_t rki_cuda_recurrent_backward_scratch(void *self, const rki_recurrent *layer);
int32_t rki_cuda_recurrent_backward(void *self, const rki_recurrent_backward *call);

/* pool.cu */
int32_t rki_cuda_recurrent_gates(void *self, const rki_recurrent_gates *call);
int32_t rki_cuda_pool(void *self, const rki_pool *call);
int32_t rki_cuda_pool_backward(void *self, const rki_pool_backward *call);

/* softmax_loss.cu */
size_t rki_cuda_softmax_loss_scratch(void *self, const rki_softmax_loss *call);
int32_t rki_cuda_softmax_loss(void *self, const rki_softmax_loss *call);

/* pointwise_loss.cu */
int32_t rki_cuda_pointwise_loss(void *self, const rki_pointwise_loss *call);

/* negative_sampling.cu */
size_t rki_cuda_negative_sampling_scratch(void *self, const rki_negative_sampling *call);
int32_t rki_cuda_negative_sampling(void *self, const rki_negative_sampling *call);

/* attention.cu */
int32_t rki_cuda_attention_forward(void *self, const rki_attention_forward *call);
int32_t rki_cuda_attention_backward(void *self, const rki_attention_backward *call);
size_t rki_cuda_attention_source_scratch(void *self, const rki_attention *attention);
int32_t rki_cuda_attention_source(void *self, const rki_attention_source *call);

/* decoding.cu */
int32_t rki_cuda_cell_forward(void *self, const rki_cell_forward *call);
int32_t rki_cuda_cell_backward(void *self, const rki_cell_backward *call);
int32_t rki_cuda_tanh(void *self, int64_t count, const void *x, void *y);
int32_t rki_cuda_tanh_backward(void *self, int64_t count, const void *y, const void *dy, void *dx);
int32_t rki_cuda_top(void *self, const rki_top *call);

/* norm.cu */
int32_t rki_cuda_norm_forward(void *self, const rki_norm_forward *call);
int32_t rki_cuda_norm_backward(void *self, const rki_norm_backward *call);
int32_t rki_cuda_relu(void *self, int64_t count, const void *x, void *y);
int32_t rki_cuda_relu_backward(void *self, int64_t count, const void *y, const void *dy, void *dx);

/* update.cu, square_sum.cu */
int32_t rki_cuda_update(void *self, const rki_update *call);
int32_t rki_cuda_square_sum(void *self, int64_t count, const rki_square_sum *calls);

/* word2vec.cu */
int32_t rki_cuda_word2vec_scratch(void *self, const rki_word2vec *of, size_t *bytes);
int32_t rki_cuda_word2vec_train(void *self, const rki_word2vec_train *call);

/* For the operations that stand on others, within their scope: */
int32_t rki_cuda_queue_gemm(rki_cuda *device, const rki_gemm *call);
int32_t rki_cuda_queue_column_sum(
    rki_cuda *device, int64_t m, int64_t n, const float *a, int accumulate, float *out);

#endif
