/* The pictures: a file of features, and a name for each. */
#ifndef CAPTIONING_GALLERY_H
#define CAPTIONING_GALLERY_H

#include <stddef.h>
#include <stdint.h>

#include <rnnkit/rnnkit.h>

typedef struct gallery_name {
    const char *name;
    int64_t picture;
} gallery_name;

typedef struct gallery {
    const char *path;
    rnnkit_arrays *file;
    int64_t count, positions, width;
    int64_t rows, columns; /* of the positions, as they lie in the picture */
    char *text;            /* what the names point into */
    const char **names;    /* [count] */
    gallery_name *by_name; /* [count], ascending */
} gallery;

/* OUTCOME_FAILED after a message; gallery_close takes any state. */
int gallery_open(gallery *target, rnnkit_context *context, const char *path);
void gallery_close(gallery *target);

/* The picture of that name, or -1. */
int64_t gallery_find(const gallery *source, const char *name);

/* Reads [positions][width] of a picture; a number that is not finite is refused. */
int gallery_read(const gallery *source, int64_t picture, float *values);

#endif
