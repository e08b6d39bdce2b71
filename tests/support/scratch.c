/* A folder for one test program. See scratch.h. */
#include "scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void fail(const char *what)
{
    perror(what);
    exit(99);
}

const char *scratch_path(const char *name)
{
    static char paths[64][1024];
    static unsigned next;
    if (folder[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/rnnkit-test-XXXXXX", base != NULL ? base : "/tmp");
        if (mkdtemp(folder) == NULL) fail(folder);
        atexit(remove_folder);
    }
    char *path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s%s%s", folder, *name != '\0' ? "/" : "", name);
    return path;
}

void scratch_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL) fail(path);
    if (size > 0 && fwrite(bytes, 1, size, file) != size) fail(path);
    if (fclose(file) != 0) fail(path);
}

unsigned char *scratch_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    if (file == NULL) return NULL;
    unsigned char *bytes = NULL;
    if (fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode)) {
        *size = (size_t)status.st_size;
        bytes = malloc(*size + 1);
        if (bytes == NULL || fread(bytes, 1, *size, file) != *size) fail(path);
        bytes[*size] = '\0';
    }
    fclose(file);
    return bytes;
}

int scratch_count(const char *path)
{
    int count = 0;
    DIR *list = opendir(path);
    if (list == NULL) fail(path);
    for (struct dirent *entry; (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) count++;
    closedir(list);
    return count;
}
