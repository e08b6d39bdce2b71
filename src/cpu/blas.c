/* Products in the CBLAS. See blas.h.
 *
 * The number of its threads is the host's business and never touched; it is never called from
 * within a parallel region of ours. What OpenBLAS tells about itself is asked for by name at run
 * time, so that any other CBLAS links as well.
 */
#include "cpu/blas.h"

#include <cblas.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Below this many multiply-adds the call costs more than it gains. */
static const double least_work = 1e6;

int rki_blas_wanted(const rki_cpu *cpu, const rki_gemm *call)
{
    if (cpu->gemm_policy == RKI_GEMM_OWN) return 0;
    int64_t most = INT_MAX;
    if (call->m > most || call->n > most || call->k > most || call->lda > most ||
        call->ldb > most || call->ldc > most)
        return 0;
    if (cpu->gemm_policy == RKI_GEMM_BLAS) return 1;
    return cpu->kernels == &rki_kernels_portable && call->transpose_a &&
           (double)call->m * (double)call->n * (double)call->k >= least_work;
}

static void start_rows(const rki_gemm *call)
{
    const float *bias = call->bias;
    for (int64_t i = 0; i < call->m; i++) {
        float *c = (float *)call->c + i * call->ldc;
        for (int64_t j = 0; j < call->n; j++)
            c[j] = call->accumulate ? c[j] + bias[j] : bias[j];
    }
}

void rki_blas_gemm(const rki_gemm *call)
{
    if (call->bias) start_rows(call);
    cblas_sgemm(CblasRowMajor, call->transpose_a ? CblasTrans : CblasNoTrans,
        call->transpose_b ? CblasTrans : CblasNoTrans, (int)call->m, (int)call->n, (int)call->k,
        1.0f, call->a, (int)call->lda, call->b, (int)call->ldb,
        call->accumulate || call->bias ? 1.0f : 0.0f, call->c, (int)call->ldc);
}

/* dlsym gives an object pointer; C11 has no cast from it to a function pointer. */
static int find_function(const char *name, void *function, size_t size)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    if (found) memcpy(function, &found, size);
    return found != NULL;
}

void rki_blas_describe(char *text, size_t capacity)
{
    static const char *const threading[] = {"one thread", "pthreads", "OpenMP"};
    char *(*get_config)(void);
    char *(*get_core)(void);
    int (*get_parallel)(void);
    if (!find_function("openblas_get_config", &get_config, sizeof get_config) ||
        !find_function("openblas_get_corename", &get_core, sizeof get_core) ||
        !find_function("openblas_get_parallel", &get_parallel, sizeof get_parallel)) {
        snprintf(text, capacity, "CBLAS");
        return;
    }
    int kind = get_parallel();
    snprintf(text, capacity, "%s, core %s, %s", get_config(), get_core(),
        kind >= 0 && kind < 3 ? threading[kind] : "unknown threading");
}
