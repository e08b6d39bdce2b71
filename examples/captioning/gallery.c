/* See gallery.h. The features are read when they are needed, so a file may be larger than memory. */
#include "gallery.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"

static const char array[] = "features", entry[] = "names";

enum { MOST_DIMS = 8 };

static int fail_shape(const gallery *target, const int64_t *dims, int64_t rank)
{
    char text[MOST_DIMS * 22 + 1] = "";
    size_t length = 0;

    for (int64_t i = 0; i < rank; i++)
        length += (size_t)snprintf(
            text + length, sizeof text - length, "%s%" PRId64, i == 0 ? "" : ", ", dims[i]);
    return fail("%s: features has shape [%s], expected [pictures][positions][width] or "
                "[pictures][rows][columns][width]",
        target->path, text[0] == '\0' ? "..." : text);
}

/* Positions without rows and columns are taken for a square when they can be one. */
static int read_shape(gallery *target)
{
    int64_t dims[MOST_DIMS], rank = 0, side;
    int32_t status = rnnkit_arrays_shape(target->file, array, dims, MOST_DIMS, &rank);

    if (status == RNNKIT_E_NOT_FOUND)
        return fail("%s has no array \"%s\": that is where the pictures' features stand",
            target->path, array);
    if (rank != 3 && rank != 4) return fail_shape(target, dims, rank <= MOST_DIMS ? rank : 0);
    for (int64_t i = 0; i < rank; i++)
        if (dims[i] < 1 || dims[i] > INT32_MAX) return fail_shape(target, dims, rank);
    target->count = dims[0];
    target->width = dims[rank - 1];
    target->positions = rank == 3 ? dims[1] : dims[1] * dims[2];
    side = (int64_t)lround(sqrt((double)target->positions));
    target->rows = rank == 4 ? dims[1] : side * side == target->positions ? side : 1;
    target->columns = target->positions / target->rows;
    return OUTCOME_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const gallery_name *)a)->name, ((const gallery_name *)b)->name);
}

static int sort_names(gallery *target)
{
    target->by_name = malloc((size_t)target->count * sizeof *target->by_name);
    if (target->by_name == NULL) return fail("out of memory");
    for (int64_t i = 0; i < target->count; i++)
        target->by_name[i] = (gallery_name){target->names[i], i};
    qsort(target->by_name, (size_t)target->count, sizeof *target->by_name, by_name);
    for (int64_t i = 1; i < target->count; i++)
        if (by_name(&target->by_name[i - 1], &target->by_name[i]) == 0)
            return fail("%s: two pictures are called '%s'", target->path, target->by_name[i].name);
    return OUTCOME_OK;
}

static int read_names(gallery *target)
{
    const char *names = rnnkit_arrays_entry(target->file, entry);
    int64_t count = 0;
    char *at;

    if (names == NULL)
        return fail("%s: its metadata have no text \"%s\" with a name a line for the pictures",
            target->path, entry);
    target->text = strdup(names);
    target->names = malloc((size_t)target->count * sizeof *target->names);
    if (target->text == NULL || target->names == NULL) return fail("out of memory");
    for (at = target->text; at != NULL && *at != '\0'; count++) {
        char *end = strchr(at, '\n');

        if (end != NULL) *end++ = '\0';
        if (*at == '\0')
            return fail("%s: the name of picture %" PRId64 " is empty", target->path, count + 1);
        if (count < target->count) target->names[count] = at;
        at = end;
    }
    if (count != target->count)
        return fail("%s has features of %" PRId64 " pictures, but %" PRId64 " names", target->path,
            target->count, count);
    return sort_names(target);
}

int gallery_open(gallery *target, rnnkit_context *context, const char *path)
{
    *target = (gallery){.path = path};
    if (failed(rnnkit_arrays_open(context, path, &target->file))) return OUTCOME_FAILED;
    if (read_shape(target) != OUTCOME_OK) return OUTCOME_FAILED;
    return read_names(target);
}

void gallery_close(gallery *target)
{
    rnnkit_arrays_destroy(target->file);
    free(target->text);
    free(target->names);
    free(target->by_name);
    *target = (gallery){0};
}

int64_t gallery_find(const gallery *source, const char *name)
{
    gallery_name wanted = {.name = name}, *found;

    found =
        bsearch(&wanted, source->by_name, (size_t)source->count, sizeof *source->by_name, by_name);
    return found == NULL ? -1 : found->picture;
}

int gallery_read(const gallery *source, int64_t picture, float *values)
{
    int64_t count = source->positions * source->width;

    if (failed(rnnkit_arrays_read(source->file, array, picture * count, values, count)))
        return OUTCOME_FAILED;
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return fail("%s: picture '%s' has a feature that is no finite number (position %" PRId64
                        ", number %" PRId64 ")",
                source->path, source->names[picture], i / source->width + 1, i % source->width + 1);
    return OUTCOME_OK;
}
