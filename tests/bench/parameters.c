/* The parameters of a model in a file. See parameters.h. */
#include "parameters.h"

#include <stdlib.h>
#include <string.h>

#include "results.h"

static void must(int32_t status)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "parameters: %s\n", rnnkit_error_message());
    exit(1);
}

void parameters_write(const rnnkit_model *model, const char *prefix, parameters_read *read,
    const char *folder, const char *name)
{
    FILE *file = results_create(folder, name);
    const char *parameter;
    for (int64_t i = 0; (parameter = rnnkit_model_parameter_name(model, i)) != NULL; i++) {
        int64_t dims[4], rank, count = 1;
        if (strncmp(parameter, prefix, strlen(prefix)) != 0) continue;
        must(rnnkit_model_parameter_shape(model, parameter, dims, 4, &rank));
        for (int64_t k = 0; k < rank; k++)
            count *= dims[k];
        float *values = malloc((size_t)count * sizeof *values);
        if (values == NULL) exit(1);
        must(read(model, parameter, values, count));
        results_add(file, values, count);
        free(values);
    }
    results_close(file);
}
