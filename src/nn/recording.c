/* What the layers need of a tape and of their model's gradients. See layers.h. */
#include "nn/layers.h"

void rki_tape_steady(rnnkit_tape *tape, rki_steady *steady)
{
    steady->count = 0;
    tape->steady = steady;
}

void rki_tape_unsteady(rnnkit_tape *tape)
{
    tape->steady = NULL;
}

static int same_b(const rki_gemm *a, const rki_gemm *b)
{
    return a->b == b->b && a->n == b->n && a->k == b->k && a->ldb == b->ldb &&
           a->transpose_b == b->transpose_b;
}

static int32_t find_kept(rnnkit_tape *tape, rki_gemm *call)
{
    const rki_device *device = tape->device;
    rki_steady *steady = tape->steady;
    void *block;
    for (int i = 0; i < steady->count; i++)
        if (same_b(&steady->products[i], call)) {
            call->b_kept = steady->products[i].b_kept;
            return RNNKIT_OK;
        }
    size_t bytes = device->ops->gemm_keep(device->self, call, NULL);
    if (bytes == 0 || steady->count == RKI_STEADY_MOST) return RNNKIT_OK;
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &block));
    device->ops->gemm_keep(device->self, call, block);
    call->b_kept = block;
    steady->products[steady->count++] = *call;
    return RNNKIT_OK;
}

int32_t rki_tape_gemm(rnnkit_tape *tape, rki_gemm call)
{
    const rki_device *device = tape->device;
    call.training = tape->train;
    if (tape->steady) RKI_TRY(find_kept(tape, &call));
    rki_arena_mark mark = rki_arena_here(&tape->device_arena);
    size_t bytes = device->ops->gemm_scratch(device->self, &call);
    RKI_TRY(rki_tape_device_bytes(tape, bytes, &call.scratch));
    int32_t status = device->ops->gemm(device->self, &call);
    rki_arena_rewind(&tape->device_arena, mark);
    return status;
}

static void release_model(void *model)
{
    rki_model_release(model);
}

int32_t rki_tape_keep_model(rnnkit_tape *tape, rnnkit_model *model)
{
    RKI_TRY(rki_model_check_plain(model, "train it"));
    rki_model_retain(model);
    return rki_tape_keep(tape, model, release_model);
}

int32_t rki_model_gradient(rnnkit_model *model, rki_parameter *parameter, void **out)
{
    return rki_parameter_gradient(model->context->device, &model->context->memory, parameter, out);
}
