/* The instruction set of the CPU's kernels: what caps it, a context's option for it, and that the
 * same training comes out of every set. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/small_model.h"
#include "backend/device.h"
#include "cpu/cpu.h"
#include "word2vec/word2vec.h"

static const char *const all_names[] = {"portable", "avx2", "avx512", "amx", "neon"};
enum { NAMES = sizeof all_names / sizeof all_names[0] };

static rnnkit_context *open_capped(const char *device, const char *name)
{
    rnnkit_context *context;
    char options[64];
    snprintf(options, sizeof options, "threads=1 seed=3 isa=%s", name);
    must(rnnkit_context_create(device, options, &context), options);
    return context;
}

static const rki_cpu *cpu_of(const rnnkit_context *context)
{
    return context->device->self;
}

/* What a name must do: a set of this processor's ladder is the most, any other name caps nothing. */
static rki_isa expected(const char *name)
{
    rki_isa best = rki_isa_chosen(NULL);
    for (rki_isa isa = RKI_ISA_PORTABLE; isa < best; isa++)
        if (strcmp(rki_isa_name(isa), name) == 0) return isa;
    return best;
}

static void test_caps(void **state)
{
    (void)state;
    assert_true(rki_isa_chosen(NULL) <= rki_isa_supported());
    for (int i = 0; i < NAMES; i++)
        assert_int_equal(rki_isa_chosen(all_names[i]), expected(all_names[i]));
    assert_int_equal(rki_isa_chosen("portable"), RKI_ISA_PORTABLE);
    assert_int_equal(rki_isa_chosen("auto"), rki_isa_chosen(NULL));
    assert_int_equal(rki_isa_chosen(""), rki_isa_chosen(NULL));
    assert_int_equal(rki_isa_chosen("avx"), rki_isa_chosen(NULL));
}

/* Each context has its own, whatever others have. */
static void test_contexts(void **state)
{
    (void)state;
    rnnkit_context *contexts[NAMES];
    for (int i = 0; i < NAMES; i++)
        contexts[i] = open_capped("cpu", all_names[i]);
    for (int i = 0; i < NAMES; i++) {
        assert_ptr_equal(
            cpu_of(contexts[i])->kernels, rki_isa_kernels(rki_isa_chosen(all_names[i])));
        assert_ptr_equal(cpu_of(contexts[i])->split, rki_isa_split(rki_isa_chosen(all_names[i])));
        rnnkit_context_destroy(contexts[i]);
    }
    contexts[0] = open_capped("cpu", "auto");
    assert_ptr_equal(cpu_of(contexts[0])->kernels, rki_isa_kernels(rki_isa_chosen(NULL)));
    rnnkit_context_destroy(contexts[0]);
}

/* word2vec trains on the CPU for every device, so the option is for all of them. */
static void expect_word2vec(const char *device, const char *name)
{
    rnnkit_context *context = open_capped(device, name);
    small_model small;
    rnnkit_word2vec *word2vec;
    must(small_model_create(context, &small), "model");
    must(rnnkit_word2vec_create(small.vocab, "dimension=4", &word2vec), "word2vec");
    assert_ptr_equal(word2vec->kernels, rki_w2v_kernels_of(rki_isa_chosen(name)));
    rnnkit_word2vec_destroy(word2vec);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
}

static void test_word2vec(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++)
        expect_word2vec("cpu", all_names[i]);
    expect_word2vec("reference", "portable");
}

static double loss_with(const char *name)
{
    rnnkit_context *context = open_capped("cpu", name);
    small_model small;
    double loss = NAN;
    must(small_model_create(context, &small), "model");
    must(small_model_train(context, &small, &loss), "train");
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
    return loss;
}

static void test_same_training(void **state)
{
    (void)state;
    double portable = loss_with("portable");
    assert_true(portable > 0.0);
    for (int i = 0; i < NAMES; i++) {
        double loss = loss_with(all_names[i]);
        if (!(fabs(loss - portable) <= 1e-5 * portable))
            fail_msg("isa=%s: loss %.9g, portable %.9g", all_names[i], loss, portable);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *options, *part;
    } cases[] = {
        {"isa=avx3", "auto|portable|avx2|avx512|amx|neon"},
        {"isa=", "auto|portable|avx2|avx512|amx|neon"},
        {"isa=AVX2", "auto|portable|avx2|avx512|amx|neon"},
        {"isa=\"avx2 \"", "auto|portable|avx2|avx512|amx|neon"},
        {"isa=avx2|amx", "auto|portable|avx2|avx512|amx|neon"},
        {"isa=2", "auto|portable|avx2|avx512|amx|neon"},
        {"isa=avx2 isa=avx2", "option isa is given twice"},
        {"max_isa=avx2", "context has no option 'max_isa'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rnnkit_context *context = NULL;
        int32_t status = rnnkit_context_create("cpu", cases[i].options, &context);
        if (status != RNNKIT_E_OPTION || context != NULL)
            fail_msg("%s gave %d", cases[i].options, (int)status);
        if (strstr(rnnkit_error_message(), cases[i].part) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", rnnkit_error_message(), cases[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_word2vec),
        cmocka_unit_test(test_same_training),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("isa", tests, NULL, NULL);
}
