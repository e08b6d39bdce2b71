/* word2vec map: the most frequent words in a plane, by PCA and by t-SNE, side by side as SVG. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/json.h"
#include "../common/output.h"
#include "../common/picture.h"
#include "commands.h"
#include "labels.h"
#include "layout.h"

enum { PANEL = 900, MARGIN = 40 };

typedef struct map {
    size_t count, width;
    float *points; /* [count][width], of length 1 */
    double *pca, *tsne;
} map;

static int read_points(const rnnkit_vectors *vectors, map *of)
{
    int32_t *ids = malloc(of->count * sizeof *ids);
    int outcome = OUTCOME_OK;

    if (ids == NULL) return fail("out of memory");
    for (size_t i = 0; i < of->count; i++)
        ids[i] = (int32_t)i;
    if (failed(rnnkit_vectors_read(vectors, ids, (int64_t)of->count, of->points)))
        outcome = OUTCOME_FAILED;
    free(ids);
    for (size_t i = 0; i < of->count && outcome == OUTCOME_OK; i++) {
        float *point = of->points + i * of->width;
        double square = 0;

        for (size_t k = 0; k < of->width; k++)
            square += (double)point[k] * (double)point[k];
        for (size_t k = 0; k < of->width && square > 0; k++)
            point[k] = (float)((double)point[k] / sqrt(square));
    }
    return outcome;
}

/* Fills places[count][2] with where the points stand in a panel. */
static void set_places(const double *plane, size_t count, double *places)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};

    for (size_t i = 0; i < 2 * count; i++) {
        low[i % 2] = fmin(low[i % 2], plane[i]);
        high[i % 2] = fmax(high[i % 2], plane[i]);
    }
    for (size_t i = 0; i < 2 * count; i++) {
        double range = high[i % 2] > low[i % 2] ? high[i % 2] - low[i % 2] : 1;

        places[i] = MARGIN + (plane[i] - low[i % 2]) / range * (PANEL - 2 * MARGIN);
    }
}

/* About as wide as the word is in a sans-serif font of size 10. */
static double width_of(const char *word)
{
    double characters = 0;

    for (; *word != '\0'; word++)
        characters += ((unsigned char)*word & 0xC0) != 0x80;
    return 5.8 * characters;
}

static void draw_word(FILE *out, const double *place, label_side side, const char *word)
{
    static const char *const anchors[] = {"start", "end", "middle", "middle"};
    static const double moves[][2] = {{4, 4}, {-4, 4}, {0, -5}, {0, 13}};

    fprintf(out, "<circle cx='%.1f' cy='%.1f' r='2'/><text x='%.1f' y='%.1f' text-anchor='%s'>",
        place[0], place[1], place[0] + moves[side][0], place[1] + moves[side][1], anchors[side]);
    picture_text(out, word);
    fputs("</text>\n", out);
}

static int draw_panel(FILE *out, const rnnkit_vectors *vectors, const map *of, const double *plane,
    double left, const char *title)
{
    double *places = malloc(3 * of->count * sizeof *places), *widths;
    label_side *sides = malloc(of->count * sizeof *sides);
    char word[WORD_SIZE];

    if (places == NULL || sides == NULL) {
        free(places);
        free(sides);
        return fail("out of memory");
    }
    widths = places + 2 * of->count;
    set_places(plane, of->count, places);
    for (size_t i = 0; i < of->count; i++)
        widths[i] = width_of(word_of(vectors, (int32_t)i, word));
    labels_place(places, widths, of->count, sides);
    fprintf(out,
        "<g transform='translate(%.0f 0)'>\n<text x='%d' y='26' font-size='18'>%s</text>\n", left,
        MARGIN, title);
    for (size_t i = 0; i < of->count; i++)
        draw_word(out, places + 2 * i, sides[i], word_of(vectors, (int32_t)i, word));
    fputs("</g>\n", out);
    free(places);
    free(sides);
    return OUTCOME_OK;
}

static int write_svg(const settings *values, const rnnkit_vectors *vectors, const map *of)
{
    char title[64];
    picture self;
    int outcome;

    snprintf(title, sizeof title, "The %zu most frequent words", of->count);
    if (picture_begin(&self, 2 * PANEL, PANEL, title) != OUTCOME_OK) return OUTCOME_FAILED;
    fputs("<style>circle{fill:#27c}text{fill:#333}</style>\n<g font-size='10'>\n", self.out);
    outcome = draw_panel(self.out, vectors, of, of->tsne, 0, "t-SNE");
    if (outcome == OUTCOME_OK) outcome = draw_panel(self.out, vectors, of, of->pca, PANEL, "PCA");
    fputs("</g>\n", self.out);
    return picture_end(&self, values->svg, outcome);
}

static int lay_out(map *of)
{
    if (!layout_pca(of->points, of->count, of->width, of->pca)) return fail("out of memory");
    memcpy(of->tsne, of->pca, 2 * of->count * sizeof *of->tsne);
    if (!layout_tsne(of->points, of->count, of->width, of->tsne)) return fail("out of memory");
    return OUTCOME_OK;
}

static int draw_map(const settings *values, const rnnkit_vectors *vectors)
{
    map of = {0};
    int64_t words = 0, dimension = 0;
    int outcome;

    if (failed(rnnkit_vectors_size(vectors, &words, &dimension))) return OUTCOME_FAILED;
    of.count = (size_t)(words < values->top ? words : values->top);
    of.width = (size_t)dimension;
    of.points = malloc(of.count * of.width * sizeof *of.points);
    of.pca = malloc(2 * of.count * sizeof *of.pca);
    of.tsne = malloc(2 * of.count * sizeof *of.tsne);
    if (of.points == NULL || of.pca == NULL || of.tsne == NULL)
        outcome = fail("out of memory");
    else
        outcome = read_points(vectors, &of);
    if (outcome == OUTCOME_OK) outcome = lay_out(&of);
    if (outcome == OUTCOME_OK) outcome = write_svg(values, vectors, &of);
    free(of.points);
    free(of.pca);
    free(of.tsne);
    return outcome;
}

int map_command(arguments *parsed)
{
    const settings *values = parsed->values;
    rnnkit_context *context;
    rnnkit_vectors *vectors;
    int outcome;

    if (output_check("svg", values->svg) != OUTCOME_OK) return OUTCOME_FAILED;
    outcome = open_vectors(values, &context, &vectors);
    if (outcome == OUTCOME_OK) outcome = draw_map(values, vectors);
    if (outcome == OUTCOME_OK && values->json) {
        json_begin("done");
        json_text("svg", values->svg);
        json_end();
    } else if (outcome == OUTCOME_OK) {
        console_line("%s", values->svg);
    }
    close_vectors(context, vectors);
    return outcome;
}
