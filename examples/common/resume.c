/* Stopping and going on. See resume.h. */
#include "resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "json.h"

int resume_save(rnnkit_checkpoint *checkpoint, const char *path, const resume_number *numbers,
    size_t count, const void *place)
{
    for (size_t i = 0; i < count; i++) {
        const double *value = (const void *)((const char *)place + numbers[i].offset);

        if (failed(rnnkit_checkpoint_set_number(checkpoint, numbers[i].name, *value)))
            return OUTCOME_FAILED;
    }
    return failed(rnnkit_checkpoint_save(checkpoint, path));
}

int resume_load(rnnkit_checkpoint *checkpoint, const char *path, const resume_number *numbers,
    size_t count, void *place)
{
    if (rnnkit_checkpoint_load(checkpoint, path) < 0)
        return fail("%s: %s", path, rnnkit_error_message());
    for (size_t i = 0; i < count; i++) {
        double *value = (void *)((char *)place + numbers[i].offset);

        if (failed(rnnkit_checkpoint_number(checkpoint, numbers[i].name, value)))
            return OUTCOME_FAILED;
    }
    return OUTCOME_OK;
}

char *resume_path(const char *checkpoint, const char *model)
{
    const char *end = checkpoint[0] != '\0' ? "" : ".checkpoint";
    const char *start = checkpoint[0] != '\0' ? checkpoint : model;
    size_t length = strlen(start) + strlen(end) + 1;
    char *path = malloc(length);

    if (path == NULL)
        fail("out of memory");
    else
        snprintf(path, length, "%s%s", start, end);
    return path;
}

char *resume_command(arguments *parsed, int resume, const char *path)
{
    size_t flag = arguments_find(parsed, "resume"), file = arguments_find(parsed, "checkpoint");
    int *resumes = (void *)((char *)parsed->values + parsed->rows[flag].offset);
    const char **checkpoint = (void *)((char *)parsed->values + parsed->rows[file].offset);
    const char *had = *checkpoint;
    unsigned char given = parsed->given[file];
    char *text;

    parsed->given[flag] = (unsigned char)resume;
    *resumes = resume;
    if (resume) {
        parsed->given[file] = 1;
        *checkpoint = path;
    }
    text = arguments_command(parsed);
    parsed->given[file] = given;
    *checkpoint = had;
    if (text == NULL) fail("out of memory");
    return text;
}

int resume_tell(arguments *parsed, int json, int64_t update, int64_t updates, const char *path)
{
    char *command = resume_command(parsed, 1, path);

    if (command == NULL) return OUTCOME_FAILED;
    if (json) {
        json_begin("interrupted");
        json_integer("update", update);
        json_integer("updates", updates);
        json_text("checkpoint", path);
        json_text("command", command);
        json_end();
    } else {
        console_line("interrupted after update %lld of %lld; saved in %s", (long long)update,
            (long long)updates, path);
        console_line("to go on: %s", command);
    }
    free(command);
    return OUTCOME_INTERRUPTED;
}
