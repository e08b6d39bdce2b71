/* Batches over a part of a token stream: tokens first to first + count - 1.
 *
 * contiguous: every token of the part but the last is an input whose target is the token behind
 * it. Row r reads inputs first + r * lane to first + (r + 1) * lane - 1, lane = floor((count - 1) /
 * batch); every target lies inside the part, so a row's last target is the next row's first input.
 * The (count - 1) mod batch inputs behind the last row are not used. A batch has `steps` steps, the
 * last one of an epoch what is left.
 *
 * sliding: window w is the inputs first + w to first + w + steps - 1, for w = 0 to count - steps -
 * 1, and the one target is the token behind them; y holds RNNKIT_IGNORE in all steps but the last.
 * With shuffle=1 the windows come in the order of a random permutation that depends on the
 * context's seed and the epoch alone. A batch has `batch` rows, the last one what is left.
 *
 * No memory per window is held: a batch is copied out of the stream when it is asked for.
 */
#ifndef RKI_TEXT_BATCHES_H
#define RKI_TEXT_BATCHES_H

#include <stdint.h>

#include "base/object.h"
#include "base/options.h"
#include "rnnkit/batches.h"
#include "text/tokens.h"

typedef enum rki_windows { RKI_WINDOWS_CONTIGUOUS, RKI_WINDOWS_SLIDING } rki_windows;

typedef struct rki_batches_settings {
    int64_t batch, steps, first, count;
    int32_t windows; /* rki_windows */
    int32_t shuffle;
} rki_batches_settings;

struct rnnkit_batches {
    rki_object object;
    rnnkit_tokens *tokens;
    rki_batches_settings settings; /* count is never -1 here */
    int64_t length;                /* contiguous: steps of a lane; sliding: windows */
    int64_t total;                 /* batches in an epoch */
    int64_t epoch, given;
    int32_t *x, *y, *window; /* [steps][batch], the same, [steps + 1] */
};

extern const rki_option_table rki_batches_options_table;

/* Where the batches are, for a checkpoint: epoch, batches given, tokens, and a number that stands
 * for the options and, where it matters, the seed. */
enum { RKI_BATCHES_CURSOR = 4 };
void rki_batches_cursor(const rnnkit_batches *batches, int64_t out[RKI_BATCHES_CURSOR]);

/* Goes there; RNNKIT_E_SHAPE when the cursor is that of batches with other options, another number
 * of tokens or, for shuffled windows, another seed. */
int32_t rki_batches_set_cursor(rnnkit_batches *batches, const int64_t cursor[RKI_BATCHES_CURSOR]);

#endif
