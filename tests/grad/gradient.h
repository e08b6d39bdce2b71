/* Gradient check by central differences, in float64 on the reference device:
 *
 *   dL/dx ~ (L(x + h) - L(x - h)) / 2h,   h = 1e-5
 *
 * whose error is about h^2 from the third derivative and 1e-16 L / h from rounding: 1e-9 here.
 * The reference device's memory is the host's, so its operations take plain arrays of double.
 */
#ifndef GRAD_GRADIENT_H
#define GRAD_GRADIENT_H

#include "backend/backend.h"

/* Something that L depends on, with what backward says dL/dx is. */
typedef struct variable {
    const char *name;
    double *values, *gradient;
    int64_t count;
} variable;

typedef struct gradient_check {
    const char *name;
    const variable *variables;
    int count;
    void *problem;
    double (*loss)(void *problem);
    void (*backward)(void *problem); /* fills every gradient */
} gradient_check;

/* Fails the test, with check, variable and place, unless both agree for every element. */
void check_gradients(const gradient_check *check);

/* The reference device's table, and a device of it that computes in float64. */
extern const rki_backend *ops;
extern void *device;
int open_device(void **state);
int close_device(void **state);

/* Arrays that live until free_arrays(): of zeros, of values between -scale and scale, of bytes. */
double *zeros(int64_t count);
double *randoms(int64_t count, double scale);
void *bytes_of(size_t size);
void free_arrays(void);
uint32_t draw(uint32_t below);

/* sum_i a[i] b[i] */
double dot(const double *a, const double *b, int64_t count);

#endif
