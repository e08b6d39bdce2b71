/* Recurrent layers: what forward, backward and step have in common.
 *
 * The recurrence walks k = 0, 1, ...; the rows that still live at k stand side by side as a block
 * of `count(k)` rows that begins at position `offset(k)`, so a step is one product of a block with
 * W_hh and one kernel. A layer without starts and lengths has its blocks where the arrays have
 * them: the block of step t at t * batch. With starts or lengths the living rows are packed,
 * longest first, so that a block's rows are the first ones of the block before, and padding costs
 * nothing (and NaN in it reaches nothing). `batch` rows in that order are called ranks.
 */
#ifndef RKI_CUDA_RECURRENT_CUH
#define RKI_CUDA_RECURRENT_CUH

#include "device.cuh"
#include "operations.cuh"

struct rki_cuda_plan {
    const rki_recurrent *layer;
    int packed;
    int64_t steps;          /* blocks: as many as the longest row has steps */
    int64_t positions;      /* rows of all blocks */
    const int32_t *offsets; /* on the host, [steps + 1]; packed alone, like all that follow */
    /* on the device */
    const int32_t *rows;   /* [positions] t * batch + b of a position */
    const int32_t *before; /* [positions] that of the step before, or -1 - b: the initial state */
    const int32_t *ranks;  /* [batch] which b a rank is */
    const int32_t *last;   /* [batch] the position of a rank's last step, or -1: it has none */
    const int32_t *device_offsets; /* as offsets */

    int64_t offset(int64_t k) const
    {
        if (packed) return offsets[k];
        return (layer->reverse ? layer->steps - 1 - k : k) * layer->batch;
    }
    int64_t count(int64_t k) const
    {
        return packed ? offsets[k + 1] - offsets[k] : k < steps ? layer->batch : 0;
    }
};

/* Makes the plan; its arrays live as long as the staging. */
int32_t rki_cuda_plan_make(
    rki_cuda_staging *staging, const rki_recurrent *layer, rki_cuda_plan *plan);

/* Whether the steps of such a plan may come again just as they are (graph.cuh): what is packed lies in
 * another slot each time, and zoneout draws anew. */
static inline int rki_cuda_recurs(const rki_cuda_plan *plan)
{
    const rki_recurrent *layer = plan->layer;
    int draws = layer->training && (layer->zoneout_h > 0.0 || layer->zoneout_c > 0.0);
    return !plan->packed && !draws && plan->steps >= RKI_CUDA_GRAPH_STEPS &&
           plan->steps <= RKI_CUDA_GRAPH_MOST;
}

/* What a layer says of its steps, but for what it draws. */
static inline void rki_cuda_key_layer(rki_cuda_key *key, const rki_recurrent *layer)
{
    int64_t sizes[] = {layer->steps, layer->batch, layer->input, layer->hidden, layer->output};
    int kinds[] = {layer->cell, layer->reverse, layer->layer_norm, layer->training};
    double rates[] = {layer->zoneout_h, layer->zoneout_c};
    key->add(sizes);
    key->add(kinds);
    key->add(rates);
}

/* Scratch and stash are cut into arrays, each at a 256-byte boundary. With a NULL block the same
 * calls say how large it has to be. */
class rki_cuda_cutter
{
  public:
    explicit rki_cuda_cutter(const void *block)
        : block_(static_cast<char *>(const_cast<void *>(block))), used(0)
    {
    }
    void *cut_bytes(size_t bytes)
    {
        char *at = block_ == NULL ? NULL : block_ + used;
        used += (bytes + 255) / 256 * 256;
        return at;
    }
    /* NULL when the array is not wanted. */
    float *cut(int wanted, int64_t count)
    {
        if (!wanted) return NULL;
        return static_cast<float *>(cut_bytes((size_t)count * sizeof(float)));
    }

  private:
    char *block_;

  public:
    size_t used;
};

/* What a training forward pass leaves for backward. Rows are positions. */
struct rki_cuda_stash {
    float *gates;         /* [.][gates hidden] values; h' for TANH and RELU */
    float *c;             /* [.][hidden] c_t; LSTM */
    float *q;             /* [.][hidden] o tanh(.); LSTM with a projection */
    float *u_n;           /* [.][hidden] what r multiplies; GRU */
    float *raw_a, *raw_u; /* [.][gates hidden] W_ih x, W_hh h; layer_norm */
    size_t bytes;
};
rki_cuda_stash rki_cuda_stash_cut(const rki_recurrent *layer, const void *block);

static inline int rki_cuda_has_projection(const rki_recurrent *layer)
{
    return layer->cell == RKI_CELL_LSTM && layer->output != layer->hidden;
}

/* rows.cu: rows between an array of the caller's, with its leading dimension, and a packed one. */

/* packed[p] = array[rows[p]] */
int32_t rki_cuda_pack(rki_cuda *device, int64_t count, int64_t width, const int32_t *rows,
    const float *array, int64_t ld, float *packed);
/* array[rows[p]] = packed[p], or += */
int32_t rki_cuda_unpack(rki_cuda *device, int64_t count, int64_t width, const int32_t *rows,
    const float *packed, int64_t ld_packed, float *array, int64_t ld, int accumulate);
/* previous[p] = the state h before position p, out of the outputs y and h0 */
int32_t rki_cuda_previous(rki_cuda *device, const rki_cuda_plan *plan, const float *y, int64_t ldy,
    const float *h0, float *previous);
/* last[b] = of row b's last position, or the initial state of a row without */
int32_t rki_cuda_last(rki_cuda *device, const rki_cuda_plan *plan, int64_t width,
    const float *states, int64_t ld, const float *initial, float *last);
/* Clears `rows` rows of `width` elements. */
int32_t rki_cuda_clear(rki_cuda *device, int64_t rows, int64_t width, float *array, int64_t ld);

/* c = op(a) op(b) + (accumulate ? c : 0) in fp32, queued; with 0 rows, nothing. */
struct rki_cuda_matrix {
    const float *at;
    int64_t ld;
    int transposed;
};
int32_t rki_cuda_multiply(rki_cuda *device, int64_t m, int64_t n, int64_t k, rki_cuda_matrix a,
    rki_cuda_matrix b, float *c, int64_t ldc, int accumulate);
/* The same over all positions at once, in the context's precision; `factors` as the scratch of
 * rki_cuda_large_product. */
int32_t rki_cuda_multiply_all(rki_cuda *device, int64_t m, int64_t n, int64_t k, rki_cuda_matrix a,
    rki_cuda_matrix b, float *c, int64_t ldc, int accumulate, void *factors);

#endif
