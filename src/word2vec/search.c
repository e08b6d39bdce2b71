/* The nearest rows. See search.h.
 *
 * The rows are shared out to threads; each keeps the best of its share in a heap for each query
 * whose root is the worst; at the end the heaps are joined. The order (score, then id) is total, so
 * the result does not depend on how the rows were shared out.
 */
#include "word2vec/search.h"

#include <stdlib.h>

#include "cpu/parallel.h"
#include "word2vec/kernels/kernels.h"

enum { TILE_ROWS = 128, TILE_QUERIES = 16 };

typedef struct hit {
    float score;
    int32_t id;
} hit;

typedef struct heap {
    hit *hits;
    int64_t count;
} heap;

static int better(hit a, hit b)
{
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

static void sink(heap *to, int64_t at)
{
    for (;;) {
        int64_t child = 2 * at + 1;
        if (child >= to->count) return;
        if (child + 1 < to->count && better(to->hits[child], to->hits[child + 1])) child++;
        if (!better(to->hits[at], to->hits[child])) return;
        hit moved = to->hits[at];
        to->hits[at] = to->hits[child];
        to->hits[child] = moved;
        at = child;
    }
}

static void offer(heap *to, int64_t top, hit offered)
{
    if (to->count == top) {
        if (!better(offered, to->hits[0])) return;
        to->hits[0] = offered;
        sink(to, 0);
        return;
    }
    int64_t at = to->count++;
    for (; at > 0 && better(to->hits[(at - 1) / 2], offered); at = (at - 1) / 2)
        to->hits[at] = to->hits[(at - 1) / 2];
    to->hits[at] = offered;
}

void rki_search_cosines(const rnnkit_vectors *vectors, const float *inverse, const float *queries,
    int64_t count, int64_t begin, int64_t end, float *out)
{
    const rki_w2v_kernels *kernels = rki_w2v_kernels_of(rki_isa_chosen());
    int64_t width = vectors->dimension, rows = end - begin;
    kernels->products(
        rki_vectors_row(vectors, begin), rows, queries, count, width, width, width, out);
    for (int64_t q = 0; q < count; q++)
        for (int64_t r = 0; r < rows; r++)
            out[q * rows + r] *= inverse[begin + r];
}

typedef struct share {
    const rnnkit_vectors *vectors;
    const rki_search *search;
    const float *inverse;
    int64_t block; /* rows of a share */
    heap *heaps;   /* [shares][count] */
} share;

static int is_excluded(const rki_search *search, int64_t query, int32_t id)
{
    const int32_t *ids = search->excluded + query * search->excluded_count;
    for (int64_t i = 0; i < search->excluded_count; i++)
        if (ids[i] == id) return 1;
    return 0;
}

static void look(
    const share *all, heap *heaps, int64_t query, int64_t queries, int64_t begin, int64_t end)
{
    const rki_search *search = all->search;
    float scores[TILE_ROWS * TILE_QUERIES];
    int64_t rows = end - begin;
    rki_search_cosines(all->vectors, all->inverse,
        search->queries + query * all->vectors->dimension, queries, begin, end, scores);
    for (int64_t q = 0; q < queries; q++) {
        heap *to = &heaps[query + q];
        for (int64_t r = 0; r < rows; r++) {
            hit found = {scores[q * rows + r], (int32_t)(begin + r)};
            if (to->count == search->top && !better(found, to->hits[0])) continue;
            if (!is_excluded(search, query + q, found.id)) offer(to, search->top, found);
        }
    }
}

static void search_share(void *user, int64_t begin, int64_t end)
{
    const share *all = user;
    int64_t count = all->search->count;
    heap *heaps = all->heaps + begin / all->block * count;
    for (int64_t row = begin; row < end; row += TILE_ROWS) {
        int64_t stop = end - row > TILE_ROWS ? row + TILE_ROWS : end;
        for (int64_t q = 0; q < count; q += TILE_QUERIES)
            look(all, heaps, q, count - q < TILE_QUERIES ? count - q : TILE_QUERIES, row, stop);
    }
}

static int by_rank(const void *left, const void *right)
{
    const hit *a = left, *b = right;
    return better(*a, *b) ? -1 : better(*b, *a);
}

/* Joins the shares' heaps of a query and writes its hits. */
static void give(const share *all, int64_t shares, int64_t query)
{
    const rki_search *search = all->search;
    heap *to = &all->heaps[query];
    for (int64_t s = 1; s < shares; s++) {
        const heap *from = &all->heaps[s * search->count + query];
        for (int64_t i = 0; i < from->count; i++)
            offer(to, search->top, from->hits[i]);
    }
    if (to->count > 0) qsort(to->hits, (size_t)to->count, sizeof(hit), by_rank);
    for (int64_t i = 0; i < search->top; i++) {
        int64_t at = query * search->top + i;
        search->ids[at] = i < to->count ? to->hits[i].id : -1;
        search->scores[at] = i < to->count ? to->hits[i].score : 0;
    }
}

int32_t rki_search_run(const rnnkit_vectors *vectors, const rki_search *search)
{
    const rki_memory *memory = &vectors->context->memory;
    int64_t threads = vectors->context->threads, hits;
    rki_search own = *search;
    share all = {.vectors = vectors, .search = &own};
    void *heaps, *block;
    RKI_TRY(rki_vectors_inverse(vectors, &all.inverse));
    own.top = search->top < search->rows ? search->top : search->rows;
    all.block = (search->rows + threads - 1) / threads;
    int64_t shares = (search->rows + all.block - 1) / all.block;
    RKI_TRY(rki_multiply(shares * search->count, own.top, &hits));
    RKI_TRY(rki_allocate(memory, shares * search->count, sizeof(heap), "a search", &heaps));
    int32_t status = rki_allocate(memory, hits, sizeof(hit), "a search's hits", &block);
    if (status == RNNKIT_OK) {
        all.heaps = heaps;
        for (int64_t i = 0; i < shares * search->count; i++)
            all.heaps[i].hits = (hit *)block + i * own.top;
        rki_parallel_blocks(threads, search->rows, all.block, search_share, &all);
        own.top = search->top;
        for (int64_t q = 0; q < search->count; q++)
            give(&all, shares, q);
        rki_release(memory, block);
    }
    rki_release(memory, heaps);
    return status;
}
