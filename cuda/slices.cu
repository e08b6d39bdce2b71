/* Which layers the kernels of persistent.cuh are for, and how they are cut up. */
#include "cluster.cuh"

/* Shorter sequences do not pay for loading the weights, more rows do better in large products. */
enum { LEAST_STEPS = 4, MOST_ROWS = 32, MOST_CLUSTER_ROWS = 64 };

static int is_plain(const rki_recurrent *layer)
{
    return layer->cell != RKI_CELL_GRU_BEFORE && layer->output == layer->hidden &&
           !layer->layer_norm && layer->zoneout_h == 0.0 && layer->zoneout_c == 0.0;
}

/* Layers that have room in the registers of a cluster's threads. The units of a block depend on
 * hidden alone, so that a row's bits do. */
static rki_cuda_slices plan_clusters(const rki_cuda *device, const rki_recurrent *layer)
{
    rki_cuda_slices slices = {};
    if ((layer->cell != RKI_CELL_LSTM && layer->cell != RKI_CELL_GRU) || layer->hidden > 256)
        return slices;
    int units = layer->hidden <= 128 ? RKI_CUDA_CLUSTER_NARROW : RKI_CUDA_CLUSTER_WIDE;
    int blocks = (int)((layer->hidden + units - 1) / units);
    int64_t groups = device->cluster_room[blocks];
    if (groups > layer->batch) groups = layer->batch;
    if (groups == 0 || layer->batch > groups * MOST_CLUSTER_ROWS) return slices;
    int rows = (int)((layer->batch + groups - 1) / groups);
    if (rki_cuda_cluster_forward_bytes(units, blocks, rows) > device->shared_memory ||
        rki_cuda_cluster_backward_bytes(layer->cell, units, blocks, rows) > device->shared_memory)
        return slices;
    slices.clustered = 1;
    slices.units = units;
    slices.blocks = blocks;
    slices.groups = (int)groups;
    slices.most_rows = rows;
    return slices;
}

/* The units of a block depend on hidden and the device alone, so that a row's bits do. The more
 * units, the fewer blocks have to agree. */
rki_cuda_slices rki_cuda_slices_plan(const rki_cuda *device, const rki_recurrent *layer)
{
    rki_cuda_slices slices = {};
    if (!is_plain(layer) || layer->steps < LEAST_STEPS) return slices;
    slices = plan_clusters(device, layer);
    if (slices.clustered) return slices;
    for (int units = 32; units >= 8; units /= 2) {
        int64_t blocks = (layer->hidden + units - 1) / units;
        if (blocks > device->multiprocessors) return slices;
        int64_t groups = device->multiprocessors / blocks;
        if (groups > layer->batch) groups = layer->batch;
        int64_t rows = (layer->batch + groups - 1) / groups;
        if (rows > MOST_ROWS) return slices;
        size_t forward = rki_cuda_forward_bytes(layer->cell, units, layer->hidden, MOST_ROWS);
        size_t backward = rki_cuda_backward_bytes(layer->cell, units, layer->hidden, MOST_ROWS);
        if (forward > device->shared_memory || backward > device->shared_memory) continue;
        slices.units = units;
        slices.blocks = (int)blocks;
        slices.groups = (int)groups;
        slices.most_rows = (int)rows;
        return slices;
    }
    return slices;
}

rki_cuda_walk rki_cuda_walk_of(const rki_cuda_plan *plan)
{
    rki_cuda_walk walk = {
        plan->steps, plan->layer->batch, plan->layer->reverse, plan->device_offsets};
    return walk;
}
