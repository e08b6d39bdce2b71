/* The reference device: every operation of backend/backend.h in plain scalar C, the specification
 * that the other backends are tested against.
 *
 * Elements are float or double, as the device was opened; all arithmetic is in double, and a
 * result is rounded once, where it is stored. Nothing here is fast, and nothing is meant to be.
 *
 * It is a plug-in: it does not link to the library, and takes what it needs of it from rki_host.
 */
#ifndef RKI_REFERENCE_REFERENCE_H
#define RKI_REFERENCE_REFERENCE_H

#include "backend/backend.h"

typedef struct rki_reference {
    rki_host host;
    rki_dtype dtype;
} rki_reference;

/* Element i of an array on the device. */
static inline double get(const rki_reference *device, const void *array, int64_t i)
{
    if (device->dtype == RKI_FLOAT64) return ((const double *)array)[i];
    return (double)((const float *)array)[i];
}

static inline void set(const rki_reference *device, void *array, int64_t i, double value)
{
    if (device->dtype == RKI_FLOAT64)
        ((double *)array)[i] = value;
    else
        ((float *)array)[i] = (float)value;
}

/* The same for arrays that may be absent. */
static inline double get_or_zero(const rki_reference *device, const void *array, int64_t i)
{
    return array ? get(device, array, i) : 0.0;
}

/* array[i] += value */
static inline void add(const rki_reference *device, void *array, int64_t i, double value)
{
    set(device, array, i, get(device, array, i) + value);
}

/* memory.c */
int32_t rki_reference_open(const rki_host *host, const rki_open *call, void **self);
void rki_reference_close(void *self);
int32_t rki_reference_allocate(void *self, size_t bytes, void **out);
void rki_reference_release(void *self, void *block);
int32_t rki_reference_upload(void *self, void *device, const void *host, size_t bytes);
int32_t rki_reference_download(void *self, void *host, const void *device, size_t bytes);
int32_t rki_reference_copy(void *self, void *target, const void *source, size_t bytes);
int32_t rki_reference_zero(void *self, void *block, size_t bytes);
int32_t rki_reference_synchronize(void *self);

/* matrix.c */
int32_t rki_reference_add_scaled(void *self, int64_t count, double alpha, const void *x, void *y);
int32_t rki_reference_column_sum(
    void *self, int64_t m, int64_t n, const void *a, int accumulate, void *out);
size_t rki_reference_gemm_scratch(void *self, const rki_gemm *call);
int32_t rki_reference_gemm(void *self, const rki_gemm *call);
size_t rki_reference_gemm_keep(void *self, const rki_gemm *call, void *block);

/* embedding.c */
int32_t rki_reference_gather(void *self, const rki_gather *call);
int32_t rki_reference_scatter(void *self, const rki_scatter *call);

/* dropout.c */
int32_t rki_reference_dropout(void *self, const rki_dropout *call);

/* The 32-bit draw of element i. */
uint32_t rki_reference_draw(
    const rki_reference *device, rki_random random, uint64_t step, int64_t i);

/* recurrent_forward.c */
size_t rki_reference_recurrent_stash(void *self, const rki_recurrent *layer);
size_t rki_reference_recurrent_forward_scratch(void *self, const rki_recurrent *layer);
size_t rki_reference_recurrent_step_scratch(void *self, const rki_recurrent *layer);
int32_t rki_reference_recurrent_forward(void *self, const rki_recurrent_forward *call);
int32_t rki_reference_recurrent_step(void *self, const rki_recurrent_step *call);
int32_t rki_reference_recurrent_gates(void *self, const rki_recurrent_gates *call);

/* recurrent_backward.c */
size_t rki_reference_recurrent_backward_scratch(void *self, const rki_recurrent *layer);
int32_t rki_reference_recurrent_backward(void *self, const rki_recurrent_backward *call);

/* pool.c */
int32_t rki_reference_pool(void *self, const rki_pool *call);
int32_t rki_reference_pool_backward(void *self, const rki_pool_backward *call);

/* softmax_loss.c */
size_t rki_reference_softmax_loss_scratch(void *self, const rki_softmax_loss *call);
int32_t rki_reference_softmax_loss(void *self, const rki_softmax_loss *call);

/* pointwise_loss.c */
int32_t rki_reference_pointwise_loss(void *self, const rki_pointwise_loss *call);

/* negative_sampling.c */
size_t rki_reference_negative_sampling_scratch(void *self, const rki_negative_sampling *call);
int32_t rki_reference_negative_sampling(void *self, const rki_negative_sampling *call);

/* update.c */
int32_t rki_reference_square_sum(void *self, int64_t count, const rki_square_sum *calls);
int32_t rki_reference_update(void *self, const rki_update *call);

/* attention.c */
int32_t rki_reference_attention_forward(void *self, const rki_attention_forward *call);
int32_t rki_reference_attention_backward(void *self, const rki_attention_backward *call);
size_t rki_reference_attention_source_scratch(void *self, const rki_attention *attention);
int32_t rki_reference_attention_source(void *self, const rki_attention_source *call);

/* decoding.c */
int32_t rki_reference_cell_forward(void *self, const rki_cell_forward *call);
int32_t rki_reference_cell_backward(void *self, const rki_cell_backward *call);
int32_t rki_reference_tanh(void *self, int64_t count, const void *x, void *y);
int32_t rki_reference_tanh_backward(
    void *self, int64_t count, const void *y, const void *dy, void *dx);
int32_t rki_reference_top(void *self, const rki_top *call);

/* norm.c */
int32_t rki_reference_norm_forward(void *self, const rki_norm_forward *call);
int32_t rki_reference_norm_backward(void *self, const rki_norm_backward *call);
int32_t rki_reference_relu(void *self, int64_t count, const void *x, void *y);
int32_t rki_reference_relu_backward(
    void *self, int64_t count, const void *y, const void *dy, void *dx);

/* word2vec.c */
int32_t rki_reference_word2vec_scratch(void *self, const rki_word2vec *of, size_t *bytes);
int32_t rki_reference_word2vec_train(void *self, const rki_word2vec_train *call);

/* entry.c: the one symbol that is exported. */
RNNKIT_API const rki_backend *rnnkit_backend_entry(void);

#endif
