/* Registry: which backends there are, built in or as plug-ins, and why one cannot be used. */
#ifndef RKI_BACKEND_REGISTRY_H
#define RKI_BACKEND_REGISTRY_H

#include "backend/backend.h"

enum { RKI_REASON_SIZE = 512 };

/* The built-in backend; its table is filled in src/cpu/. */
const rki_backend *rki_cpu_backend(void);

/* How many names there are, and the name at a place. */
int32_t rki_backend_count(void);
const char *rki_backend_name(int32_t place);

/* The table of a name, usable on this machine; else NULL and the reason in words (also for a name
 * that does not exist). A plug-in is opened at the first call and never closed. */
const rki_backend *rki_backend_find(const char *name, char reason[RKI_REASON_SIZE]);

#endif
