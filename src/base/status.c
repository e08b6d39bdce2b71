/* Status and messages. See status.h; everything here works without memory. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[RKI_MESSAGE_SIZE];
static _Thread_local char system_message[128];

/* A message that was cut ends within a UTF-8 character perhaps: take back what is incomplete. */
static void end_on_whole_character(void)
{
    size_t length = strlen(message);
    size_t start = length;
    while (start > 0 && ((unsigned char)message[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)message[start - 1];
    size_t wanted = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (length - start < wanted) message[start - 1] = '\0';
}

int32_t rki_fail(int32_t status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    end_on_whole_character();
    return status;
}

void rki_prefix_message(const char *format, ...)
{
    char joined[RKI_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(joined, sizeof joined, format, arguments);
    va_end(arguments);
    size_t used = written < 0 ? 0 : (size_t)written;
    if (used + 2 >= sizeof joined) return;
    memcpy(joined + used, ": ", 2);
    used += 2;
    size_t rest = strlen(message);
    if (rest > sizeof joined - used - 1) rest = sizeof joined - used - 1;
    memcpy(joined + used, message, rest);
    memcpy(message, joined, used + rest);
    message[used + rest] = '\0';
    end_on_whole_character();
}

const char *rki_message(void)
{
    return message;
}

const char *rnnkit_error_message(void)
{
    return message;
}

const char *rki_system_message(int error)
{
    /* The GNU variant may return a constant text of its own instead of filling the buffer. */
    return strerror_r(error, system_message, sizeof system_message);
}

static const struct {
    int32_t status;
    const char *name;
} names[] = {
    {RNNKIT_OK, "RNNKIT_OK"},
    {RNNKIT_DONE, "RNNKIT_DONE"},
    {RNNKIT_STOPPED, "RNNKIT_STOPPED"},
    {RNNKIT_E_ARGUMENT, "RNNKIT_E_ARGUMENT"},
    {RNNKIT_E_HANDLE, "RNNKIT_E_HANDLE"},
    {RNNKIT_E_SHAPE, "RNNKIT_E_SHAPE"},
    {RNNKIT_E_OPTION, "RNNKIT_E_OPTION"},
    {RNNKIT_E_ORDER, "RNNKIT_E_ORDER"},
    {RNNKIT_E_NOT_FOUND, "RNNKIT_E_NOT_FOUND"},
    {RNNKIT_E_TOO_SMALL, "RNNKIT_E_TOO_SMALL"},
    {RNNKIT_E_MEMORY, "RNNKIT_E_MEMORY"},
    {RNNKIT_E_IO, "RNNKIT_E_IO"},
    {RNNKIT_E_FORMAT, "RNNKIT_E_FORMAT"},
    {RNNKIT_E_ENCODING, "RNNKIT_E_ENCODING"},
    {RNNKIT_E_BACKEND, "RNNKIT_E_BACKEND"},
    {RNNKIT_E_DEVICE, "RNNKIT_E_DEVICE"},
    {RNNKIT_E_UNSUPPORTED, "RNNKIT_E_UNSUPPORTED"},
    {RNNKIT_E_DIVERGED, "RNNKIT_E_DIVERGED"},
    {RNNKIT_E_INTERNAL, "RNNKIT_E_INTERNAL"},
};

const char *rnnkit_status_name(int32_t status)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].status == status) return names[i].name;
    return "unknown status";
}

#define TEXT_OF(x)  #x
#define VALUE_OF(x) TEXT_OF(x)

const char *rnnkit_version(void)
{
    return VALUE_OF(RNNKIT_VERSION_MAJOR) "." VALUE_OF(RNNKIT_VERSION_MINOR) "." VALUE_OF(
        RNNKIT_VERSION_PATCH);
}
