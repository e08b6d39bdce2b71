/* Each drawing fills a square of its own, in its own proportions. See page.h. */
#include "page.h"

#include <math.h>
#include <stdio.h>

#include "../common/console.h"
#include "../common/picture.h"

enum { SQUARE = 190, GAP = 16, MARGIN = 24, PADDING = 14, LEGEND = 30 };

static const char given_colour[] = "#9aa3b2", drawn_colour[] = "#1d3f8f";

typedef struct frame {
    double left, top, scale;
} frame;

/* What brings the drawing into its square, in the middle. */
static frame frame_of(const page_drawing *drawing)
{
    double x = 0, y = 0, low[2] = {0, 0}, high[2] = {0, 0}, wide, high_enough;
    frame fit;

    for (int64_t i = 0; i < drawing->count; i++) {
        x += (double)drawing->points[i].dx;
        y += (double)drawing->points[i].dy;
        low[0] = fmin(low[0], x);
        low[1] = fmin(low[1], y);
        high[0] = fmax(high[0], x);
        high[1] = fmax(high[1], y);
    }
    wide = fmax(high[0] - low[0], 1e-6);
    high_enough = fmax(high[1] - low[1], 1e-6);
    fit.scale = (SQUARE - 2 * PADDING) / fmax(wide, high_enough);
    fit.left = SQUARE / 2.0 - fit.scale * (low[0] + high[0]) / 2;
    fit.top = SQUARE / 2.0 - fit.scale * (low[1] + high[1]) / 2;
    return fit;
}

/* Points first to end - 1. A line begins where the pen was, unless it is lifted there. */
static void draw_part(
    FILE *out, const page_drawing *drawing, int64_t first, int64_t end, const char *colour)
{
    frame fit = frame_of(drawing);
    double x = 0, y = 0;
    int down = 0;

    if (first >= end) return;
    fprintf(out, "<path stroke='%s' d='", colour);
    for (int64_t i = 0; i < end; i++) {
        const pen_point *one = &drawing->points[i];
        int begins = i == 0 || drawing->points[i - 1].pen != PEN_DOWN;

        if (i >= first && !begins && !down)
            fprintf(out, "M%.1f %.1f", fit.left + fit.scale * x, fit.top + fit.scale * y);
        x += (double)one->dx;
        y += (double)one->dy;
        if (i < first) continue;
        fprintf(out, "%c%.1f %.1f", begins ? 'M' : 'L', fit.left + fit.scale * x,
            fit.top + fit.scale * y);
        if (begins && one->pen != PEN_DOWN) fputs("h0", out); /* a dot */
        down = 1;
    }
    fputs("'/>\n", out);
}

static void draw_legend(FILE *out, double y)
{
    fprintf(out,
        "<g font-size='13' fill='#444'><path stroke='%s' d='M%d %.0fh26'/>"
        "<text x='%d' y='%.0f'>given</text><path stroke='%s' d='M%d %.0fh26'/>"
        "<text x='%d' y='%.0f'>what the network drew</text></g>\n",
        given_colour, MARGIN, y, MARGIN + 34, y + 4, drawn_colour, MARGIN + 100, y, MARGIN + 134,
        y + 4);
}

int page_draw(const char *path, const page_drawing *drawings, int64_t count)
{
    int64_t across = count < 4 ? count : count < 9 ? (count + 1) / 2 : 4, lines;
    int has_given = 0;
    picture self;

    if (across > 4) across = 4;
    lines = (count + across - 1) / across;
    for (int64_t i = 0; i < count; i++)
        has_given |= drawings[i].given > 0;
    if (picture_begin(&self, 2 * MARGIN - GAP + (double)across * (SQUARE + GAP),
            2 * MARGIN - GAP + (double)lines * (SQUARE + GAP) + (has_given ? LEGEND : 0),
            "Drawings") != OUTCOME_OK)
        return OUTCOME_FAILED;
    fputs("<g fill='none' stroke-width='2.2' stroke-linecap='round' stroke-linejoin='round'>\n",
        self.out);
    for (int64_t i = 0; i < count; i++) {
        fprintf(self.out,
            "<g transform='translate(%lld %lld)'><rect width='%d' height='%d' rx='6' "
            "fill='#fbfaf7' stroke='#e3e0d8' stroke-width='1'/>\n",
            (long long)(MARGIN + i % across * (SQUARE + GAP)),
            (long long)(MARGIN + i / across * (SQUARE + GAP)), SQUARE, SQUARE);
        draw_part(self.out, &drawings[i], 0, drawings[i].given, given_colour);
        draw_part(self.out, &drawings[i], drawings[i].given, drawings[i].count, drawn_colour);
        fputs("</g>\n", self.out);
    }
    if (has_given) draw_legend(self.out, 2 * MARGIN - GAP + (double)lines * (SQUARE + GAP));
    fputs("</g>\n", self.out);
    return picture_end(&self, path, OUTCOME_OK);
}
