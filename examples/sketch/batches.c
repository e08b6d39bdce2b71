/* See batches.h. The loss is the program's own: the rows that the network gives are read, their loss
 * and its gradient computed here (mixture.c), and rnnkit_tape_backward_from goes on from there.
 */
#include "batches.h"

#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/random.h"

int batches_open(batches *target, const drawings *source, const size_t *chosen, size_t count,
    const network *net, int64_t size, int64_t seed, int train)
{
    size_t longest = 0, room;

    *target = (batches){.source = source, .count = count, .scale = net->scale};
    target->chosen = malloc((count + 1) * sizeof *target->chosen);
    target->sizes = malloc((count + 1) * sizeof *target->sizes);
    if (target->chosen == NULL || target->sizes == NULL) return fail("out of memory");
    memcpy(target->chosen, chosen, count * sizeof *chosen);
    for (size_t i = 0; i < count; i++) {
        target->sizes[i] = (int32_t)source->lengths[chosen[i]];
        if ((size_t)target->sizes[i] > longest) longest = (size_t)target->sizes[i];
    }
    if (buckets_open(&target->parts, target->sizes, count, size, seed) != OUTCOME_OK)
        return OUTCOME_FAILED;
    room = (longest + 1) * target->parts.size;
    target->inputs = malloc(room * NETWORK_INPUTS * sizeof *target->inputs);
    target->truths = malloc(room * sizeof *target->truths);
    target->lengths = malloc(target->parts.size * sizeof *target->lengths);
    target->outputs = malloc(room * (size_t)net->width * sizeof *target->outputs);
    if (train) target->gradients = malloc(room * (size_t)net->width * sizeof *target->gradients);
    if (target->inputs == NULL || target->truths == NULL || target->lengths == NULL ||
        target->outputs == NULL || (train && target->gradients == NULL))
        return fail("out of memory");
    return OUTCOME_OK;
}

void batches_close(batches *target)
{
    buckets_close(&target->parts);
    free(target->chosen);
    free(target->sizes);
    free(target->inputs);
    free(target->truths);
    free(target->lengths);
    free(target->outputs);
    free(target->gradients);
    *target = (batches){0};
}

/* Stretches the drawing and leaves points out: a movement that is left out is added to the next one,
 * and only within a line (Ha and Eck 2017, section 3.4). Fills the truths of row b; the number of
 * points that are left. */
static int64_t vary(batches *target, int64_t b, size_t drawing)
{
    const pen_point *points = target->source->points + target->source->starts[drawing];
    int64_t count = target->source->lengths[drawing], kept = 0;
    variation *how = &target->vary;
    double x_scale = 1 / target->scale, y_scale = x_scale, dx = 0, dy = 0;

    if (how->stretch > 0) {
        x_scale *= 1 + how->stretch * (2 * random_uniform(&how->random) - 1);
        y_scale *= 1 + how->stretch * (2 * random_uniform(&how->random) - 1);
    }
    for (int64_t t = 0; t < count; t++) {
        int inside =
            t > 0 && t + 1 < count && points[t - 1].pen == PEN_DOWN && points[t].pen == PEN_DOWN;

        dx += (double)points[t].dx * x_scale;
        dy += (double)points[t].dy * y_scale;
        if (inside && how->drop_points > 0 && random_uniform(&how->random) < how->drop_points)
            continue;
        target->truths[kept++ * target->rows + b] =
            (pen_point){(float)dx, (float)dy, points[t].pen};
        dx = dy = 0;
    }
    target->truths[kept * target->rows + b] = (pen_point){0, 0, PEN_END};
    return kept;
}

int batches_next(batches *target)
{
    const size_t *items = NULL;
    size_t rows = buckets_next(&target->parts, &items);

    target->rows = (int64_t)rows;
    target->steps = target->points = 0;
    for (size_t b = 0; b < rows; b++) {
        int64_t count = vary(target, (int64_t)b, target->chosen[items[b]]) + 1;

        target->lengths[b] = (int32_t)count;
        target->points += count;
        if (count > target->steps) target->steps = count;
    }
    memset(target->inputs, 0,
        (size_t)(target->steps * target->rows) * NETWORK_INPUTS * sizeof *target->inputs);
    for (int64_t b = 0; b < target->rows; b++)
        for (int64_t t = 0; t < target->lengths[b]; t++)
            network_input(t == 0 ? NULL : &target->truths[(t - 1) * target->rows + b],
                target->inputs + (t * target->rows + b) * NETWORK_INPUTS);
    return rows > 0;
}

/* The loss of every row that counts, and its gradient; padding has none. */
static batch_loss measure_rows(batches *target, const network *net, int train)
{
    double scale = 1 / (double)target->points;
    batch_loss sum = {0, 0};

    if (train)
        memset(target->gradients, 0,
            (size_t)(target->steps * target->rows * net->width) * sizeof *target->gradients);
    for (int64_t t = 0; t < target->steps; t++)
        for (int64_t b = 0; b < target->rows; b++) {
            int64_t row = t * target->rows + b;
            mixture_loss one;

            if (t >= target->lengths[b]) continue;
            one = mixture_measure(target->outputs + row * net->width, net->mixtures,
                &target->truths[row], scale, train ? target->gradients + row * net->width : NULL);
            sum.offset += one.offset;
            sum.pen += one.pen;
        }
    return sum;
}

int batches_measure(batches *target, network *net, rnnkit_tape *tape, int train, batch_loss *loss)
{
    int64_t count = target->steps * target->rows * net->width;
    rnnkit_tensor *out;

    if (network_run(net, tape, target->inputs, target->lengths, NULL, target->steps, target->rows,
            &out) != OUTCOME_OK ||
        failed(rnnkit_tensor_read(out, target->outputs, count)))
        return OUTCOME_FAILED;
    *loss = measure_rows(target, net, train);
    return train ? failed(rnnkit_tape_backward_from(tape, out, target->gradients, count))
                 : OUTCOME_OK;
}
