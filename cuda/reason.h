/* Why a CUDA device cannot be used here, in words. Plain C and no CUDA, so that a machine without
 * a device tests every text. */
#ifndef RKI_CUDA_REASON_H
#define RKI_CUDA_REASON_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the CUDA runtime said. Versions are major * 1000 + minor * 10, as CUDA counts them. */
typedef struct rki_cuda_facts {
    int driver;         /* the newest CUDA that the driver knows; 0: there is no driver */
    int runtime;        /* the CUDA that the plug-in was built with */
    int driver_too_old; /* the runtime refuses this driver */
    int devices;        /* how many devices the driver shows */
    const char *error;  /* what else went wrong, in the runtime's words; NULL: nothing */
} rki_cuda_facts;

/* One device. Compute capability 9.0 is 90. */
typedef struct rki_cuda_model {
    int index;
    int capability;
    const char *name;
} rki_cuda_model;

/* 1 when there is at least one device to look at; else 0 and why. */
int rki_cuda_explain_machine(const rki_cuda_facts *facts, char *reason, size_t capacity);

/* 1 when code for the device is in the plug-in; else 0 and why. `built` is the list of
 * architectures: "80-real,90-real,90-virtual", a plain number being both. Machine code runs on the
 * same major capability from its minor one upwards, PTX on everything from its capability on. */
int rki_cuda_explain_device(
    const rki_cuda_model *model, const char *built, char *reason, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
