/* A script generator that was trained in PyTorch (embedding, LSTM, linear), saved as its
 * state_dict, loads unchanged and gives the same probabilities of the next word.
 *
 * Fixtures: tests/golden/course_fixture.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "expected.h"

static const char *const file = "course.safetensors";

typedef struct course_model {
    rnnkit_context *context;
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
} course_model;

static course_model load(const golden_device *device)
{
    course_model m;
    rki_st *st = expected_open(file);
    const int64_t *table = expected_entry(st, "embedding.weight")->dims;
    int64_t hidden = expected_entry(st, "linear.weight")->dims[1];
    m.context = golden_context(device);
    golden_ok(rnnkit_model_create(m.context, &m.model));
    golden_ok(
        rnnkit_embedding_create(m.model, "embedding", table[0], table[1], NULL, &m.embedding));
    golden_ok(
        rnnkit_lstm_create(m.model, "lstm", table[1], hidden, "layers=2 dropout=0.5", &m.lstm));
    golden_ok(rnnkit_linear_create(m.model, "linear", hidden, table[0], NULL, &m.linear));
    golden_ok(rnnkit_model_load_parameters(m.model, file, NULL));
    rki_st_close(st);
    return m;
}

static void destroy(course_model *m)
{
    rnnkit_linear_destroy(m->linear);
    rnnkit_rnn_destroy(m->lstm);
    rnnkit_embedding_destroy(m->embedding);
    rnnkit_model_destroy(m->model);
    rnnkit_context_destroy(m->context);
}

/* The words one after the other: each beginning of the window has its row. */
static void check_window(const golden_device *device)
{
    course_model m = load(device);
    rki_st *st = expected_open("course_expected.safetensors");
    const rki_st_entry *rows = expected_entry(st, "probabilities");
    int32_t *ids = expected_ids(expected_entry(st, "ids"));
    int64_t words = rows->dims[1];
    float *values = malloc((size_t)rows->count * sizeof *values);
    rnnkit_generator *generator;
    assert_non_null(values);
    golden_ok(rnnkit_generator_create(m.embedding, m.lstm, m.linear, NULL, NULL, &generator));
    for (int64_t n = 0; n < rows->dims[0]; n++) {
        golden_ok(rnnkit_generator_prime_ids(generator, &ids[n], 1));
        golden_ok(rnnkit_generator_probabilities(generator, values + n * words, words));
    }
    expect_agreement(rows, values, rows->count, device->limit);
    rnnkit_generator_destroy(generator);
    free(values);
    free(ids);
    rki_st_close(st);
    destroy(&m);
}

static void gives_the_same_probabilities(void **state)
{
    (void)state;
    for (int i = 0; i < golden_device_count; i++)
        check_window(&golden_devices[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_the_same_probabilities)};
    return cmocka_run_group_tests_name("golden_course", tests, NULL, NULL);
}
