/* PCA and exact t-SNE. See layout.h. */
#include "layout.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double perplexity = 20;
static const int iterations = 500, exaggerated = 100;

/* direction = one more step of power iteration on the covariance; returns its length before. */
static double power_step(
    const double *centred, size_t count, size_t width, double *direction, double *fresh)
{
    double length = 0;

    memset(fresh, 0, width * sizeof *fresh);
    for (size_t i = 0; i < count; i++) {
        const double *row = centred + i * width;
        double along = 0;

        for (size_t k = 0; k < width; k++)
            along += row[k] * direction[k];
        for (size_t k = 0; k < width; k++)
            fresh[k] += along * row[k];
    }
    for (size_t k = 0; k < width; k++)
        length += fresh[k] * fresh[k];
    length = sqrt(length);
    for (size_t k = 0; k < width; k++)
        direction[k] = length > 0 ? fresh[k] / length : 0;
    return length;
}

/* Projects on the main direction and takes it out of the points. */
static void take_component(
    double *centred, size_t count, size_t width, double *direction, double *fresh, double *out)
{
    for (size_t k = 0; k < width; k++)
        direction[k] = k % 2 == 0 ? 1 : -0.5;
    for (int i = 0; i < 200; i++)
        power_step(centred, count, width, direction, fresh);
    for (size_t i = 0; i < count; i++) {
        double *row = centred + i * width, along = 0;

        for (size_t k = 0; k < width; k++)
            along += row[k] * direction[k];
        for (size_t k = 0; k < width; k++)
            row[k] -= along * direction[k];
        out[2 * i] = along;
    }
}

int layout_pca(const float *points, size_t count, size_t width, double *plane)
{
    double *centred = malloc((count + 2) * width * sizeof *centred), *direction, *fresh;

    if (centred == NULL) return 0;
    direction = centred + count * width;
    fresh = direction + width;
    for (size_t k = 0; k < width; k++) {
        double mean = 0;

        for (size_t i = 0; i < count; i++)
            mean += (double)points[i * width + k] / (double)count;
        for (size_t i = 0; i < count; i++)
            centred[i * width + k] = (double)points[i * width + k] - mean;
    }
    take_component(centred, count, width, direction, fresh, plane);
    take_component(centred, count, width, direction, fresh, plane + 1);
    free(centred);
    return 1;
}

/* Row i of the neighbour probabilities, with the precision that gives the perplexity. */
static void set_row(const double *squares, size_t count, size_t i, double *row)
{
    double least = 0, most = DBL_MAX, precision = 1;

    for (int tries = 0; tries < 60; tries++) {
        double sum = 0, weighted = 0, entropy;

        for (size_t j = 0; j < count; j++) {
            row[j] = j == i ? 0 : exp(-squares[j] * precision);
            sum += row[j];
            weighted += row[j] * squares[j];
        }
        if (sum < 1e-300) sum = 1e-300;
        entropy = log(sum) + precision * weighted / sum;
        for (size_t j = 0; j < count; j++)
            row[j] /= sum;
        if (fabs(entropy - log(perplexity)) < 1e-5) return;
        if (entropy > log(perplexity)) {
            least = precision;
            precision = most == DBL_MAX ? precision * 2 : (precision + most) / 2;
        } else {
            most = precision;
            precision = (least + precision) / 2;
        }
    }
}

static void set_probabilities(
    const float *points, size_t count, size_t width, double *squares, double *p)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            squares[j] = 0;
            for (size_t k = 0; k < width; k++) {
                double apart = (double)points[i * width + k] - (double)points[j * width + k];

                squares[j] += apart * apart;
            }
        }
        set_row(squares, count, i, p + i * count);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            double both = (p[i * count + j] + p[j * count + i]) / (2 * (double)count);

            p[i * count + j] = p[j * count + i] = both > 1e-12 ? both : 1e-12;
        }
}

/* The gradient of the divergence for all points. */
static void set_gradient(
    const double *p, size_t count, double scale, const double *plane, double *gradient)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            double x = plane[2 * i] - plane[2 * j], y = plane[2 * i + 1] - plane[2 * j + 1];

            sum += 2 / (1 + x * x + y * y);
        }
    memset(gradient, 0, 2 * count * sizeof *gradient);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            double x = plane[2 * i] - plane[2 * j], y = plane[2 * i + 1] - plane[2 * j + 1];
            double near = 1 / (1 + x * x + y * y);
            double pull = 4 * (scale * p[i * count + j] - near / sum) * near;

            gradient[2 * i] += pull * x;
            gradient[2 * i + 1] += pull * y;
            gradient[2 * j] -= pull * x;
            gradient[2 * j + 1] -= pull * y;
        }
}

static void shrink_start(double *plane, size_t count)
{
    double square = 0;

    for (size_t i = 0; i < 2 * count; i++)
        square += plane[i] * plane[i] / (2 * (double)count);
    for (size_t i = 0; i < 2 * count; i++)
        plane[i] *= square > 0 ? 1e-2 / sqrt(square) : 0;
}

int layout_tsne(const float *points, size_t count, size_t width, double *plane)
{
    double *p = malloc((count * count + 7 * count) * sizeof *p), *gradient, *speed, *gain;

    if (p == NULL) return 0;
    gradient = p + count * count;
    speed = gradient + 2 * count;
    gain = speed + 2 * count;
    set_probabilities(points, count, width, gain + 2 * count, p);
    shrink_start(plane, count);
    for (size_t i = 0; i < 2 * count; i++) {
        speed[i] = 0;
        gain[i] = 1;
    }
    for (int step = 0; step < iterations; step++) {
        double momentum = step < 250 ? 0.5 : 0.8;

        set_gradient(p, count, step < exaggerated ? 4 : 1, plane, gradient);
        for (size_t i = 0; i < 2 * count; i++) {
            gain[i] = (gradient[i] > 0) != (speed[i] > 0) ? gain[i] + 0.2 : gain[i] * 0.8;
            if (gain[i] < 0.01) gain[i] = 0.01;
            speed[i] = momentum * speed[i] - 100 * gain[i] * gradient[i];
            plane[i] += speed[i];
        }
    }
    free(p);
    return 1;
}
