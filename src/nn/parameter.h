/* Parameters: the trained arrays of a model, with the gradients that gather for them.
 *
 * A gradient is allocated when the first one flows, so that a model that only runs holds none. It
 * is zero except in what `touched` names: nothing, some rows, or everything. So an embedding's
 * optimiser step can pass over the rows that no token used.
 */
#ifndef RKI_NN_PARAMETER_H
#define RKI_NN_PARAMETER_H

#include "backend/device.h"
#include "base/random.h"

/* Which rows of the gradient are not zero. Room for the list is made with the gradient. */
typedef struct rki_touched {
    int everything;
    int64_t count;
    int32_t *rows;       /* in the order of their first use; none twice */
    unsigned char *seen; /* [all rows] */
} rki_touched;

typedef struct rki_parameter {
    char *name;
    rki_shape shape;
    uint32_t index; /* place in the model; initial values draw from the stream of this number */
    int by_rows;    /* gradients may name the rows they touch */
    int frozen;     /* no gradient flows into it */
    rki_format format;
    void *value;    /* on the device */
    void *gradient; /* on the device; NULL until one flowed */
    rki_touched touched;
} rki_parameter;

/* How a parameter's first values are drawn. */
typedef enum rki_initial {
    RKI_INITIAL_ZERO,
    RKI_INITIAL_UNIFORM,
    RKI_INITIAL_NORMAL,
    RKI_INITIAL_CONSTANT
} rki_initial;

/* One row of an array: its size, and how many there are. */
int64_t rki_parameter_rows(const rki_parameter *parameter);
int64_t rki_parameter_width(const rki_parameter *parameter);

/* Draws `count` values, uniform or normal, into an array with room for three more. */
void rki_initial_values(rki_random random, uint64_t step, rki_initial initial, double scale,
    int64_t count, float *values);

/* Uniform in [-scale, scale), normal with deviation `scale`, all `scale`, or zeros. */
int32_t rki_parameter_draw(const rki_device *device, const rki_memory *memory,
    rki_parameter *parameter, int64_t seed, rki_initial initial, double scale);

/* Room for the values, in the parameter's format. */
int32_t rki_parameter_allocate(const rki_device *device, rki_parameter *parameter);

/* All values as float32, whatever the format. */
int32_t rki_parameter_read(const rki_device *device, const rki_memory *memory,
    const rki_parameter *parameter, float *values);

/* RNNKIT_E_ORDER for a parameter in a format: it is not to be changed any more. */
int32_t rki_parameter_check_plain(const rki_parameter *parameter);

/* "bf16" */
const char *rki_format_name(rki_format format);

/* The gradient, allocated and zero at first. */
int32_t rki_parameter_gradient(
    const rki_device *device, const rki_memory *memory, rki_parameter *parameter, void **out);

/* Say what a gradient that was just added touched: rows are everything unless by_rows. */
void rki_parameter_touch_everything(rki_parameter *parameter);
void rki_parameter_touch_rows(rki_parameter *parameter, const int32_t *rows, int64_t count);

/* The rows to update: their list, or NULL for all of them; *count 0 when nothing flowed. */
const int32_t *rki_parameter_touched(const rki_parameter *parameter, int64_t *count);

/* Forgets what was touched; for when the gradient was set to zero. */
void rki_parameter_untouch(rki_parameter *parameter);

/* Sets the gradient to zero. */
int32_t rki_parameter_clear(const rki_device *device, rki_parameter *parameter);

/* Frees it with everything in it; NULL is fine. */
void rki_parameter_release(
    const rki_device *device, const rki_memory *memory, rki_parameter *parameter);

#endif
