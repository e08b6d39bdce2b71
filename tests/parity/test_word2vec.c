/* The kernels of word2vec on every instruction set: training against the equations in plain double,
 * draws against Philox a word at a time, products against sums. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "word2vec/kernels/kernels.h"

enum { WORDS = 40, ROWS = 60, MOST_NEGATIVES = 13, PITCH = WORDS + RKI_W2V_SLACK };

static const rki_w2v_kernels *sets[RKI_ISA_COUNT];
static int set_count;

static int find_sets(void **state)
{
    (void)state;
    for (int i = 0; i < RKI_ISA_COUNT; i++) {
        const rki_w2v_kernels *kernels = rki_w2v_kernels_of((rki_isa)i);
        if (kernels != NULL && (set_count == 0 || kernels != sets[set_count - 1]))
            sets[set_count++] = kernels;
    }
    return set_count > 0 ? 0 : -1;
}

static double uniform(uint64_t index)
{
    return rki_random_uniform((rki_random){7, RKI_PURPOSE_SAMPLE, 0}, 0, index);
}

typedef struct problem {
    int64_t width, stride, negatives, window;
    int cbow;
    float spread;
    float input[ROWS * 512], output[ROWS * 512];
    int32_t words[PITCH], left[PITCH], right[PITCH], starts[PITCH], noise[MOST_NEGATIVES * PITCH];
    int64_t groups;
} problem;

/* Of which words group number `g` is: one, or two in a row. */
static int64_t words_of(const problem *of, int64_t g)
{
    int64_t t = of->starts[g];
    return of->starts[g + 1] > t + 1 && of->words[t + 1] >= 0 ? 2 : 1;
}

/* Groups of one word and of two; those that begin with the first four words are left to others, so
 * that windows reach back to words before the first group. */
static void make_groups(problem *of)
{
    for (int64_t i = 0; i < WORDS;) {
        int64_t t = i++;
        if (of->words[t] < 0) continue;
        if (t >= 4) of->starts[of->groups++] = (int32_t)t;
        if (!of->cbow && t % 5 != 3 && i < WORDS && of->words[i] >= 0 &&
            of->words[i] != of->words[t])
            i++;
    }
    of->starts[of->groups] = WORDS;
    for (int64_t g = 0; g < of->groups; g++)
        for (int64_t k = 0; k < of->negatives; k++) {
            double draw = uniform((uint64_t)(5000 + k * WORDS + g));
            int32_t row = draw < 0.1 ? -1 : (int32_t)(draw * ROWS);
            for (int64_t j = 0; j < k; j++)
                if (of->noise[j * PITCH + g] == row) row = -1;
            for (int64_t j = 0; j < words_of(of, g); j++)
                if (of->words[of->starts[g] + j] == row) row = -1;
            of->noise[k * PITCH + g] = row;
        }
}

static void make_windows(problem *of)
{
    int64_t before = 0;
    for (int64_t i = 0; i < WORDS; i++) {
        int64_t reach = 1 + (int64_t)(uniform(900 + (uint64_t)i) * (double)of->window);
        of->words[i] = i == 13 || i == 27 || i == 28 ? -1 : (int32_t)(uniform((uint64_t)i) * ROWS);
        of->left[i] = (int32_t)(before < reach ? before : reach);
        of->right[i] = 0;
        while (of->right[i] < reach && i + of->right[i] + 1 < WORDS && i + of->right[i] + 1 != 13 &&
               i + of->right[i] + 1 != 27 && i + of->right[i] + 1 != 28)
            of->right[i]++;
        before = of->words[i] < 0 ? 0 : before + 1;
    }
}

static problem *make(int64_t width, int64_t negatives, int64_t window, int cbow, float spread)
{
    problem *of = calloc(1, sizeof *of);
    assert_non_null(of);
    of->width = width;
    of->stride = (width + RKI_W2V_ALIGN - 1) / RKI_W2V_ALIGN * RKI_W2V_ALIGN;
    of->negatives = negatives;
    of->window = window;
    of->cbow = cbow;
    of->spread = spread;
    for (int64_t r = 0; r < ROWS; r++)
        for (int64_t k = 0; k < width; k++) {
            uint64_t at = (uint64_t)(r * width + k);
            of->input[r * of->stride + k] = (float)(uniform(100000 + at) - 0.5);
            of->output[r * of->stride + k] = (float)(uniform(900000 + at) - 0.5);
        }
    make_windows(of);
    make_groups(of);
    return of;
}

/* The equations in double, a group of output rows at a time. */
typedef struct reference {
    double input[ROWS * 512], output[ROWS * 512];
    double loss;
    int64_t pairs;
} reference;

/* An input row and an output row are `times` of a pair of the group; label 1 for the first `own`
 * output rows. */
typedef struct block {
    double *x[64], *y[RKI_WORD2VEC_OUTPUTS];
    int64_t inputs, own, outputs;
    int in[64][2]; /* whether input row i is in the window of word j */
} block;

static void train_block(reference *to, const problem *of, const block *b, double rate)
{
    double g[64][RKI_WORD2VEC_OUTPUTS], old[RKI_WORD2VEC_OUTPUTS][512];
    for (int64_t i = 0; i < b->inputs; i++)
        for (int64_t j = 0; j < b->outputs; j++) {
            double score = 0, label = j < b->own;
            int times = j < b->own ? b->in[i][j] : b->in[i][0] + b->in[i][1];
            for (int64_t k = 0; k < of->width; k++)
                score += b->x[i][k] * b->y[j][k];
            double sigmoid = 1 / (1 + exp(-score));
            g[i][j] = times * rate * (label - sigmoid);
            to->loss -= times * log(label != 0 ? sigmoid : 1 - sigmoid);
            to->pairs += times;
        }
    for (int64_t j = 0; j < b->outputs; j++)
        memcpy(old[j], b->y[j], (size_t)of->width * sizeof(double));
    for (int64_t i = 0; i < b->inputs; i++)
        for (int64_t k = 0; k < of->width; k++) {
            double before = b->x[i][k];
            for (int64_t j = 0; j < b->outputs; j++) {
                b->y[j][k] += g[i][j] * before;
                b->x[i][k] += g[i][j] * old[j][k];
            }
        }
}

static int in_window(const problem *of, int64_t t, int64_t i)
{
    return i != t && i >= t - of->left[t] && i <= t + of->right[t];
}

static void list_inputs(reference *to, const problem *of, int64_t g, block *b)
{
    int64_t t = of->starts[g], words = words_of(of, g);
    for (int64_t i = 0; i < WORDS; i++) {
        int first = in_window(of, t, i), second = words > 1 && in_window(of, t + 1, i);
        if (!first && !second) continue;
        b->x[b->inputs] = to->input + of->words[i] * of->stride;
        b->in[b->inputs][0] = first;
        b->in[b->inputs++][1] = second;
    }
}

static void train_outputs(reference *to, const problem *of, int64_t g, block *b, double rate)
{
    int64_t words = words_of(of, g), k = 0;
    b->own = b->outputs = words;
    for (int64_t j = 0; j < words; j++)
        b->y[j] = to->output + of->words[of->starts[g] + j] * of->stride;
    do {
        for (; k < of->negatives && b->outputs < RKI_WORD2VEC_OUTPUTS; k++) {
            int32_t row = of->noise[k * PITCH + g];
            if (row >= 0) b->y[b->outputs++] = to->output + row * of->stride;
        }
        train_block(to, of, b, rate);
        b->own = b->outputs = 0;
    } while (k < of->negatives);
}

static void train_mean(reference *to, const problem *of, int64_t g, const block *all, double rate)
{
    double mean[512] = {0}, before[512];
    int64_t inputs = all->inputs;
    block b = {.inputs = 1, .x = {mean}, .in = {{1, 0}}};
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t k = 0; k < of->width; k++)
            mean[k] += all->x[i][k] / (double)inputs;
    memcpy(before, mean, sizeof before);
    train_outputs(to, of, g, &b, rate);
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t k = 0; k < of->width; k++)
            all->x[i][k] +=
                (mean[k] - before[k]) * (of->spread > 0 ? (double)of->spread : 1 / (double)inputs);
}

static void train_group(reference *to, const problem *of, int64_t g, double rate)
{
    block b = {0};
    list_inputs(to, of, g, &b);
    if (b.inputs == 0) return;
    if (of->cbow)
        train_mean(to, of, g, &b, rate);
    else
        train_outputs(to, of, g, &b, rate);
}

static reference *train_plainly(const problem *of, double rate)
{
    reference *to = calloc(1, sizeof *to);
    assert_non_null(to);
    for (int64_t i = 0; i < ROWS * of->stride; i++) {
        to->input[i] = (double)of->input[i];
        to->output[i] = (double)of->output[i];
    }
    for (int64_t g = 0; g < of->groups; g++)
        train_group(to, of, g, rate);
    return to;
}

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9g, expected %.9g within %g", value, expected, tolerance);
}

static void compare(const problem *of, const rki_w2v_kernels *kernels)
{
    const float rate = 0.05f;
    problem *own = malloc(sizeof *own);
    float gradients[64 * RKI_W2V_SCORES + RKI_W2V_SLACK], *rows[WORDS] = {0};
    int32_t kinds[64 + RKI_W2V_SLACK];
    const float *fetch[2 * 64 + MOST_NEGATIVES + 2];
    _Alignas(64) float mean[1024];
    reference *expected = train_plainly(of, (double)rate);
    assert_non_null(own);
    *own = *of;
    rki_w2v_run run = {.input = own->input,
        .output = own->output,
        .stride = own->stride,
        .words = own->words,
        .targets = own->words,
        .left = own->left,
        .right = own->right,
        .starts = own->starts,
        .noise = own->noise,
        .negatives = own->negatives,
        .pitch = PITCH,
        .groups = own->groups,
        .cbow = own->cbow,
        .rate = rate,
        .spread = own->spread,
        .gradients = gradients,
        .rows = rows,
        .kinds = kinds,
        .fetch = fetch,
        .mean = mean};
    kernels->train(&run);
    assert_int_equal(run.diverged, 0);
    assert_int_equal(run.pairs, expected->pairs);
    assert_near(run.loss, expected->loss, 1e-5 * expected->loss);
    for (int64_t i = 0; i < ROWS * of->stride; i++) {
        assert_near((double)own->input[i], expected->input[i], 2e-5);
        assert_near((double)own->output[i], expected->output[i], 2e-5);
    }
    free(own);
    free(expected);
}

static void windows_follow_the_equations(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 3, 16, 33, 64, 100, 300};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
        for (int64_t negatives = 1; negatives <= MOST_NEGATIVES; negatives += 2)
            for (int cbow = 0; cbow < 3; cbow++) {
                problem *of = make(widths[w], negatives, 1 + (int64_t)w, cbow > 0, cbow == 2);
                for (int i = 0; i < set_count; i++)
                    compare(of, sets[i]);
                free(of);
            }
}

static void a_score_that_is_no_number_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < set_count; i++) {
        problem *of = make(20, 5, 3, 0, 0);
        float gradients[64 * RKI_W2V_SCORES + RKI_W2V_SLACK], *rows[WORDS];
        int32_t kinds[64 + RKI_W2V_SLACK];
        const float *fetch[2 * 64 + MOST_NEGATIVES + 2];
        of->output[of->words[5] * of->stride + 2] = NAN;
        rki_w2v_run run = {.input = of->input,
            .output = of->output,
            .stride = of->stride,
            .words = of->words,
            .targets = of->words,
            .left = of->left,
            .right = of->right,
            .starts = of->starts,
            .noise = of->noise,
            .negatives = of->negatives,
            .pitch = PITCH,
            .groups = of->groups,
            .rate = 0.1f,
            .gradients = gradients,
            .rows = rows,
            .kinds = kinds,
            .fetch = fetch};
        sets[i]->train(&run);
        assert_int_equal(run.diverged, 1);
        free(of);
    }
}

/* Draws. */

enum { TOKENS = 1001 };

static void draw_plainly(
    const rki_w2v_draws *draws, int32_t place, uint32_t number, uint32_t out[4])
{
    /* base/random.h: counter {index low, index high, step, stream}, key {seed ^ purpose ...} */
    rki_random random = {(uint64_t)draws->key[1] << 32 | (draws->key[0] ^ 0), 0, number};
    rki_random_draw(random, draws->pass, draws->base + (uint64_t)place, out);
}

static void subsampling_draws_philox(void **state)
{
    (void)state;
    static const uint64_t bases[] = {0, 12345, 0xFFFFFF00u, (uint64_t)3 << 32};
    int32_t tokens[TOKENS], keep[ROWS + 1];
    for (int i = 0; i < TOKENS; i++)
        tokens[i] = i % 17 == 0 ? -1 : i % ROWS;
    keep[0] = -1;
    for (int i = 0; i < ROWS; i++)
        keep[i + 1] = i < 5 ? -1 : (int32_t)(uint32_t)(uniform((uint64_t)i) * 4294967295.0);
    for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
        rki_w2v_draws draws = {{11, 22}, 3, bases[b]};
        for (int s = 0; s < set_count; s++) {
            int32_t words[TOKENS + RKI_W2V_SLACK], places[TOKENS + RKI_W2V_SLACK],
                seconds[TOKENS + RKI_W2V_SLACK];
            int64_t kept =
                sets[s]->subsample(&draws, 0, tokens, TOKENS, keep + 1, words, places, seconds);
            int64_t at = 0;
            for (int32_t i = 0; i < TOKENS; i++) {
                uint32_t drawn[4];
                draw_plainly(&draws, i, 0, drawn);
                if ((drawn[0] & ~1u) >= (uint32_t)keep[tokens[i] + 1]) continue;
                assert_true(at < kept);
                assert_int_equal(words[at], tokens[i]);
                assert_int_equal(places[at], i);
                assert_int_equal((uint32_t)seconds[at], drawn[1]);
                at++;
            }
            assert_int_equal(at, kept);
        }
    }
}

/* Groups of one word and of two in turn. */
static void noise_draws_philox(void **state)
{
    (void)state;
    enum { GROUPS = 50, NEGATIVES = 7 };
    int32_t places[2 * PITCH] = {0}, words[2 * PITCH] = {0}, starts[PITCH] = {0};
    int32_t limits[ROWS], aliases[ROWS], rows[ROWS], out[NEGATIVES * PITCH];
    rki_w2v_draws draws = {{5, 6}, 7, 1000};
    for (int i = 0; i < ROWS; i++) {
        limits[i] = (int32_t)(uint32_t)(uniform((uint64_t)i) * 4294967295.0);
        aliases[i] = (i * 7 + 3) % ROWS;
        rows[i] = ROWS - 1 - i;
    }
    for (int i = 0; i < 2 * GROUPS; i++) {
        places[i] = i * 3;
        words[i] = i % ROWS;
    }
    for (int i = 1; i < PITCH; i++)
        starts[i] = i <= GROUPS ? starts[i - 1] + 1 + i % 2 : starts[GROUPS];
    for (int s = 0; s < set_count; s++) {
        sets[s]->noise(&draws, places, words, starts, GROUPS, NEGATIVES, ROWS, limits, aliases,
            rows, PITCH, out);
        for (int64_t i = 0; i < GROUPS; i++)
            for (int64_t k = 0; k < NEGATIVES; k++) {
                uint32_t drawn[4];
                int32_t first = starts[i], last = starts[i + 1] - 1;
                draw_plainly(&draws, places[first], (uint32_t)(1 + k / 2), drawn);
                int32_t column = (int32_t)((uint64_t)drawn[2 * (k % 2)] * ROWS >> 32);
                int32_t word =
                    drawn[2 * (k % 2) + 1] < (uint32_t)limits[column] ? column : aliases[column];
                int again = word == words[first] || word == words[last];
                for (int64_t j = 0; j < k; j++)
                    again |= out[j * PITCH + i] == rows[word];
                assert_int_equal(out[k * PITCH + i], again ? -1 : rows[word]);
            }
    }
}

static void products_are_sums(void **state)
{
    (void)state;
    static const int64_t widths[] = {1, 7, 16, 100};
    float *x = malloc(9 * 104 * sizeof *x), *y = malloc(11 * 104 * sizeof *y), out[9 * 11];
    assert_non_null(x);
    assert_non_null(y);
    for (int i = 0; i < 9 * 104; i++)
        x[i] = (float)(uniform((uint64_t)i) - 0.5);
    for (int i = 0; i < 11 * 104; i++)
        y[i] = (float)(uniform(7777 + (uint64_t)i) - 0.5);
    for (int s = 0; s < set_count; s++)
        for (size_t w = 0; w < 4; w++)
            for (int64_t rows = 1; rows <= 9; rows++)
                for (int64_t queries = 1; queries <= 11; queries++) {
                    sets[s]->products(x, rows, y, queries, widths[w], 103, 104, out);
                    for (int64_t q = 0; q < queries; q++)
                        for (int64_t r = 0; r < rows; r++) {
                            double sum = 0;
                            for (int64_t k = 0; k < widths[w]; k++)
                                sum += (double)x[r * 103 + k] * (double)y[q * 104 + k];
                            assert_near((double)out[q * rows + r], sum, 1e-5);
                        }
                }
    free(x);
    free(y);
}

/* Exact, for every set: no rounding depends on the width of a vector. */
static void copies_come_and_go(void **state)
{
    (void)state;
    enum { TABLE = 23, STRIDE = 48, COUNT = 11 };
    static const int32_t ids[COUNT] = {22, 0, 5, 7, 13, 1, 2, 3, 20, 11, 8};
    for (int s = 0; s < set_count; s++)
        for (uint32_t share = 0; share < 3; share++) {
            float matrix[TABLE * STRIDE], before[TABLE * STRIDE], copies[COUNT * STRIDE];
            for (int i = 0; i < TABLE * STRIDE; i++)
                matrix[i] = before[i] = (float)(uniform((uint64_t)i) - 0.5);
            sets[s]->copy_rows(matrix, ids, COUNT, STRIDE, copies);
            for (int i = 0; i < COUNT * STRIDE; i++) {
                assert_true(copies[i] == matrix[ids[i / STRIDE] * STRIDE + i % STRIDE]);
                copies[i] = (float)uniform(99 + (uint64_t)i);
            }
            sets[s]->subtract_rows(matrix, ids, COUNT, STRIDE, copies);
            for (int i = 0; i < COUNT * STRIDE; i++)
                assert_true(copies[i] == (float)uniform(99 + (uint64_t)i) -
                                             matrix[ids[i / STRIDE] * STRIDE + i % STRIDE]);
            sets[s]->add_rows(matrix, ids, COUNT, STRIDE, share, 3, copies);
            for (int i = 0; i < COUNT * STRIDE; i++) {
                int at = ids[i / STRIDE] * STRIDE + i % STRIDE,
                    own = (uint32_t)ids[i / STRIDE] % 3 == share;
                assert_true(matrix[at] == (own ? before[at] + copies[i] : before[at]));
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_follow_the_equations),
        cmocka_unit_test(a_score_that_is_no_number_is_told),
        cmocka_unit_test(subsampling_draws_philox),
        cmocka_unit_test(noise_draws_philox),
        cmocka_unit_test(products_are_sums),
        cmocka_unit_test(copies_come_and_go),
    };
    return cmocka_run_group_tests(tests, find_sets, NULL);
}
