/* The reference device's table of operations, and the symbol by which the library finds it. */
#include "reference/reference.h"

#include <stdio.h>

static int probe(char *reason, size_t capacity)
{
    if (capacity > 0) reason[0] = '\0';
    return 1;
}

static void describe(char *text, size_t capacity)
{
    snprintf(text, capacity, "plain C, one thread, float32 or float64, sums in double");
}

static const rki_backend table = {
    .size = sizeof(rki_backend),
    .abi = RKI_BACKEND_ABI,
    .name = "reference",
    .probe = probe,
    .describe = describe,
    .open = rki_reference_open,
    .close = rki_reference_close,
    .allocate = rki_reference_allocate,
    .release = rki_reference_release,
    .upload = rki_reference_upload,
    .download = rki_reference_download,
    .copy = rki_reference_copy,
    .zero = rki_reference_zero,
    .synchronize = rki_reference_synchronize,
    .add_scaled = rki_reference_add_scaled,
    .column_sum = rki_reference_column_sum,
    .gemm_scratch = rki_reference_gemm_scratch,
    .gemm = rki_reference_gemm,
    .gemm_keep = rki_reference_gemm_keep,
    .gather = rki_reference_gather,
    .scatter = rki_reference_scatter,
    .dropout = rki_reference_dropout,
    .recurrent_stash = rki_reference_recurrent_stash,
    .recurrent_forward_scratch = rki_reference_recurrent_forward_scratch,
    .recurrent_backward_scratch = rki_reference_recurrent_backward_scratch,
    .recurrent_step_scratch = rki_reference_recurrent_step_scratch,
    .recurrent_forward = rki_reference_recurrent_forward,
    .recurrent_backward = rki_reference_recurrent_backward,
    .recurrent_step = rki_reference_recurrent_step,
    .recurrent_gates = rki_reference_recurrent_gates,
    .pool = rki_reference_pool,
    .pool_backward = rki_reference_pool_backward,
    .softmax_loss_scratch = rki_reference_softmax_loss_scratch,
    .softmax_loss = rki_reference_softmax_loss,
    .pointwise_loss = rki_reference_pointwise_loss,
    .negative_sampling_scratch = rki_reference_negative_sampling_scratch,
    .negative_sampling = rki_reference_negative_sampling,
    .square_sum = rki_reference_square_sum,
    .update = rki_reference_update,
    .attention_forward = rki_reference_attention_forward,
    .attention_backward = rki_reference_attention_backward,
    .attention_source_scratch = rki_reference_attention_source_scratch,
    .attention_source = rki_reference_attention_source,
    .cell_forward = rki_reference_cell_forward,
    .cell_backward = rki_reference_cell_backward,
    .tanh = rki_reference_tanh,
    .tanh_backward = rki_reference_tanh_backward,
    .top = rki_reference_top,
    .norm_forward = rki_reference_norm_forward,
    .norm_backward = rki_reference_norm_backward,
    .relu = rki_reference_relu,
    .relu_backward = rki_reference_relu_backward,
    .word2vec_scratch = rki_reference_word2vec_scratch,
    .word2vec_train = rki_reference_word2vec_train,
};

const rki_backend *rnnkit_backend_entry(void)
{
    return &table;
}
