/* Weights to bf16 and int8 and back: rounding, rows that end in zeros, what is not finite. Packed ones:
 * every bit back, groups that end in zeros. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/formats.h"

/* One row there and back. */
static void round_trip(rki_format format, int64_t columns, const float *values, float *out)
{
    void *block = malloc(rki_format_bytes(format, 1, columns));
    assert_non_null(block);
    rki_format_pack(format, 1, columns, values, block);
    rki_format_unpack(format, 1, columns, 0, block, out);
    free(block);
}

static void test_bf16_rounds_to_nearest_even(void **state)
{
    (void)state;
    static const float in[] = {
        1.0f, -2.5f, 0x1.01p0f, 0x1.03p0f, 0x1.010002p0f, 0x1.fffffep127f, -0.0f, 0x1p-140f};
    static const float expected[] = {
        1.0f, -2.5f, 0x1.00p0f, 0x1.04p0f, 0x1.02p0f, INFINITY, -0.0f, 0.0f};
    float out[8], again[8];
    round_trip(RKI_BF16, 8, in, out);
    assert_memory_equal(out, expected, sizeof out);
    round_trip(RKI_BF16, 8, out, again);
    assert_memory_equal(again, out, sizeof out);
    const float odd[] = {NAN, -INFINITY, 1.0f};
    round_trip(RKI_BF16, 3, odd, out);
    assert_true(isnan(out[0]) && out[1] == -INFINITY && out[2] == 1.0f);
    uint32_t bits = 0x7F800001u; /* a NaN whose upper half alone would be an infinity */
    float narrow;
    memcpy(&narrow, &bits, sizeof narrow);
    round_trip(RKI_BF16, 1, &narrow, out);
    assert_true(isnan(out[0]));
}

static void test_int8_is_near(void **state)
{
    (void)state;
    enum { COLUMNS = 300 };
    float in[COLUMNS], out[COLUMNS];
    for (int i = 0; i < COLUMNS; i++)
        in[i] = 0.37f * sinf((float)(i * i));
    in[7] = -0.5f;
    round_trip(RKI_INT8, COLUMNS, in, out);
    for (int i = 0; i < COLUMNS; i++)
        assert_true(fabsf(out[i] - in[i]) <= 0.5f / 127 / 2 * 1.0001f);
    assert_true(fabsf(out[7] + 0.5f) < 1e-7f);
}

static void test_int8_extremes(void **state)
{
    (void)state;
    float out[3];
    round_trip(RKI_INT8, 3, (const float[]){0, 0, 0}, out);
    assert_true(out[0] == 0 && out[1] == 0 && out[2] == 0);
    round_trip(RKI_INT8, 3, (const float[]){0x1.fffffep127f, -0x1.fffffep127f, 1}, out);
    assert_true(isfinite(out[0]) && out[0] > 3.4e38f && out[1] == -out[0] && out[2] == 0);
    round_trip(RKI_INT8, 3, (const float[]){1, NAN, 1}, out);
    assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
    round_trip(RKI_INT8, 3, (const float[]){1, 2, INFINITY}, out);
    assert_true(isnan(out[0]));
    round_trip(RKI_INT8, 3, (const float[]){0x1p-149f, 0x1p-148f, 0}, out);
    assert_true(isfinite(out[0]) && fabsf(out[1]) < 1e-40f && out[2] == 0);
}

/* Rows are whole cache lines with zeros behind, and apart from each other. */
static void test_layout(void **state)
{
    (void)state;
    enum { ROWS = 3, COLUMNS = 5 };
    float in[ROWS * COLUMNS], out[COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        in[i] = (float)(1 + i);
    assert_int_equal(rki_format_stride(RKI_BF16, 32), 32);
    assert_int_equal(rki_format_stride(RKI_BF16, 33), 64);
    assert_int_equal(rki_format_stride(RKI_INT8, 65), 128);
    assert_int_equal(rki_format_bytes(RKI_BF16, ROWS, COLUMNS), ROWS * 64);
    assert_int_equal(rki_format_bytes(RKI_INT8, ROWS, COLUMNS), 64 + ROWS * 64);
    size_t bytes = rki_format_bytes(RKI_INT8, ROWS, COLUMNS);
    signed char *block = malloc(bytes);
    assert_non_null(block);
    memset(block, 0x55, bytes);
    rki_format_pack(RKI_INT8, ROWS, COLUMNS, in, block);
    for (int r = 0; r < ROWS; r++) {
        assert_int_equal(block[64 + r * 64 + COLUMNS - 1], 127);
        for (int c = COLUMNS; c < 64; c++)
            assert_int_equal(block[64 + r * 64 + c], 0);
        rki_format_unpack(RKI_INT8, ROWS, COLUMNS, r, block, out);
        assert_true(fabsf(out[0] - in[r * COLUMNS]) <= in[(r + 1) * COLUMNS - 1] / 254 * 1.0001f);
    }
    free(block);
}

/* Packed in any pieces; bits that a float operation might change come back as they were. */
static void test_packed(void **state)
{
    (void)state;
    enum { ROWS = 2 * RKI_GROUP + 3, COLUMNS = 5 };
    float in[ROWS * COLUMNS], out[COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        in[i] = (float)(1 + i);
    uint32_t odd[] = {0x7F800001u, 0x80000000u, 1u, 0xFF800000u};
    memcpy(in + 17 * COLUMNS, odd, sizeof odd);
    size_t bytes = rki_format_bytes(RKI_PACKED, ROWS, COLUMNS);
    assert_int_equal(bytes, 3 * RKI_GROUP * COLUMNS * sizeof(float));
    float *block = malloc(bytes), *pieces = calloc(1, bytes);
    assert_non_null(block);
    assert_non_null(pieces);
    memset(block, 0x55, bytes);
    rki_format_pack(RKI_PACKED, ROWS, COLUMNS, in, block);
    for (int first = 0; first < ROWS; first += 7) {
        int count = ROWS - first < 7 ? ROWS - first : 7;
        rki_format_pack_rows(RKI_PACKED, ROWS, COLUMNS, first, count, in + first * COLUMNS, pieces);
    }
    assert_memory_equal(block, pieces, bytes);
    for (int r = 0; r < ROWS; r++) {
        rki_format_unpack(RKI_PACKED, ROWS, COLUMNS, r, block, out);
        assert_memory_equal(out, in + r * COLUMNS, sizeof out);
        assert_memory_equal(block + rki_format_column(RKI_PACKED, 2) +
                                r / RKI_GROUP * RKI_GROUP * COLUMNS + r % RKI_GROUP,
            in + r * COLUMNS + 2, sizeof(float));
    }
    for (int c = 0; c < COLUMNS; c++)
        for (int i = ROWS % RKI_GROUP; i < RKI_GROUP; i++)
            assert_true(block[(2 * COLUMNS + c) * RKI_GROUP + i] == 0.0f);
    free(block);
    free(pieces);
}

/* Rows RKI_GROUP apart share numbers; packed in any pieces, each row is what RKI_BF16 makes of it. */
static void test_packed_halves(void **state)
{
    (void)state;
    enum { ROWS = 4 * RKI_GROUP + 3, COLUMNS = 5 };
    float in[ROWS * COLUMNS], out[COLUMNS], expected[COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        in[i] = (float)(1 + i) * 1.001f;
    in[40 * COLUMNS] = NAN;
    size_t bytes = rki_format_bytes(RKI_PACKED_BF16, ROWS, COLUMNS);
    assert_int_equal(bytes, 3 * 2 * RKI_GROUP * COLUMNS * sizeof(uint16_t));
    uint32_t *block = malloc(bytes), *pieces = calloc(1, bytes);
    assert_non_null(block);
    assert_non_null(pieces);
    memset(block, 0x55, bytes);
    rki_format_pack(RKI_PACKED_BF16, ROWS, COLUMNS, in, block);
    for (int first = 0; first < ROWS; first += 7) {
        int count = ROWS - first < 7 ? ROWS - first : 7;
        rki_format_pack_rows(
            RKI_PACKED_BF16, ROWS, COLUMNS, first, count, in + first * COLUMNS, pieces);
    }
    assert_memory_equal(block, pieces, bytes);
    for (int r = 0; r < ROWS; r++) {
        round_trip(RKI_BF16, COLUMNS, in + r * COLUMNS, expected);
        rki_format_unpack(RKI_PACKED_BF16, ROWS, COLUMNS, r, block, out);
        assert_memory_equal(out, expected, sizeof out);
        uint32_t both = block[(r / RKI_GROUP / 2 * COLUMNS + 2) * RKI_GROUP + r % RKI_GROUP];
        uint32_t bits = r / RKI_GROUP % 2 ? both & 0xFFFF0000u : both << 16;
        assert_memory_equal(&bits, expected + 2, sizeof bits);
    }
    for (int c = 0; c < COLUMNS; c++)
        for (int i = 0; i < RKI_GROUP; i++)
            assert_int_equal(block[(2 * COLUMNS + c) * RKI_GROUP + i] >> (i < 3 ? 16 : 0), 0);
    free(block);
    free(pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bf16_rounds_to_nearest_even),
        cmocka_unit_test(test_int8_is_near),
        cmocka_unit_test(test_int8_extremes),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_packed_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
