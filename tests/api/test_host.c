/* The process is the host's: whatever the library does, OpenMP's and BLAS's thread counts, the
 * floating-point mode, locale, working folder, signal handlers, environment and the C library's
 * random numbers are as they were, and nothing is printed. Matrix tiles are asked for where a
 * context may use them, and by nothing else. */
#include <dlfcn.h>
#include <fenv.h>
#include <float.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#endif

#include <cmocka.h>

#include "../support/scratch.h"
#include "../support/small_model.h"

extern char **environ;

typedef struct process {
    int omp_threads, omp_dynamic, blas_threads;
    int rounding, traps, denormals;
    char locale[256], folder[4096];
    struct handler {
        void (*function)(int);
        int flags, blocked; /* blocked: how many other signals */
    } handlers[32];
    size_t environment;
} process;

/* The value of an int function that some library of this process may have; -1 without it. */
static int ask(const char *function)
{
    int (*call)(void);
    void *symbol = dlsym(RTLD_DEFAULT, function);
    memcpy(&call, &symbol, sizeof call);
    return symbol == NULL ? -1 : call();
}

static struct handler look_at_handler(int number)
{
    struct sigaction action;
    struct handler found = {0};
    if (sigaction(number, NULL, &action) != 0) return found;
    found.function = action.sa_handler;
    found.flags = action.sa_flags;
    for (int i = 1; i < 32; i++)
        found.blocked += sigismember(&action.sa_mask, i);
    return found;
}

static process look(void)
{
    process now;
    memset(&now, 0, sizeof now);
    now.omp_threads = ask("omp_get_max_threads");
    now.omp_dynamic = ask("omp_get_dynamic");
    now.blas_threads = ask("openblas_get_num_threads");
    volatile float smallest = FLT_MIN;
    now.rounding = fegetround();
    now.traps = fegetexcept();
    now.denormals = smallest / 2 > 0;
    snprintf(now.locale, sizeof now.locale, "%s", setlocale(LC_ALL, NULL));
    assert_non_null(getcwd(now.folder, sizeof now.folder));
    for (int i = 1; i < 32; i++)
        now.handlers[i] = look_at_handler(i);
    for (char **entry = environ; *entry != NULL; entry++)
        now.environment++;
    return now;
}

/* Everything that a program does in its life, failures included. */
static void use_the_library(const char *device)
{
    rnnkit_context *context;
    small_model small;
    rnnkit_model *opened;
    char info[8192];
    int64_t needed;
    int32_t ids[20];
    double loss;
    must(rnnkit_build_info(info, sizeof info, &needed), "build info");
    assert_int_equal(rnnkit_context_create("abacus", NULL, &context), RNNKIT_E_BACKEND);
    assert_int_equal(rnnkit_context_create("cpu", "precision=bf16", &context), RNNKIT_E_BACKEND);
    assert_non_null(strstr(rnnkit_error_message(), "cpu has precision=full alone"));
    must(rnnkit_context_create("auto", "precision=bf16", &context), "auto takes what it has");
    rnnkit_context_destroy(context);
    must(rnnkit_context_create(device, "threads=2", &context), device);
    must(small_model_create(context, &small), "model");
    must(small_model_train(context, &small, &loss), "train");
    must(small_model_generate(&small, 1, ids, 20), "generate");
    must(rnnkit_model_save(small.model, scratch_path("host.safetensors")), "save");
    must(rnnkit_model_open(context, scratch_path("host.safetensors"), NULL, &opened), "open");
    assert_int_equal(rnnkit_model_open(context, scratch_path("none"), NULL, &opened), RNNKIT_E_IO);
    rnnkit_model_destroy(opened);
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
}

/* Whether Linux has given this process the tile registers of AMX. */
static int has_tiles(void)
{
#if defined(__x86_64__) && defined(__linux__)
    enum { GET_PERMISSION = 0x1022, TILE_DATA = 18 }; /* arch_prctl(2) */
    uint64_t given = 0;
    return syscall(SYS_arch_prctl, GET_PERMISSION, &given) == 0 && (given >> TILE_DATA & 1);
#else
    return 0;
#endif
}

static void train_with(const char *device, const char *options)
{
    rnnkit_context *context;
    small_model small;
    double loss;
    must(rnnkit_context_create(device, options, &context), options);
    must(small_model_create(context, &small), "model");
    must(small_model_train(context, &small, &loss), "train");
    small_model_destroy(&small);
    rnnkit_context_destroy(context);
}

/* Goes first: what Linux has given it never takes back. */
static void test_tiles(void **state)
{
    (void)state;
    rnnkit_context *context;
    char info[8192];
    int64_t needed;
    assert_false(has_tiles());
    must(rnnkit_build_info(info, sizeof info, &needed), "build info");
    assert_false(has_tiles());
    assert_int_equal(rnnkit_context_create("cpu", "isa=tiles", &context), RNNKIT_E_OPTION);
    train_with("cpu", "isa=avx512");
    train_with("cpu", "isa=portable");
    train_with("reference", NULL);
    assert_false(has_tiles());
    int expected = strstr(info, "instruction set amx") != NULL;
    train_with("cpu", NULL);
    must(rnnkit_build_info(info, sizeof info, &needed), "build info");
    int refused = strstr(info, "instruction set avx512 (of amx here)") != NULL;
    assert_int_equal(has_tiles(), expected && !refused);
}

/* Runs the library with the process in the state that it has now, and compares. */
static void expect_unchanged(const char *device)
{
    char name[] = "output";
    const char *path = scratch_path(name);
    fflush(NULL);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    assert_non_null(freopen(path, "w", stdout));
    assert_int_equal(dup2(STDOUT_FILENO, STDERR_FILENO), STDERR_FILENO);
    process before = look();
    srand(5);
    use_the_library(device);
    int drawn = rand();
    process after = look();
    fflush(NULL);
    assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
    assert_int_equal(dup2(err, STDERR_FILENO), STDERR_FILENO);
    close(out);
    close(err);
    size_t printed;
    unsigned char *text = scratch_read(path, &printed);
    assert_non_null(text);
    if (printed != 0) fail_msg("the library printed: %s", (char *)text);
    free(text);
    assert_int_equal(after.omp_threads, before.omp_threads);
    assert_int_equal(after.omp_dynamic, before.omp_dynamic);
    assert_int_equal(after.blas_threads, before.blas_threads);
    assert_int_equal(after.rounding, before.rounding);
    assert_int_equal(after.traps, before.traps);
    assert_int_equal(after.denormals, before.denormals);
    assert_string_equal(after.locale, before.locale);
    assert_string_equal(after.folder, before.folder);
    assert_memory_equal(after.handlers, before.handlers, sizeof before.handlers);
    assert_int_equal(after.environment, before.environment);
    srand(5);
    assert_int_equal(drawn, rand());
}

static void test_ordinary_process(void **state)
{
    (void)state;
    expect_unchanged("cpu");
    expect_unchanged("reference");
}

/* A host that rounds upwards, has another locale, handlers and OpenMP threads. */
static void handle(int number)
{
    (void)number;
}

static void test_special_process(void **state)
{
    (void)state;
    void (*set_threads)(int);
    void *symbol = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    memcpy(&set_threads, &symbol, sizeof set_threads);
    if (symbol != NULL) set_threads(3);
    assert_int_equal(fesetround(FE_UPWARD), 0);
    setlocale(LC_ALL, "C.UTF-8");
    signal(SIGINT, handle);
    signal(SIGFPE, handle);
    expect_unchanged("cpu");
    fesetround(FE_TONEAREST);
    setlocale(LC_ALL, "C");
    signal(SIGINT, SIG_DFL);
    signal(SIGFPE, SIG_DFL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_ordinary_process),
        cmocka_unit_test(test_special_process),
    };
    return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
