/* Ids on disk. See spill.h. POSIX.1-2008. */
#define _GNU_SOURCE       1  /* mkostemp */
#define _FILE_OFFSET_BITS 64 /* files beyond 2 GiB, on 32-bit systems as well */
#include "text/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/argument.h"

enum { BUFFERED = 64 * 1024 };

void rki_spill_init(rki_spill *spill)
{
    *spill = (rki_spill){.file = -1};
}

void rki_spill_release(rki_spill *spill, const rki_memory *memory)
{
    if (spill->file >= 0) close(spill->file);
    rki_release(memory, spill->buffer);
    rki_spill_init(spill);
}

/* The folder said, or TMPDIR, or /tmp. */
static const char *folder_or_default(const char *folder)
{
    if (*folder != '\0') return folder;
    const char *temporary = getenv("TMPDIR");
    return temporary != NULL && *temporary != '\0' ? temporary : "/tmp";
}

static int32_t open_file(rki_spill *spill, const rki_memory *memory, const char *folder)
{
    static const char name[] = "/rnnkit-tokens-XXXXXX";
    folder = folder_or_default(folder);
    size_t length = strlen(folder);
    void *block;
    RKI_TRY(rki_allocate(memory, (int64_t)(length + sizeof name), 1, "a path", &block));
    char *path = block;
    memcpy(path, folder, length);
    memcpy(path + length, name, sizeof name);
    int file = mkostemp(path, O_CLOEXEC);
    int error = errno;
    if (file >= 0) unlink(path);
    rki_release(memory, path);
    if (file < 0)
        return rki_fail(RNNKIT_E_IO, "cannot make a temporary file for tokens in %s: %s",
            rki_path_end(folder), rki_system_message(error));
    spill->file = file;
    return RNNKIT_OK;
}

static int32_t write_out(rki_spill *spill)
{
    const char *data = (const char *)spill->buffer;
    size_t left = (size_t)spill->buffered * sizeof(int32_t);
    while (left > 0) {
        ssize_t written = write(spill->file, data, left);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0)
            return rki_fail(RNNKIT_E_IO, "cannot write the temporary file of tokens: %s",
                rki_system_message(errno));
        data += written;
        left -= (size_t)written;
    }
    spill->written += spill->buffered;
    spill->buffered = 0;
    return RNNKIT_OK;
}

int32_t rki_spill_add(rki_spill *spill, const rki_memory *memory, const char *folder, int32_t id)
{
    if (spill->buffer == NULL) {
        void *block;
        RKI_TRY(rki_allocate(memory, BUFFERED, sizeof id, "a buffer of tokens", &block));
        spill->buffer = block;
    }
    if (spill->file < 0) RKI_TRY(open_file(spill, memory, folder));
    if (spill->buffered == BUFFERED) RKI_TRY(write_out(spill));
    spill->buffer[spill->buffered++] = id;
    return RNNKIT_OK;
}

int32_t rki_spill_finish(rki_spill *spill, const rki_memory *memory)
{
    if (spill->file >= 0) RKI_TRY(write_out(spill));
    rki_release(memory, spill->buffer);
    spill->buffer = NULL;
    return RNNKIT_OK;
}

int32_t rki_spill_read(const rki_spill *spill, int64_t first, int32_t *ids, int64_t count)
{
    char *data = (char *)ids;
    size_t left = (size_t)count * sizeof *ids;
    off_t place = (off_t)(first * (int64_t)sizeof *ids);
    while (left > 0) {
        ssize_t got = pread(spill->file, data, left, place);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0)
            return rki_fail(RNNKIT_E_IO, "cannot read the temporary file of tokens: %s",
                got < 0 ? rki_system_message(errno) : "it ends too early");
        data += got;
        left -= (size_t)got;
        place += got;
    }
    return RNNKIT_OK;
}
