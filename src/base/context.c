/* What every public call does with the context on its way out. See context.h.
 *
 * Opening and closing a context needs a device: src/backend/open.c.
 */
#include "base/context.h"

#include <string.h>

#include "base/give.h"

int32_t rki_leave(rnnkit_context *context, const char *call, int32_t status)
{
    if (status >= 0) return status;
    rki_prefix_message("%s", call);
    if (context != NULL) {
        pthread_mutex_lock(&context->message_lock);
        memcpy(context->last_message, rki_message(), RKI_MESSAGE_SIZE);
        pthread_mutex_unlock(&context->message_lock);
    }
    return status;
}

void rki_context_retain(rnnkit_context *context)
{
    rki_object_retain(&context->object);
}

int32_t rki_poll_cancel(rnnkit_context *context)
{
    return atomic_exchange(&context->cancelled, 0) ? RNNKIT_STOPPED : RNNKIT_OK;
}

void rnnkit_context_cancel(rnnkit_context *context)
{
    if (context != NULL) atomic_store(&context->cancelled, 1);
}

int32_t rnnkit_context_set_log(rnnkit_context *context, rnnkit_log_fn write, void *user)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    context->log = (rki_log){write, user};
    if (write != NULL && context->note[0] != '\0') {
        rki_log_line(&context->log, RNNKIT_LOG_INFO, "%s", context->note);
        context->note[0] = '\0';
    }
    return RNNKIT_OK;
}

static int32_t read_message(
    rnnkit_context *context, char *buffer, int64_t capacity, int64_t *needed)
{
    RKI_TRY(rki_check(context, RKI_KIND_CONTEXT, "context"));
    RKI_TRY(rki_check_pointer(needed, "needed"));
    char text[RKI_MESSAGE_SIZE];
    pthread_mutex_lock(&context->message_lock);
    memcpy(text, context->last_message, sizeof text);
    pthread_mutex_unlock(&context->message_lock);
    return rki_give_text(text, buffer, capacity, needed);
}

int32_t rnnkit_context_error_message(
    rnnkit_context *context, char *buffer, int64_t capacity, int64_t *needed)
{
    return rki_leave(NULL, __func__, read_message(context, buffer, capacity, needed));
}
