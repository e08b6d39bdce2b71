/* What the layers need of a tape and of their model's gradients. See layers.h. */
#include "nn/layers.h"

int32_t rki_tape_gemm(rnnkit_tape *tape, rki_gemm call)
{
    const rki_device *device = tape->device;
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
