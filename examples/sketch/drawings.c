/* See drawings.h. The reader takes the numbers of JSON (RFC 8259) and nothing around them but white
 * space, brackets and commas, in the places where the form has them.
 */
#include "drawings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/input.h"

/* What is read of a line: where, and what for. */
typedef struct reader {
    const char *name;
    size_t line;
    const char *begin, *at;
} reader;

static int fail_here(const reader *from, const char *expected)
{
    return fail("%s, line %zu, column %zu: expected %s", from->name, from->line,
        (size_t)(from->at - from->begin) + 1, expected);
}

static void skip_space(reader *from)
{
    from->at += strspn(from->at, " \t\r");
}

/* Takes a mark that has to be there. */
static int take(reader *from, char mark, const char *expected)
{
    skip_space(from);
    if (*from->at != mark) return fail_here(from, expected);
    from->at++;
    return OUTCOME_OK;
}

static int read_number(reader *from, double *value)
{
    static const double most = 1e6;
    char *end;

    skip_space(from);
    if (strchr("-0123456789", *from->at) == NULL || *from->at == '\0')
        return fail_here(from, "a number");
    *value = strtod(from->at, &end);
    if (end == from->at || strspn(from->at, "+-.0123456789eE") < (size_t)(end - from->at))
        return fail_here(from, "a number");
    if (!(fabs(*value) <= most)) return fail_here(from, "a number from -1000000 to 1000000");
    from->at = end;
    return OUTCOME_OK;
}

static int read_point(reader *from, pen_point *out)
{
    double numbers[3] = {0, 0, 0};

    if (take(from, '[', "[dx, dy, lifted]") != OUTCOME_OK) return OUTCOME_FAILED;
    for (int i = 0; i < 3; i++) {
        if (i > 0 && take(from, ',', "a comma: a point is [dx, dy, lifted]") != OUTCOME_OK)
            return OUTCOME_FAILED;
        if (read_number(from, &numbers[i]) != OUTCOME_OK) return OUTCOME_FAILED;
    }
    if (numbers[2] != 0 && numbers[2] != 1) return fail_here(from, "0 or 1: is the pen lifted?");
    *out =
        (pen_point){(float)numbers[0], (float)numbers[1], numbers[2] == 1 ? PEN_LIFTED : PEN_DOWN};
    return take(from, ']', "] behind three numbers");
}

static int add_point(drawings *target, const pen_point *one)
{
    if (target->point_count == target->point_room) {
        size_t room = target->point_room * 2 + 4096;
        pen_point *larger = realloc(target->points, room * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        target->points = larger;
        target->point_room = room;
    }
    target->points[target->point_count++] = *one;
    return OUTCOME_OK;
}

static int make_room(drawings *target)
{
    size_t room = target->room * 2 + 256;
    size_t *starts = realloc(target->starts, (room + 1) * sizeof *starts);
    int64_t *lengths;

    if (starts == NULL) return fail("out of memory");
    target->starts = starts;
    lengths = realloc(target->lengths, room * sizeof *lengths);
    if (lengths == NULL) return fail("out of memory");
    target->lengths = lengths;
    target->room = room;
    return OUTCOME_OK;
}

static int read_line(drawings *target, reader *from, int64_t most)
{
    int64_t count = 0;

    if (target->count == target->room && make_room(target) != OUTCOME_OK) return OUTCOME_FAILED;
    target->starts[target->count] = target->point_count;
    if (take(from, '[', "[, a drawing's beginning") != OUTCOME_OK) return OUTCOME_FAILED;
    do {
        pen_point one;

        if (count > 0) from->at++;
        if (read_point(from, &one) != OUTCOME_OK ||
            (count < most && add_point(target, &one) != OUTCOME_OK))
            return OUTCOME_FAILED;
        count++;
        skip_space(from);
    } while (*from->at == ',');
    if (take(from, ']', "a comma, or ] at the drawing's end") != OUTCOME_OK) return OUTCOME_FAILED;
    skip_space(from);
    if (*from->at != '\0') return fail_here(from, "the end of the line behind a drawing");
    target->lengths[target->count++] = count < most ? count : most;
    target->starts[target->count] = target->point_count;
    return OUTCOME_OK;
}

static int read_lines(drawings *target, reader *from, char *text, size_t length, int64_t most)
{
    char *end = text + length;

    for (char *line = text; line < end;) {
        char *feed = memchr(line, '\n', (size_t)(end - line)), *stop = feed != NULL ? feed : end;

        from->line++;
        *stop = '\0';
        if (strlen(line) < (size_t)(stop - line))
            return fail("%s, line %zu has a NUL byte", from->name, from->line);
        if (from->line == 1 && strncmp(line, "\xEF\xBB\xBF", 3) == 0) line += 3;
        from->begin = from->at = line;
        skip_space(from);
        if (*from->at != '\0' && read_line(target, from, most) != OUTCOME_OK) return OUTCOME_FAILED;
        line = stop + 1;
    }
    return target->count > 0 ? OUTCOME_OK : fail("%s: there is no drawing in it", from->name);
}

int drawings_read(drawings *target, const char *path, int64_t most)
{
    reader from = {.name = input_name(path)};
    char *text;
    size_t length;
    int outcome;

    *target = (drawings){0};
    if (input_read(path, &text, &length) != OUTCOME_OK) return OUTCOME_FAILED;
    outcome = read_lines(target, &from, text, length, most);
    free(text);
    return outcome;
}

void drawings_free(drawings *target)
{
    free(target->points);
    free(target->starts);
    free(target->lengths);
    *target = (drawings){0};
}

double drawings_scale(const drawings *source, const size_t *chosen, size_t count)
{
    double squares = 0, numbers = 0;

    for (size_t i = 0; i < count; i++) {
        const pen_point *points = source->points + source->starts[chosen[i]];

        for (int64_t t = 0; t < source->lengths[chosen[i]]; t++) {
            squares += (double)points[t].dx * (double)points[t].dx +
                       (double)points[t].dy * (double)points[t].dy;
            numbers += 2;
        }
    }
    return squares > 0 ? sqrt(squares / numbers) : 1;
}
