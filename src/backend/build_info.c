/* rnnkit_build_info: what this library is made of and can use on this machine. */
#include <stdio.h>

#include "backend/registry.h"
#include "base/context.h"
#include "base/give.h"
#include "base/threads.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

int32_t rnnkit_build_info(char *buffer, int64_t capacity, int64_t *needed)
{
    char text[8192], about[1024];
    size_t used =
        (size_t)snprintf(text, sizeof text, "librnnkit %s\ncompiler: %s\nthreads: %lld (%s)\n",
            rnnkit_version(), COMPILER, (long long)rki_threads_resolve(0),
#ifdef _OPENMP
            "OpenMP"
#else
            "built without OpenMP"
#endif
        );
    for (int32_t i = 0; i < rki_backend_count(); i++) {
        char reason[RKI_REASON_SIZE] = "";
        const char *name = rki_backend_name(i);
        const rki_backend *found = rki_backend_find(name, reason);
        if (found != NULL) found->describe(about, sizeof about);
        used += (size_t)snprintf(text + used, sizeof text - used, "backend %s: %s%s\n", name,
            found != NULL ? "" : "not usable: ", found != NULL ? about : reason);
    }
    return rki_leave(NULL, __func__, rki_give_text(text, buffer, capacity, needed));
}
