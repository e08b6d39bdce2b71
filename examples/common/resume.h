/* Stopping a training run and going on with it: --checkpoint, --resume and Ctrl-C. */
#ifndef COMMON_RESUME_H
#define COMMON_RESUME_H

#include <stddef.h>
#include <stdint.h>

#include <rnnkit/rnnkit.h>

#include "arguments.h"

/* A double in the program's own struct, and its name in a checkpoint. */
typedef struct resume_number {
    const char *name;
    size_t offset;
} resume_number;

/* Saves the checkpoint with those numbers of `place`, or loads it and them. */
int resume_save(rnnkit_checkpoint *checkpoint, const char *path, const resume_number *numbers,
    size_t count, const void *place);
int resume_load(rnnkit_checkpoint *checkpoint, const char *path, const resume_number *numbers,
    size_t count, void *place);

/* What --checkpoint says, or MODEL.checkpoint; the caller frees it. NULL after a message. */
char *resume_path(const char *checkpoint, const char *model);

/* The command that repeats the run, or that goes on with it from the checkpoint; the caller frees it.
 * `parsed` has rows "resume" and "checkpoint". NULL after a message. */
char *resume_command(arguments *parsed, int resume, const char *path);

/* Tells that the run was stopped and how it goes on. */
int resume_tell(arguments *parsed, int json, int64_t update, int64_t updates, const char *path);

#endif
