/* Files: read by memory map or in pieces, write by replacing (file.h).
 *
 * A writer keeps the folder open and works on names inside it, so a host that changes its working
 * directory between open and commit does no harm. Order of a commit: write, mode and owner of the
 * file that is replaced, fsync, close, rename, fsync of the folder. POSIX.1-2008.
 */
#define _FILE_OFFSET_BITS 64 /* files beyond 2 GiB, on 32-bit systems as well */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/status.h"

enum {
    WRITER_BUFFER = 64 * 1024,
    READ_PIECE = 16 * 1024, /* on the stack, which may be small in a host's thread */
    MESSAGE_PATH = 400,     /* bytes of a path that a message shows: its end */
    LINK_LIMIT = 40,        /* as the Linux kernel's own */
    TEMPORARY_NAME = 48
};

/* "cannot open a/b/c: No such file or directory"; of a long path the end is shown, so that the
 * system's words are never cut off. */
static int32_t fail_path(const char *what, const char *path, int error)
{
    size_t length = strlen(path);
    const char *shown = path;
    if (length > MESSAGE_PATH) {
        shown = path + length - MESSAGE_PATH;
        while ((*shown & 0xC0) == 0x80)
            shown++;
    }
    return rki_fail(RNNKIT_E_IO, "cannot %s %s%s: %s", what, shown == path ? "" : "...", shown,
        rki_system_message(error));
}

/* Reading. */

/* O_NONBLOCK: opening a pipe that nobody writes to must not hang where a pipe is no use anyway. */
static int open_regular(const char *path, struct stat *status)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return -1;
    int error = 0;
    if (fstat(file, status) != 0)
        error = errno;
    else if (S_ISDIR(status->st_mode))
        error = EISDIR;
    else if (!S_ISREG(status->st_mode))
        error = ENODEV; /* what mmap itself says of a pipe or terminal */
    else if ((uintmax_t)status->st_size > PTRDIFF_MAX)
        error = EFBIG;
    if (error == 0) return file;
    close(file);
    errno = error;
    return -1;
}

int32_t rki_map_file(const char *path, rki_mapping *out)
{
    struct stat status;
    int file = open_regular(path, &status);
    if (file < 0) return fail_path("open", path, errno);
    size_t size = (size_t)status.st_size;
    void *data = NULL;
    if (size > 0) {
        data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (data == MAP_FAILED) {
            int error = errno;
            close(file);
            return fail_path("map", path, error);
        }
    }
    close(file);
    out->data = data;
    out->size = size;
    return RNNKIT_OK;
}

void rki_unmap_file(rki_mapping *mapping)
{
    if (mapping->data != NULL) munmap((void *)(uintptr_t)mapping->data, mapping->size);
    mapping->data = NULL;
    mapping->size = 0;
}

int32_t rki_read_pieces(const char *path, rki_take_fn take, void *user)
{
    char piece[READ_PIECE];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail_path("open", path, errno);
    for (;;) {
        ssize_t got = read(file, piece, sizeof piece);
        if (got < 0 && errno == EINTR) continue;
        int32_t status = RNNKIT_OK;
        if (got < 0)
            status = fail_path("read", path, errno);
        else if (got > 0)
            status = take(user, piece, (size_t)got);
        if (got <= 0 || status != RNNKIT_OK) {
            close(file);
            return status;
        }
    }
}

/* Writing. */

struct rki_writer {
    const rki_memory *memory;
    char *path;   /* what is written to, symbolic links followed */
    int folder;   /* -1: the file is a device and is written directly */
    int flush;    /* the folder could be opened for reading, so that it can be flushed */
    int file;     /* -1 once closed */
    int error;    /* of the first write that failed: nothing may be committed after it */
    int replaces; /* there is a file of that name, and `old` is its status */
    struct stat old;
    char temporary[TEMPORARY_NAME]; /* its name in the folder; empty: there is none */
    size_t used;
    char buffer[WRITER_BUFFER];
};

/* The part of a path behind its last slash. */
static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Replaces *path by what the symbolic link of that name says; *is_link = 0 when it is none. */
static int32_t follow_link(const rki_memory *memory, char **path, int *is_link)
{
    int64_t room = 256;
    int64_t folder = last_name(*path) - *path;
    for (;; room *= 2) {
        void *block;
        RKI_TRY(rki_allocate(memory, folder + room + 1, 1, "a path", &block));
        char *next = block;
        ssize_t length = readlink(*path, next + folder, (size_t)room);
        if (length == room) { /* may have been cut off */
            rki_release(memory, next);
            continue;
        }
        *is_link = length > 0;
        if (length <= 0) { /* no link; what else is wrong shows when the file is created */
            rki_release(memory, next);
            return RNNKIT_OK;
        }
        next[folder + length] = '\0';
        if (next[folder] == '/')
            memmove(next, next + folder, (size_t)length + 1);
        else
            memcpy(next, *path, (size_t)folder);
        rki_release(memory, *path);
        *path = next;
        return RNNKIT_OK;
    }
}

static int32_t follow_links(const rki_memory *memory, char **path)
{
    for (int links = 0; links <= LINK_LIMIT; links++) {
        int is_link = 0;
        RKI_TRY(follow_link(memory, path, &is_link));
        if (!is_link) return RNNKIT_OK;
    }
    return fail_path("open", *path, ELOOP);
}

/* Opens the folder; one that may be written but not listed does, without the final flush. */
static int32_t open_folder(rki_writer *writer)
{
    char *name = (char *)(uintptr_t)last_name(writer->path);
    char first = *name;
    *name = '\0'; /* for the moment, the path is that of the folder */
    const char *folder = writer->path[0] == '\0' ? "." : writer->path;
    writer->flush = 1;
    writer->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#ifdef O_PATH
    if (writer->folder < 0 && errno == EACCES) {
        writer->flush = 0;
        writer->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
#endif
    int32_t status = writer->folder < 0 ? fail_path("open folder", folder, errno) : RNNKIT_OK;
    *name = first;
    return status;
}

/* A file nobody could have guessed, and that nobody made before us. */
static int32_t create_temporary(rki_writer *writer)
{
    for (;;) {
        unsigned char random[12];
        if (getentropy(random, sizeof random) != 0)
            return fail_path("draw a temporary name for", writer->path, errno);
        int length = snprintf(writer->temporary, sizeof writer->temporary, ".rnnkit-");
        for (size_t i = 0; i < sizeof random; i++)
            length += snprintf(writer->temporary + length,
                sizeof writer->temporary - (size_t)length, "%02x", random[i]);
        mode_t mode = writer->replaces ? writer->old.st_mode & 0777 : 0666;
        writer->file = openat(
            writer->folder, writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (writer->file >= 0) return RNNKIT_OK;
        if (errno == EEXIST || errno == EINTR) continue;
        writer->temporary[0] = '\0';
        return fail_path("create a file beside", writer->path, errno);
    }
}

/* Opens what is to be written: a device itself, or a temporary file beside the target. */
static int32_t open_target(rki_writer *writer, const char *path)
{
    struct stat target;
    int exists = stat(path, &target) == 0;
    if (exists && S_ISCHR(target.st_mode)) {
        writer->file = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        return writer->file < 0 ? fail_path("open", path, errno) : RNNKIT_OK;
    }
    if (exists && S_ISDIR(target.st_mode)) return fail_path("write", path, EISDIR);
    if (exists && !S_ISREG(target.st_mode))
        return rki_fail(RNNKIT_E_IO,
            "cannot write %.*s: neither a regular file nor a character device", MESSAGE_PATH, path);
    RKI_TRY(follow_links(writer->memory, &writer->path));
    const char *name = last_name(writer->path);
    if (*name == '\0') return fail_path("write", path, *path == '\0' ? ENOENT : EISDIR);
    RKI_TRY(open_folder(writer));
    name = last_name(writer->path);
    writer->replaces = exists;
    if (exists) {
        /* A file that is protected from writing stays, although its folder would allow it. */
        if (faccessat(writer->folder, name, W_OK, AT_EACCESS) != 0)
            return fail_path("replace", path, errno);
        writer->old = target;
    } else if (strlen(name) > (size_t)NAME_MAX) {
        return fail_path("create", path, ENAMETOOLONG); /* now, not after all is written */
    }
    return create_temporary(writer);
}

int32_t rki_writer_open(const rki_memory *memory, const char *path, rki_writer **out)
{
    void *block;
    RKI_TRY(rki_allocate(memory, 1, sizeof(rki_writer), "a file's buffer", &block));
    rki_writer *writer = block;
    writer->memory = memory;
    writer->folder = -1;
    writer->file = -1;
    int32_t status = rki_copy_text(memory, path, -1, &writer->path);
    if (status == RNNKIT_OK) status = open_target(writer, path);
    if (status != RNNKIT_OK) {
        rki_writer_abandon(writer);
        return status;
    }
    *out = writer;
    return RNNKIT_OK;
}

/* Hands bytes to the system; afterwards writer->error is 0 or says why not all of them went. */
static void write_out(rki_writer *writer, const char *data, size_t size)
{
    while (size > 0 && writer->error == 0) {
        ssize_t written = write(writer->file, data, size);
        if (written < 0) {
            if (errno != EINTR) writer->error = errno;
            continue;
        }
        data += written;
        size -= (size_t)written;
    }
}

static int32_t write_result(rki_writer *writer)
{
    return writer->error == 0 ? RNNKIT_OK : fail_path("write", writer->path, writer->error);
}

int32_t rki_writer_write(rki_writer *writer, const void *data, size_t size)
{
    if (size > sizeof writer->buffer - writer->used) {
        write_out(writer, writer->buffer, writer->used);
        writer->used = 0;
    }
    if (size >= sizeof writer->buffer) {
        write_out(writer, data, size);
    } else if (size > 0) {
        memcpy(writer->buffer + writer->used, data, size);
        writer->used += size;
    }
    return write_result(writer);
}

int32_t rki_writer_patch(rki_writer *writer, int64_t place, const void *data, size_t size)
{
    const char *next = data;
    write_out(writer, writer->buffer, writer->used);
    writer->used = 0;
    while (size > 0 && writer->error == 0) {
        ssize_t written = pwrite(writer->file, next, size, (off_t)place);
        if (written < 0) {
            if (errno != EINTR) writer->error = errno;
            continue;
        }
        next += written;
        place += written;
        size -= (size_t)written;
    }
    return write_result(writer);
}

/* The new file gets mode and, where this process may give it, owner of the old one. */
static void take_over(rki_writer *writer)
{
    struct stat now;
    if (fstat(writer->file, &now) != 0) {
        writer->error = errno;
        return;
    }
    mode_t mode = writer->old.st_mode & 0777;
    if (now.st_uid != writer->old.st_uid || now.st_gid != writer->old.st_gid) {
        /* A group that is not the old one gets no more than everybody. */
        if (fchown(writer->file, writer->old.st_uid, writer->old.st_gid) != 0)
            mode &= (mode_t)(0707 | ((mode & 07) << 3));
    }
    if ((now.st_mode & 0777) != mode && fchmod(writer->file, mode) != 0) writer->error = errno;
}

static void close_file(rki_writer *writer)
{
    /* Some file systems tell only now that the disk is full. EINTR: closed all the same. */
    if (close(writer->file) != 0 && errno != EINTR && writer->error == 0) writer->error = errno;
    writer->file = -1;
}

int32_t rki_writer_commit(rki_writer *writer)
{
    write_out(writer, writer->buffer, writer->used);
    writer->used = 0;
    if (writer->error == 0 && writer->replaces) take_over(writer);
    if (writer->error == 0 && writer->folder >= 0 && fsync(writer->file) != 0)
        writer->error = errno;
    close_file(writer);
    int32_t status = write_result(writer);
    if (status == RNNKIT_OK && writer->folder >= 0) {
        const char *name = last_name(writer->path);
        if (renameat(writer->folder, writer->temporary, writer->folder, name) != 0)
            status = fail_path("replace", writer->path, errno);
        else
            writer->temporary[0] = '\0';
    }
    /* EINVAL: a file system on which folders need no flush. */
    if (status == RNNKIT_OK && writer->folder >= 0 && writer->flush && fsync(writer->folder) != 0 &&
        errno != EINVAL)
        status = fail_path("flush to disk the folder of", writer->path, errno);
    rki_writer_abandon(writer);
    return status;
}

void rki_writer_abandon(rki_writer *writer)
{
    if (writer == NULL) return;
    if (writer->file >= 0) close(writer->file);
    if (writer->temporary[0] != '\0') unlinkat(writer->folder, writer->temporary, 0);
    if (writer->folder >= 0) close(writer->folder);
    rki_release(writer->memory, writer->path);
    rki_release(writer->memory, writer);
}
