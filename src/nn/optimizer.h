/* Optimisers and schedules: their state. The update rules themselves are operations of the device.
 *
 * One number serves all parameters: how many updates there were. An update moves the parameters
 * that a gradient touched, and of those that gather gradients by rows, the rows alone.
 */
#ifndef RKI_NN_OPTIMIZER_H
#define RKI_NN_OPTIMIZER_H

#include "nn/model.h"
#include "rnnkit/optimizer.h"

typedef struct rki_optimizer_settings {
    double lr, momentum;
    int32_t nesterov;
    double beta1, beta2, alpha, epsilon, weight_decay, clip_norm, clip_value;
} rki_optimizer_settings;

/* What a rule keeps of one parameter, on the device; NULL where it needs none. */
typedef struct rki_moments {
    void *first, *second;
} rki_moments;

struct rnnkit_optimizer {
    rki_object object;
    rnnkit_model *model;
    rki_rule rule;
    rki_optimizer_settings settings; /* with the rule's own defaults filled in */
    int64_t parameter_count;
    rki_moments *moments; /* [parameter_count] */
    int64_t steps;
    double rate, norm; /* norm: of the last step, when there was one */
};

extern const rki_option_table rki_optimizer_options;

/* "adam lr=0.001 clip_norm=5", to be released with rki_release. */
int32_t rki_optimizer_setup(
    const rnnkit_optimizer *optimizer, const rki_memory *memory, char **out);

void rki_optimizer_release(rnnkit_optimizer *optimizer);

typedef enum rki_schedule_shape {
    RKI_SCHEDULE_CONSTANT,
    RKI_SCHEDULE_LINEAR,
    RKI_SCHEDULE_COSINE,
    RKI_SCHEDULE_STEP,
    RKI_SCHEDULE_PLATEAU
} rki_schedule_shape;

typedef struct rki_schedule_settings {
    int64_t warmup;
    double floor, factor;
    int64_t every, patience;
    double threshold;
} rki_schedule_settings;

struct rnnkit_schedule {
    rki_object object;
    rnnkit_optimizer *optimizer;
    rki_schedule_shape shape;
    rki_schedule_settings settings;
    int64_t steps; /* over which linear and cosine fall */
    int64_t done;  /* updates so far */
    int64_t bad;   /* plateau: observations in a row without improvement */
    double peak, best, reduction;
};

extern const rki_option_table rki_schedule_options;

/* "cosine steps=1000 warmup=10 peak=0.001", to be released with rki_release. */
int32_t rki_schedule_setup(const rnnkit_schedule *schedule, const rki_memory *memory, char **out);

void rki_schedule_release(rnnkit_schedule *schedule);

/* Joins a word and a text with a space between, to be released with rki_release. */
int32_t rki_setup_join(const rki_memory *memory, const char *word, const char *text, char **out);

#endif
