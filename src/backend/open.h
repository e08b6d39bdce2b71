/* What a context can be told at creation. */
#ifndef RKI_BACKEND_OPEN_H
#define RKI_BACKEND_OPEN_H

#include "base/options.h"

extern const rki_option_table rki_context_options;

#endif
