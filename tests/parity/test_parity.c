/* Parity: every operation on every device and instruction set against the reference in float64;
 * NaN goes the same ways everywhere; CUDA with less precision too; the number of threads changes no
 * bit, nor does another run on a CUDA device.
 *
 * One case for each operation and device, named so: "gemm parity cpu". The CPU's instruction sets
 * share the reference's results, which take longest; a failure names the set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "operations.h"

enum { MOST_SUBJECTS = 8, MOST_THREADS = 4, PLAIN = -1 };
enum { REFERENCE_PLACE = 0, CPU_PLACE = 1 }; /* among the subjects; all sets of the CPU follow */

typedef struct test_case {
    const operation *op;
    int place, count; /* of the subjects, which share what is expected; or of the instruction set */
    char name[64];
} test_case;

static subject truth;
static subject subjects[MOST_SUBJECTS];
static subject cpus[MOST_SUBJECTS][MOST_THREADS]; /* by instruction set, then threads - 1 */
static int subject_count;
static int cuda_place;                             /* among the subjects; 0: there is none */
static const int narrow_place = MOST_SUBJECTS - 2; /* with TF32, then with bf16 */

static void compare_with_truth(const test_case *c, int shape, int poison)
{
    outcome expected, got;
    run_operation(c->op, shape, &truth, poison, &expected);
    for (int place = c->place; place < c->place + c->count; place++) {
        run_operation(c->op, shape, &subjects[place], poison, &got);
        assert_close(c->op->name, subjects[place].name, &expected, &got, c->op->tolerance);
        free_outcome(&got);
    }
    free_outcome(&expected);
}

static void test_parity(void **state)
{
    const test_case *c = *state;
    for (int shape = 0; shape < c->op->shapes; shape++)
        compare_with_truth(c, shape, PLAIN);
}

/* A NaN in each input in turn; every fifth shape will do. */
static void test_nan(void **state)
{
    const test_case *c = *state;
    for (int shape = 3; shape < c->op->shapes - 12; shape += 5) {
        outcome plain;
        run_operation(c->op, shape, &truth, PLAIN, &plain);
        int inputs = plain.inputs;
        free_outcome(&plain);
        for (int poison = 0; poison < inputs; poison++)
            compare_with_truth(c, shape, poison);
    }
}

static void test_threads(void **state)
{
    const test_case *c = *state;
    const subject *of = cpus[c->place];
    for (int shape = 0; shape < c->op->shapes; shape++) {
        outcome expected;
        run_operation(c->op, shape, &of[0], PLAIN, &expected);
        for (int i = 1; i < MOST_THREADS; i++) {
            outcome got;
            run_operation(c->op, shape, &of[i], PLAIN, &got);
            assert_identical(c->op->name, of[i].name, &expected, &got);
            free_outcome(&got);
        }
        free_outcome(&expected);
    }
}

/* The same call gives the same bits. */
static void test_repeat(void **state)
{
    const test_case *c = *state;
    for (int shape = 0; shape < c->op->shapes; shape++) {
        outcome expected, got;
        run_operation(c->op, shape, &subjects[c->place], PLAIN, &expected);
        run_operation(c->op, shape, &subjects[c->place], PLAIN, &got);
        assert_identical(c->op->name, subjects[c->place].name, &expected, &got);
        free_outcome(&expected);
        free_outcome(&got);
    }
}

static int open_devices(void **state)
{
    (void)state;
    truth = open_reference(RKI_FLOAT64);
    subjects[subject_count++] = open_reference(RKI_FLOAT32);
    for (int32_t isa = 0; isa < isa_count(); isa++) {
        for (int i = 0; i < MOST_THREADS; i++)
            cpus[isa][i] = open_cpu(isa, i + 1);
        subjects[subject_count++] = cpus[isa][1];
    }
    if (!open_cuda(RKI_PRECISION_FULL, &subjects[subject_count])) return 0;
    cuda_place = subject_count++;
    open_cuda(RKI_PRECISION_TF32, &subjects[narrow_place]);
    open_cuda(RKI_PRECISION_BF16, &subjects[narrow_place + 1]);
    return 0;
}

static int close_devices(void **state)
{
    (void)state;
    for (int32_t isa = 0; isa < isa_count(); isa++)
        for (int i = 0; i < MOST_THREADS; i++)
            close_subject(&cpus[isa][i]);
    close_subject(&subjects[0]);
    if (cuda_place > 0) {
        close_subject(&subjects[cuda_place]);
        close_subject(&subjects[narrow_place]);
        close_subject(&subjects[narrow_place + 1]);
    }
    close_subject(&truth);
    return 0;
}

enum { MOST_CASES = 1024 };
static test_case cases[MOST_CASES];
static struct CMUnitTest tests[MOST_CASES];
static size_t test_count;

static void add_case(const operation *op, const char *what, CMUnitTestFunction function, int place,
    int count, const subject *on, const char *name)
{
    if (op->offered != NULL && !op->offered(on->ops)) return;
    if (test_count == MOST_CASES) {
        fprintf(stderr, "there is room for %d cases\n", MOST_CASES);
        exit(1);
    }
    test_case *c = &cases[test_count];
    c->op = op;
    c->place = place;
    c->count = count;
    snprintf(c->name, sizeof c->name, "%.20s %.10s %.31s", op->name, what, name);
    tests[test_count++] = (struct CMUnitTest){c->name, function, NULL, NULL, c};
}

static void add_comparisons(const operation *op, int place, int count, const char *name)
{
    add_case(op, "parity", test_parity, place, count, &subjects[place], name);
    add_case(op, "nan", test_nan, place, count, &subjects[place], name);
}

static void add_cuda(const operation *op, int place)
{
    add_comparisons(op, place, 1, subjects[place].name);
    add_case(op, "repeat", test_repeat, place, 1, &subjects[place], subjects[place].name);
}

/* With an argument: only the cases whose name is like it. */
int main(int argc, char **argv)
{
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    open_devices(NULL);
    for (int i = 0; i < operation_count; i++) {
        const operation *op = &operations[i];
        add_comparisons(op, REFERENCE_PLACE, 1, subjects[REFERENCE_PLACE].name);
        add_comparisons(op, CPU_PLACE, isa_count(), "cpu");
        if (cuda_place > 0) add_cuda(op, cuda_place);
        for (int32_t isa = 0; isa < isa_count(); isa++)
            add_case(op, "threads", test_threads, isa, 1, &cpus[isa][0], cpus[isa][1].name);
    }
    for (int i = 0; i < narrow_operation_count && cuda_place > 0; i++)
        for (int place = narrow_place; place < narrow_place + 2; place++)
            add_cuda(&narrow_operations[i], place);
    int failed = _cmocka_run_group_tests("parity", tests, test_count, NULL, NULL);
    close_devices(NULL);
    return failed;
}
