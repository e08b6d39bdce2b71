/* Reviews from a folder: pos/ and neg/ with a file for each (aclImdb; Maas et al. 2011), or train/
 * and test/ with these in them. Files are read in the order of their names.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../common/console.h"
#include "../common/input.h"
#include "reviews.h"

/* "a/b"; the caller frees it. */
static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder) + strlen(name) + 2;
    char *path = malloc(length);

    if (path != NULL) snprintf(path, length, "%s/%s", folder, name);
    return path;
}

static int is_folder(const char *folder, const char *name)
{
    struct stat status;
    char *path = join(folder, name);
    int found = path != NULL && stat(path, &status) == 0 && S_ISDIR(status.st_mode);

    free(path);
    return found;
}

static int is_text(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 4 && strcmp(entry->d_name + length - 4, ".txt") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_file(reviews *target, const char *folder, const char *name, const char *label)
{
    char *path = join(folder, name), *text;
    size_t length;
    int outcome;

    if (path == NULL) return fail("out of memory");
    outcome = input_read(path, &text, &length);
    if (outcome == OUTCOME_OK) outcome = reviews_keep(target, text);
    if (outcome == OUTCOME_OK)
        outcome =
            reviews_add(target, text, (int64_t)length, label, (int64_t)strlen(label), path, 1);
    free(path);
    return outcome;
}

static int add_folder(reviews *target, const char *folder, const char *label)
{
    char *path = join(folder, label);
    struct dirent **entries;
    int count, outcome = OUTCOME_OK;

    if (path == NULL) return fail("out of memory");
    count = scandir(path, &entries, is_text, by_bytes);
    if (count < 0) outcome = fail("%s: %s", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (outcome == OUTCOME_OK) outcome = add_file(target, path, entries[i]->d_name, label);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    free(path);
    return outcome;
}

static int read_pair(reviews *target, const char *folder)
{
    if (!is_folder(folder, "pos") || !is_folder(folder, "neg"))
        return fail(
            "%s: a folder of reviews has pos and neg in it, or train and test with these", folder);
    if (add_folder(target, folder, "neg") != OUTCOME_OK) return OUTCOME_FAILED;
    return add_folder(target, folder, "pos");
}

int reviews_read_tree(reviews *target, const char *path, const char *part)
{
    char *inner;
    int outcome;

    if (!is_folder(path, part)) return read_pair(target, path);
    inner = join(path, part);
    if (inner == NULL) return fail("out of memory");
    outcome = read_pair(target, inner);
    free(inner);
    return outcome;
}
