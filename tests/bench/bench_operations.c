/* Times operations of the CPU backend and holds them against what one core of the machine can do.
 *
 *   bench_operations [threads=N] [isa=portable|avx2|avx512|amx|neon] [gemm=auto|own|blas]
 *                    [clock=wall|cpu] [seconds=S] [text]
 *
 * With a text: only the cases whose label contains it. Per cent are of N cores' peak of
 * multiply-adds, or of the speed at which one core reads and writes memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cases.h"
#include "measure.h"
#include "timing.h"

typedef struct settings {
    int64_t threads;
    rki_isa isa;
    rki_gemm_policy policy;
    double seconds;
    const char *text;
} settings;

/* The place of `text` in a list of names, or -1. */
static int find(const char *const *names, int count, const char *text)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], text) == 0) return i;
    return -1;
}

static int read_setting(const char *argument, settings *s)
{
    static const char *const policies[] = {"auto", "own", "blas"};
    if (strncmp(argument, "threads=", 8) == 0) {
        s->threads = atoi(argument + 8);
        return s->threads > 0;
    }
    if (strncmp(argument, "seconds=", 8) == 0) {
        s->seconds = atof(argument + 8);
        return 1;
    }
    if (strcmp(argument, "clock=cpu") == 0) {
        timing_of_processor();
        return 1;
    }
    if (strncmp(argument, "isa=", 4) == 0) {
        for (s->isa = RKI_ISA_PORTABLE; s->isa <= rki_isa_supported(); s->isa++)
            if (strcmp(rki_isa_name(s->isa), argument + 4) == 0) return 1;
        return 0;
    }
    if (strncmp(argument, "gemm=", 5) == 0) {
        int place = find(policies, 3, argument + 5);
        s->policy = (rki_gemm_policy)place;
        return place >= 0;
    }
    s->text = argument;
    return 1;
}

static void report(const bench_case *c, timing t, double peak, double memory)
{
    printf("%-58s %9.3f %9.3f ", c->label, 1e3 * t.least, 1e3 * t.median);
    if (c->flops > 0.0)
        printf("%8.1f GFLOP/s %5.1f %%\n", 1e-9 * c->flops / t.median,
            100.0 * c->flops / t.median / peak);
    else
        printf("%8.1f GB/s    %5.1f %%\n", 1e-9 * c->bytes / t.median,
            100.0 * c->bytes / t.median / memory);
    fflush(stdout);
}

static void *allocate(size_t bytes, size_t alignment, void *user)
{
    (void)user;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *block, void *user)
{
    (void)user;
    free(block);
}

int main(int argc, char **argv)
{
    static const rki_host host = {sizeof host, rki_fail, rki_random_words, allocate, release, NULL};
    settings s = {1, rki_isa_chosen(NULL), RKI_GEMM_AUTO, 0.5, ""};
    for (int i = 1; i < argc; i++) {
        if (read_setting(argv[i], &s)) continue;
        fprintf(stderr, "bench_operations: cannot use '%s'\n", argv[i]);
        return 2;
    }
    void *self;
    const rki_open call = {.threads = s.threads, .isa = "auto"};
    if (rki_cpu_backend()->open(&host, &call, &self) < 0) return 1;
    rki_cpu_set_isa(self, s.isa);
    rki_cpu_set_gemm_policy(self, s.policy);
    double peak = measure_peak(s.isa), memory = measure_memory();
    printf("%s, %d thread(s); one core: %.1f GFLOP/s, %.1f GB/s\n", rki_isa_name(s.isa),
        (int)s.threads, 1e-9 * peak, 1e-9 * memory);
    printf("%-58s %9s %9s\n", "", "least ms", "median ms");
    for (int i = 0; i < case_count(); i++) {
        bench_case c;
        make_case(i, self, &c);
        if (strstr(c.label, s.text))
            report(&c, timing_take(c.run, &c, s.seconds), (double)s.threads * peak, memory);
        free_case_arrays();
    }
    rki_cpu_backend()->close(self);
    return 0;
}
