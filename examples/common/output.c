/* Checks of output files, and replacing one as a whole: a new file beside it takes its name only
 * when it is complete, so that a full disk costs nothing that was there.
 */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"

/* The folder of a path; the caller frees it. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int check_folder(const char *option, const char *folder)
{
    struct stat status;

    if (stat(folder, &status) != 0)
        return fail("--%s: folder %s: %s", option, folder, strerror(errno));
    if (!S_ISDIR(status.st_mode)) return fail("--%s: %s is not a folder", option, folder);
    if (access(folder, W_OK | X_OK) != 0)
        return fail("--%s: cannot write to folder %s: %s", option, folder, strerror(errno));
    return OUTCOME_OK;
}

int output_check(const char *option, const char *path)
{
    struct stat status;
    char *folder;
    int outcome;

    if (path[0] == '\0') return fail("--%s: the file name is empty", option);
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return fail("--%s: %s is not a regular file", option, path);
    if (path[strlen(path) - 1] == '/') return fail("--%s: %s is a folder", option, path);
    folder = folder_of(path);
    if (folder == NULL) return fail("out of memory");
    outcome = check_folder(option, folder);
    free(folder);
    return outcome;
}

int output_check_apart(
    const char *option, const char *path, const char *other_option, const char *other_path)
{
    struct stat a, b;

    if (strcmp(path, other_path) != 0) {
        if (stat(path, &a) != 0 || stat(other_path, &b) != 0) return OUTCOME_OK;
        if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) return OUTCOME_OK;
    }
    return fail("--%s and --%s are the same file: %s", option, other_option, path);
}

static int write_all(int file, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(file, text, length);

        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Writes the temporary file and gives it the path's name; 0 or an error number. */
static int replace(const char *path, char *temporary, const char *text, size_t length)
{
    int file = mkstemp(temporary);
    mode_t mask = umask(0);
    int error;

    umask(mask);
    if (file < 0) return errno;
    error = write_all(file, text, length);
    if (fchmod(file, 0666 & ~mask) != 0 && error == 0) error = errno;
    if (close(file) != 0 && error == 0) error = errno;
    if (error == 0 && rename(temporary, path) != 0) error = errno;
    if (error != 0) unlink(temporary);
    return error;
}

int output_replace(const char *path, const char *text, size_t length)
{
    static const char ending[] = ".XXXXXX";
    char *temporary = malloc(strlen(path) + sizeof ending);
    int error;

    if (temporary == NULL) return fail("out of memory");
    strcpy(temporary, path);
    strcat(temporary, ending);
    error = replace(path, temporary, text, length);
    free(temporary);
    return error == 0 ? OUTCOME_OK : fail("%s: %s", path, strerror(error));
}
