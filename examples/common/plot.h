/* The loss curves of a training run as a picture. */
#ifndef COMMON_PLOT_H
#define COMMON_PLOT_H

#include "curve.h"

/* Draws both curves into an SVG file, replacing it whole. `last` is the run's last update. The loss
 * is in nats per `unit`, and shown as perplexity too where that is asked for. */
int plot_write(const char *path, const curve *train, const curve *valid, int64_t last,
    const char *unit, int perplexity);

#endif
