/* Files that are read whole. See input.h. */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

const char *input_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static int load(const char *name, FILE *in, char **text, size_t *length)
{
    size_t room = 0;

    for (;;) {
        size_t got;

        if (*length + 1 >= room) {
            char *larger = realloc(*text, room = room * 2 + 65536);

            if (larger == NULL) return fail("out of memory");
            *text = larger;
        }
        got = fread(*text + *length, 1, room - *length - 1, in);
        *length += got;
        if (got == 0) break;
    }
    (*text)[*length] = '\0';
    return ferror(in) ? fail("%s: %s", name, strerror(errno)) : OUTCOME_OK;
}

int input_read(const char *path, char **text, size_t *length)
{
    int is_input = strcmp(path, "-") == 0, outcome;
    FILE *in = is_input ? stdin : fopen(path, "rb");

    *text = NULL;
    *length = 0;
    if (in == NULL) return fail("%s: %s", path, strerror(errno));
    outcome = load(input_name(path), in, text, length);
    if (!is_input) fclose(in);
    if (outcome == OUTCOME_OK) return outcome;
    free(*text);
    *text = NULL;
    return outcome;
}
