/* Softmax cross-entropy, with and without bias, gradients, row losses, class weights and smoothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "operations.h"

enum { MOST_ROWS = 2048 };

static void choose_size(bench *b, int shape, rki_softmax_loss *call)
{
    static const int64_t large[][3] = {
        {700, 40, 999}, {1, 64, 5000}, {1500, 8, 67}, {513, 33, 300}};
    if (shape >= SOFTMAX_LOSS_SHAPES - 4) {
        const int64_t *size = large[shape - (SOFTMAX_LOSS_SHAPES - 4)];
        call->rows = size[0];
        call->inputs = size[1];
        call->classes = size[2];
    } else {
        call->rows = 1 + draw(b, 20);
        call->inputs = 1 + draw(b, 40);
        call->classes = shape < 36 ? shape + 1 : 1 + draw(b, 200);
    }
}

/* Of what is on the device, so that a NaN there is one here. */
static double sum_of(const bench *b, const void *array, int64_t count)
{
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++) {
        double wide = 0.0;
        float narrow = 0.0f;
        int is_wide = b->on->dtype == RKI_FLOAT64;
        size_t size = rki_dtype_size(b->on->dtype);
        const char *at = (const char *)array + (size_t)i * size;
        int32_t status =
            b->on->ops->download(b->on->self, is_wide ? (void *)&wide : (void *)&narrow, at, size);
        assert_int_equal(status, 0);
        sum += is_wide ? wide : (double)narrow;
    }
    return sum;
}

/* Two of six shapes are smoothed, every fourth has class weights: all four ways come. */
static void choose_targets(bench *b, int shape, rki_softmax_loss *call)
{
    static const double smoothings[] = {0.0, 0.1, 0.0, 0.0, 1.0, 0.0};
    call->smoothing = smoothings[shape % 6];
    call->class_weight_sum = (double)call->classes;
    if (shape % 4 != 1) return;
    call->class_weights = input_positive(b, call->classes, 1.0);
    call->class_weight_sum = sum_of(b, call->class_weights, call->classes);
}

void run_softmax_loss(bench *b, int shape)
{
    static int32_t targets[MOST_ROWS];
    double loss = 0.0, steep = shape % 7 == 6 ? 40.0 : 1.0; /* steep: exp would overflow */
    int with_bias = shape & 1, with_gradients = shape % 5 != 4 && b->format == RKI_PLAIN,
        with_row_loss = shape % 3 != 2;
    rki_softmax_loss call = {.scale = 0.3, .targets = targets, .loss = &loss};
    choose_size(b, shape, &call);
    choose_targets(b, shape, &call);
    label(b,
        "rows=%d inputs=%d classes=%d bias=%d gradients=%d row_loss=%d steep=%g smoothing=%g "
        "weights=%d",
        (int)call.rows, (int)call.inputs, (int)call.classes, with_bias, with_gradients,
        with_row_loss, steep, call.smoothing, call.class_weights != NULL);
    for (int64_t r = 0; r < call.rows; r++)
        targets[r] = (int32_t)draw(b, call.classes);
    call.x = input(b, call.rows * call.inputs, 1.0);
    call.weight = weight(b, call.classes, call.inputs, steep);
    call.format = held(b);
    if (with_bias) call.bias = input(b, call.classes, 1.0);
    if (with_row_loss) call.row_loss = unwritten(b, call.rows);
    if (with_gradients) {
        call.dx = unwritten(b, call.rows * call.inputs);
        call.dweight = unwritten(b, call.classes * call.inputs);
        if (with_bias) call.dbias = unwritten(b, call.classes);
    }
    call.scratch = scratch(b, b->on->ops->softmax_loss_scratch(b->on->self, &call));
    succeed(b, b->on->ops->softmax_loss(b->on->self, &call));
    keep_number(b, "loss", loss);
    if (with_row_loss) keep(b, "row_loss", call.row_loss, call.rows);
    if (!with_gradients) return;
    keep(b, "dx", call.dx, call.rows * call.inputs);
    keep(b, "dweight", call.dweight, call.classes * call.inputs);
    if (with_bias) keep(b, "dbias", call.dbias, call.classes);
}
