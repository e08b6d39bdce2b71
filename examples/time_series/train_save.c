/* The place of a run in a checkpoint, the generator of random numbers among it. */
#include <stddef.h>

#include "../common/console.h"
#include "train.h"

const resume_number train_numbers[] = {
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
};

const size_t train_number_count = sizeof train_numbers / sizeof *train_numbers;

static run_place place_of(const trainer *run)
{
    run_place place = run->place;

    place.random_high = (double)(run->random >> 32);
    place.random_low = (double)(run->random & UINT32_MAX);
    return place;
}

int train_save_run(trainer *run)
{
    run_place place = place_of(run);

    return session_save(&run->files, &place);
}

int train_stop(trainer *run)
{
    run_place place = place_of(run);
    int64_t updates = train_epoch_updates(run) * run->options->epochs;

    return session_stop(&run->files, &place, (int64_t)place.update, updates);
}

/* 1 for a number from 0 to most. */
static int within(double number, double most)
{
    return number >= 0 && number <= most;
}

int train_load_run(trainer *run)
{
    run_place *place = &run->place;

    if (session_load(&run->files, place) != OUTCOME_OK) return OUTCOME_FAILED;
    if (!run->options->resume) return OUTCOME_OK;
    if (!within(place->first, (double)run->rows / 2) || !within(place->at, (double)run->rows) ||
        !within(place->random_high, UINT32_MAX) || !within(place->random_low, UINT32_MAX))
        return fail("%s: the place in the series is damaged", run->files.path);
    run->random = (uint64_t)place->random_high << 32 | (uint64_t)place->random_low;
    return OUTCOME_OK;
}
