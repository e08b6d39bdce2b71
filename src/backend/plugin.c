/* Plug-ins. See plugin.h. */
#include "backend/plugin.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes the folder this code was loaded from; 0 when that is not known. */
static int own_folder(char folder[PATH_MAX])
{
    static const char anchor = 0;
    Dl_info info;
    char resolved[PATH_MAX];
    if (dladdr(&anchor, &info) == 0 || info.dli_fname == NULL) return 0;
    if (strchr(info.dli_fname, '/') == NULL || realpath(info.dli_fname, resolved) == NULL) return 0;
    *strrchr(resolved, '/') = '\0';
    strcpy(folder, resolved);
    return 1;
}

static int exists(const char *folder, const char *below, const char *name, char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s%s/librnnkit-%s.so", folder, below, name);
    return length > 0 && length < PATH_MAX && access(path, F_OK) == 0;
}

static int find(const char *name, char path[PATH_MAX], char *reason, size_t capacity)
{
    const char *told = secure_getenv("RNNKIT_PLUGIN_DIR");
    char folder[PATH_MAX];
    if (told != NULL && told[0] != '\0') {
        if (told[0] != '/') {
            snprintf(reason, capacity, "RNNKIT_PLUGIN_DIR is %s, expected an absolute path", told);
            return 0;
        }
        if (exists(told, "", name, path)) return 1;
        snprintf(
            reason, capacity, "there is no librnnkit-%s.so in RNNKIT_PLUGIN_DIR (%s)", name, told);
        return 0;
    }
    if (!own_folder(folder)) {
        snprintf(reason, capacity,
            "the folder of librnnkit is not known; set RNNKIT_PLUGIN_DIR to that of "
            "librnnkit-%s.so",
            name);
        return 0;
    }
    if (exists(folder, "/rnnkit", name, path) || exists(folder, "", name, path)) return 1;
    snprintf(reason, capacity,
        "the plug-in librnnkit-%s.so is not installed (looked in %s/rnnkit and %s)", name, folder,
        folder);
    return 0;
}

/* Every member is required: one that is missing would be called one day. */
static int is_complete(const rki_backend *table)
{
    const unsigned char *bytes = (const unsigned char *)table;
    void (*member)(void);
    for (size_t at = offsetof(rki_backend, probe); at < sizeof *table; at += sizeof member) {
        memcpy(&member, bytes + at, sizeof member);
        if (member == NULL) return 0;
    }
    return 1;
}

const rki_backend *rki_plugin_open(const char *name, char *reason, size_t capacity)
{
    char path[PATH_MAX];
    if (!find(name, path, reason, capacity)) return NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == NULL) {
        const char *why = dlerror();
        snprintf(reason, capacity, "%s", why == NULL ? path : why);
        return NULL;
    }
    rki_backend_entry_fn entry;
    void *symbol = dlsym(library, RKI_BACKEND_ENTRY);
    memcpy(&entry, &symbol, sizeof entry);
    const rki_backend *table = symbol == NULL ? NULL : entry();
    if (table == NULL) {
        snprintf(
            reason, capacity, "%s is not a librnnkit plug-in (no %s)", path, RKI_BACKEND_ENTRY);
        return NULL;
    }
    if (table->abi != RKI_BACKEND_ABI || table->size != sizeof *table || !is_complete(table)) {
        snprintf(reason, capacity, "%s belongs to another version of librnnkit", path);
        return NULL;
    }
    return table;
}
