/* Split products in AMX. See split.h.
 *
 * A pair of bfloat16 that a tile multiplies together holds steps i and 16 + i of its group, so that
 * splitting is done lane by lane: what is contiguous in memory need not be shuffled, be it rows of a
 * or columns of b.
 */
#define RKI_KERNELS_AVX512
#include "cpu/kernels/split.h"

#include "cpu/kernels/finish.h"
#include "cpu/kernels/simd.h"

enum {
    WIDTH = RKI_SPLIT_WIDTH,
    GROUP = RKI_SPLIT_GROUP,
    TILE = RKI_SPLIT_TILE,
    TILES = RKI_SPLIT_PARTS * RKI_SPLIT_TILE, /* bytes of a group */
    LINE_BYTES = 64
};

/* The layout that LDTILECFG reads: all eight tiles are whole. */
typedef struct tile_shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} tile_shapes;

static const tile_shapes whole __attribute__((aligned(64))) = {.palette = 1,
    .bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16}};

/* The intrinsics do not tell every compiler that tiles are read from memory. */
static INLINE void written_is_written(void)
{
    __asm__ volatile("" : : : "memory");
}

/* In each lane a pair: the upper half of low's, then that of high's. */
static INLINE vi pair_halves(vi low, vi high)
{
    const __mmask64 first = 0x3333333333333333;
    return _mm512_mask_shuffle_epi8(
        high, first, low, _mm512_set4_epi32(0x0F0E0F0E, 0x0B0A0B0A, 0x07060706, 0x03020302));
}

/* x1 is x to eight bits, rounded to nearest; x1 + x2 is x to sixteen bits, x3 the rest. */
static INLINE void split_line(vf low, vf high, char *to)
{
    const vi half = vi_set1(0x8000), eight = vi_set1((int32_t)0xFFFF0000);
    const vi sixteen = vi_set1((int32_t)0xFFFFFF00);
    vf low1 = vi_as_float(vi_and(vi_add(vf_bits(low), half), eight));
    vf high1 = vi_as_float(vi_and(vi_add(vf_bits(high), half), eight));
    vf low12 = vi_as_float(vi_and(vf_bits(low), sixteen));
    vf high12 = vi_as_float(vi_and(vf_bits(high), sixteen));
    vi one = pair_halves(vf_bits(low1), vf_bits(high1));
    vi two = pair_halves(vf_bits(vf_sub(low12, low1)), vf_bits(vf_sub(high12, high1)));
    vi three = pair_halves(vf_bits(vf_sub(low, low12)), vf_bits(vf_sub(high, high12)));
    _mm512_store_si512((void *)to, one);
    _mm512_store_si512((void *)(to + TILE), two);
    _mm512_store_si512((void *)(to + 2 * TILE), three);
}

/* What is left of a group or strip that starts at `at`. */
static INLINE int64_t left_of(int64_t all, int64_t at, int64_t most)
{
    return all - at < most ? all - at : most;
}

/* A square whose vectors run across the rows p + i * stride, i < rows, of `width` floats. */
static INLINE void turn_square(const rki_split *call, int64_t row, int64_t column, vf square[LANES])
{
    int64_t all_rows = call->along_k ? call->count : call->k;
    int64_t all_columns = call->along_k ? call->k : call->count;
    const float *p = call->from + row * call->stride + column;
    if (call->list == NULL && all_rows - row >= LANES && all_columns - column >= LANES) {
        vf_transpose_load(p, call->stride, square);
        return;
    }
    float part[LANES * LANES];
    for (int64_t i = 0; i < LANES; i++) {
        vf line = vf_zero();
        int64_t n = left_of(all_columns, column, LANES);
        if (row + i < all_rows && n > 0) {
            int64_t stored = call->list ? call->list[row + i] : row + i;
            line = vf_load_n(call->from + stored * call->stride + column, n);
        }
        vf_store(part + i * LANES, line);
    }
    vf_transpose_load(part, LANES, square);
}

/* A group of tiles whose lines run across the rows of what is split. */
static void split_turned(const rki_split *call, int64_t first, int64_t k, char *to)
{
    vf low[LANES], high[LANES];
    if (call->along_k) {
        turn_square(call, first, k, low);
        turn_square(call, first, k + WIDTH, high);
    } else {
        turn_square(call, k, first, low);
        turn_square(call, k + WIDTH, first, high);
    }
    for (int64_t i = 0; i < LANES; i++)
        split_line(low[i], high[i], to + i * LINE_BYTES);
}

/* A group of tiles whose line r is row first + r of a, stored along k. */
static void split_row_group(const rki_split *call, int64_t first, int64_t k, char *to)
{
    int64_t rows = left_of(call->count, first, WIDTH), n = left_of(call->k, k, GROUP);
    const float *p = call->from + first * call->stride + k;
    if (rows == WIDTH && n == GROUP) {
        for (int64_t r = 0; r < WIDTH; r++, p += call->stride)
            split_line(vf_load(p), vf_load(p + LANES), to + r * LINE_BYTES);
        return;
    }
    for (int64_t r = 0; r < WIDTH; r++, p += call->stride) {
        vf low = r < rows ? vf_load_n(p, n) : vf_zero();
        vf high = r < rows && n > LANES ? vf_load_n(p + LANES, n - LANES) : vf_zero();
        split_line(low, high, to + r * LINE_BYTES);
    }
}

/* Step k of `n` columns of b stored [k][n], from `first` on; steps behind the last are zero. */
static INLINE vf load_step(const rki_split *call, int64_t k, int64_t first, int64_t n)
{
    if (k >= call->k) return vf_zero();
    int64_t row = call->list ? call->list[k] : k;
    return vf_load_n(call->from + row * call->stride + first, n);
}

/* A group of tiles whose line i is steps k + i and k + 16 + i of columns of b stored [k][n]. */
static void split_column_group(const rki_split *call, int64_t first, int64_t k, char *to)
{
    int64_t n = left_of(call->count, first, WIDTH);
    if (n == WIDTH && call->k - k >= GROUP && call->list == NULL) {
        const float *p = call->from + k * call->stride + first;
        for (int64_t i = 0; i < WIDTH; i++, p += call->stride)
            split_line(vf_load(p), vf_load(p + WIDTH * call->stride), to + i * LINE_BYTES);
        return;
    }
    for (int64_t i = 0; i < WIDTH; i++)
        split_line(load_step(call, k + i, first, n), load_step(call, k + WIDTH + i, first, n),
            to + i * LINE_BYTES);
}

typedef void (*split_group)(const rki_split *call, int64_t first, int64_t k, char *to);

/* All groups, in the order in which what is split lies in memory. */
static INLINE void split_all(const rki_split *call, split_group group)
{
    int64_t groups = rki_split_groups(call->k);
    int64_t strips = (call->count + WIDTH - 1) / WIDTH;
    if (call->along_k)
        for (int64_t s = 0; s < strips; s++)
            for (int64_t g = 0; g < groups; g++)
                group(call, s * WIDTH, g * GROUP, call->to + (s * groups + g) * TILES);
    else
        for (int64_t g = 0; g < groups; g++)
            for (int64_t s = 0; s < strips; s++)
                group(call, s * WIDTH, g * GROUP, call->to + (s * groups + g) * TILES);
}

static void split_rows(const rki_split *call)
{
    split_all(call, call->along_k ? split_row_group : split_turned);
}

static void split_columns(const rki_split *call)
{
    split_all(call, call->along_k ? split_turned : split_column_group);
}

/* Tiles 0 .. 3 are sums, 4 and 5 parts of two strips of a, 6 and 7 of b: of the six products of
 * parts, neighbours share a part. Constants, because the intrinsics want numbers. */

static INLINE void load_a(const char *a, int64_t strip, int part, const int rows)
{
    _tile_loadd(4, a + part * TILE, LINE_BYTES);
    if (rows > 1) _tile_loadd(5, a + strip + part * TILE, LINE_BYTES);
}

static INLINE void load_b(const char *b, int64_t strip, int part, const int columns)
{
    _tile_loadd(6, b + part * TILE, LINE_BYTES);
    if (columns > 1) _tile_loadd(7, b + strip + part * TILE, LINE_BYTES);
}

static INLINE void multiply(const int rows, const int columns)
{
    _tile_dpbf16ps(0, 4, 6);
    if (columns > 1) _tile_dpbf16ps(1, 4, 7);
    if (rows > 1) _tile_dpbf16ps(2, 5, 6);
    if (rows > 1 && columns > 1) _tile_dpbf16ps(3, 5, 7);
}

/* Sums of one block for up to two strips each, sums[r][2 WIDTH]. */
static INLINE void sum_strips(
    const int rows, const int columns, int64_t groups, const char *a, const char *b, float *sums)
{
    int64_t strip = groups * TILES;
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (int64_t g = 0; g < groups; g++, a += TILES, b += TILES) {
        load_b(b, strip, 0, columns);
        load_a(a, strip, 2, rows);
        multiply(rows, columns);
        load_a(a, strip, 0, rows);
        multiply(rows, columns);
        load_a(a, strip, 1, rows);
        multiply(rows, columns);
        load_b(b, strip, 1, columns);
        multiply(rows, columns);
        load_a(a, strip, 0, rows);
        multiply(rows, columns);
        load_b(b, strip, 2, columns);
        multiply(rows, columns);
    }
    int64_t line = 2 * LINE_BYTES;
    _tile_stored(0, sums, line);
    if (columns > 1) _tile_stored(1, sums + WIDTH, line);
    if (rows > 1) _tile_stored(2, sums + 2 * WIDTH * WIDTH, line);
    if (rows > 1 && columns > 1) _tile_stored(3, sums + 2 * WIDTH * WIDTH + WIDTH, line);
    written_is_written();
}

static void sum_some(
    int64_t rows, int64_t columns, int64_t groups, const char *a, const char *b, float *sums)
{
    if (rows > WIDTH && columns > WIDTH)
        sum_strips(2, 2, groups, a, b, sums);
    else if (rows > WIDTH)
        sum_strips(2, 1, groups, a, b, sums);
    else if (columns > WIDTH)
        sum_strips(1, 2, groups, a, b, sums);
    else
        sum_strips(1, 1, groups, a, b, sums);
}

static void finish_strips(const rki_split_product *call, int64_t i, int64_t rows, int64_t j,
    int64_t columns, const float *sums)
{
    const float *bias = call->bias ? call->bias + j : NULL;
    for (int64_t r = 0; r < rows; r++) {
        float *c = call->c + (i + r) * call->ldc + j;
        finish_vector(
            columns < LANES ? columns : LANES, bias, call->add, c, vf_load(sums + r * 2 * WIDTH));
        if (columns > LANES)
            finish_vector(columns - LANES, bias ? bias + LANES : NULL, call->add, c + LANES,
                vf_load(sums + r * 2 * WIDTH + LANES));
    }
}

/* The lines of c stand apart, so that no prefetcher sees them come. */
static void ask_for_c(const rki_split_product *call, int64_t i, int64_t rows, int64_t j)
{
    for (int64_t r = 0; r < rows; r++) {
        __builtin_prefetch(call->c + (i + r) * call->ldc + j, 1);
        __builtin_prefetch(call->c + (i + r) * call->ldc + j + LANES, 1);
    }
}

static void product(const rki_split_product *call)
{
    float sums[4 * WIDTH * WIDTH] __attribute__((aligned(64)));
    int64_t groups = rki_split_groups(call->k), strip = groups * TILES;
    written_is_written();
    _tile_loadconfig(&whole);
    for (int64_t i = 0; i < call->rows; i += 2 * WIDTH) {
        int64_t rows = left_of(call->rows, i, 2 * WIDTH);
        for (int64_t j = 0; j < call->n; j += 2 * WIDTH) {
            int64_t columns = left_of(call->n, j, 2 * WIDTH);
            ask_for_c(call, i, rows, j);
            sum_some(rows, columns, groups, call->a + i / WIDTH * strip,
                call->b + j / WIDTH * strip, sums);
            finish_strips(call, i, rows, j, columns, sums);
        }
    }
    _tile_release();
}

const rki_split_kernels rki_split_amx = {
    .rows = split_rows, .columns = split_columns, .product = product};
