/* Tensors in golden tests. See tensors.h. */
#include "tensors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "autodiff/tape.h"

rnnkit_tensor *golden_input(rnnkit_tape *tape, const rki_st_entry *entry)
{
    float *values = expected_floats(entry);
    rnnkit_tensor *x;
    golden_ok(rnnkit_tape_input(tape, values, entry->dims, entry->rank, &x));
    free(values);
    x->needs_gradient = 1;
    return x;
}

typedef struct given {
    rki_node node;
    rnnkit_tensor *to;
    const rki_st_entry *gradient;
} given;

static int32_t give(rki_node *node, rnnkit_tape *tape)
{
    const given *self = (const given *)node;
    float *values = expected_floats(self->gradient);
    void *room;
    golden_ok(rki_tape_gradient_room(self->to, &room));
    golden_ok(rki_device_write(
        tape->device, &tape->context->memory, room, values, self->gradient->count));
    golden_ok(rki_tape_gradient_adopt(self->to, room));
    free(values);
    return RNNKIT_OK;
}

void golden_give(rnnkit_tape *tape, rnnkit_tensor *to, const rki_st_entry *gradient)
{
    rki_node *node;
    assert_int_equal(rki_shape_count(&to->shape), gradient->count);
    golden_ok(rki_tape_node(tape, sizeof(given), give, &node));
    ((given *)node)->to = to;
    ((given *)node)->gradient = gradient;
    rki_tape_record(tape, node);
}

void golden_back(rnnkit_tape *tape)
{
    static const int64_t one = 1;
    static const float zero = 0;
    rnnkit_tensor *loss;
    golden_ok(rnnkit_tape_input(tape, &zero, &one, 1, &loss));
    golden_ok(rnnkit_tape_backward(tape, loss));
}

static float *room(const rki_st_entry *entry)
{
    float *values = malloc((size_t)entry->count * sizeof *values);
    assert_non_null(values);
    return values;
}

static void settle(const rki_st_entry *entry, float *values, double limit)
{
    expect_agreement(entry, values, entry->count, limit);
    free(values);
}

void expect_tensor(const rki_st_entry *entry, const rnnkit_tensor *tensor, double limit)
{
    float *values = room(entry);
    golden_ok(rnnkit_tensor_read(tensor, values, entry->count));
    settle(entry, values, limit);
}

void expect_gradient(const rki_st_entry *entry, const rnnkit_tensor *tensor, double limit)
{
    float *values = room(entry);
    golden_ok(rnnkit_tensor_read_gradient(tensor, values, entry->count));
    settle(entry, values, limit);
}

void expect_parameter(
    const rki_st_entry *entry, rnnkit_model *model, const char *parameter, double limit)
{
    float *values = room(entry);
    golden_ok(rnnkit_model_gradient_read(model, parameter, values, entry->count));
    settle(entry, values, limit);
}

void expect_state(const rki_st_entry *entry, const rnnkit_state *state, double limit)
{
    float *values = room(entry);
    golden_ok(rnnkit_state_read(state, values, entry->count));
    settle(entry, values, limit);
}

void expect_loss(const rki_st_entry *entry, const rnnkit_tensor *loss, double limit)
{
    double value, *expected = expected_doubles(entry);
    golden_ok(rnnkit_tensor_item(loss, &value));
    if (!(fabs(value - *expected) <= limit * fabs(*expected)))
        fail_msg("%s: %.12g, expected %.12g", entry->name, value, *expected);
    free(expected);
}
