/* The operations that take weights in a format, on the shapes that they are tried on with plain
 * ones. What the reference is given is what the format rounds those to. */
#include "operations.h"

static void run_in(rki_format format, void (*run)(bench *b, int shape), bench *b, int shape)
{
    b->format = format;
    run(b, shape);
}

void run_gemm_bf16(bench *b, int shape)
{
    run_in(RKI_PACKED_BF16, run_gemm, b, shape);
}

void run_gemm_int8(bench *b, int shape)
{
    run_in(RKI_INT8, run_gemm, b, shape);
}

void run_gather_bf16(bench *b, int shape)
{
    run_in(RKI_BF16, run_gather, b, shape);
}

void run_gather_int8(bench *b, int shape)
{
    run_in(RKI_INT8, run_gather, b, shape);
}

void run_recurrent_bf16(bench *b, int shape)
{
    run_in(RKI_PACKED_BF16, run_recurrent, b, shape);
}

void run_recurrent_int8(bench *b, int shape)
{
    run_in(RKI_INT8, run_recurrent, b, shape);
}

void run_step_bf16(bench *b, int shape)
{
    run_in(RKI_PACKED_BF16, run_recurrent_step, b, shape);
}

void run_step_int8(bench *b, int shape)
{
    run_in(RKI_INT8, run_recurrent_step, b, shape);
}

void run_softmax_bf16(bench *b, int shape)
{
    run_in(RKI_PACKED_BF16, run_softmax_loss, b, shape);
}

void run_softmax_int8(bench *b, int shape)
{
    run_in(RKI_INT8, run_softmax_loss, b, shape);
}

void run_gemm_packed(bench *b, int shape)
{
    run_in(RKI_PACKED, run_gemm, b, shape);
}

void run_gather_packed(bench *b, int shape)
{
    run_in(RKI_PACKED, run_gather, b, shape);
}

void run_recurrent_packed(bench *b, int shape)
{
    run_in(RKI_PACKED, run_recurrent, b, shape);
}

void run_step_packed(bench *b, int shape)
{
    run_in(RKI_PACKED, run_recurrent_step, b, shape);
}

void run_softmax_packed(bench *b, int shape)
{
    run_in(RKI_PACKED, run_softmax_loss, b, shape);
}

void run_gather_packed_bf16(bench *b, int shape)
{
    run_in(RKI_PACKED_BF16, run_gather, b, shape);
}
