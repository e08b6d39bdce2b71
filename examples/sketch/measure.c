/* See measure.h. */
#include "measure.h"

#include "../common/console.h"
#include "../common/interrupt.h"

int measure(batches *from, network *net, rnnkit_context *context, measured *out)
{
    rnnkit_tape *tape = NULL;
    int outcome = failed(rnnkit_tape_create(context, "train=0", &tape));

    *out = (measured){0};
    buckets_sort(&from->parts);
    while (outcome == OUTCOME_OK && batches_next(from)) {
        batch_loss sum = {0, 0};

        outcome = failed(rnnkit_tape_clear(tape));
        if (outcome == OUTCOME_OK) outcome = batches_measure(from, net, tape, 0, &sum);
        out->offset += sum.offset;
        out->pen += sum.pen;
        out->points += from->points;
        if (outcome == OUTCOME_OK && interrupt_signal() != 0) outcome = OUTCOME_INTERRUPTED;
    }
    out->offset /= (double)out->points;
    out->pen /= (double)out->points;
    rnnkit_tape_destroy(tape);
    return outcome;
}
