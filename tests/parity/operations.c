/* The table of operations and tolerances. A tolerance is relative to the largest element of each
 * array that the operation leaves; float has 24 bits, 6e-8. The steep cases of softmax_loss have
 * logits of about 100, whose rounding, 4e-6, is a relative error of their exponentials. With weights
 * in int8 the operands have 16 bits, 1.5e-5. */
#include "operations.h"

const operation operations[] = {
    {"add_scaled", ADD_SCALED_SHAPES, run_add_scaled, 1.5e-7, NULL, 0},
    {"column_sum", COLUMN_SUM_SHAPES, run_column_sum, 2e-6, NULL, 0},
    {"gemm", GEMM_SHAPES, run_gemm, 2e-6, NULL, 0},
    {"gather", GATHER_SHAPES, run_gather, 0.0, NULL, 0},
    {"scatter", SCATTER_SHAPES, run_scatter, 1e-6, NULL, 0},
    {"dropout", DROPOUT_SHAPES, run_dropout, 2e-7, NULL, 0},
    {"recurrent", RECURRENT_SHAPES, run_recurrent, 5e-6, NULL, 0},
    {"recurrent_large", RECURRENT_LARGE_SHAPES, run_recurrent_large, 5e-6, NULL, 0},
    {"recurrent_step", STEP_SHAPES, run_recurrent_step, 2e-6, NULL, 0},
    {"pool", POOL_SHAPES, run_pool, 1e-6, NULL, 0},
    {"softmax_loss", SOFTMAX_LOSS_SHAPES, run_softmax_loss, 8e-6, NULL, 0},
    {"pointwise_loss", POINTWISE_LOSS_SHAPES, run_pointwise_loss, 1e-6, NULL, 0},
    {"negative_sampling", NEGATIVE_SAMPLING_SHAPES, run_negative_sampling, 4e-6, NULL, 0},
    {"update", UPDATE_SHAPES, run_update, 2e-6, NULL, 0},
    {"attention", ATTENTION_SHAPES, run_attention, 1e-5, NULL, 0},
    {"cell", CELL_SHAPES, run_cell, 2e-6, NULL, 0},
    {"tanh", TANH_SHAPES, run_tanh, 1e-6, NULL, 0},
    {"norm", NORM_SHAPES, run_norm, 1e-5, NULL, 0},
    {"relu", RELU_SHAPES, run_relu, 0.0, NULL, 0},
    {"top", TOP_SHAPES, run_top, 1e-6, NULL, 0},
    {"bf16_gemm", GEMM_SHAPES, run_gemm_bf16, 2e-6, NULL, 0},
    {"bf16_gather", GATHER_SHAPES, run_gather_bf16, 0.0, NULL, 0},
    {"bf16_recurrent", RECURRENT_SHAPES, run_recurrent_bf16, 5e-6, NULL, 0},
    {"bf16_step", STEP_SHAPES, run_step_bf16, 2e-6, NULL, 0},
    {"bf16_softmax_loss", SOFTMAX_LOSS_SHAPES, run_softmax_bf16, 8e-6, NULL, 0},
    {"int8_gemm", GEMM_SHAPES, run_gemm_int8, 1e-4, NULL, 0},
    {"int8_gather", GATHER_SHAPES, run_gather_int8, 0.0, NULL, 0},
    {"int8_recurrent", RECURRENT_SHAPES, run_recurrent_int8, 1e-4, NULL, 0},
    {"int8_step", STEP_SHAPES, run_step_int8, 1e-4, NULL, 0},
    {"int8_softmax_loss", SOFTMAX_LOSS_SHAPES, run_softmax_int8, 1e-4, NULL, 0},
    {"packed_gemm", GEMM_SHAPES, run_gemm_packed, 2e-6, NULL, 0},
    {"packed_gather", GATHER_SHAPES, run_gather_packed, 0.0, NULL, 0},
    {"packed_bf16_gather", GATHER_SHAPES, run_gather_packed_bf16, 0.0, NULL, 0},
    {"packed_recurrent", RECURRENT_SHAPES, run_recurrent_packed, 5e-6, NULL, 0},
    {"packed_step", STEP_SHAPES, run_step_packed, 2e-6, NULL, 0},
    {"packed_softmax_loss", SOFTMAX_LOSS_SHAPES, run_softmax_packed, 8e-6, NULL, 0},
    {"square_sum", SQUARE_SUM_SHAPES, run_square_sum, 1e-6, NULL, 0},
    {"word2vec", WORD2VEC_SHAPES, run_word2vec, 4e-6, word2vec_offered, 0},
};

const int operation_count = sizeof operations / sizeof operations[0];

/* Factors that are inputs are not changed, so products of inputs are as close as in fp32; what is
 * computed on the way is rounded to 8 bits, 2e-3, before it is a factor of gradients. Behind layer
 * norm, whose gradients nearly cancel over a row, more of that is seen. */
const operation narrow_operations[] = {
    {"gemm", GEMM_SHAPES, run_gemm, 2e-6, NULL, 1},
    {"recurrent", RECURRENT_SHAPES, run_recurrent, 4e-2, NULL, 1},
    {"recurrent_step", STEP_SHAPES, run_recurrent_step, 2e-6, NULL, 1},
    {"softmax_loss", SOFTMAX_LOSS_SHAPES, run_softmax_loss, 1e-2, NULL, 1},
};

const int narrow_operation_count = sizeof narrow_operations / sizeof narrow_operations[0];
