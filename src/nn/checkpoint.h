/* The checkpoint object, and how an object of a run is kept in a checkpoint.
 *
 * Whatever is attached is a part. To a checkpoint, a part of any kind is: a text that says how it
 * was set up, whole numbers, floating-point numbers, and arrays on the device. docs/file-format.md
 * says where they stand in the file.
 */
#ifndef RKI_NN_CHECKPOINT_H
#define RKI_NN_CHECKPOINT_H

#include "base/object.h"
#include "nn/model_file.h"
#include "rnnkit/checkpoint.h"

enum { RKI_PART_INTEGERS = 8, RKI_PART_VALUES = 8 }; /* at most */

typedef struct rki_part_array {
    const char *what; /* "first" */
    const char *name; /* which one of these: a parameter's name, or NULL where there is one alone */
    rki_shape shape;
    void *values; /* on the device */
} rki_part_array;

typedef struct rki_part_kind {
    const char *name; /* "optimizer" */
    int64_t integers, values;
    /* How the object was created, in words. Two with the same text can take each other's place. */
    int32_t (*setup)(const void *object, const rki_memory *memory, char **out);
    void (*get)(const void *object, int64_t *integers, double *values);
    /* Fails only for what does not fit to the object, and then changes nothing. */
    int32_t (*set)(void *object, const int64_t *integers, const double *values);
    const rki_device *(*device)(const void *object); /* NULL: no arrays */
    /* The array of that index; 0 behind the last. */
    int (*array)(const void *object, int64_t index, rki_part_array *out);
    void (*release)(void *object);
} rki_part_kind;

typedef struct rki_part {
    char *name;
    const rki_part_kind *kind;
    void *object;
} rki_part;

/* A number of the caller's own. */
typedef struct rki_kept_number {
    char *name;
    double value;
} rki_kept_number;

typedef struct rki_kept_numbers {
    rki_kept_number *items;
    int64_t count, capacity;
} rki_kept_numbers;

struct rnnkit_checkpoint {
    rki_object object;
    rnnkit_model *model;
    rki_part *parts;
    int64_t part_count, part_capacity;
    rki_kept_numbers numbers;
};

#define RKI_CHECKPOINT_KEY RKI_RESERVED_PREFIX "checkpoint"

/* Adds a number at the end; the name is copied. */
int32_t rki_kept_numbers_add(
    const rki_memory *memory, rki_kept_numbers *numbers, const char *name, double value);
void rki_kept_numbers_release(const rki_memory *memory, rki_kept_numbers *numbers);

/* "rnnkit.checkpoint.<index>.<what>" or, with a name, "rnnkit.checkpoint.<index>.<what>.<name>";
 * index -1: of no part. */
int32_t rki_part_tensor_name(
    const rki_memory *memory, int64_t index, const char *what, const char *name, char **out);

#endif
