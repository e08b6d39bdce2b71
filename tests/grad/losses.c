/* Gradients of the losses. See gradient.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "gradient.h"
#include "losses.h"

static double softmax_loss(void *problem)
{
    rki_softmax_loss call = *(rki_softmax_loss *)problem;
    call.dx = NULL; /* evaluation alone: the way without gradients must give the same loss */
    assert_int_equal(ops->softmax_loss(device, &call), 0);
    return call.scale * *call.loss;
}

static void softmax_loss_backward(void *problem)
{
    const rki_softmax_loss *call = problem;
    assert_int_equal(ops->softmax_loss(device, call), 0);
}

enum { CLASSES = 11 };

static void check_softmax_loss(const char *name, double smoothing, const double *class_weights)
{
    enum { ROWS = 7, INPUTS = 5 };
    static const int32_t targets[ROWS] = {0, 10, 3, 3, 7, 1, 10};
    variable v[] = {{"x", randoms(ROWS * INPUTS, 1), zeros(ROWS * INPUTS), ROWS * INPUTS},
        {"W", randoms(CLASSES * INPUTS, 1), zeros(CLASSES * INPUTS), CLASSES * INPUTS},
        {"b", randoms(CLASSES, 1), zeros(CLASSES), CLASSES}};
    rki_softmax_loss call = {.rows = ROWS,
        .inputs = INPUTS,
        .classes = CLASSES,
        .scale = 0.7,
        .smoothing = smoothing,
        .class_weight_sum = CLASSES,
        .class_weights = class_weights,
        .x = v[0].values,
        .weight = v[1].values,
        .bias = v[2].values,
        .targets = targets,
        .loss = zeros(1),
        .row_loss = zeros(ROWS),
        .dx = v[0].gradient,
        .dweight = v[1].gradient,
        .dbias = v[2].gradient};
    for (int i = 0; i < CLASSES && class_weights; i++)
        call.class_weight_sum += class_weights[i] - 1.0;
    call.scratch = bytes_of(ops->softmax_loss_scratch(device, &call));
    gradient_check check = {name, v, 3, &call, softmax_loss, softmax_loss_backward};
    check_gradients(&check);
}

void test_softmax_loss(void **state)
{
    (void)state;
    check_softmax_loss("softmax_loss", 0.0, NULL);
}

void test_softmax_loss_weights(void **state)
{
    (void)state;
    static const double weights[CLASSES] = {0.5, 2.0, 0.0, 1.5, 1.0, 3.0, 0.0, 0.25, 1.0, 1.0, 0.7};
    check_softmax_loss("softmax_loss smoothed", 0.2, NULL);
    check_softmax_loss("softmax_loss smoothed to the end", 1.0, NULL);
    check_softmax_loss("softmax_loss weighted", 0.0, weights);
    check_softmax_loss("softmax_loss weighted and smoothed", 0.2, weights);
}

typedef struct pointwise {
    rki_pointwise_loss call;
    const variable *x;
} pointwise;

static double pointwise_loss(void *problem)
{
    pointwise *p = problem;
    rki_pointwise_loss call = p->call;
    call.dx = NULL;
    assert_int_equal(ops->pointwise_loss(device, &call), 0);
    return call.scale * *call.loss;
}

static void pointwise_backward(void *problem)
{
    const pointwise *p = problem;
    assert_int_equal(ops->pointwise_loss(device, &p->call), 0);
}

/* Kinks (|d| at 0; Huber has none in its first derivative) are farther off than the step. */
static void check_pointwise(const char *name, rki_pointwise rule, const double *weights)
{
    enum { PARTS = 9, WIDTH = 3, COUNT = PARTS * WIDTH };
    variable x = {"x", randoms(COUNT, 3), zeros(COUNT), COUNT};
    double *targets = randoms(COUNT, 0.5);
    for (int i = 0; i < COUNT; i++) {
        targets[i] += 0.5;
        if (fabs(x.values[i] - targets[i]) < 1e-3) x.values[i] += 0.1;
    }
    pointwise p = {.call = {.rule = rule,
                       .count = COUNT,
                       .width = WIDTH,
                       .positive = 2.5,
                       .delta = 0.8,
                       .scale = 0.7,
                       .x = x.values,
                       .targets = targets,
                       .weights = weights,
                       .loss = zeros(1),
                       .dx = x.gradient},
        .x = &x};
    gradient_check check = {name, &x, 1, &p, pointwise_loss, pointwise_backward};
    check_gradients(&check);
}

void test_pointwise_loss(void **state)
{
    (void)state;
    static const double weights[] = {1, 0, 2.5, 0.1, 0, 1, 1, 3, 0};
    static const char *const names[] = {"binary cross-entropy", "squared", "absolute", "huber"};
    for (int rule = 0; rule < 4; rule++) {
        check_pointwise(names[rule], (rki_pointwise)rule, NULL);
        check_pointwise(names[rule], (rki_pointwise)rule, weights);
    }
}
