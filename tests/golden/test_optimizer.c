/* Optimisers and schedules go where PyTorch's go.
 *
 * The parameter is the weight of a linear layer with one output and no bias: with x as its input
 * the output is the loss, and x the gradient. What is asked for stands in the fixture's metadata.
 * Fixture: tests/golden/optimizer_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "expected.h"

#define PEAK "sgd lr=0.2"

typedef struct subject {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_linear *linear;
    rnnkit_tape *tape;
    rnnkit_optimizer *optimizer;
    int64_t width;
} subject;

/* "adam lr=0.1 beta1=0.8": the first word is cut off; what follows is returned. */
static char *cut_word(char *text)
{
    char *space = strchr(text, ' ');
    if (space == NULL) return text + strlen(text);
    *space = '\0';
    return space + 1;
}

static subject make_subject(const golden_device *device, const rki_st *st, const char *wish)
{
    const rki_st_entry *start = expected_entry(st, "start");
    subject s = {.context = golden_context(device), .width = start->count};
    char rule[256];
    snprintf(rule, sizeof rule, "%s", wish);
    const char *options = cut_word(rule);
    float *values = expected_floats(start);
    golden_ok(rnnkit_model_create(s.context, &s.model));
    golden_ok(rnnkit_linear_create(s.model, "p", s.width, 1, "bias=0", &s.linear));
    golden_ok(rnnkit_model_parameter_write(s.model, "p.weight", values, s.width));
    golden_ok(rnnkit_tape_create(s.context, "train=1", &s.tape));
    golden_ok(rnnkit_optimizer_create(s.model, rule, options, &s.optimizer));
    free(values);
    return s;
}

static void destroy_subject(subject *s)
{
    rnnkit_optimizer_destroy(s->optimizer);
    rnnkit_tape_destroy(s->tape);
    rnnkit_linear_destroy(s->linear);
    rnnkit_model_destroy(s->model);
    rnnkit_context_destroy(s->context);
}

static void update(const subject *s, const float *gradient)
{
    const int64_t dims[2] = {1, s->width};
    rnnkit_tensor *x, *loss;
    golden_ok(rnnkit_tape_clear(s->tape));
    golden_ok(rnnkit_tape_input(s->tape, gradient, dims, 2, &x));
    golden_ok(rnnkit_linear_forward(s->linear, s->tape, x, &loss));
    golden_ok(rnnkit_tape_backward(s->tape, loss));
    golden_ok(rnnkit_optimizer_step(s->optimizer));
}

static int is_about(const rki_st_text *text, const char *prefix)
{
    return strncmp(text->key, prefix, strlen(prefix)) == 0;
}

static void check_rule(const golden_device *device, const rki_st *st, const rki_st_text *wish)
{
    const rki_st_entry *places = expected_entry(st, "%s", wish->key);
    const rki_st_entry *given = expected_entry(st, "gradients");
    float *gradients = expected_floats(given), *values = expected_floats(given);
    subject s = make_subject(device, st, wish->value);
    for (int64_t n = 0; n < given->dims[0]; n++) {
        update(&s, gradients + n * s.width);
        golden_ok(rnnkit_model_parameter_read(s.model, "p.weight", values + n * s.width, s.width));
    }
    expect_agreement(places, values, places->count, device->limit);
    destroy_subject(&s);
    free(gradients);
    free(values);
}

static void optimizers_move_as_pytorchs(void **state)
{
    (void)state;
    rki_st *st = expected_open("optimizer.safetensors");
    int checked = 0;
    for (int i = 0; i < golden_device_count; i++)
        for (int64_t k = 0; k < rki_st_metadata_count(st); k++) {
            const rki_st_text *wish = rki_st_metadata_at(st, k);
            if (!is_about(wish, "rule.")) continue;
            check_rule(&golden_devices[i], st, wish);
            checked++;
        }
    assert_int_equal(checked, 14 * golden_device_count);
    rki_st_close(st);
}

static rnnkit_schedule *make_schedule(rnnkit_optimizer *optimizer, const char *wish)
{
    char shape[256];
    rnnkit_schedule *schedule;
    snprintf(shape, sizeof shape, "%s", wish);
    char *steps = cut_word(shape);
    const char *options = cut_word(steps);
    golden_ok(
        rnnkit_schedule_create(optimizer, shape, strtoll(steps, NULL, 10), options, &schedule));
    return schedule;
}

static void check_schedule(const rki_st *st, const rki_st_text *wish)
{
    const rki_st_entry *entry = expected_entry(st, "%s", wish->key);
    double *losses = expected_doubles(expected_entry(st, "losses"));
    double *expected = expected_doubles(entry);
    subject s = make_subject(&golden_devices[0], st, PEAK);
    rnnkit_schedule *schedule = make_schedule(s.optimizer, wish->value);
    for (int64_t n = 0; n < entry->count; n++) {
        double rate;
        golden_ok(rnnkit_optimizer_learning_rate(s.optimizer, &rate));
        if (!(rate >= expected[n] * (1 - 1e-12) && rate <= expected[n] * (1 + 1e-12)))
            fail_msg("%s: rate %.15g at update %lld, expected %.15g", wish->key, rate, (long long)n,
                expected[n]);
        golden_ok(rnnkit_schedule_step(schedule));
        golden_ok(rnnkit_schedule_observe(schedule, losses[n]));
    }
    rnnkit_schedule_destroy(schedule);
    destroy_subject(&s);
    free(losses);
    free(expected);
}

static void schedules_give_pytorchs_rates(void **state)
{
    (void)state;
    rki_st *st = expected_open("optimizer.safetensors");
    int checked = 0;
    for (int64_t k = 0; k < rki_st_metadata_count(st); k++) {
        const rki_st_text *wish = rki_st_metadata_at(st, k);
        if (!is_about(wish, "schedule.")) continue;
        check_schedule(st, wish);
        checked++;
    }
    assert_int_equal(checked, 7);
    rki_st_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(optimizers_move_as_pytorchs),
        cmocka_unit_test(schedules_give_pytorchs_rates)};
    return cmocka_run_group_tests_name("golden_optimizer", tests, NULL, NULL);
}
