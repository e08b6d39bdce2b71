/* The weights of recurrent layers, between PyTorch's order of gates, in which files have them (for each
 * layer and direction weight_ih, weight_hh, bias_ih and bias_hh), and that of oneDNN. Whatever fails
 * ends the program. */
#ifndef ONEDNN_WEIGHTS_H
#define ONEDNN_WEIGHTS_H

#include <stdint.h>

typedef struct shape {
    char cell; /* of rnn, gru, lstm the first letter */
    int64_t batch, steps, inputs, hidden, layers, directions;
    int64_t gates, bias_gates; /* a GRU has one bias more */
} shape;

typedef struct weights {
    float *ih, *hh, *bias; /* [layers][directions][gates][hidden](inputs) */
} weights;

float *zeros(int64_t count);

/* `count` numbers of a file. */
float *read_values(const char *folder, const char *name, int64_t count);

weights weights_create(const shape *s); /* zeros */
weights weights_read(const shape *s, const char *folder);

/* Into a file as above; of both biases' sum, each gets all, as their gradients are equal. */
void weights_write(const shape *s, const char *folder, const char *name, const weights *w);

#endif
