/* The chart as SVG 1.1, readable on light and dark pages alike. See chart.h. */
#include "chart.h"

#include <math.h>
#include <stdio.h>

#include "console.h"
#include "picture.h"

enum { WIDTH = 760, HEIGHT = 460, LEFT = 72, RIGHT = 24, TOP = 48, BOTTOM = 60 };

typedef struct frame {
    double x_least, x_most;
    double y_least, y_most;
    double x_step, y_step; /* between grid lines */
} frame;

/* A step of 1, 2 or 5 times a power of ten that divides `span` into at most `parts` parts. */
static double round_step(double span, int parts)
{
    double rough = span > 0 ? span / parts : 1;
    double power = pow(10, floor(log10(rough)));
    double ratio = rough / power;

    return power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
}

static void stretch(frame *axes, const chart_line *line)
{
    for (size_t i = 0; i < line->count; i++) {
        if (!isfinite(line->y[i])) continue;
        axes->y_least = fmin(axes->y_least, line->y[i]);
        axes->y_most = fmax(axes->y_most, line->y[i]);
    }
}

static frame frame_for(const chart *source)
{
    frame axes = {.x_least = source->x_least,
        .x_most = fmax(source->x_most, source->x_least + 1),
        .y_least = INFINITY,
        .y_most = -INFINITY};

    for (size_t i = 0; i < source->count; i++)
        stretch(&axes, &source->lines[i]);
    if (axes.y_least > axes.y_most) axes.y_least = axes.y_most = 0;
    axes.x_step = fmax(1, round_step(axes.x_most - axes.x_least, 8));
    axes.y_step = round_step(axes.y_most - axes.y_least, 8);
    axes.y_least = floor(axes.y_least / axes.y_step) * axes.y_step;
    axes.y_most = ceil(axes.y_most / axes.y_step) * axes.y_step;
    if (axes.y_most <= axes.y_least) axes.y_most = axes.y_least + axes.y_step;
    return axes;
}

static double x_place(const frame *axes, double x)
{
    return LEFT + (x - axes->x_least) / (axes->x_most - axes->x_least) * (WIDTH - LEFT - RIGHT);
}

static double y_place(const frame *axes, double y)
{
    return HEIGHT - BOTTOM -
           (y - axes->y_least) / (axes->y_most - axes->y_least) * (HEIGHT - TOP - BOTTOM);
}

static void draw_rows(FILE *out, const frame *axes)
{
    int lines = (int)lround((axes->y_most - axes->y_least) / axes->y_step);
    int decimals = axes->y_step >= 1 ? 0 : (int)ceil(-log10(axes->y_step) - 1e-9);

    for (int i = 0; i <= lines; i++) {
        double value = axes->y_least + i * axes->y_step;
        double y = y_place(axes, value);

        fprintf(out, "<path class='grid' d='M%d %.1fH%d'/>", LEFT, y, WIDTH - RIGHT);
        fprintf(out, "<text x='%d' y='%.1f' text-anchor='end'>%.*f</text>\n", LEFT - 8, y + 4,
            decimals, value);
    }
}

static void draw_columns(FILE *out, const frame *axes)
{
    char number[CONSOLE_NUMBER_SIZE];

    for (double value = ceil(axes->x_least / axes->x_step) * axes->x_step; value <= axes->x_most;
         value += axes->x_step) {
        double x = x_place(axes, value);

        fprintf(out, "<path class='grid' d='M%.1f %dV%d'/>", x, TOP, HEIGHT - BOTTOM);
        fprintf(out, "<text x='%.1f' y='%d' text-anchor='middle'>%s</text>\n", x,
            HEIGHT - BOTTOM + 18, console_count((int64_t)value, number));
    }
}

static void draw_axes(FILE *out, const chart *source)
{
    fprintf(
        out, "<path class='axis' d='M%d %dV%dH%d'/>\n", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    fprintf(
        out, "<text x='%d' y='%d' text-anchor='middle'>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16);
    picture_text(out, source->x_name);
    fprintf(out, "</text>\n<text transform='translate(20 %d) rotate(-90)' text-anchor='middle'>",
        (TOP + HEIGHT - BOTTOM) / 2);
    picture_text(out, source->y_name);
    fputs("</text>\n", out);
}

static void begin_curve(FILE *out, const chart_line *line)
{
    fprintf(out, "<path class='curve' stroke='%s'%s d='", line->colour,
        line->dashed ? " stroke-dasharray='6 4'" : "");
}

static void draw_line(FILE *out, const frame *axes, const chart_line *line)
{
    int drawn = 0;

    begin_curve(out, line);
    for (size_t i = 0; i < line->count; i++)
        if (isfinite(line->y[i]))
            fprintf(out, "%c%.1f %.1f", drawn++ == 0 ? 'M' : 'L', x_place(axes, line->x[i]),
                y_place(axes, line->y[i]));
    fputs("'/>\n", out);
    for (size_t i = 0; i < line->count && line->marks; i++)
        if (isfinite(line->y[i]))
            fprintf(out, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n",
                x_place(axes, line->x[i]), y_place(axes, line->y[i]), line->colour);
}

static void draw_legend(FILE *out, const chart *source)
{
    double width = (double)(WIDTH - LEFT - RIGHT) / (double)(source->count > 2 ? source->count : 2);

    for (size_t i = 0; i < source->count; i++) {
        double x = LEFT + (double)i * width;

        begin_curve(out, &source->lines[i]);
        fprintf(out, "M%.0f 30h26'/><text x='%.0f' y='34'>", x, x + 32);
        picture_text(out, source->lines[i].name);
        fputs("</text>\n", out);
    }
}

static void draw(FILE *out, const chart *source)
{
    frame axes = frame_for(source);

    fputs("<style>.grid{stroke:#ddd}.axis{stroke:#333;fill:none}text{fill:#333}"
          ".curve{fill:none;stroke-width:1.8;stroke-linejoin:round}</style>\n",
        out);
    draw_rows(out, &axes);
    draw_columns(out, &axes);
    draw_axes(out, source);
    for (size_t i = 0; i < source->count; i++)
        draw_line(out, &axes, &source->lines[i]);
    draw_legend(out, source);
}

int chart_write(const char *path, const chart *source)
{
    picture self;

    if (picture_begin(&self, WIDTH, HEIGHT, source->title) != OUTCOME_OK) return OUTCOME_FAILED;
    draw(self.out, source);
    return picture_end(&self, path, OUTCOME_OK);
}
