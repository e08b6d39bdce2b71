/* Gradients of tensors: the first contribution is taken as it is, further ones are added. */
#include "autodiff/tape.h"

int32_t rki_tape_gradient_room(rnnkit_tensor *tensor, void **out)
{
    return rki_tape_device(tensor->tape, rki_shape_count(&tensor->shape), out);
}

int32_t rki_tape_gradient_adopt(rnnkit_tensor *tensor, void *values)
{
    const rki_device *device = tensor->tape->device;
    if (tensor->gradient == NULL) {
        tensor->gradient = values;
        return RNNKIT_OK;
    }
    return device->ops->add_scaled(
        device->self, rki_shape_count(&tensor->shape), 1, values, tensor->gradient);
}
