/* Products with some columns of a weight. See columns.h. */
#include "nn/columns.h"

int32_t rki_columns_product(rnnkit_tape *tape, rki_columns w, int64_t rows, const void *x,
    const rki_parameter *bias, int accumulate, void *y)
{
    int64_t outputs = rki_parameter_rows(w.parameter);
    return rki_tape_gemm(tape, (rki_gemm){.transpose_b = 1,
                                   .accumulate = accumulate,
                                   .m = rows,
                                   .n = outputs,
                                   .k = w.count,
                                   .a = x,
                                   .lda = w.count,
                                   .b = rki_tape_at(tape, w.parameter->value,
                                       rki_format_column(w.parameter->format, w.first)),
                                   .ldb = rki_parameter_width(w.parameter),
                                   .bias = bias ? bias->value : NULL,
                                   .c = y,
                                   .ldc = outputs,
                                   .b_format = w.parameter->format,
                                   .b_rows = outputs});
}

int32_t rki_columns_back(
    rnnkit_tape *tape, rki_columns w, int64_t rows, const void *dy, int accumulate, void *dx)
{
    int64_t outputs = rki_parameter_rows(w.parameter);
    return rki_tape_gemm(tape, (rki_gemm){.accumulate = accumulate,
                                   .m = rows,
                                   .n = w.count,
                                   .k = outputs,
                                   .a = dy,
                                   .lda = outputs,
                                   .b = rki_tape_at(tape, w.parameter->value, w.first),
                                   .ldb = rki_parameter_width(w.parameter),
                                   .c = dx,
                                   .ldc = w.count});
}

int32_t rki_columns_learn(rnnkit_tape *tape, rnnkit_model *model, rki_columns w, int64_t rows,
    const void *dy, const void *x)
{
    int64_t outputs = rki_parameter_rows(w.parameter);
    void *gradient;
    RKI_TRY(rki_model_gradient(model, w.parameter, &gradient));
    rki_parameter_touch_everything(w.parameter);
    return rki_tape_gemm(tape, (rki_gemm){.transpose_a = 1,
                                   .accumulate = 1,
                                   .m = outputs,
                                   .n = w.count,
                                   .k = rows,
                                   .a = dy,
                                   .lda = outputs,
                                   .b = x,
                                   .ldb = w.count,
                                   .c = rki_tape_at(tape, gradient, w.first),
                                   .ldc = rki_parameter_width(w.parameter)});
}

int32_t rki_bias_learn(
    rnnkit_tape *tape, rnnkit_model *model, rki_parameter *bias, int64_t rows, const void *dy)
{
    void *gradient;
    if (bias == NULL) return RNNKIT_OK;
    RKI_TRY(rki_model_gradient(model, bias, &gradient));
    rki_parameter_touch_everything(bias);
    return tape->device->ops->column_sum(
        tape->device->self, rows, rki_shape_count(&bias->shape), dy, 1, gradient);
}
