/* Files of what a program computed. See results.h. */
#include "results.h"

#include <stdlib.h>

static void check(int good, const char *what)
{
    if (good) return;
    perror(what);
    exit(1);
}

FILE *results_create(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    check(file != NULL, path);
    return file;
}

void results_add(FILE *file, const float *values, int64_t count)
{
    check(fwrite(values, sizeof *values, (size_t)count, file) == (size_t)count, "results");
}

void results_close(FILE *file)
{
    check(fclose(file) == 0, "results");
}
