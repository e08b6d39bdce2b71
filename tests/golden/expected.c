/* Expectations for golden tests. See expected.h. */
#include "expected.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The last one counts only where it can be used. */
const golden_device golden_devices[] = {
    {"cpu", "threads=1", 1e-5},
    {"cpu", "threads=2", 1e-5},
#ifdef GOLDEN_REFERENCE
    {"reference", "dtype=float64", 2e-7},
#endif
    {"cuda", NULL, 1e-5},
};
int golden_device_count = sizeof golden_devices / sizeof *golden_devices - 1;

__attribute__((constructor)) static void look_for_cuda(void)
{
    rnnkit_context *context;
    if (rnnkit_context_create("cuda", NULL, &context) < 0) return;
    rnnkit_context_destroy(context);
    golden_device_count++;
}

void golden_ok(int32_t status)
{
    if (status < RNNKIT_OK) fail_msg("%s", rnnkit_error_message());
}

rki_st *expected_open(const char *path)
{
    static rki_memory memory; /* an open file keeps its address */
    rki_st *st;
    memory = rki_default_memory();
    golden_ok(rki_st_open_file(&memory, path, &st));
    return st;
}

rnnkit_context *golden_context(const golden_device *device)
{
    rnnkit_context *context;
    golden_ok(rnnkit_context_create(device->name, device->options, &context));
    return context;
}

const rki_st_entry *expected_entry(const rki_st *st, const char *format, ...)
{
    char name[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    const rki_st_entry *entry = rki_st_find(st, name);
    if (entry == NULL) fail_msg("the fixture has no %s", name);
    return entry;
}

static void *room(const rki_st_entry *entry, size_t size)
{
    void *block = malloc((size_t)entry->count * size);
    assert_non_null(block);
    return block;
}

double *expected_doubles(const rki_st_entry *entry)
{
    double *values = room(entry, sizeof *values);
    golden_ok(rki_st_read_float64(entry, values));
    return values;
}

float *expected_floats(const rki_st_entry *entry)
{
    float *values = room(entry, sizeof *values);
    golden_ok(rki_st_read_float32(entry, values));
    return values;
}

int32_t *expected_ids(const rki_st_entry *entry)
{
    int64_t *wide = room(entry, sizeof *wide);
    int32_t *ids = room(entry, sizeof *ids);
    golden_ok(rki_st_read_int64(entry, wide));
    for (int64_t i = 0; i < entry->count; i++)
        ids[i] = (int32_t)wide[i];
    free(wide);
    return ids;
}

static double root_mean_square(const double *values, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i] * values[i];
    return sqrt(sum / (double)count);
}

/* NaN counts as infinitely far. */
static double error_at(double value, double expected, double scale)
{
    double size = fmax(fabs(expected), scale);
    if (value == expected) return 0;
    return isnan(value) || size == 0 ? INFINITY : fabs(value - expected) / size;
}

void expect_agreement(const rki_st_entry *entry, const float *values, int64_t count, double limit)
{
    double *expected = expected_doubles(entry);
    double worst = 0;
    int64_t place = 0;
    assert_int_equal(count, entry->count);
    double scale = root_mean_square(expected, count);
    for (int64_t i = 0; i < count; i++) {
        double error = error_at(values[i], expected[i], scale);
        if (error > worst) {
            worst = error;
            place = i;
        }
    }
    print_message("%-36s %.1e\n", entry->name, worst);
    if (worst > limit)
        fail_msg("%s[%lld]: %.9g, expected %.9g: error %.2g", entry->name, (long long)place,
            (double)values[place], expected[place], worst);
    free(expected);
}

void expect_parameters(
    const rki_st *st, rnnkit_model *model, const char *name, int64_t others, double limit)
{
    size_t prefix = strlen(name) + 1;
    int64_t parameters, found = 0;
    char gradients[128];
    golden_ok(rnnkit_model_size(model, &parameters, NULL));
    for (int64_t i = 0; i < parameters; i++) {
        const char *parameter = rnnkit_model_parameter_name(model, i);
        const rki_st_entry *entry = expected_entry(st, "%s.gradient.%s", name, parameter + prefix);
        float *values = calloc((size_t)entry->count, sizeof *values);
        assert_non_null(values);
        golden_ok(rnnkit_model_gradient_read(model, parameter, values, entry->count));
        expect_agreement(entry, values, entry->count, limit);
        free(values);
    }
    int length = snprintf(gradients, sizeof gradients, "%s.gradient.", name);
    for (int64_t i = 0; i < rki_st_count(st); i++)
        found += strncmp(rki_st_entry_at(st, i)->name, gradients, (size_t)length) == 0;
    assert_int_equal(parameters + others, found); /* every one was looked at */
}

static golden_run *run_of_group;

static void agrees_with_pytorch(void **state)
{
    for (int i = 0; i < golden_device_count; i++)
        run_of_group(*state, &golden_devices[i]);
}

int golden_main(const char *group, const void *cases, size_t count, size_t size, golden_run *run)
{
    enum { MOST = 64 };
    struct CMUnitTest tests[MOST] = {{0}};
    if (count > MOST) return 1;
    run_of_group = run;
    for (size_t i = 0; i < count; i++) {
        const char *of = (const char *)cases + i * size;
        tests[i].name = *(const char *const *)(const void *)of;
        tests[i].test_func = agrees_with_pytorch;
        tests[i].initial_state = (void *)(uintptr_t)of;
    }
    return _cmocka_run_group_tests(group, tests, count, NULL, NULL);
}
