/* Running one operation on one device, and comparing what it left. */
#include "bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void run_operation(const operation *op, int shape, const subject *on, int poison, outcome *out)
{
    memset(out, 0, sizeof *out);
    bench b = {.on = on,
        .state = (uint64_t)shape * 7919 + 1,
        .poison = poison,
        .rounded = op->rounded,
        .out = out};
    op->run(&b, shape);
    for (int i = 0; i < b.block_count; i++)
        on->ops->release(on->self, b.blocks[i]);
}

void free_outcome(outcome *out)
{
    for (int i = 0; i < out->count; i++)
        free(out->parts[i].values);
    out->count = 0;
}

void label(bench *b, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(b->out->label, LABEL_SIZE, format, arguments);
    va_end(arguments);
}

/* SplitMix64 (Steele, Lea and Flood 2014): inputs need no more. */
static uint64_t next(bench *b)
{
    uint64_t z = (b->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

int64_t draw(bench *b, int64_t below)
{
    return (int64_t)(next(b) % (uint64_t)below);
}

double draw_value(bench *b)
{
    return (double)(next(b) >> 40) / 8388608.0 - 1.0;
}

void succeed(bench *b, int32_t status)
{
    if (status < 0) fail_msg("%s: %s: %s", b->on->name, b->out->label, rki_message());
}

static void *block(bench *b, size_t bytes)
{
    void *device;
    succeed(b, b->on->ops->allocate(b->on->self, bytes, &device));
    if (b->block_count == BLOCKS) fail_msg("a bench has room for %d arrays", BLOCKS);
    b->blocks[b->block_count++] = device;
    return device;
}

void *upload(bench *b, const double *values, int64_t count)
{
    size_t bytes = (size_t)count * rki_dtype_size(b->on->dtype);
    void *device = block(b, bytes), *host = malloc(bytes);
    if (!host) fail_msg("no memory for an input");
    for (int64_t i = 0; i < count; i++) {
        if (b->on->dtype == RKI_FLOAT64)
            ((double *)host)[i] = values[i];
        else
            ((float *)host)[i] = (float)values[i];
    }
    succeed(b, b->on->ops->upload(b->on->self, device, host, bytes));
    free(host);
    return device;
}

/* To 8 bits, as bf16 has them. */
static double round_value(double value)
{
    int exponent;
    double fraction = frexp(value, &exponent);
    return ldexp(nearbyint(fraction * 256.0), exponent - 8);
}

static double *draw_values(bench *b, int64_t count, double low, double high)
{
    double *values = malloc((size_t)count * sizeof(double));
    if (!values) fail_msg("no memory for an input");
    for (int64_t i = 0; i < count; i++) {
        values[i] = (double)(float)(low + (high - low) * (0.5 + 0.5 * draw_value(b)));
        if (b->rounded) values[i] = round_value(values[i]);
    }
    if (b->poison == b->out->inputs) values[count / 2] = (double)NAN;
    b->out->inputs++;
    return values;
}

static void *filled(bench *b, int64_t count, double low, double high)
{
    double *values = draw_values(b, count, low, high);
    void *device = upload(b, values, count);
    free(values);
    return device;
}

rki_format held(const bench *b)
{
    return b->on->ops->formats >> b->format & 1u ? b->format : RKI_PLAIN;
}

void *weight(bench *b, int64_t rows, int64_t columns, double scale)
{
    if (b->format == RKI_PLAIN) return input(b, rows * columns, scale);
    size_t bytes = rki_format_bytes(b->format, rows, columns);
    double *values = draw_values(b, rows * columns, -scale, scale);
    float *narrow = malloc((size_t)(rows * columns) * sizeof *narrow);
    void *packed = malloc(bytes), *device;
    if (!narrow || !packed) fail_msg("no memory for a weight");
    for (int64_t i = 0; i < rows * columns; i++)
        narrow[i] = (float)values[i];
    rki_format_pack(b->format, rows, columns, narrow, packed);
    if (held(b) == b->format) {
        device = block(b, bytes);
        succeed(b, b->on->ops->upload(b->on->self, device, packed, bytes));
    } else {
        for (int64_t r = 0; r < rows; r++)
            rki_format_unpack(b->format, rows, columns, r, packed, narrow + r * columns);
        for (int64_t i = 0; i < rows * columns; i++)
            values[i] = (double)narrow[i];
        device = upload(b, values, rows * columns);
    }
    free(packed);
    free(narrow);
    free(values);
    return device;
}

void *input(bench *b, int64_t count, double scale)
{
    return filled(b, count, -scale, scale);
}

void *input_positive(bench *b, int64_t count, double scale)
{
    return filled(b, count, 0.0, scale);
}

void *scratch(bench *b, size_t bytes)
{
    if (bytes == 0) return NULL;
    void *device = block(b, bytes), *host = malloc(bytes);
    if (!host) fail_msg("no memory for scratch");
    memset(host, 0xFF, bytes);
    succeed(b, b->on->ops->upload(b->on->self, device, host, bytes));
    free(host);
    return device;
}

void *unwritten(bench *b, int64_t count)
{
    return scratch(b, (size_t)count * rki_dtype_size(b->on->dtype));
}

static part *new_part(bench *b, const char *name, int64_t count)
{
    if (b->out->count == PARTS) fail_msg("an outcome has room for %d arrays", PARTS);
    part *p = &b->out->parts[b->out->count++];
    p->name = name;
    p->count = count;
    p->values = malloc((size_t)count * sizeof(double));
    if (!p->values) fail_msg("no memory for an outcome");
    return p;
}

void keep(bench *b, const char *name, const void *device, int64_t count)
{
    part *p = new_part(b, name, count);
    size_t bytes = (size_t)count * rki_dtype_size(b->on->dtype);
    succeed(b, b->on->ops->download(b->on->self, p->values, device, bytes));
    if (b->on->dtype == RKI_FLOAT64) return;
    for (int64_t i = count - 1; i >= 0; i--) { /* widened in place, from behind */
        float value;
        memcpy(&value, (const char *)p->values + (size_t)i * sizeof value, sizeof value);
        p->values[i] = (double)value;
    }
}

void keep_number(bench *b, const char *name, double value)
{
    new_part(b, name, 1)->values[0] = value;
}

static double largest_finite(const part *p)
{
    double most = 0.0;
    for (int64_t i = 0; i < p->count; i++)
        if (isfinite(p->values[i]) && fabs(p->values[i]) > most) most = fabs(p->values[i]);
    return most;
}

/* A slack below 0 asks for the same bits. */
static int agrees(double expected, double got, double slack)
{
    if (isnan(expected)) return isnan(got);
    if (slack < 0.0) return memcmp(&expected, &got, sizeof got) == 0;
    return expected == got || fabs(expected - got) <= slack;
}

static void assert_part(const char *op, const char *device, const char *shape, const part *expected,
    const part *got, double slack)
{
    for (int64_t i = 0; i < expected->count; i++) {
        double e = expected->values[i], g = got->values[i];
        if (!agrees(e, g, slack))
            fail_msg("%s: %s: %s: %s[%lld] is %.9g, expected %.9g +- %.2g", op, shape, device,
                expected->name, (long long)i, g, e, slack > 0.0 ? slack : 0.0);
    }
}

void assert_close(const char *op, const char *device, const outcome *expected, const outcome *got,
    double tolerance)
{
    assert_int_equal(expected->count, got->count);
    for (int i = 0; i < expected->count; i++)
        assert_part(op, device, expected->label, &expected->parts[i], &got->parts[i],
            tolerance * largest_finite(&expected->parts[i]));
}

void assert_identical(
    const char *op, const char *device, const outcome *expected, const outcome *got)
{
    assert_int_equal(expected->count, got->count);
    for (int i = 0; i < expected->count; i++)
        assert_part(op, device, expected->label, &expected->parts[i], &got->parts[i], -1.0);
}
