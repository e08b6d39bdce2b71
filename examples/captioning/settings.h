/* What the command line says, for all commands of captioning. */
#ifndef CAPTIONING_SETTINGS_H
#define CAPTIONING_SETTINGS_H

#include <stdint.h>

#include "../common/arguments.h"
#include "../common/record.h"

enum { COMMAND_GENERATE = 1, COMMAND_TRAIN = 2, COMMAND_CAPTION = 4, COMMAND_EVALUATE = 8 };

typedef struct settings {
    const char *features, *captions, *model, *plot, *pictures, *device, *checkpoint, *weights;
    argument_list names;
    int64_t count, min_count, embedding, hidden, memory, batch, epochs, patience, beam, wrong;
    int64_t threads, seed, checkpoint_minutes;
    double valid, dropout, lr, clip;
    int json, resume;
} settings;

extern const argument_row settings_rows[];
extern const size_t settings_row_count;
extern const record_kind settings_record; /* how its runs are recorded */

#endif
