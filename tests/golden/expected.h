/* Expectations for golden tests, out of a safetensors file, and the measure of agreement.
 *
 * The error of an array a against the expected b is max_i |a_i - b_i| / max(|b_i|, rms(b)), rms
 * being the root of the mean of squares; where b is all zeros, a has to be so exactly.
 *
 * The tests run on the devices of golden_devices: "cpu", in the instruction set that RNNKIT_MAX_ISA
 * allows (the build runs them once for each), within 1e-5; and, where it is built, "reference" in
 * float64, within what rounding to float32 in the fixture and in the API leaves; and "cuda", where
 * there is a device.
 */
#ifndef GOLDEN_EXPECTED_H
#define GOLDEN_EXPECTED_H

#include "io/safetensors.h"
#include "rnnkit/rnnkit.h"

typedef struct golden_device {
    const char *name, *options;
    double limit;
} golden_device;

extern const golden_device golden_devices[];
extern int golden_device_count; /* how many can be used here */

/* Opens a fixture, or a device; a failure ends the test. */
rki_st *expected_open(const char *path);
rnnkit_context *golden_context(const golden_device *device);

/* Fails the test, with the library's message, unless the call succeeded. */
void golden_ok(int32_t status);

/* The entry, and its values; those of the last three are to be freed. A missing one ends the test.
 */
const rki_st_entry *expected_entry(const rki_st *st, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
double *expected_doubles(const rki_st_entry *entry);
float *expected_floats(const rki_st_entry *entry);
int32_t *expected_ids(const rki_st_entry *entry);

/* What main returns when each case, on all devices, is a test of its own. A case is a struct of
 * `size` bytes that begins with its name; run compares it with the fixture. */
typedef void golden_run(const void *of, const golden_device *device);
int golden_main(const char *group, const void *cases, size_t count, size_t size, golden_run *run);

/* Prints the error, and fails the test, with the worst place, when it is above the limit. */
void expect_agreement(const rki_st_entry *entry, const float *values, int64_t count, double limit);

/* The same for the gradient of every parameter: that of "case.x" is "case.gradient.x" in the
 * fixture, which has `others` more of them. */
void expect_parameters(
    const rki_st *st, rnnkit_model *model, const char *name, int64_t others, double limit);

#endif
