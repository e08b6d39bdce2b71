/* Saving the whole run with its place; the older file is replaced only when the new one is complete.
 */
#include <stddef.h>

#include "../common/console.h"
#include "../common/resume.h"
#include "../common/system.h"
#include "train.h"

static const resume_number numbers[] = {
    {"epoch", offsetof(run_place, epoch)},
    {"update", offsetof(run_place, update)},
    {"within", offsetof(run_place, within)},
    {"first", offsetof(run_place, first)},
    {"at", offsetof(run_place, at)},
    {"random_high", offsetof(run_place, random_high)},
    {"random_low", offsetof(run_place, random_low)},
    {"loss", offsetof(run_place, loss)},
    {"best_epoch", offsetof(run_place, best_epoch)},
    {"best", offsetof(run_place, best)},
    {"seconds", offsetof(run_place, seconds)},
};

enum { NUMBERS = sizeof numbers / sizeof *numbers };

double train_seconds(const trainer *run)
{
    return run->place.seconds + system_clock() - run->began;
}

uint64_t train_fingerprint(const series *data)
{
    size_t count = (size_t)(data->data.rows * data->data.columns);

    return record_hash(RECORD_HASH, data->data.values, count * sizeof *data->data.values);
}

int train_save_run(trainer *run)
{
    run_place place = run->place;

    place.random_high = (double)(run->random >> 32);
    place.random_low = (double)(run->random & UINT32_MAX);
    place.seconds = train_seconds(run);
    run->saved = system_clock();
    return resume_save(run->checkpoint, run->checkpoint_path, numbers, NUMBERS, &place);
}

/* 1 for a number from 0 to most. */
static int within(double number, double most)
{
    return number >= 0 && number <= most;
}

int train_load_run(trainer *run)
{
    run_place *place = &run->place;
    int outcome = resume_load(run->checkpoint, run->checkpoint_path, numbers, NUMBERS, place);

    if (outcome != OUTCOME_OK) return outcome;
    if (!within(place->first, (double)run->rows / 2) || !within(place->at, (double)run->rows) ||
        !within(place->random_high, UINT32_MAX) || !within(place->random_low, UINT32_MAX))
        return fail("%s: the place in the series is damaged", run->checkpoint_path);
    run->random = (uint64_t)place->random_high << 32 | (uint64_t)place->random_low;
    return OUTCOME_OK;
}
