/* Any bytes as a file of vectors: opened in every format, and what was opened is asked and written
 * and read again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rnnkit/rnnkit.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void use(rnnkit_vectors *vectors)
{
    int64_t words, dimension, needed, found;
    int32_t id = 0, ids[3];
    float scores[3];
    char word[64];
    if (rnnkit_vectors_size(vectors, &words, &dimension) != RNNKIT_OK || words < 1 || dimension < 1)
        abort();
    for (id = 0; id < words && id < 5; id++) {
        int32_t again;
        int32_t status = rnnkit_vectors_word(vectors, id, word, sizeof word, &needed, NULL);
        if (status == RNNKIT_E_TOO_SMALL) continue;
        if (status != RNNKIT_OK) abort();
        if (rnnkit_vectors_find(vectors, word, needed - 1, &again) != RNNKIT_OK || again != id)
            abort();
    }
    id = 0;
    if (rnnkit_vectors_most_similar(vectors, &id, 1, NULL, 0, NULL, 3, ids, scores, &found) !=
        RNNKIT_OK)
        abort();
    for (int64_t i = 0; i < found; i++)
        if (ids[i] <= 0 || ids[i] >= words) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static rnnkit_context *context;
    static const char *const options[] = {NULL, "format=text", "format=binary", "format=glove",
        "format=safetensors", "limit=2", "map=1"};
    if (context == NULL && rnnkit_context_create("cpu", "threads=1", &context) != RNNKIT_OK)
        abort();
    int file = memfd_create("vectors", MFD_CLOEXEC);
    char path[64];
    if (file < 0) return 0;
    if (write(file, bytes, size) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        rnnkit_vectors *vectors = NULL;
        int32_t status = rnnkit_vectors_open(context, path, options[i], &vectors);
        if (status == RNNKIT_OK)
            use(vectors);
        else if (vectors != NULL)
            abort();
        rnnkit_vectors_destroy(vectors);
    }
    close(file);
    return 0;
}
