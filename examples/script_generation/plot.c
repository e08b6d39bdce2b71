/* The loss curves as an SVG picture (SVG 1.1): training and validation loss against updates, with
 * labelled axes, grid and legend, readable on light and dark pages alike.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "console.h"
#include "curve.h"
#include "output.h"

enum { WIDTH = 760, HEIGHT = 460, LEFT = 72, RIGHT = 24, TOP = 48, BOTTOM = 60 };

static const char train_colour[] = "#1f77b4";
static const char valid_colour[] = "#d62728";

typedef struct frame {
    double x_most; /* the axis starts at 0 */
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

static void stretch(frame *axes, const curve *source)
{
    for (size_t i = 0; i < source->count; i++) {
        if (!isfinite(source->points[i].loss)) continue;
        axes->y_least = fmin(axes->y_least, source->points[i].loss);
        axes->y_most = fmax(axes->y_most, source->points[i].loss);
    }
}

static frame frame_for(const curve *train, const curve *valid, int64_t last)
{
    frame axes = {.x_most = last > 0 ? (double)last : 1, .y_least = INFINITY, .y_most = -INFINITY};

    stretch(&axes, train);
    stretch(&axes, valid);
    if (axes.y_least > axes.y_most) axes.y_least = axes.y_most = 0;
    axes.x_step = fmax(1, round_step(axes.x_most, 8));
    axes.y_step = round_step(axes.y_most - axes.y_least, 8);
    axes.y_least = floor(axes.y_least / axes.y_step) * axes.y_step;
    axes.y_most = ceil(axes.y_most / axes.y_step) * axes.y_step;
    if (axes.y_most <= axes.y_least) axes.y_most = axes.y_least + axes.y_step;
    return axes;
}

static double x_place(const frame *axes, double x)
{
    return LEFT + x / axes->x_most * (WIDTH - LEFT - RIGHT);
}

static double y_place(const frame *axes, double y)
{
    return HEIGHT - BOTTOM -
           (y - axes->y_least) / (axes->y_most - axes->y_least) * (HEIGHT - TOP - BOTTOM);
}

static void draw_grid(FILE *out, const frame *axes)
{
    char number[CONSOLE_NUMBER_SIZE];
    int lines = (int)lround((axes->y_most - axes->y_least) / axes->y_step);
    int decimals = axes->y_step >= 1 ? 0 : (int)ceil(-log10(axes->y_step) - 1e-9);

    for (int i = 0; i <= lines; i++) {
        double value = axes->y_least + i * axes->y_step;
        double y = y_place(axes, value);

        fprintf(out, "<path class='grid' d='M%d %.1fH%d'/>", LEFT, y, WIDTH - RIGHT);
        fprintf(out, "<text x='%d' y='%.1f' text-anchor='end'>%.*f</text>\n", LEFT - 8, y + 4,
            decimals, value);
    }
    for (double value = 0; value <= axes->x_most; value += axes->x_step) {
        double x = x_place(axes, value);

        fprintf(out, "<path class='grid' d='M%.1f %dV%d'/>", x, TOP, HEIGHT - BOTTOM);
        fprintf(out, "<text x='%.1f' y='%d' text-anchor='middle'>%s</text>\n", x,
            HEIGHT - BOTTOM + 18, console_count((int64_t)value, number));
    }
    fprintf(
        out, "<path class='axis' d='M%d %dV%dH%d'/>\n", LEFT, TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    fprintf(out, "<text x='%d' y='%d' text-anchor='middle'>updates</text>\n",
        (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16);
    fprintf(out,
        "<text transform='translate(20 %d) rotate(-90)' text-anchor='middle'>"
        "loss (nats per token)</text>\n",
        (TOP + HEIGHT - BOTTOM) / 2);
}

static void draw_curve(FILE *out, const frame *axes, const curve *source, const char *colour)
{
    int drawn = 0;

    fprintf(out, "<path class='curve' stroke='%s' d='", colour);
    for (size_t i = 0; i < source->count; i++) {
        const curve_point *point = &source->points[i];

        if (!isfinite(point->loss)) continue;
        fprintf(out, "%c%.1f %.1f", drawn++ == 0 ? 'M' : 'L', x_place(axes, (double)point->update),
            y_place(axes, point->loss));
    }
    fputs("'/>\n", out);
}

static void draw_marks(FILE *out, const frame *axes, const curve *source, const char *colour)
{
    for (size_t i = 0; i < source->count; i++)
        if (isfinite(source->points[i].loss))
            fprintf(out, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n",
                x_place(axes, (double)source->points[i].update),
                y_place(axes, source->points[i].loss), colour);
}

static void draw_legend(
    FILE *out, double x, const char *name, const curve *source, const char *colour)
{
    double last = source->points[source->count - 1].loss;

    fprintf(out, "<path class='curve' stroke='%s' d='M%.0f 30h26'/>", colour, x);
    fprintf(out, "<text x='%.0f' y='34'>%s, last %.3f (perplexity %.1f)</text>\n", x + 32, name,
        last, exp(last));
}

static void draw(FILE *out, const curve *train, const curve *valid, int64_t last)
{
    frame axes = frame_for(train, valid, last);

    fprintf(out,
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %d %d' width='%d' height='%d' "
        "font-family='sans-serif' font-size='12'>\n"
        "<title>Training and validation loss</title>\n"
        "<style>.grid{stroke:#ddd}.axis{stroke:#333;fill:none}text{fill:#333}"
        ".curve{fill:none;stroke-width:1.8;stroke-linejoin:round}</style>\n"
        "<rect width='100%%' height='100%%' fill='white'/>\n",
        WIDTH, HEIGHT, WIDTH, HEIGHT);
    draw_grid(out, &axes);
    if (train->count > 0) {
        draw_curve(out, &axes, train, train_colour);
        draw_legend(out, LEFT, "training", train, train_colour);
    }
    if (valid->count > 0) {
        draw_curve(out, &axes, valid, valid_colour);
        draw_marks(out, &axes, valid, valid_colour);
        draw_legend(out, LEFT + 300, "validation", valid, valid_colour);
    }
    fputs("</svg>\n", out);
}

int plot_write(const char *path, const curve *train, const curve *valid, int64_t last)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    int outcome;

    if (out == NULL) return fail("out of memory");
    draw(out, train, valid, last);
    if (fclose(out) != 0) {
        free(text);
        return fail("out of memory");
    }
    outcome = output_replace(path, text, length);
    free(text);
    return outcome;
}
