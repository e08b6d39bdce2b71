/* See mixture.h. In double, with all sums of exponentials taken from their largest term. */
#include "mixture.h"

#include <math.h>

#include "../common/random.h"

static const double log_2_pi = 1.8378770664093453, widest = 5, tightest = 0.98;

int64_t mixture_width(int64_t components)
{
    return 6 * components + PENS;
}

/* log of the sum of exp(values). */
static double log_sum(const double *values, int64_t count)
{
    double most = values[0], sum = 0;

    for (int64_t i = 1; i < count; i++)
        most = fmax(most, values[i]);
    for (int64_t i = 0; i < count; i++)
        sum += exp(values[i] - most);
    return most + log(sum);
}

/* One component's numbers; u and v are the distances from the middle, in deviations. */
typedef struct component {
    double bend_x, bend_y, bend_r; /* the tanh of each */
    double log_x, log_y, r;
    double u, v, log_density;
} component;

static component component_at(
    const float *row, int64_t components, int64_t j, const pen_point *truth)
{
    component one;
    double free_part;

    one.bend_x = tanh((double)row[3 * components + j] / widest);
    one.bend_y = tanh((double)row[4 * components + j] / widest);
    one.bend_r = tanh((double)row[5 * components + j]);
    one.log_x = widest * one.bend_x;
    one.log_y = widest * one.bend_y;
    one.r = tightest * one.bend_r;
    one.u = ((double)truth->dx - (double)row[components + j]) * exp(-one.log_x);
    one.v = ((double)truth->dy - (double)row[2 * components + j]) * exp(-one.log_y);
    free_part = 1 - one.r * one.r;
    one.log_density = -log_2_pi - one.log_x - one.log_y - 0.5 * log(free_part) -
                      (one.u * one.u + one.v * one.v - 2 * one.r * one.u * one.v) / (2 * free_part);
    return one;
}

/* Graves 2013, equations 27 to 38; `part` is the component's share of the density. */
static void component_gradient(
    const component *one, int64_t components, int64_t j, double part, double scale, float *gradient)
{
    double c = 1 / (1 - one->r * one->r), by_r;
    double toward_u = one->u - one->r * one->v, toward_v = one->v - one->r * one->u;
    double z = one->u * one->u + one->v * one->v - 2 * one->r * one->u * one->v;

    by_r = c * (one->u * one->v + one->r * (1 - c * z));
    gradient[components + j] = (float)(-scale * part * c * toward_u * exp(-one->log_x));
    gradient[2 * components + j] = (float)(-scale * part * c * toward_v * exp(-one->log_y));
    gradient[3 * components + j] =
        (float)(-scale * part * (c * one->u * toward_u - 1) * (1 - one->bend_x * one->bend_x));
    gradient[4 * components + j] =
        (float)(-scale * part * (c * one->v * toward_v - 1) * (1 - one->bend_y * one->bend_y));
    gradient[5 * components + j] =
        (float)(-scale * part * by_r * tightest * (1 - one->bend_r * one->bend_r));
}

static double measure_offset(
    const float *row, int64_t components, const pen_point *truth, double scale, float *gradient)
{
    component all[MIXTURE_MOST];
    double logits[MIXTURE_MOST] = {0}, joint[MIXTURE_MOST] = {0}, whole, total;

    for (int64_t j = 0; j < components; j++) {
        all[j] = component_at(row, components, j, truth);
        logits[j] = (double)row[j];
        joint[j] = logits[j] + all[j].log_density;
    }
    whole = log_sum(logits, components);
    total = log_sum(joint, components);
    for (int64_t j = 0; j < components && gradient != NULL; j++) {
        double part = exp(joint[j] - total);

        gradient[j] = (float)(scale * (exp(logits[j] - whole) - part));
        component_gradient(&all[j], components, j, part, scale, gradient);
    }
    return whole - total;
}

static double measure_pen(const float *row, int pen, double scale, float *gradient)
{
    double logits[PENS], whole;

    for (int i = 0; i < PENS; i++)
        logits[i] = (double)row[i];
    whole = log_sum(logits, PENS);
    for (int i = 0; i < PENS && gradient != NULL; i++)
        gradient[i] = (float)(scale * (exp(logits[i] - whole) - (i == pen)));
    return whole - logits[pen];
}

mixture_loss mixture_measure(
    const float *row, int64_t components, const pen_point *truth, double scale, float *gradient)
{
    int64_t pens = 6 * components;
    mixture_loss loss = {0, 0};

    loss.pen =
        measure_pen(row + pens, truth->pen, scale, gradient == NULL ? NULL : gradient + pens);
    if (truth->pen != PEN_END)
        loss.offset = measure_offset(row, components, truth, scale, gradient);
    else
        for (int64_t i = 0; i < pens && gradient != NULL; i++)
            gradient[i] = 0;
    return loss;
}

/* Which of the logits at a temperature. */
static int64_t draw_one(const float *logits, int64_t count, double temperature, uint64_t *random)
{
    double scaled[MIXTURE_MOST] = {0}, whole, left;
    int64_t best = 0;

    for (int64_t i = 1; i < count; i++)
        if (logits[i] > logits[best]) best = i;
    if (temperature <= 0) return best;
    for (int64_t i = 0; i < count; i++)
        scaled[i] = ((double)logits[i] - (double)logits[best]) / temperature;
    whole = log_sum(scaled, count);
    left = random_uniform(random);
    for (int64_t i = 0; i < count; i++) {
        left -= exp(scaled[i] - whole);
        if (left < 0) return i;
    }
    return best;
}

pen_point mixture_draw(const float *row, int64_t components, double temperature,
    double pen_temperature, uint64_t *random)
{
    static const pen_point nowhere = {0, 0, PEN_DOWN};
    int64_t j = draw_one(row, components, temperature, random);
    component one = component_at(row, components, j, &nowhere);
    double a = random_normal(random), b = random_normal(random);
    double spread = sqrt(temperature > 0 ? temperature : 0);
    pen_point drawn;

    drawn.dx = (float)((double)row[components + j] + exp(one.log_x) * spread * a);
    drawn.dy = (float)((double)row[2 * components + j] +
                       exp(one.log_y) * spread * (one.r * a + sqrt(1 - one.r * one.r) * b));
    drawn.pen = (int)draw_one(row + 6 * components, PENS, pen_temperature, random);
    return drawn;
}
