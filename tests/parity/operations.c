/* The table of operations and tolerances. A tolerance is relative to the largest element of each
 * array that the operation leaves; float has 24 bits, 6e-8. */
#include "operations.h"

const operation operations[] = {
    {"add_scaled", ADD_SCALED_SHAPES, run_add_scaled, 1.5e-7},
    {"column_sum", COLUMN_SUM_SHAPES, run_column_sum, 2e-6},
    {"gemm", GEMM_SHAPES, run_gemm, 2e-6},
    {"gather", GATHER_SHAPES, run_gather, 0.0},
    {"scatter", SCATTER_SHAPES, run_scatter, 1e-6},
    {"dropout", DROPOUT_SHAPES, run_dropout, 2e-7},
    {"recurrent", RECURRENT_SHAPES, run_recurrent, 5e-6},
    {"recurrent_large", RECURRENT_LARGE_SHAPES, run_recurrent_large, 5e-6},
    {"recurrent_step", STEP_SHAPES, run_recurrent_step, 2e-6},
    {"pool", POOL_SHAPES, run_pool, 1e-6},
    {"softmax_loss", SOFTMAX_LOSS_SHAPES, run_softmax_loss, 4e-6},
    {"update", UPDATE_SHAPES, run_update, 2e-6},
    {"square_sum", SQUARE_SUM_SHAPES, run_square_sum, 1e-6},
};

const int operation_count = sizeof operations / sizeof operations[0];
