/* Work that recurs, as CUDA graphs.
 *
 * A recurrent layer whose steps are launches of their own asks the host for two or more a step, and
 * the device may have to wait for it. In training the same layer comes again and again with the same
 * arrays: then its launches are recorded into a graph, and the graph is launched instead.
 *
 * Work has a key: the bytes of all that its launches are made of. What is seen for the first time is
 * queued as it is, what comes again is recorded, so that shapes that vary cost nothing and libraries
 * have loaded their kernels before. Recording is done by a stand-in for the device with a stream and
 * a cuBLAS handle of its own, so that what other threads queue meanwhile does not get into it; where
 * it fails, the work is queued as it is from then on.
 */
#ifndef RKI_CUDA_GRAPH_CUH
#define RKI_CUDA_GRAPH_CUH

#include <cuda_runtime.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    RKI_CUDA_GRAPHS = 32,     /* that are kept; the one that was not used for longest makes room */
    RKI_CUDA_KEY = 1024,      /* bytes */
    RKI_CUDA_GRAPH_STEPS = 4, /* at least; fewer are not worth it */
    RKI_CUDA_GRAPH_MOST = 2048, /* steps, for what a graph takes grows with them */
};

struct rki_cuda;

/* Bytes that say what work is. What differs in bytes that mean nothing is only not recognised. */
struct rki_cuda_key {
    size_t used;
    char bytes[RKI_CUDA_KEY];

    template <typename T> void add(const T &part)
    {
        if (used + sizeof part <= sizeof bytes)
            memcpy(bytes + used, static_cast<const void *>(&part), sizeof part);
        used += sizeof part;
    }
};

struct rki_cuda_graph {
    rki_cuda_key key;
    cudaGraphExec_t ready; /* NULL: seen once */
    uint64_t turn;         /* when it was last used; 0: the place is free */
};

struct rki_cuda_graphs {
    pthread_mutex_t lock; /* of all of it, also while a graph is launched */
    int off;              /* recording has failed */
    uint64_t turn;
    rki_cuda *recorder;   /* NULL: nothing was recorded yet */
    rki_cuda_graph *kept; /* [RKI_CUDA_GRAPHS], or NULL */
};

void rki_cuda_graphs_open(rki_cuda *device);
void rki_cuda_graphs_close(rki_cuda *device);

/* Queues `work` on `on`, the device or what records for it. */
typedef int32_t (*rki_cuda_queue_fn)(void *work, rki_cuda *on);

/* Has the work done, by a graph when it was done before. */
int32_t rki_cuda_replay(
    rki_cuda *device, const rki_cuda_key *key, rki_cuda_queue_fn queue, void *work);

#endif
