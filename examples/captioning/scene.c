/* Scenes: drawing lots, naming what there is, and what is seen at a point. See scene.h. */
#include "scene.h"

#include <math.h>
#include <string.h>

#include "../common/random.h"

enum { KINDS = 4, COLOURS = 5, CORNERS = 12, POINTS = 3 };

static const char *const kind_names[KINDS] = {"square", "triangle", "star", "circle"};
static const char *const colour_names[COLOURS] = {"red", "green", "blue", "yellow", "purple"};
static const unsigned char colour_values[COLOURS][3] = {
    {214, 48, 49}, {39, 154, 84}, {41, 98, 214}, {240, 190, 30}, {140, 70, 190}};
static const unsigned char ground[3] = {245, 243, 238};

/* Corners of a shape of radius 1 around (0, 0); a circle has none. */
static int corners_of(int kind, double corners[CORNERS][2])
{
    static const double pi = 3.141592653589793;
    int count = kind == 0 ? 4 : kind == 1 ? 3 : kind == 2 ? 10 : 0;

    for (int i = 0; i < count; i++) {
        double radius = kind == 2 && i % 2 == 1 ? 0.45 : 1;
        double angle = 2 * pi * i / count - pi / 2 + (kind == 0 ? pi / 4 : 0);

        corners[i][0] = radius * cos(angle);
        corners[i][1] = radius * sin(angle);
    }
    return count;
}

/* Even-odd rule (Shimrat 1962). */
static int is_inside(const scene_shape *shape, double x, double y)
{
    double corners[CORNERS][2] = {{0}};
    int count, inside = 0;

    x = (x - shape->x) / shape->radius;
    y = (y - shape->y) / shape->radius;
    if (x * x + y * y > 1) return 0;
    count = corners_of(shape->kind, corners);
    if (count == 0) return 1;
    for (int i = 0, j = count - 1; i < count; j = i++)
        if ((corners[i][1] > y) != (corners[j][1] > y) &&
            x < (corners[j][0] - corners[i][0]) * (y - corners[i][1]) /
                        (corners[j][1] - corners[i][1]) +
                    corners[i][0])
            inside = !inside;
    return inside;
}

void scene_pixel(const scene *source, int x, int y, int pixels, float colours[3])
{
    double size = (double)SCENE_SIDE / pixels, sums[3] = {0, 0, 0};

    for (int k = 0; k < POINTS * POINTS; k++) {
        double at_x = (x + (k % POINTS + 0.5) / POINTS) * size;
        double at_y = (y + (k / POINTS + 0.5) / POINTS) * size;
        const unsigned char *seen = ground;

        for (int i = 0; i < source->count; i++)
            if (is_inside(&source->shapes[i], at_x, at_y))
                seen = colour_values[source->shapes[i].colour];
        for (int c = 0; c < 3; c++)
            sums[c] += seen[c];
    }
    for (int c = 0; c < 3; c++)
        colours[c] = (float)(sums[c] / (255.0 * POINTS * POINTS));
}

static double between(uint64_t *random, double least, double most)
{
    return least + (most - least) * random_uniform(random);
}

static void place_one(scene *target, uint64_t *random)
{
    static const char *const rows[] = {"top", "", "bottom"}, *const columns[] = {
                                                                 "left", "", "right"};
    size_t row = random_below(random, 3), column = random_below(random, 3);
    scene_shape *shape = &target->shapes[0];
    size_t length = strlen(target->caption);

    shape->x = 13 + 19 * (double)column + between(random, -3, 3);
    shape->y = 13 + 19 * (double)row + between(random, -3, 3);
    if (row == 1 && column == 1)
        snprintf(target->caption + length, SCENE_CAPTION - length, " in the middle");
    else
        snprintf(target->caption + length, SCENE_CAPTION - length, " at the %s%s%s", rows[row],
            row == 1 || column == 1 ? "" : " ", columns[column]);
}

/* Far apart one way and near the other, so that there is no doubt which way it is. */
static const char *place_two(scene *target, uint64_t *random)
{
    int above = random_below(random, 2) == 1;
    double middle = between(random, 16, 48), first = between(random, 11, 22);
    double places[2] = {first, between(random, first + 22, 53)};

    for (int i = 0; i < 2; i++) {
        scene_shape *shape = &target->shapes[i];
        double near = middle + between(random, -5, 5);

        shape->x = above ? near : places[i];
        shape->y = above ? places[i] : near;
    }
    return above ? " above " : " left of ";
}

static void place_three(scene *target, uint64_t *random)
{
    for (int i = 0; i < 3; i++) {
        target->shapes[i].x = 12 + 20 * i + between(random, -2, 2);
        target->shapes[i].y = between(random, 12, 52);
    }
}

static void name_shape(char *caption, const char *before, const scene_shape *shape)
{
    size_t length = strlen(caption);

    snprintf(caption + length, SCENE_CAPTION - length, "%sa %s %s", before,
        colour_names[shape->colour], kind_names[shape->kind]);
}

void scene_make(scene *target, uint64_t *random)
{
    const char *relation = "";

    *target = (scene){.count = 1 + (int)random_below(random, SCENE_SHAPES)};
    for (int i = 0; i < target->count; i++) {
        target->shapes[i].kind = (int)random_below(random, KINDS);
        target->shapes[i].colour = (int)random_below(random, COLOURS);
        target->shapes[i].radius = between(random, 7.5, 10);
    }
    name_shape(target->caption, "", &target->shapes[0]);
    if (target->count == 1) place_one(target, random);
    if (target->count == 2) relation = place_two(target, random);
    if (target->count == 3) place_three(target, random);
    if (target->count > 1)
        name_shape(target->caption, target->count == 2 ? relation : ", ", &target->shapes[1]);
    if (target->count == 3) name_shape(target->caption, " and ", &target->shapes[2]);
}

static void draw_shape(const scene_shape *shape, FILE *out)
{
    const unsigned char *colour = colour_values[shape->colour];
    double corners[CORNERS][2];
    int count = corners_of(shape->kind, corners);

    if (count == 0)
        fprintf(out, "<circle cx='%.2f' cy='%.2f' r='%.2f'", shape->x, shape->y, shape->radius);
    else
        fputs("<path d='", out);
    for (int i = 0; i < count; i++)
        fprintf(out, "%c%.2f %.2f", i == 0 ? 'M' : 'L', shape->x + shape->radius * corners[i][0],
            shape->y + shape->radius * corners[i][1]);
    fprintf(out, "%s fill='#%02x%02x%02x'/>\n", count == 0 ? "" : "Z'", colour[0], colour[1],
        colour[2]);
}

void scene_draw(const scene *source, FILE *out)
{
    fprintf(out,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d'>\n"
        "<rect width='100%%' height='100%%' fill='#%02x%02x%02x'/>\n",
        SCENE_SIDE, SCENE_SIDE, 4 * SCENE_SIDE, 4 * SCENE_SIDE, ground[0], ground[1], ground[2]);
    for (int i = 0; i < source->count; i++)
        draw_shape(&source->shapes[i], out);
    fputs("</svg>\n", out);
}
