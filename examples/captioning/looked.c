/* Tiles: with an image, a dark veil lies on it that is thin where the model looked; without one, the
 * places are filled as strongly as it looked there. A word's strongest place is the measure.
 */
#include "looked.h"

#include <math.h>
#include <stdio.h>

#include "../common/console.h"
#include "../common/picture.h"

enum { TILE = 120, GAP = 12, MARGIN = 24, HEAD = 46, WORD = 26, ACROSS = 8, BETWEEN = 18 };

/* The image itself, then the words. */
static int64_t tiles_of(const looked *item)
{
    return item->count + (item->image != NULL);
}

static int64_t lines_of(const looked *item)
{
    return (tiles_of(item) + ACROSS - 1) / ACROSS;
}

/* Tiles in a line: all lines are about as long. */
static int64_t across_of(const looked *item)
{
    int64_t lines = lines_of(item);

    return lines > 0 ? (tiles_of(item) + lines - 1) / lines : 1;
}

static double height_of(const looked *item)
{
    int64_t lines = lines_of(item);

    return HEAD + (double)lines * (TILE + WORD) + BETWEEN;
}

static double strongest(const float *weights, int64_t count)
{
    double most = 1e-9;

    for (int64_t i = 0; i < count; i++)
        if ((double)weights[i] > most) most = (double)weights[i];
    return most;
}

/* Places beyond the edge are as those at it, so that the blur does not lighten the edge. */
static void draw_veil(FILE *out, const float *weights, int64_t rows, int64_t columns)
{
    double high = (double)TILE / (double)rows, wide = (double)TILE / (double)columns;
    double most = strongest(weights, rows * columns);

    fputs("<g clip-path='url(#tile)'><g filter='url(#soft)' fill='#1b2540'>\n", out);
    for (int64_t r = -1; r <= rows; r++)
        for (int64_t c = -1; c <= columns; c++) {
            int64_t row = r < 0 ? 0 : r == rows ? rows - 1 : r;
            int64_t column = c < 0 ? 0 : c == columns ? columns - 1 : c;
            double part = (double)weights[row * columns + column] / most;

            fprintf(out,
                "<rect x='%.2f' y='%.2f' width='%.2f' height='%.2f' fill-opacity='%.3f'/>\n",
                (double)c * wide, (double)r * high, wide + 0.05, high + 0.05, 0.7 * (1 - part));
        }
    fputs("</g></g>\n", out);
}

static void draw_places(FILE *out, const float *weights, int64_t rows, int64_t columns)
{
    double high = (double)TILE / (double)rows, wide = (double)TILE / (double)columns;
    double most = strongest(weights, rows * columns);

    fputs("<g fill='#1f4fa3' stroke='#d5dae3' stroke-width='0.6'>\n", out);
    for (int64_t i = 0; i < rows * columns; i++)
        fprintf(out, "<rect x='%.2f' y='%.2f' width='%.2f' height='%.2f' fill-opacity='%.3f'/>\n",
            (double)(i % columns) * wide, (double)(i / columns) * high, wide, high,
            (double)weights[i] / most);
    fputs("</g>\n", out);
}

/* Tile `word` of an item, -1 being the image. */
static void draw_tile(FILE *out, const looked *item, size_t number, int64_t word, int64_t rows,
    int64_t columns, double y)
{
    int64_t tile = item->image != NULL ? word + 1 : word, across = across_of(item);
    double x = MARGIN + (double)(tile % across) * (TILE + GAP);

    fprintf(out, "<g transform='translate(%.0f %.0f)'>\n", x,
        y + (double)(tile / across) * (TILE + WORD));
    if (item->image != NULL) fprintf(out, "<use xlink:href='#image%zu'/>\n", number);
    if (word >= 0) {
        const float *weights = item->weights + word * rows * columns;

        (item->image != NULL ? draw_veil : draw_places)(out, weights, rows, columns);
        fprintf(out,
            "<text class='word' x='%d' y='%d' text-anchor='middle' font-size='14' "
            "font-weight='bold' fill='#222'>",
            TILE / 2, TILE + 17);
        picture_text(out, item->words[word]);
        fputs("</text>\n", out);
    }
    fprintf(out, "<rect width='%d' height='%d' rx='3' fill='none' stroke='#c3c9d4'/>\n</g>\n", TILE,
        TILE);
}

static void draw_item(
    FILE *out, const looked *item, size_t number, int64_t rows, int64_t columns, double y)
{
    if (item->image != NULL)
        fprintf(out,
            "<defs><image id='image%zu' width='%d' height='%d' preserveAspectRatio='none' "
            "xlink:href='%s'/></defs>\n",
            number, TILE, TILE, item->image);
    fprintf(out, "<text x='%d' y='%.0f' font-size='18' fill='#111'>", MARGIN, y + 28);
    picture_text(out, item->caption);
    fputs("<tspan font-size='12' fill='#7a8394' dx='12'>", out);
    picture_text(out, item->name);
    fputs("</tspan></text>\n", out);
    for (int64_t word = item->image != NULL ? -1 : 0; word < item->count; word++)
        draw_tile(out, item, number, word, rows, columns, y + HEAD);
}

int looked_draw(const char *path, const looked *items, size_t count, int64_t rows, int64_t columns)
{
    double height = MARGIN, y = MARGIN / 2, blur = 0.4 * TILE / (double)(rows + columns) * 2;
    int64_t across = 1;
    picture self;

    for (size_t i = 0; i < count; i++) {
        height += height_of(&items[i]);
        if (across_of(&items[i]) > across) across = across_of(&items[i]);
    }
    if (across < 4) across = 4; /* room for the caption */
    if (picture_begin(&self, 2 * MARGIN + (double)across * (TILE + GAP) - GAP, height,
            "Where the model looked for each word") != OUTCOME_OK)
        return OUTCOME_FAILED;
    fprintf(self.out,
        "<defs><clipPath id='tile'><rect width='%d' height='%d' rx='3'/></clipPath>"
        "<filter id='soft' color-interpolation-filters='sRGB' x='-0.2' y='-0.2' width='1.4' "
        "height='1.4'>"
        "<feGaussianBlur stdDeviation='%.2f'/></filter></defs>\n",
        TILE, TILE, blur);
    for (size_t i = 0; i < count; i++) {
        draw_item(self.out, &items[i], i + 1, rows, columns, y);
        y += height_of(&items[i]);
    }
    return picture_end(&self, path, OUTCOME_OK);
}
