/* Why a CUDA device cannot be used here. See reason.h. */
#include "reason.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int rki_cuda_explain_machine(const rki_cuda_facts *facts, char *reason, size_t capacity)
{
    if (facts->driver == 0)
        snprintf(reason, capacity, "there is no NVIDIA driver on this machine (libcuda.so.1)");
    else if (facts->driver_too_old)
        snprintf(reason, capacity,
            "the NVIDIA driver knows CUDA %d.%d, the plug-in needs %d.%d or a newer driver",
            facts->driver / 1000, facts->driver % 1000 / 10, facts->runtime / 1000,
            facts->runtime % 1000 / 10);
    else if (facts->error != NULL)
        snprintf(reason, capacity, "CUDA cannot be used: %s", facts->error);
    else if (facts->devices == 0)
        snprintf(reason, capacity,
            "the NVIDIA driver shows no device (see nvidia-smi and CUDA_VISIBLE_DEVICES)");
    else
        return 1;
    return 0;
}

/* One entry of the list: does it serve the capability? */
static int serves(const char *entry, size_t length, int capability)
{
    int built = (int)strtol(entry, NULL, 10);
    int real = memchr(entry, 'v', length) == NULL;              /* not "-virtual" */
    int virtual_ = memchr(entry, 'r', length) == NULL || !real; /* not "-real" */
    if (real && built / 10 == capability / 10 && built <= capability) return 1;
    return virtual_ && built <= capability;
}

int rki_cuda_explain_device(
    const rki_cuda_model *model, const char *built, char *reason, size_t capacity)
{
    for (const char *entry = built; *entry != '\0';) {
        size_t length = strcspn(entry, ",");
        if (serves(entry, length, model->capability)) return 1;
        entry += length + (entry[length] == ',');
    }
    snprintf(reason, capacity,
        "cuda:%d (%.100s) has compute capability %d.%d, for which this plug-in has no code "
        "(built for %.200s)",
        model->index, model->name, model->capability / 10, model->capability % 10, built);
    return 0;
}
