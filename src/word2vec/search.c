/* The nearest rows. See search.h.
 *
 * The rows are shared out to threads; each keeps the best of its share for each query in a list: what
 * is better than the worst of them is added, and a full list is cut to the best (Hoare's selection). At
 * the end the lists are joined. The order (score, then id) is total, so the result does not depend on
 * how the rows were shared out.
 *
 * Looking through a copy gives candidates: the best of it, more than are wanted. Their scores are
 * then computed from the vectors themselves, by the same kernels, so what is given has the same bits
 * as without a copy, unless one of the nearest was no candidate.
 */
#include "word2vec/search.h"

#include <math.h>
#include <stdlib.h>

#include "cpu/format_product.h"
#include "cpu/parallel.h"
#include "word2vec/kernels/kernels.h"

enum {
    QUERIES = 1024,   /* that have lists at a time */
    TILE_UNITS = 16,  /* queries, or parts of one, at a time */
    TILE_ROWS = 128,  /* of the vectors: they stay in the second cache */
    COPY_ROWS = 2048, /* of a copy: many, as queries are made ready for each tile */
    CANDIDATES = 8,   /* for each row that is wanted, */
    SPARE = 128,      /* and these */
    GROUP = 64,       /* scores that are passed over at a time, when none of them is good */
    RANK_ROWS = 4096  /* rows of a block of rki_search_nearer */
};

typedef struct hit {
    float score;
    int32_t id;
} hit;

typedef struct list {
    hit *hits; /* [room] */
    int64_t count;
    hit worst; /* no worse one is wanted any more */
} list;

static int better(hit a, hit b)
{
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

/* Puts the `wanted` best first, the worst of these last among them. */
static void select_best(hit *hits, int64_t count, int64_t wanted)
{
    int64_t low = 0, high = count - 1, last = wanted - 1;
    while (low < high) {
        hit middle = hits[low + (high - low) / 2];
        int64_t i = low, j = high;
        while (i <= j) {
            while (better(hits[i], middle))
                i++;
            while (better(middle, hits[j]))
                j--;
            if (i > j) break;
            hit moved = hits[i];
            hits[i++] = hits[j];
            hits[j--] = moved;
        }
        if (last <= j)
            high = j;
        else if (last >= i)
            low = i;
        else
            return;
    }
}

/* A score that is not a number is never offered: it is not better than the worst. */
static void offer(list *to, int64_t room, int64_t wanted, hit offered)
{
    if (!better(offered, to->worst)) return;
    if (to->count == room) {
        select_best(to->hits, room, wanted);
        to->count = wanted;
        to->worst = to->hits[wanted - 1];
        if (!better(offered, to->worst)) return;
    }
    to->hits[to->count++] = offered;
}

/* Scores. */

/* What rows are compared with queries in: the vectors themselves, or a copy. */
typedef struct table {
    const rnnkit_vectors *vectors;
    const float *inverse;
    rki_format format;
    const rki_copy *copy; /* NULL with RKI_PLAIN */
    rki_cpu cpu; /* for products with the copy: one thread, as shares of rows have theirs */
} table;

/* Room to score a tile in. */
typedef struct space {
    float *cosines;        /* [TILE_UNITS][rows] */
    double *above, *below; /* [rows]; by product alone */
    void *ready;           /* for products with a copy */
} space;

static void cosines_of_copy(const table *with, const float *units, int64_t count, int64_t begin,
    int64_t end, void *ready, float *out)
{
    const rnnkit_vectors *vectors = with->vectors;
    rki_gemm call = {.transpose_b = 1,
        .m = count,
        .n = end - begin,
        .k = vectors->dimension,
        .a = units,
        .lda = vectors->dimension,
        .b = with->copy->rows,
        .c = out,
        .ldc = end - begin,
        .scratch = ready,
        .b_format = with->format,
        .b_rows = vectors->size,
        .b_first = begin};
    rki_format_gemm(&with->cpu, &call);
    for (int64_t u = 0; u < count; u++) {
        float common = with->cpu.kernels->dot(call.k, units + u * call.k, with->copy->mean);
        for (int64_t r = 0; r < call.n; r++)
            out[u * call.n + r] += common;
    }
}

/* The cosines of rows begin .. end - 1 with unit vectors: out[u * (end - begin) + r]. */
static void set_cosines(const table *with, const float *units, int64_t count, int64_t begin,
    int64_t end, void *ready, float *out)
{
    const rnnkit_vectors *vectors = with->vectors;
    int64_t width = vectors->dimension, rows = end - begin;
    if (with->format != RKI_PLAIN) {
        cosines_of_copy(with, units, count, begin, end, ready, out);
        return;
    }
    rki_w2v_kernels_of(rki_isa_chosen())
        ->products(rki_vectors_row(vectors, begin), rows, units, count, width, width, width, out);
    for (int64_t u = 0; u < count; u++)
        for (int64_t r = 0; r < rows; r++) {
            float inverse = with->inverse[begin + r];
            out[u * rows + r] = inverse > 0 ? out[u * rows + r] * inverse : 0;
        }
}

/* The scores by product of rows begin .. end - 1 for one query, into in->cosines. */
static void set_products(const table *with, const rki_search *search, int64_t query, int64_t begin,
    int64_t end, const space *in)
{
    int64_t rows = end - begin, width = with->vectors->dimension;
    const float *parts = search->queries + query * search->parts * width;
    for (int64_t r = 0; r < rows; r++)
        in->above[r] = in->below[r] = 1;
    for (int64_t first = 0; first < search->parts; first += TILE_UNITS) {
        int64_t left = search->parts - first, count = left < TILE_UNITS ? left : TILE_UNITS;
        set_cosines(with, parts + first * width, count, begin, end, in->ready, in->cosines);
        for (int64_t p = 0; p < count; p++) {
            double *product = first + p < search->positive ? in->above : in->below;
            for (int64_t r = 0; r < rows; r++)
                product[r] *= (1 + (double)in->cosines[p * rows + r]) / 2;
        }
    }
    for (int64_t r = 0; r < rows; r++)
        in->cosines[r] = (float)(in->above[r] / (in->below[r] + 1e-6));
}

/* The scores of rows begin .. end - 1 for some queries, into in->cosines; how many these can be is
 * what is returned. */
static int64_t set_scores(const table *with, const rki_search *search, int64_t query, int64_t begin,
    int64_t end, const space *in)
{
    int64_t left = search->count - query, count = left < TILE_UNITS ? left : TILE_UNITS;
    if (search->positive >= 0) {
        set_products(with, search, query, begin, end, in);
        return 1;
    }
    set_cosines(with, search->queries + query * with->vectors->dimension, count, begin, end,
        in->ready, in->cosines);
    return count;
}

/* Looking through. */

typedef struct share {
    const rki_search *search;
    table exact, scanned;
    int64_t block, tile; /* rows of a share, and of a tile */
    int64_t wanted;      /* hits of a query that are looked for */
    int64_t room;        /* of a list */
    list *lists;         /* [shares][count] */
    space *spaces;       /* [shares] */
} share;

static int is_excluded(const rki_search *search, int64_t query, int32_t id)
{
    int64_t count = search->excluded_count;
    for (int64_t i = 0; i < count; i++)
        if (search->excluded[query * count + i] == id) return 1;
    return 0;
}

/* Whether one of n scores may be wanted. */
static int any_better(const float *scores, int64_t n, float worst)
{
    int any = 0;
    for (int64_t i = 0; i < n; i++)
        any |= scores[i] >= worst;
    return any;
}

static void offer_tile(
    const share *all, list *to, int64_t query, const float *scores, int64_t begin, int64_t end)
{
    for (int64_t at = begin; at < end; at += GROUP) {
        int64_t stop = end - at < GROUP ? end : at + GROUP;
        if (!any_better(scores + at - begin, stop - at, to->worst.score)) continue;
        for (int64_t id = at; id < stop; id++) {
            hit found = {scores[id - begin], (int32_t)id};
            if (better(found, to->worst) && !is_excluded(all->search, query, found.id))
                offer(to, all->room, all->wanted, found);
        }
    }
}

static void search_share(void *user, int64_t begin, int64_t end)
{
    const share *all = user;
    int64_t count = all->search->count, scored;
    list *lists = all->lists + begin / all->block * count;
    const space *in = &all->spaces[begin / all->block];
    for (int64_t row = begin; row < end; row += all->tile) {
        int64_t stop = end - row > all->tile ? row + all->tile : end;
        for (int64_t query = 0; query < count; query += scored) {
            scored = set_scores(&all->scanned, all->search, query, row, stop, in);
            for (int64_t q = 0; q < scored; q++)
                offer_tile(
                    all, &lists[query + q], query + q, in->cosines + q * (stop - row), row, stop);
        }
    }
}

/* Giving. */

static void score_exactly(const share *all, int64_t query, list *of)
{
    float cosines[TILE_UNITS];
    double above, below;
    const space in = {cosines, &above, &below, NULL};
    rki_search one = *all->search;
    one.queries += query * one.parts * all->exact.vectors->dimension;
    one.count = 1;
    for (int64_t i = 0; i < of->count; i++) {
        set_scores(&all->exact, &one, 0, of->hits[i].id, of->hits[i].id + 1, &in);
        of->hits[i].score = cosines[0];
    }
}

static int by_rank(const void *left, const void *right)
{
    const hit *a = left, *b = right;
    return better(*a, *b) ? -1 : better(*b, *a);
}

/* Joins the shares' lists of some queries and writes their hits. */
static void give(void *user, int64_t begin, int64_t end)
{
    const share *all = user;
    const rki_search *search = all->search;
    int64_t shares = (search->rows + all->block - 1) / all->block;
    for (int64_t query = begin; query < end; query++) {
        list *to = &all->lists[query];
        for (int64_t s = 1; s < shares; s++) {
            const list *from = &all->lists[s * search->count + query];
            for (int64_t i = 0; i < from->count; i++)
                offer(to, all->room, all->wanted, from->hits[i]);
        }
        if (to->count > all->wanted) {
            select_best(to->hits, to->count, all->wanted);
            to->count = all->wanted;
        }
        if (all->scanned.format != RKI_PLAIN) score_exactly(all, query, to);
        if (to->count > 0) qsort(to->hits, (size_t)to->count, sizeof(hit), by_rank);
        for (int64_t i = 0; i < search->top; i++) {
            int64_t at = query * search->top + i;
            search->ids[at] = i < to->count ? to->hits[i].id : -1;
            search->scores[at] = i < to->count ? to->hits[i].score : 0;
        }
    }
}

/* Memory. */

/* The vectors, and the copy where it is worth looking through. */
static int32_t open_tables(const rnnkit_vectors *vectors, const rki_search *search, share *to)
{
    to->exact = (table){.vectors = vectors};
    RKI_TRY(rki_vectors_inverse(vectors, &to->exact.inverse));
    to->scanned = to->exact;
    to->wanted = search->top < search->rows ? search->top : search->rows;
    to->tile = TILE_ROWS;
    if (search->scan == RKI_PLAIN || (search->rows - SPARE) / CANDIDATES <= to->wanted)
        return RNNKIT_OK;
    to->wanted = to->wanted * CANDIDATES + SPARE;
    to->tile = COPY_ROWS;
    to->scanned.format = search->scan;
    to->scanned.cpu = (rki_cpu){.kernels = rki_isa_kernels(rki_isa_chosen()), .threads = 1};
    return rki_vectors_copy(vectors, search->scan, &to->scanned.copy);
}

static int32_t make_lists(const rki_memory *memory, share *to, int64_t shares)
{
    int64_t queries = to->search->count < QUERIES ? to->search->count : QUERIES;
    int64_t hits, room = 2 * to->wanted + GROUP;
    void *block;
    to->room = room < to->search->rows ? room : to->search->rows;
    RKI_TRY(rki_multiply(shares * queries, to->room, &hits));
    RKI_TRY(rki_allocate(memory, shares * queries, sizeof(list), "a search", &block));
    to->lists = block;
    RKI_TRY(rki_allocate(memory, hits, sizeof(hit), "a search's hits", &block));
    for (int64_t i = 0; i < shares * queries; i++)
        to->lists[i].hits = (hit *)block + i * to->room;
    return RNNKIT_OK;
}

static int32_t make_spaces(const rki_memory *memory, share *to, int64_t shares)
{
    int64_t doubles = to->search->positive < 0 ? 0 : 2 * to->tile;
    size_t ready = rki_format_room(to->scanned.format, TILE_UNITS, to->exact.vectors->dimension);
    size_t cosines = (size_t)to->tile * TILE_UNITS * sizeof(float);
    size_t bytes = cosines + ready + (size_t)doubles * sizeof(double);
    void *block;
    RKI_TRY(rki_allocate(memory, shares, sizeof(space), "a search", &block));
    to->spaces = block;
    RKI_TRY(rki_allocate(memory, shares, bytes, "a search's scores", &block));
    for (int64_t i = 0; i < shares; i++) {
        char *at = (char *)block + (size_t)i * bytes;
        double *sums = (double *)(void *)(at + cosines + ready);
        to->spaces[i] = (space){(float *)(void *)at, sums, sums + to->tile, at + cosines};
    }
    return RNNKIT_OK;
}

static void release(const rki_memory *memory, const share *all)
{
    if (all->lists != NULL) rki_release(memory, all->lists[0].hits);
    if (all->spaces != NULL) rki_release(memory, all->spaces[0].cosines);
    rki_release(memory, all->lists);
    rki_release(memory, all->spaces);
}

/* Some queries; cannot fail. */
static void run_queries(share *all, int64_t shares, const rki_search *search)
{
    int64_t threads = all->exact.vectors->context->threads;
    all->search = search;
    for (int64_t i = 0; i < shares * search->count; i++) {
        all->lists[i].count = 0;
        all->lists[i].worst = (hit){-INFINITY, INT32_MAX};
    }
    rki_parallel_blocks(threads, search->rows, all->block, search_share, all);
    rki_parallel_blocks(threads, search->count, 1, give, all);
}

int32_t rki_search_run(const rnnkit_vectors *vectors, const rki_search *search)
{
    const rki_memory *memory = &vectors->context->memory;
    int64_t threads = vectors->context->threads;
    share all = {.search = search};
    rki_search part = *search;
    RKI_TRY(open_tables(vectors, search, &all));
    all.block = (search->rows + threads - 1) / threads;
    int64_t shares = (search->rows + all.block - 1) / all.block;
    int32_t status = make_lists(memory, &all, shares);
    if (status == RNNKIT_OK) status = make_spaces(memory, &all, shares);
    for (int64_t left = search->count; status == RNNKIT_OK && left > 0; left -= part.count) {
        part.count = left < QUERIES ? left : QUERIES;
        run_queries(&all, shares, &part);
        part.queries += part.count * part.parts * vectors->dimension;
        if (part.excluded != NULL) part.excluded += part.count * part.excluded_count;
        part.ids += part.count * part.top;
        part.scores += part.count * part.top;
    }
    release(memory, &all);
    return status;
}

/* A rank. */

typedef struct ranking {
    table with;
    int32_t query, other;
    float *unit;     /* row `query` */
    int64_t *nearer; /* [blocks] */
} ranking;

static void count_nearer(void *user, int64_t begin, int64_t end)
{
    const ranking *all = user;
    float cosines[TILE_ROWS], own;
    int64_t nearer = 0;
    set_cosines(&all->with, all->unit, 1, all->other, (int64_t)all->other + 1, NULL, &own);
    for (int64_t row = begin; row < end; row += TILE_ROWS) {
        int64_t stop = end - row > TILE_ROWS ? row + TILE_ROWS : end;
        set_cosines(&all->with, all->unit, 1, row, stop, NULL, cosines);
        for (int64_t id = row; id < stop; id++)
            nearer += id != all->query && cosines[id - row] > own;
    }
    all->nearer[begin / RANK_ROWS] = nearer;
}

int32_t rki_search_nearer(
    const rnnkit_vectors *vectors, int32_t query, int32_t other, int64_t *nearer)
{
    const rki_memory *memory = &vectors->context->memory;
    int64_t blocks = (vectors->size + RANK_ROWS - 1) / RANK_ROWS, width = vectors->dimension;
    ranking all = {.with = {.vectors = vectors}, .query = query, .other = other};
    void *block;
    RKI_TRY(rki_vectors_inverse(vectors, &all.with.inverse));
    RKI_TRY(rki_allocate(memory, blocks + width, sizeof(int64_t), "a rank", &block));
    all.nearer = block;
    all.unit = (float *)(void *)(all.nearer + blocks);
    rki_vectors_unit(vectors, query, all.with.inverse[query], all.unit);
    rki_parallel_blocks(vectors->context->threads, vectors->size, RANK_ROWS, count_nearer, &all);
    *nearer = 0;
    for (int64_t i = 0; i < blocks; i++)
        *nearer += all.nearer[i];
    rki_release(memory, block);
    return RNNKIT_OK;
}
