/* Tensors in golden tests: inputs out of a fixture, gradients that are given to results, and
 * whether what was computed agrees (expected.h) with the fixture's entry. */
#ifndef GOLDEN_TENSORS_H
#define GOLDEN_TENSORS_H

#include "expected.h"

/* An input whose gradient is wanted, as if a layer had made it. */
rnnkit_tensor *golden_input(rnnkit_tape *tape, const rki_st_entry *entry);

/* When the tape goes back, `to` has this gradient; the entry's file stays open until then. */
void golden_give(rnnkit_tape *tape, rnnkit_tensor *to, const rki_st_entry *gradient);

/* Goes back from nothing but the gradients that were given. */
void golden_back(rnnkit_tape *tape);

void expect_tensor(const rki_st_entry *entry, const rnnkit_tensor *tensor, double limit);
void expect_gradient(const rki_st_entry *entry, const rnnkit_tensor *tensor, double limit);
void expect_parameter(
    const rki_st_entry *entry, rnnkit_model *model, const char *parameter, double limit);
void expect_state(const rki_st_entry *entry, const rnnkit_state *state, double limit);

/* A loss is a double even where tensors are float32. */
void expect_loss(const rki_st_entry *entry, const rnnkit_tensor *loss, double limit);

#endif
