/* The heat map as SVG 1.1: a row for each word that was written, a column for each source word, the
 * darker the more the model looked there; the share in percent stands in cells of at least 10. See
 * heatmap.h.
 */
#include "heatmap.h"

#include <math.h>
#include <stdio.h>

#include "../common/console.h"
#include "../common/picture.h"

enum { CELL = 36, FONT = 15, SMALL = 11, GAP = 8, MARGIN = 16 };

static double widest(const char *const *words, int64_t count)
{
    double width = 0;

    for (int64_t i = 0; i < count; i++)
        width = fmax(width, picture_text_width(words[i], FONT));
    return width;
}

/* The column names stand upright, from the cells upwards. */
static void draw_names(FILE *out, const heatmap *source, double left, double top)
{
    for (int64_t s = 0; s < source->column_count; s++) {
        double x = left + CELL * ((double)s + 0.5) + FONT * 0.35;

        fprintf(out, "<text transform='translate(%.1f %.1f) rotate(-90)'>", x, top - GAP);
        picture_text(out, source->columns[s]);
        fputs("</text>\n", out);
    }
    for (int64_t t = 0; t < source->row_count; t++) {
        fprintf(out, "<text x='%.1f' y='%.1f' text-anchor='end'>", left - GAP,
            top + CELL * ((double)t + 0.5) + FONT * 0.35);
        picture_text(out, source->rows[t]);
        fputs("</text>\n", out);
    }
}

/* From white to dark blue. */
static void draw_cell(FILE *out, double x, double y, double weight)
{
    int red = (int)lround(255 - weight * (255 - 8)), green = (int)lround(255 - weight * (255 - 60)),
        blue = (int)lround(255 - weight * (255 - 130));

    fprintf(out, "<rect x='%.1f' y='%.1f' width='%d' height='%d' fill='rgb(%d,%d,%d)'/>\n", x, y,
        CELL, CELL, red, green, blue);
    if (weight < 0.095) return;
    fprintf(out,
        "<text x='%.1f' y='%.1f' text-anchor='middle' font-size='%d' fill='%s'>%.0f</text>\n",
        x + CELL / 2.0, y + CELL / 2.0 + SMALL * 0.35, SMALL, weight > 0.5 ? "white" : "#333",
        100 * weight);
}

static void draw_grid(FILE *out, const heatmap *source, double left, double top)
{
    fputs("<g stroke='#ddd'>\n", out);
    for (int64_t s = 0; s <= source->column_count; s++)
        fprintf(out, "<path d='M%.1f %.1fv%.1f'/>\n", left + CELL * (double)s, top,
            CELL * (double)source->row_count);
    for (int64_t t = 0; t <= source->row_count; t++)
        fprintf(out, "<path d='M%.1f %.1fh%.1f'/>\n", left, top + CELL * (double)t,
            CELL * (double)source->column_count);
    fputs("</g>\n", out);
}

int heatmap_write(const char *path, const heatmap *source)
{
    double left = MARGIN + widest(source->rows, source->row_count) + GAP;
    double top = MARGIN + widest(source->columns, source->column_count) + GAP;
    picture self;

    if (picture_begin(&self, left + CELL * (double)source->column_count + MARGIN,
            top + CELL * (double)source->row_count + MARGIN,
            "Where the model looked: percent of each row's attention") != OUTCOME_OK)
        return OUTCOME_FAILED;
    fprintf(self.out, "<g font-size='%d' fill='#222'>\n", FONT);
    draw_names(self.out, source, left, top);
    for (int64_t t = 0; t < source->row_count; t++)
        for (int64_t s = 0; s < source->column_count; s++)
            draw_cell(self.out, left + CELL * (double)s, top + CELL * (double)t,
                (double)source->weights[t * source->column_count + s]);
    fputs("</g>\n", self.out);
    draw_grid(self.out, source, left, top);
    return picture_end(&self, path, OUTCOME_OK);
}
