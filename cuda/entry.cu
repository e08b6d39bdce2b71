/* The CUDA device's table of operations, and the symbol by which the library finds it. */
#include "cluster.cuh"
#include "operations.cuh"

static rki_backend table;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The device, and what the kernels have room for on it. */
static int32_t open_device(const rki_host *host, const rki_open *call, void **self)
{
    void *opened;
    RKI_TRY(rki_cuda_open(host, call, &opened));
    int32_t status = rki_cuda_cluster_measure(static_cast<rki_cuda *>(opened));
    if (status < 0) {
        rki_cuda_close(opened);
        return status;
    }
    *self = opened;
    return RNNKIT_OK;
}

static void fill()
{
    table.size = sizeof(rki_backend);
    table.abi = RKI_BACKEND_ABI;
    table.name = "cuda";
    table.probe = rki_cuda_probe;
    table.describe = rki_cuda_describe;
    table.open = open_device;
    table.close = rki_cuda_close;
    table.allocate = rki_cuda_allocate;
    table.release = rki_cuda_release;
    table.upload = rki_cuda_upload;
    table.download = rki_cuda_download;
    table.copy = rki_cuda_copy;
    table.zero = rki_cuda_zero;
    table.synchronize = rki_cuda_synchronize;
    table.add_scaled = rki_cuda_add_scaled;
    table.column_sum = rki_cuda_column_sum;
    table.gemm_scratch = rki_cuda_gemm_scratch;
    table.gemm = rki_cuda_gemm;
    table.gemm_keep = rki_cuda_gemm_keep;
    table.gather = rki_cuda_gather;
    table.scatter = rki_cuda_scatter;
    table.dropout = rki_cuda_dropout;
    table.recurrent_stash = rki_cuda_recurrent_stash;
    table.recurrent_forward_scratch = rki_cuda_recurrent_forward_scratch;
    table.recurrent_backward_scratch = rki_cuda_recurrent_backward_scratch;
    table.recurrent_step_scratch = rki_cuda_recurrent_step_scratch;
    table.recurrent_forward = rki_cuda_recurrent_forward;
    table.recurrent_backward = rki_cuda_recurrent_backward;
    table.recurrent_step = rki_cuda_recurrent_step;
    table.recurrent_gates = rki_cuda_recurrent_gates;
    table.pool = rki_cuda_pool;
    table.pool_backward = rki_cuda_pool_backward;
    table.softmax_loss_scratch = rki_cuda_softmax_loss_scratch;
    table.softmax_loss = rki_cuda_softmax_loss;
    table.pointwise_loss = rki_cuda_pointwise_loss;
    table.negative_sampling_scratch = rki_cuda_negative_sampling_scratch;
    table.negative_sampling = rki_cuda_negative_sampling;
    table.attention_forward = rki_cuda_attention_forward;
    table.attention_backward = rki_cuda_attention_backward;
    table.attention_source_scratch = rki_cuda_attention_source_scratch;
    table.attention_source = rki_cuda_attention_source;
    table.cell_forward = rki_cuda_cell_forward;
    table.cell_backward = rki_cuda_cell_backward;
    table.tanh = rki_cuda_tanh;
    table.tanh_backward = rki_cuda_tanh_backward;
    table.top = rki_cuda_top;
    table.norm_forward = rki_cuda_norm_forward;
    table.norm_backward = rki_cuda_norm_backward;
    table.relu = rki_cuda_relu;
    table.relu_backward = rki_cuda_relu_backward;
    table.square_sum = rki_cuda_square_sum;
    table.update = rki_cuda_update;
    table.word2vec_scratch = rki_cuda_word2vec_scratch;
    table.word2vec_train = rki_cuda_word2vec_train;
}

extern "C" __attribute__((visibility("default"))) const rki_backend *rnnkit_backend_entry(void)
{
    pthread_once(&once, fill);
    return &table;
}
