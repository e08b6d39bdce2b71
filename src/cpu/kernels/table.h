/* The table of one instruction set: each kernels_<set>.c defines RKI_KERNELS_NAME, RKI_KERNELS_TEXT
 * and includes this. */
#include "cpu/kernels/activations.h"
#include "cpu/kernels/attention.h"
#include "cpu/kernels/cell_backward.h"
#include "cpu/kernels/cell_forward.h"
#include "cpu/kernels/dropout.h"
#include "cpu/kernels/group_product.h"
#include "cpu/kernels/int8_product.h"
#include "cpu/kernels/kernels.h"
#include "cpu/kernels/norm.h"
#include "cpu/kernels/pointwise.h"
#include "cpu/kernels/product.h"
#include "cpu/kernels/simd.h"
#include "cpu/kernels/softmax.h"
#include "cpu/kernels/update.h"

const rki_kernels RKI_KERNELS_NAME = {
    .name = RKI_KERNELS_TEXT,
    .lanes = LANES,
    .tile_rows = TILE_ROWS,
    .pack_b = kernel_pack_b,
    .product = kernel_product,
    .narrow = kernel_narrow,
    .ready_int8 = kernel_ready_int8,
    .product_int8 = kernel_product_int8,
    .product_groups = kernel_product_groups,
    .pack_again = kernel_pack_again,
    .pack_gates = kernel_pack_gates,
    .cell_step = kernel_cell_step,
    .cell_gradient = kernel_cell_gradient,
    .tanh = kernel_tanh,
    .sigmoid = kernel_sigmoid,
    .exp = kernel_exp,
    .tanh_gradient = kernel_tanh_gradient,
    .softmax_exp = kernel_softmax_exp,
    .scale = kernel_scale,
    .weighted_sum = kernel_weighted_sum,
    .smooth = kernel_smooth,
    .add_scaled = kernel_add_scaled,
    .dot = kernel_dot,
    .column_sum = kernel_column_sum,
    .sum_rows = kernel_sum_rows,
    .update = kernel_update,
    .square_sum = kernel_square_sum,
    .dropout = kernel_dropout,
    .additive_scores = kernel_additive_scores,
    .row_products = kernel_row_products,
    .row_sum = kernel_row_sum,
    .add_row_sum = kernel_add_row_sum,
    .softmax_gradient = kernel_softmax_gradient,
    .additive_query = kernel_additive_query,
    .additive_keys = kernel_additive_keys,
    .norm_forward = kernel_norm_forward,
    .norm_row = kernel_norm_row,
    .norm_columns = kernel_norm_columns,
    .relu = kernel_relu,
    .relu_gradient = kernel_relu_gradient,
};
