/* The losses' gradient checks. */
#ifndef GRAD_LOSSES_H
#define GRAD_LOSSES_H

void test_softmax_loss(void **state);
void test_softmax_loss_weights(void **state);
void test_pointwise_loss(void **state);

#endif
