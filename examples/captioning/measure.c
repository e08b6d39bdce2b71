/* See measure.h. */
#include "measure.h"

#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"

static int sum_losses(
    network *net, rnnkit_tape *tape, const gallery *pictures, batches *from, measured *out)
{
    view_room room = {0};
    int outcome = view_room_make(&room, pictures, (int64_t)from->parts.size);
    double sum = 0;
    batch next;

    buckets_sort(&from->parts);
    while (outcome == OUTCOME_OK && batches_next(from, &next)) {
        rnnkit_tensor *loss;
        double value = 0;
        view seen;

        outcome = failed(rnnkit_tape_clear(tape));
        if (outcome == OUTCOME_OK)
            outcome = network_see(net, tape, pictures, next.pictures, next.rows, &room, &seen);
        if (outcome == OUTCOME_OK)
            outcome = network_loss(
                net, tape, &seen, next.inputs, next.targets, next.steps, next.rows, &loss);
        if (outcome == OUTCOME_OK) outcome = failed(rnnkit_tensor_item(loss, &value));
        sum += value * (double)next.words;
        out->words += next.words;
        out->captions += next.rows;
        if (outcome == OUTCOME_OK && interrupt_signal() != 0) outcome = OUTCOME_INTERRUPTED;
    }
    out->loss = sum / (double)out->words;
    view_room_free(&room);
    return outcome;
}

static int measure_loss(network *net, rnnkit_context *context, const gallery *pictures,
    const captions *known, const unsigned char *part, int which, measured *out)
{
    rnnkit_tape *tape = NULL;
    batches from = {0};
    int outcome = batches_open(&from, known, part, which, WRITER_BATCH, 0);

    if (outcome == OUTCOME_OK) outcome = failed(rnnkit_tape_create(context, "train=0", &tape));
    if (outcome == OUTCOME_OK) outcome = sum_losses(net, tape, pictures, &from, out);
    rnnkit_tape_destroy(tape);
    batches_close(&from);
    return outcome;
}

static int is_known(const captions *known, size_t first, const written *found)
{
    size_t end = captions_next(known, first);

    for (size_t i = first; i < end; i++)
        if (known->items[i].count == found->count &&
            memcmp(known->items[i].ids, found->ids, (size_t)found->count * sizeof *found->ids) == 0)
            return 1;
    return 0;
}

typedef struct exactness {
    writer pen;
    const captions *known;
    measure_wrong wrong;
    void *user;
    size_t firsts[WRITER_BATCH];
    int64_t which[WRITER_BATCH], count, right, all;
} exactness;

static int finish_batch(exactness *self)
{
    int outcome = self->count > 0 ? writer_run(&self->pen, self->which, self->count) : OUTCOME_OK;

    for (int64_t i = 0; i < self->count && outcome == OUTCOME_OK; i++) {
        written found;
        int right = 0;

        outcome = writer_take(&self->pen, i, &found);
        if (outcome == OUTCOME_OK) right = is_known(self->known, self->firsts[i], &found);
        if (outcome == OUTCOME_OK && !right && self->wrong != NULL)
            outcome = self->wrong(self->user, &self->pen, self->firsts[i], &found);
        self->right += right;
        self->all++;
    }
    self->count = 0;
    return outcome == OUTCOME_OK && interrupt_signal() != 0 ? OUTCOME_INTERRUPTED : outcome;
}

static int measure_exactness(exactness *self, const unsigned char *part, int which)
{
    int outcome = OUTCOME_OK;

    for (size_t i = 0; i < self->known->count && outcome == OUTCOME_OK;
         i = captions_next(self->known, i)) {
        if (part[self->known->items[i].picture] != which) continue;
        self->firsts[self->count] = i;
        self->which[self->count++] = self->known->items[i].picture;
        if (self->count == WRITER_BATCH) outcome = finish_batch(self);
    }
    return outcome == OUTCOME_OK ? finish_batch(self) : outcome;
}

int measure(network *net, rnnkit_context *context, const gallery *pictures, const captions *known,
    const unsigned char *part, int which, int64_t beam, measure_wrong wrong, void *user,
    measured *out)
{
    exactness self = {.known = known, .wrong = wrong, .user = user};
    int outcome;

    *out = (measured){0};
    outcome = measure_loss(net, context, pictures, known, part, which, out);
    if (outcome == OUTCOME_OK) outcome = writer_open(&self.pen, net, context, pictures, beam);
    if (outcome == OUTCOME_OK) outcome = measure_exactness(&self, part, which);
    out->pictures = self.all;
    out->exact = (double)self.right / (double)self.all;
    writer_close(&self.pen);
    return outcome;
}
