/* What a decoder's cells are summed from, and the way back; see decoder.h.
 *
 * A GRU keeps the n of W_hh h + b_hh apart from that of W_ih x + b_ih, so its products are done in
 * two blocks of rows: r and z together, n by itself. On the way back dz goes through W_hh; through
 * W_ih goes the same but for n, whose gradient is dn. An LSTM has one block and one gradient for
 * both.
 */
#include "nn/decoder.h"

enum { RESET_AND_UPDATE = 2, MOST_BLOCKS = 2 };

/* Rows first .. first + count - 1 of weight_ih, and the gradient of what they
 * give: [rows][count]. */
typedef struct block {
    int64_t first, count;
    const void *d;
    int64_t ldd;
} block;

static int blocks_of(
    const rki_decoder_layer *d, const void *dz, const void *dn, block out[MOST_BLOCKS])
{
    int64_t hidden = d->hidden, all = rki_decoder_gates(d) * hidden;
    out[0] = (block){0, d->settings.gru ? RESET_AND_UPDATE * hidden : all, dz, all};
    out[1] = (block){RESET_AND_UPDATE * hidden, hidden, dn, hidden};
    return d->settings.gru ? 2 : 1;
}

/* y (+)= rows first .. first + count - 1 of W_hh h + b_hh */
static int32_t recur(rnnkit_tape *tape, const rki_decoder_layer *d, int64_t l, int64_t rows,
    const void *h, int64_t first, int64_t count, int accumulate, void *y, int64_t ldy)
{
    const rki_rnn_weights *weights = &d->weights[l];
    const rki_parameter *w = weights->weight_hh;
    int plain = w->format == RKI_PLAIN;
    return rki_tape_gemm(
        tape, (rki_gemm){.transpose_b = 1,
                  .accumulate = accumulate,
                  .m = rows,
                  .n = count,
                  .k = d->hidden,
                  .a = h,
                  .lda = d->hidden,
                  .b = plain ? rki_tape_at(tape, w->value, first * d->hidden) : w->value,
                  .ldb = d->hidden,
                  .bias = rki_tape_at(tape, weights->bias_hh->value, first),
                  .c = y,
                  .ldc = ldy,
                  .b_format = w->format,
                  .b_rows = rki_parameter_rows(w),
                  .b_first = first});
}

int32_t rki_decoder_recur(rnnkit_tape *tape, const rki_decoder_layer *d, int64_t l, int64_t rows,
    const void *h, void *z, void *reset)
{
    int64_t hidden = d->hidden, all = rki_decoder_gates(d) * hidden;
    if (!d->settings.gru) return recur(tape, d, l, rows, h, 0, all, 1, z, all);
    RKI_TRY(recur(tape, d, l, rows, h, 0, RESET_AND_UPDATE * hidden, 1, z, all));
    return recur(tape, d, l, rows, h, RESET_AND_UPDATE * hidden, hidden, 0, reset, hidden);
}

int32_t rki_decoder_input_back(rnnkit_tape *tape, const rki_decoder_layer *d, rki_columns w,
    int64_t rows, const void *dz, const void *dn, int accumulate, void *dx)
{
    block blocks[MOST_BLOCKS];
    int64_t width = rki_parameter_width(w.parameter);
    int count = blocks_of(d, dz, dn, blocks);
    for (int i = 0; i < count; i++)
        RKI_TRY(rki_tape_gemm(
            tape, (rki_gemm){.accumulate = accumulate || i > 0,
                      .m = rows,
                      .n = w.count,
                      .k = blocks[i].count,
                      .a = blocks[i].d,
                      .lda = blocks[i].ldd,
                      .b = rki_tape_at(tape, w.parameter->value, blocks[i].first * width + w.first),
                      .ldb = width,
                      .c = dx,
                      .ldc = w.count}));
    return RNNKIT_OK;
}

int32_t rki_decoder_input_learn(rnnkit_tape *tape, rnnkit_model *model, const rki_decoder_layer *d,
    rki_columns w, int64_t rows, const void *dz, const void *dn, const void *x)
{
    block blocks[MOST_BLOCKS];
    int64_t width = rki_parameter_width(w.parameter);
    int count = blocks_of(d, dz, dn, blocks);
    void *gradient;
    RKI_TRY(rki_model_gradient(model, w.parameter, &gradient));
    rki_parameter_touch_everything(w.parameter);
    for (int i = 0; i < count; i++)
        RKI_TRY(rki_tape_gemm(
            tape, (rki_gemm){.transpose_a = 1,
                      .accumulate = 1,
                      .m = blocks[i].count,
                      .n = w.count,
                      .k = rows,
                      .a = blocks[i].d,
                      .lda = blocks[i].ldd,
                      .b = x,
                      .ldb = w.count,
                      .c = rki_tape_at(tape, gradient, blocks[i].first * width + w.first),
                      .ldc = width}));
    return RNNKIT_OK;
}

/* Both biases get the sums of dz, but a GRU's b_ih those of dn for its n. */
int32_t rki_decoder_bias_learn(rnnkit_tape *tape, rnnkit_model *model, const rki_decoder_layer *d,
    int64_t l, int64_t rows, const void *dz, const void *dn)
{
    const rki_rnn_weights *weights = &d->weights[l];
    const rki_device *device = tape->device;
    int64_t all = rki_decoder_gates(d) * d->hidden;
    int64_t shared = d->settings.gru ? RESET_AND_UPDATE * d->hidden : all;
    void *sums, *ih, *hh;
    RKI_TRY(rki_tape_device(tape, all, &sums));
    RKI_TRY(rki_model_gradient(model, weights->bias_ih, &ih));
    RKI_TRY(rki_model_gradient(model, weights->bias_hh, &hh));
    rki_parameter_touch_everything(weights->bias_ih);
    rki_parameter_touch_everything(weights->bias_hh);
    RKI_TRY(device->ops->column_sum(device->self, rows, all, dz, 0, sums));
    RKI_TRY(device->ops->add_scaled(device->self, all, 1, sums, hh));
    RKI_TRY(device->ops->add_scaled(device->self, shared, 1, sums, ih));
    if (!d->settings.gru) return RNNKIT_OK;
    return device->ops->column_sum(
        device->self, rows, d->hidden, dn, 1, rki_tape_at(tape, ih, shared));
}
