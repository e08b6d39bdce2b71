/* The recurrent layer: Elman, GRU or LSTM, of several layers and one direction or two; and its
 * state.
 *
 * A layer and direction is a part; parts are counted layer by layer, the reverse direction second.
 * A state holds, part by part, h [batch][output] and, of an LSTM, c [batch][hidden].
 */
#ifndef RKI_NN_RNN_H
#define RKI_NN_RNN_H

#include "autodiff/tape.h"
#include "nn/model.h"
#include "rnnkit/rnn.h"

/* Choices of the options, in the order of their names. */
enum { RKI_RNN_TANH, RKI_RNN_RELU };
enum { RKI_RNN_AFTER, RKI_RNN_BEFORE };
enum { RKI_RNN_UNIFORM, RKI_RNN_XAVIER, RKI_RNN_ORTHOGONAL };
enum { RKI_RNN_ZERO, RKI_RNN_LEARNED };
enum { RKI_RNN_RIGHT, RKI_RNN_LEFT };

typedef struct rki_rnn_settings {
    int64_t layers, projection;
    char hidden[RKI_OPTION_TEXT_SIZE];
    int32_t bidirectional, bias, layer_norm, locked;
    int32_t activation, reset, init, initial, padding;
    double dropout, weight_drop, zoneout, zoneout_cell, forget_bias;
} rki_rnn_settings;

/* What is not there is NULL. */
typedef struct rki_rnn_weights {
    rki_parameter *weight_ih, *weight_hh;
    rki_parameter *bias_ih, *bias_hh; /* both or neither */
    rki_parameter *weight_hr;
    rki_parameter *norm_ih, *norm_hh, *norm_c, *norm_c_bias;
    rki_parameter *h0, *c0;
} rki_rnn_weights;

typedef struct rki_rnn_layer {
    rki_layer layer; /* sizes: inputs, hidden */
    rki_rnn_settings settings;
    rki_cell cell;
    int64_t layers, directions;
    int64_t *hidden;          /* [layers] */
    rki_rnn_weights *weights; /* [layers * directions]: by part */
} rki_rnn_layer;

struct rnnkit_rnn {
    rki_layer_handle handle;
};

static inline rki_rnn_layer *rki_rnn_of(const rnnkit_rnn *rnn)
{
    return (rki_rnn_layer *)rnn->handle.layer;
}

/* The width of layer l's h. */
static inline int64_t rki_rnn_output(const rki_rnn_layer *rnn, int64_t l)
{
    return rnn->settings.projection > 0 ? rnn->settings.projection : rnn->hidden[l];
}

/* The width of layer l's outputs, both directions together, and of its inputs. */
static inline int64_t rki_rnn_outputs(const rki_rnn_layer *rnn, int64_t l)
{
    return rnn->directions * rki_rnn_output(rnn, l);
}

static inline int64_t rki_rnn_inputs(const rki_rnn_layer *rnn, int64_t l)
{
    return l == 0 ? rnn->layer.sizes[0] : rki_rnn_outputs(rnn, l - 1);
}

/* The width of a state's row, and of what stands in it before c (cell 1) or h (cell 0) of a part.
 */
int64_t rki_rnn_state_width(const rki_rnn_layer *rnn);
int64_t rki_rnn_state_place(const rki_rnn_layer *rnn, int64_t part, int cell);

/* What the operations are given of part `part`, steps and batch being still to be set. */
rki_recurrent rki_rnn_operation(const rki_rnn_layer *rnn, int64_t part);
rki_recurrent_weights rki_rnn_operands(const rki_rnn_weights *weights);

/* First values of what is not drawn uniformly: orthogonal weights, raised biases. Part `part` of a
 * new layer. */
int32_t rki_rnn_shape_values(rnnkit_model *model, const rki_rnn_layer *rnn, int64_t part);

/* State of a recurrent layer: on the device, with the room that a step needs. */
struct rnnkit_state {
    rki_object object;
    rnnkit_model *model;
    const rki_rnn_layer *rnn;
    int64_t batch;
    void *values; /* parts, one behind the other */
    void *input;  /* [batch][inputs]: what the next step reads */
    void *scratch;
    int back; /* steps go through the weights to and fro */
};

/* h or c of a part. */
void *rki_state_part(const rnnkit_state *state, int64_t part, int cell);

/* The top layer's h, for one direction: the output. */
void *rki_state_output(const rnnkit_state *state);

int64_t rki_state_count(const rnnkit_state *state);

int32_t rki_state_new(
    rnnkit_model *model, const rki_rnn_layer *rnn, int64_t batch, rnnkit_state **out);
void rki_state_release(rnnkit_state *state);

/* One step of all layers from state->input. Allocates nothing. Not for two directions. */
int32_t rki_state_step(rnnkit_state *state);

/* RNNKIT_E_ARGUMENT for a layer of two directions, which has no single steps. */
int32_t rki_rnn_check_step(const rki_rnn_layer *rnn);

/* Copies lengths, each 0 to steps, to the tape, and where rows start when padding stands before
 * them. */
int32_t rki_rnn_copy_lengths(rnnkit_tape *tape, const rki_rnn_layer *rnn, const int32_t *lengths,
    int64_t steps, int64_t batch, const int32_t **out, const int32_t **starts);

extern const rki_option_table rki_pool_options;

#endif
