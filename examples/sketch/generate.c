/* The command `generate`: drawings of spirals and polygons to learn from, with the unsteadiness of a
 * hand, in whole numbers as a mouse gives them.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/output.h"
#include "../common/random.h"
#include "commands.h"

static const double turn = 6.283185307179586;

/* A line that is being drawn, in whole numbers. */
typedef struct pen {
    FILE *out;
    uint64_t *random;
    long x, y;
    int64_t points;
} pen;

/* To a place, with a tremble; `lifted`: it is the line's last. */
static void move(pen *with, double x, double y, double tremble, int lifted)
{
    long to_x = lround(x + tremble * random_normal(with->random));
    long to_y = lround(y + tremble * random_normal(with->random));

    fprintf(with->out, "%s[%ld,%ld,%d]", with->points++ == 0 ? "" : ",", to_x - with->x,
        to_y - with->y, lifted);
    with->x = to_x;
    with->y = to_y;
}

static double between(uint64_t *random, double least, double most)
{
    return least + (most - least) * random_uniform(random);
}

/* Archimedes' spiral, from the middle. */
static void draw_spiral(pen *with)
{
    double start = between(with->random, 0, turn), turns = between(with->random, 2, 3.5);
    double radius = between(with->random, 60, 110);
    double side = random_below(with->random, 2) == 1 ? 1 : -1;
    int count = (int)(turns * 14);

    for (int i = 0; i <= count; i++) {
        double part = (double)i / count, angle = start + side * turns * turn * part;

        move(with, radius * part * cos(angle), radius * part * sin(angle), 0.7, i == count);
    }
}

/* Regular, three points a side, closed where it began: the place of point i. */
static void polygon_point(int i, int parts, int corners, double start, double place[2])
{
    double from = start + turn * (i / parts) / corners;
    double to = start + turn * (i / parts + 1) / corners;
    double part = (double)(i % parts) / parts;

    place[0] = (1 - part) * cos(from) + part * cos(to) - cos(start);
    place[1] = (1 - part) * sin(from) + part * sin(to) - sin(start);
}

static void draw_polygon(pen *with)
{
    enum { PARTS = 3 };
    int corners = 3 + (int)random_below(with->random, 4), count = corners * PARTS;
    double start = between(with->random, 0, turn), radius = between(with->random, 50, 100);

    for (int i = 0; i <= count; i++) {
        double place[2];

        polygon_point(i, PARTS, corners, start, place);
        move(with, radius * place[0], radius * place[1], 0.7, i == count);
    }
}

static int draw_all(const settings *options, FILE *out)
{
    uint64_t random = (uint64_t)options->seed;

    for (int64_t i = 0; i < options->made; i++) {
        pen with = {.out = out, .random = &random};
        int spiral =
            options->kind[0] == 'b' ? random_below(&random, 2) == 1 : options->kind[0] == 's';

        if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
        putc('[', out);
        (spiral ? draw_spiral : draw_polygon)(&with);
        fputs("]\n", out);
    }
    return OUTCOME_OK;
}

static void tell(const settings *options)
{
    char number[CONSOLE_NUMBER_SIZE];

    if (options->json) {
        json_begin("done");
        json_integer("drawings", options->made);
        json_end();
        return;
    }
    console_line("%s drawings: %s", console_count(options->made, number), options->data);
}

int generate_command(arguments *parsed)
{
    const settings *options = parsed->values;
    char *text = NULL;
    size_t length = 0;
    FILE *out;
    int outcome;

    if (output_check("data", options->data) != OUTCOME_OK) return OUTCOME_FAILED;
    out = open_memstream(&text, &length);
    if (out == NULL) return fail("out of memory");
    outcome = draw_all(options, out);
    if (fclose(out) != 0 && outcome == OUTCOME_OK) outcome = fail("out of memory");
    if (outcome == OUTCOME_OK) outcome = output_replace(options->data, text, length);
    if (outcome == OUTCOME_OK) tell(options);
    free(text);
    return outcome;
}
