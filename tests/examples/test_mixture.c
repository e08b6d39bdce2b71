/* The loss of examples/sketch: its gradient against central differences, a density that sums to 1,
 * finite numbers for every finite row, and draws that follow the density.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../examples/common/random.h"
#include "../../examples/sketch/mixture.h"

enum { M = 4, WIDTH = 6 * M + PENS };

static double total(const float *row, const pen_point *truth)
{
    mixture_loss loss = mixture_measure(row, M, truth, 1, NULL);
    return loss.offset + loss.pen;
}

static void fill(float *row, uint64_t *random, double size)
{
    for (int i = 0; i < WIDTH; i++)
        row[i] = (float)(size * random_normal(random));
}

static void gradient_agrees_with_differences(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int trial = 0; trial < 60; trial++) {
        float row[WIDTH], gradient[WIDTH];
        pen_point truth = {
            (float)random_normal(&random), (float)random_normal(&random), trial % PENS};
        fill(row, &random, trial < 30 ? 1 : 3);
        mixture_measure(row, M, &truth, 0.5, gradient);
        for (int i = 0; i < WIDTH; i++) {
            float kept = row[i], step = 0x1p-8f * (1 + fabsf(kept));
            double sides[2];
            row[i] = kept - step;
            double wide = -(double)row[i];
            sides[0] = total(row, &truth);
            row[i] = kept + step;
            wide += (double)row[i];
            sides[1] = total(row, &truth);
            row[i] = kept;
            double expected = 0.5 * (sides[1] - sides[0]) / wide, found = (double)gradient[i];
            if (fabs(expected - found) > 2e-3 * (1 + fabs(found)))
                fail_msg("trial %d, number %d: %g, by differences %g", trial, i, found, expected);
        }
    }
}

/* Over a fine grid, for a row whose mass lies well inside. */
static void density_sums_to_one(void **state)
{
    (void)state;
    enum { STEPS = 240 };
    uint64_t random = 3;
    for (int trial = 0; trial < 5; trial++) {
        float row[WIDTH];
        double sum = 0, side = 24.0 / STEPS;
        fill(row, &random, 0.5);
        for (int y = 0; y < STEPS; y++)
            for (int x = 0; x < STEPS; x++) {
                pen_point at = {
                    (float)(-12 + (x + 0.5) * side), (float)(-12 + (y + 0.5) * side), PEN_DOWN};
                sum += exp(-mixture_measure(row, M, &at, 1, NULL).offset) * side * side;
            }
        assert_true(fabs(sum - 1) < 1e-3);
    }
}

static void extreme_rows_stay_finite(void **state)
{
    (void)state;
    static const float sizes[] = {1e4f, 1e10f, 1e30f};
    uint64_t random = 5;
    for (int trial = 0; trial < 300; trial++) {
        float row[WIDTH], gradient[WIDTH];
        pen_point truth = {(float)(1e3 * random_normal(&random)), 0, trial % PENS};
        fill(row, &random, trial < 100 ? 50 : (double)sizes[trial % 3]);
        for (int i = M; i < 3 * M; i++) /* middles far out, but not beyond what can be squared */
            row[i] = fmaxf(-1e6f, fminf(1e6f, row[i]));
        mixture_loss loss = mixture_measure(row, M, &truth, 1, gradient);
        assert_true(isfinite(loss.offset) && isfinite(loss.pen));
        for (int i = 0; i < WIDTH; i++)
            assert_true(isfinite(gradient[i]));
        pen_point drawn = mixture_draw(row, M, 1, 1, &random);
        assert_true(isfinite(drawn.dx) && isfinite(drawn.dy) && drawn.pen >= 0 && drawn.pen < PENS);
    }
}

static void an_end_has_no_movement(void **state)
{
    (void)state;
    uint64_t random = 9;
    float row[WIDTH], gradient[WIDTH];
    pen_point end = {5, 5, PEN_END};
    fill(row, &random, 1);
    mixture_loss loss = mixture_measure(row, M, &end, 1, gradient);
    assert_true(loss.offset == 0 && loss.pen > 0);
    for (int i = 0; i < 6 * M; i++)
        assert_true(gradient[i] == 0);
}

/* Means, deviations, correlation and pens of many draws from one component. */
static void draws_follow_the_density(void **state)
{
    (void)state;
    enum { COUNT = 40000 };
    static const float row[6 + PENS] = {0, 1.5f, -2, 0.3f, -0.7f, 0.5f, 1, 0, -1};
    for (int cool = 0; cool < 2; cool++) {
        double temperature = cool ? 0.25 : 1, x = 0, y = 0, xx = 0, yy = 0, xy = 0, down = 0;
        uint64_t random = 11;
        for (int i = 0; i < COUNT; i++) {
            pen_point one = mixture_draw(row, 1, temperature, temperature, &random);
            double u = ((double)one.dx - 1.5) / exp(5 * tanh(0.3 / 5));
            double v = ((double)one.dy + 2) / exp(5 * tanh(-0.7 / 5));
            x += u / COUNT;
            y += v / COUNT;
            xx += u * u / COUNT;
            yy += v * v / COUNT;
            xy += u * v / COUNT;
            down += (double)(one.pen == PEN_DOWN) / COUNT;
        }
        double first = exp(1 / temperature), all = first + 1 + exp(-1 / temperature);
        assert_true(fabs(x) < 0.03 && fabs(y) < 0.03);
        assert_true(fabs(xx / temperature - 1) < 0.03 && fabs(yy / temperature - 1) < 0.03);
        assert_true(fabs(xy / temperature - 0.98 * tanh(0.5)) < 0.03);
        assert_true(fabs(down - first / all) < 0.02);
    }
}

static void without_temperature_it_is_sure(void **state)
{
    (void)state;
    uint64_t random = 13;
    float row[WIDTH];
    fill(row, &random, 1);
    row[2] = 20; /* component 2 */
    row[6 * M + PEN_LIFTED] = 20;
    for (int i = 0; i < 20; i++) {
        pen_point one = mixture_draw(row, M, 0, 0, &random);
        assert_true(one.dx == row[M + 2] && one.dy == row[2 * M + 2] && one.pen == PEN_LIFTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_agrees_with_differences),
        cmocka_unit_test(density_sums_to_one),
        cmocka_unit_test(extreme_rows_stay_finite),
        cmocka_unit_test(an_end_has_no_movement),
        cmocka_unit_test(draws_follow_the_density),
        cmocka_unit_test(without_temperature_it_is_sure),
    };
    return cmocka_run_group_tests_name("mixture", tests, NULL, NULL);
}
