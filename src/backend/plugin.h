/* Plug-ins: finding and opening librnnkit-<name>.so.
 *
 * Looked for in RNNKIT_PLUGIN_DIR if that is set (an absolute path, and then nowhere else), else
 * in the folder `rnnkit` beside this library, else beside the library itself. Never in the working
 * directory, never by a bare name. An opened plug-in stays open: threads may still be in it.
 */
#ifndef RKI_BACKEND_PLUGIN_H
#define RKI_BACKEND_PLUGIN_H

#include <stddef.h>

#include "backend/backend.h"

/* The plug-in's table when it was found and is of our RKI_BACKEND_ABI; else NULL and why. */
const rki_backend *rki_plugin_open(const char *name, char *reason, size_t capacity);

#endif
