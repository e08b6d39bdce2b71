/* Recording and replaying. See graph.cuh. */
#include "graph.cuh"

#include "device.cuh"
#include "recent.cuh"

void rki_cuda_graphs_open(rki_cuda *device)
{
    pthread_mutex_init(&device->graphs.lock, NULL);
}

static void close_recorder(rki_cuda *recorder)
{
    rki_host host = recorder->host;
    rki_cuda_biases_close(recorder);
    rki_cuda_blas_close(recorder);
    if (recorder->stream != NULL) cudaStreamDestroy(recorder->stream);
    host.release(recorder, host.user);
}

void rki_cuda_graphs_close(rki_cuda *device)
{
    rki_cuda_graphs *graphs = &device->graphs;
    for (int i = 0; graphs->kept != NULL && i < RKI_CUDA_GRAPHS; i++)
        if (graphs->kept[i].ready != NULL) cudaGraphExecDestroy(graphs->kept[i].ready);
    if (graphs->kept != NULL) device->host.release(graphs->kept, device->host.user);
    if (graphs->recorder != NULL) close_recorder(graphs->recorder);
    pthread_mutex_destroy(&graphs->lock);
}

template <typename T> static T *allocate(const rki_cuda *device, size_t count)
{
    T *block =
        static_cast<T *>(device->host.allocate(count * sizeof(T), alignof(T), device->host.user));
    if (block != NULL) memset(static_cast<void *>(block), 0, count * sizeof(T));
    return block;
}

static int open_recorder(rki_cuda *device)
{
    rki_cuda_graphs *graphs = &device->graphs;
    if (graphs->recorder != NULL) return 1;
    rki_cuda *recorder = allocate<rki_cuda>(device, 1);
    if (recorder == NULL) return 0;
    recorder->host = device->host;
    recorder->index = device->index;
    recorder->precision = device->precision;
    recorder->multiprocessors = device->multiprocessors;
    rki_cuda_biases_open(recorder);
    if (cudaStreamCreateWithFlags(&recorder->stream, cudaStreamNonBlocking) != cudaSuccess ||
        rki_cuda_blas_open(recorder) < 0) {
        close_recorder(recorder);
        return 0;
    }
    graphs->recorder = recorder;
    return 1;
}

static int rki_cuda_same(const rki_cuda_key *a, const rki_cuda_key *b)
{
    return a->used == b->used && memcmp(a->bytes, b->bytes, a->used) == 0;
}

/* NULL when it cannot be done. */
static cudaGraphExec_t record(rki_cuda *recorder, rki_cuda_queue_fn queue, void *work)
{
    cudaGraph_t graph = NULL;
    cudaGraphExec_t ready = NULL;
    if (cudaStreamBeginCapture(recorder->stream, cudaStreamCaptureModeRelaxed) != cudaSuccess)
        return NULL;
    int32_t status = queue(work, recorder);
    cudaError_t error = cudaStreamEndCapture(recorder->stream, &graph);
    if (status >= 0 && error == cudaSuccess &&
        cudaGraphInstantiate(&ready, graph, 0) != cudaSuccess)
        ready = NULL;
    if (graph != NULL) cudaGraphDestroy(graph);
    return ready;
}

/* The graph of work that has come again, recorded if need be; NULL: it is to be queued as it is. */
static cudaGraphExec_t find(
    rki_cuda *device, const rki_cuda_key *key, rki_cuda_queue_fn queue, void *work)
{
    rki_cuda_graphs *graphs = &device->graphs;
    if (graphs->kept == NULL) graphs->kept = allocate<rki_cuda_graph>(device, RKI_CUDA_GRAPHS);
    if (graphs->kept == NULL) return NULL;
    int seen;
    rki_cuda_graph *graph = rki_cuda_place_of(graphs->kept, RKI_CUDA_GRAPHS, key, &seen);
    if (!seen) {
        if (graph->ready != NULL) cudaGraphExecDestroy(graph->ready);
        graph->ready = NULL;
        graph->key = *key;
    }
    graph->turn = ++graphs->turn;
    if (!seen || graph->ready != NULL) return graph->ready;
    if (open_recorder(device)) graph->ready = record(graphs->recorder, queue, work);
    if (graph->ready == NULL) {
        graphs->off = 1;
        cudaGetLastError(); /* the work is done without, so this is nobody's failure */
    }
    return graph->ready;
}

int32_t rki_cuda_replay(
    rki_cuda *device, const rki_cuda_key *key, rki_cuda_queue_fn queue, void *work)
{
    rki_cuda_graphs *graphs = &device->graphs;
    if (key->used > sizeof key->bytes) return queue(work, device);
    pthread_mutex_lock(&graphs->lock);
    cudaGraphExec_t ready = graphs->off ? NULL : find(device, key, queue, work);
    cudaError_t error = ready == NULL ? cudaSuccess : cudaGraphLaunch(ready, device->stream);
    pthread_mutex_unlock(&graphs->lock);
    if (ready == NULL) return queue(work, device);
    return rki_cuda_check(device, error, "replaying a layer's steps");
}
