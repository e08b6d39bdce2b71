/* Results in a caller's buffer. See sink.h. */
#include "text/sink.h"

#include <string.h>

#include "base/status.h"

int32_t rki_result_add(void *user, const char *bytes, size_t size)
{
    rki_result *to = user;
    if (to->buffer != NULL && size > 0) memcpy(to->buffer + to->size, bytes, size);
    to->size += (int64_t)size;
    return RNNKIT_OK;
}
