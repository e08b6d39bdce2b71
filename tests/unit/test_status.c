/* Status and messages, wrong handles, and results that go to a caller's buffer. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/give.h"
#include "base/nearest.h"
#include "base/object.h"
#include "base/status.h"

static void test_message(void **state)
{
    (void)state;
    assert_int_equal(rki_fail(RNNKIT_E_SHAPE, "x is %d", 3), RNNKIT_E_SHAPE);
    assert_string_equal(rki_message(), "x is 3");
    rki_prefix_message("rnnkit_%s", "call");
    assert_string_equal(rnnkit_error_message(), "rnnkit_call: x is 3");
}

/* What is too long is cut, between characters. */
static void test_long_message(void **state)
{
    (void)state;
    char text[2 * RKI_MESSAGE_SIZE];
    for (size_t odd = 0; odd < 3; odd++) {
        memset(text, 'x', odd);
        for (size_t i = odd; i + 4 < sizeof text; i += 3)
            memcpy(text + i, "€", 4);
        rki_fail(RNNKIT_E_IO, "%s", text);
        size_t length = strlen(rki_message());
        assert_in_range(length, RKI_MESSAGE_SIZE - 4, RKI_MESSAGE_SIZE - 1);
        assert_int_equal((length - odd) % 3, 0);
        rki_prefix_message("call");
        length = strlen(rki_message());
        assert_in_range(length, RKI_MESSAGE_SIZE - 4, RKI_MESSAGE_SIZE - 1);
        assert_int_equal((length - odd) % 3, 0);
        assert_memory_equal(rki_message(), "call: ", 6);
    }
}

static void *fail_elsewhere(void *seen)
{
    *(int *)seen = rki_message()[0] == '\0';
    rki_fail(RNNKIT_E_IO, "elsewhere");
    return NULL;
}

static void test_thread(void **state)
{
    (void)state;
    pthread_t thread;
    int empty = 0;
    rki_fail(RNNKIT_E_IO, "here");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &empty), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(empty);
    assert_string_equal(rki_message(), "here");
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(rnnkit_status_name(RNNKIT_E_DIVERGED), "RNNKIT_E_DIVERGED");
    assert_string_equal(rnnkit_status_name(RNNKIT_STOPPED), "RNNKIT_STOPPED");
    assert_string_equal(rnnkit_status_name(-1000), "unknown status");
    assert_string_equal(rnnkit_status_name(3), "unknown status");
}

static void expect_handle(const void *handle, const char *message)
{
    assert_int_equal(rki_check(handle, RKI_KIND_MODEL, "model"), RNNKIT_E_HANDLE);
    assert_string_equal(rki_message(), message);
}

static void test_handles(void **state)
{
    (void)state;
    rki_object object;
    rki_object_init(&object, RKI_KIND_MODEL);
    assert_int_equal(rki_check(&object, RKI_KIND_MODEL, "model"), RNNKIT_OK);
    rki_object_retain(&object);
    assert_int_equal(rki_object_release(&object), 0);
    assert_int_equal(rki_check(&object, RKI_KIND_MODEL, "model"), RNNKIT_OK);
    assert_int_equal(rki_object_release(&object), 1);
    expect_handle(&object, "model was destroyed already, expected a model");
    rki_object_init(&object, RKI_KIND_TAPE);
    expect_handle(&object, "model is a tape, expected a model");
    object.kind = 4000000000u;
    expect_handle(&object, "model is not a handle, expected a model");
    memset(&object, 0, sizeof object);
    expect_handle(&object, "model is not a handle, expected a model");
    expect_handle(NULL, "model is NULL, expected a model");
}

static void test_give(void **state)
{
    (void)state;
    char buffer[8] = "before";
    int64_t needed = -1;
    assert_int_equal(rki_give_text("abc", NULL, 0, &needed), RNNKIT_E_TOO_SMALL);
    assert_int_equal(needed, 4);
    assert_int_equal(rki_give_text("abc", buffer, 3, &needed), RNNKIT_E_TOO_SMALL);
    assert_string_equal(buffer, "before");
    assert_int_equal(rki_give_text("abc", buffer, 4, &needed), RNNKIT_OK);
    assert_string_equal(buffer, "abc");
    needed = 77;
    assert_int_equal(rki_give_text("abc", NULL, 4, &needed), RNNKIT_E_ARGUMENT);
    assert_int_equal(rki_give_text("abc", buffer, -1, &needed), RNNKIT_E_ARGUMENT);
    assert_int_equal(needed, 77);
    assert_int_equal(rki_give_text("abc", buffer, 4, NULL), RNNKIT_E_ARGUMENT);
}

static const char *nearest(const char *wanted)
{
    static const char *const names[] = {"layers", "dropout", "bias", "temperature"};
    rki_nearest found = rki_nearest_start(wanted, strlen(wanted));
    for (size_t i = 0; i < 4; i++)
        rki_nearest_offer(&found, names[i]);
    return found.best;
}

static void test_nearest(void **state)
{
    (void)state;
    assert_string_equal(nearest("layer"), "layers");
    assert_string_equal(nearest("lyaers"), "layers");
    assert_string_equal(nearest("dorpout"), "dropout");
    assert_string_equal(nearest("tempertaure"), "temperature");
    assert_null(nearest("learning_rate"));
    assert_null(nearest("a word of more than forty bytes, which is much too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_message),
        cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_thread),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_give),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
