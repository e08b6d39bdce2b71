/* The tape: tensors, nodes, and the memory they live in.
 *
 * A layer's forward takes its output tensor, runs one coarse operation, and records one node whose
 * backward function runs one coarse operation too. Nodes are walked in reverse order of recording,
 * so a tensor's gradient is complete when the node that made it is reached.
 *
 * All device memory of a step comes from one arena, all host memory from another; both keep their
 * blocks when the tape is cleared.
 */
#ifndef RKI_AUTODIFF_TAPE_H
#define RKI_AUTODIFF_TAPE_H

#include "backend/device.h"
#include "base/options.h"
#include "rnnkit/tape.h"
#include "rnnkit/tensor.h"

struct rnnkit_tensor {
    rki_object object;
    rnnkit_tape *tape;
    rnnkit_tensor *previous; /* all tensors of the tape, the newest first */
    rki_shape shape;
    void *data;
    void *gradient;     /* NULL until something flowed */
    int needs_gradient; /* on the way from a parameter to the loss */
};

typedef struct rki_node rki_node;
typedef int32_t (*rki_backward_fn)(rki_node *node, rnnkit_tape *tape);

/* A layer's own node starts with this. */
struct rki_node {
    rki_backward_fn backward;
    rki_node *previous;
};

/* Something that the nodes of a step point at, kept alive until the tape is cleared. */
typedef struct rki_kept {
    struct rki_kept *previous;
    void *object;
    void (*release)(void *object);
} rki_kept;

/* What operations may find as it was when they first read it: see rki_tape_steady. */
enum { RKI_STEADY_MOST = 16 };
typedef struct rki_steady {
    int count;
    rki_gemm products[RKI_STEADY_MOST]; /* with b_kept */
} rki_steady;

struct rnnkit_tape {
    rki_object object;
    rnnkit_context *context;
    rki_device *device;
    int train;
    uint64_t step;
    uint32_t dropouts; /* how many were recorded in this step: each draws from its own stream */
    int backward_done;
    rki_arena device_arena, host_arena;
    rnnkit_tensor *tensors;
    rki_node *nodes;
    rki_kept *kept;
    rki_steady *steady; /* or NULL */
};

extern const rki_option_table rki_tape_options;

/* Checks a tensor argument: a live one of this tape. */
int32_t rki_tape_check(rnnkit_tape *tape, const rnnkit_tensor *tensor, const char *argument);

/* RNNKIT_E_ARGUMENT unless the tape computes on this device: that of a layer's model. */
int32_t rki_tape_check_device(const rnnkit_tape *tape, const rki_device *device);

/* Keeps an object that was retained for the tape, which releases it when it is cleared; when the
 * object is kept already or cannot be, it is released at once. */
int32_t rki_tape_keep(rnnkit_tape *tape, void *object, void (*release)(void *object));

/* A new tensor with room for its values. */
int32_t rki_tape_tensor(
    rnnkit_tape *tape, const rki_shape *shape, int needs_gradient, rnnkit_tensor **out);

/* Host memory and device memory that lives until the tape is cleared. */
int32_t rki_tape_host(rnnkit_tape *tape, int64_t count, size_t size, void **out);
int32_t rki_tape_device(rnnkit_tape *tape, int64_t count, void **out);
int32_t rki_tape_device_bytes(rnnkit_tape *tape, size_t bytes, void **out);

/* A zeroed node of `size` bytes; not recorded yet. */
int32_t rki_tape_node(rnnkit_tape *tape, size_t size, rki_backward_fn backward, rki_node **out);
void rki_tape_record(rnnkit_tape *tape, rki_node *node);

/* Memory for a contribution to a tensor's gradient; written by a backward operation, then handed
 * over with rki_tape_gradient_adopt: the first one becomes the gradient, further ones are added. */
int32_t rki_tape_gradient_room(rnnkit_tensor *tensor, void **out);
int32_t rki_tape_gradient_adopt(rnnkit_tensor *tensor, void *values);

/* The state that a checkpoint keeps. */
uint64_t rki_tape_step(const rnnkit_tape *tape);
void rki_tape_set_step(rnnkit_tape *tape, uint64_t step);
void rki_tape_retain(rnnkit_tape *tape);

#endif
