/* Registry. See registry.h. */
#include "backend/registry.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "backend/plugin.h"
#include "base/nearest.h"

/* In the order in which "auto" would prefer them, but for the reference. */
static const char *const backend_names[] = {"cuda", "cpu", "reference"};
enum { COUNT = sizeof backend_names / sizeof backend_names[0] };

static const rki_backend *opened[COUNT]; /* guarded by `lock` */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int32_t rki_backend_count(void)
{
    return COUNT;
}

const char *rki_backend_name(int32_t place)
{
    return place >= 0 && place < COUNT ? backend_names[place] : NULL;
}

static int place_of(const char *name)
{
    for (int i = 0; i < COUNT; i++)
        if (strcmp(backend_names[i], name) == 0) return i;
    return -1;
}

static void unknown(const char *name, char reason[RKI_REASON_SIZE])
{
    rki_nearest nearest = rki_nearest_start(name, strlen(name));
    for (int i = 0; i < COUNT; i++)
        rki_nearest_offer(&nearest, backend_names[i]);
    rki_nearest_offer(&nearest, "auto");
    if (nearest.best != NULL)
        snprintf(
            reason, RKI_REASON_SIZE, "there is no such device; did you mean '%s'?", nearest.best);
    else
        snprintf(reason, RKI_REASON_SIZE,
            "there is no such device, expected auto, cpu, cuda, cuda:N or reference");
}

const rki_backend *rki_backend_find(const char *name, char reason[RKI_REASON_SIZE])
{
    int place = place_of(name);
    if (place < 0) {
        unknown(name, reason);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    if (opened[place] == NULL)
        opened[place] = strcmp(name, "cpu") == 0 ? rki_cpu_backend()
                                                 : rki_plugin_open(name, reason, RKI_REASON_SIZE);
    const rki_backend *found = opened[place];
    pthread_mutex_unlock(&lock);
    if (found == NULL || !found->probe(reason, RKI_REASON_SIZE)) return NULL;
    return found;
}
