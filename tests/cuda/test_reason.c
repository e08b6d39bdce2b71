/* What a user reads where the CUDA device cannot be used: every text, from what the runtime may
 * say; and, on a machine without a device, what the library itself answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../cuda/reason.h"
#include "rnnkit/rnnkit.h"

static const rki_cuda_facts good = {13000, 13000, 0, 2, NULL};

static void expect_refusal(rki_cuda_facts facts, const char *text)
{
    char reason[256];
    assert_int_equal(rki_cuda_explain_machine(&facts, reason, sizeof reason), 0);
    assert_string_equal(reason, text);
}

static void machines(void **state)
{
    (void)state;
    char reason[256] = "";
    assert_int_equal(rki_cuda_explain_machine(&good, reason, sizeof reason), 1);
    rki_cuda_facts facts = good;
    facts.driver = 0;
    facts.driver_too_old = 1; /* the runtime says so of no driver too */
    expect_refusal(facts, "there is no NVIDIA driver on this machine (libcuda.so.1)");
    facts.driver = 12080;
    expect_refusal(
        facts, "the NVIDIA driver knows CUDA 12.8, the plug-in needs 13.0 or a newer driver");
    facts = good;
    facts.devices = 0;
    expect_refusal(
        facts, "the NVIDIA driver shows no device (see nvidia-smi and CUDA_VISIBLE_DEVICES)");
    facts.error = "system not yet initialized";
    expect_refusal(facts, "CUDA cannot be used: system not yet initialized");
}

static int serves(const char *built, int capability)
{
    char reason[512] = "";
    rki_cuda_model model = {1, capability, "NVIDIA Some GPU"};
    int yes = rki_cuda_explain_device(&model, built, reason, sizeof reason);
    assert_true(yes || reason[0] != '\0');
    return yes;
}

static void architectures(void **state)
{
    (void)state;
    assert_true(serves("80-real", 80));
    assert_true(serves("80-real", 86)); /* same major, later minor */
    assert_false(serves("86-real", 80));
    assert_false(serves("80-real", 90)); /* no PTX */
    assert_true(serves("80-virtual", 90));
    assert_true(serves("80", 90)); /* plain: PTX too */
    assert_false(serves("80", 75));
    assert_true(serves("70-real,90-real,120", 121));
    assert_true(serves("70-real,90-real,120", 90));
    assert_false(serves("70-real,90-real,120", 100));
    assert_false(serves("120-virtual", 90));
}

static void the_text_names_device_and_list(void **state)
{
    (void)state;
    char reason[512];
    rki_cuda_model model = {1, 75, "NVIDIA T4"};
    assert_int_equal(rki_cuda_explain_device(&model, "80-real,120", reason, sizeof reason), 0);
    assert_string_equal(reason, "cuda:1 (NVIDIA T4) has compute capability 7.5, for which this "
                                "plug-in has no code (built for 80-real,120)");
}

/* Short room cuts a text; nothing is written behind it. */
static void short_room(void **state)
{
    (void)state;
    char reason[16];
    memset(reason, 'x', sizeof reason);
    rki_cuda_facts facts = good;
    facts.driver = 0;
    assert_int_equal(rki_cuda_explain_machine(&facts, reason, 8), 0);
    assert_string_equal(reason, "there i");
    assert_int_equal(reason[8], 'x');
}

/* Through the library: a context, or one line that says what is missing; and auto works anyway. */
static void through_the_library(void **state)
{
    (void)state;
    rnnkit_context *context = NULL;
    int32_t status = rnnkit_context_create("cuda", NULL, &context);
    if (status == RNNKIT_OK) {
        assert_string_equal(rnnkit_context_device(context), "cuda:0");
        rnnkit_context_destroy(context);
        assert_int_equal(rnnkit_context_create("cuda:99", NULL, &context), RNNKIT_E_BACKEND);
        assert_non_null(strstr(rnnkit_error_message(), "cuda:99: there "));
        assert_int_equal(
            rnnkit_context_create("cuda", "dtype=float64", &context), RNNKIT_E_BACKEND);
        assert_non_null(strstr(rnnkit_error_message(), "cuda computes in float32"));
        return;
    }
    const char *message = rnnkit_error_message();
    assert_int_equal(status, RNNKIT_E_BACKEND);
    assert_null(context);
    assert_non_null(strstr(message, "device 'cuda': "));
    assert_null(strchr(message, '\n'));
    if (strstr(message, "NVIDIA") == NULL && strstr(message, "cuBLAS") == NULL &&
        strstr(message, "CUDA cannot") == NULL && strstr(message, "librnnkit-cuda.so") == NULL)
        fail_msg("this is no reason: %s", message);
    assert_int_equal(rnnkit_context_create("auto", NULL, &context), RNNKIT_OK);
    assert_string_equal(rnnkit_context_device(context), "cpu");
    rnnkit_context_destroy(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machines),
        cmocka_unit_test(architectures),
        cmocka_unit_test(the_text_names_device_and_list),
        cmocka_unit_test(short_room),
        cmocka_unit_test(through_the_library),
    };
    return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
