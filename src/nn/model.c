/* Models: life, and what they carry beside parameters. See model.h; parameters are in
 * model_parameters.c, layers in layer.c, files in model_file.c.
 */
#include "nn/model.h"

#include <string.h>

#include "base/utf8.h"
#include "nn/model_file.h"
#include "text/vocab.h"

int32_t rki_model_new(rnnkit_context *context, rnnkit_model **out)
{
    void *block;
    RKI_TRY(rki_allocate(&context->memory, 1, sizeof(rnnkit_model), "a model", &block));
    rnnkit_model *model = block;
    rki_object_init(&model->object, RKI_KIND_MODEL);
    model->context = context;
    rki_context_retain(context);
    *out = model;
    return RNNKIT_OK;
}

static int32_t create(rnnkit_context *context, rnnkit_model **out)
{
    RKI_TRY(rki_check_pointer(out, "out"));
    return rki_model_new(context, out);
}

int32_t rnnkit_model_create(rnnkit_context *context, rnnkit_model **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context, __func__, create(context, out));
}

void rki_model_retain(rnnkit_model *model)
{
    rki_object_retain(&model->object);
}

void rki_model_release(rnnkit_model *model)
{
    if (!rki_object_release(&model->object)) return;
    rnnkit_context *context = model->context;
    const rki_memory *memory = &context->memory;
    rki_model_drop_parameters(model, 0);
    for (int64_t i = 0; i < model->layer_count; i++)
        rki_layer_release(model, model->layers[i]);
    rki_release(memory, model->parameters);
    rki_release(memory, model->layers);
    rki_entries_release(memory, &model->entries);
    if (model->vocab != NULL) rki_vocab_release(model->vocab);
    rki_release(memory, model);
    rki_context_release(context);
}

void rnnkit_model_destroy(rnnkit_model *model)
{
    if (model != NULL && rki_check(model, RKI_KIND_MODEL, "model") >= 0) rki_model_release(model);
}

int32_t rki_model_check_plain(const rnnkit_model *model, const char *what)
{
    if (model->format == RKI_PLAIN) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ORDER,
        "the model was opened with weights=%s, to run alone: to %s, open it with weights=f32",
        rki_format_name(model->format), what);
}

/* The vocabulary. */

static int32_t set_vocab(rnnkit_model *model, rnnkit_vocab *vocab)
{
    if (vocab != NULL) {
        RKI_TRY(rki_check(vocab, RKI_KIND_VOCAB, "vocab"));
        RKI_TRY(rki_vocab_check_finished(vocab));
        rki_vocab_retain(vocab);
    }
    if (model->vocab != NULL) rki_vocab_release(model->vocab);
    model->vocab = vocab;
    return RNNKIT_OK;
}

int32_t rnnkit_model_set_vocab(rnnkit_model *model, rnnkit_vocab *vocab)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, set_vocab(model, vocab));
}

static int32_t get_vocab(rnnkit_model *model, rnnkit_vocab **out)
{
    RKI_TRY(rki_check_pointer(out, "out"));
    if (model->vocab == NULL)
        return rki_fail(RNNKIT_E_NOT_FOUND, "the model carries no vocabulary");
    rki_vocab_retain(model->vocab);
    *out = model->vocab;
    return RNNKIT_OK;
}

int32_t rnnkit_model_vocab(rnnkit_model *model, rnnkit_vocab **out)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, get_vocab(model, out));
}

/* Entries. */

static int32_t check_text(const char *text, const char *argument)
{
    size_t length = strlen(text), whole = rki_utf8_span(text, length);
    if (whole == length) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_ARGUMENT, "%s is not UTF-8 at byte %zu", argument, whole);
}

static int32_t set_entry(rnnkit_model *model, const char *key, const char *value)
{
    RKI_TRY(rki_check_pointer(key, "key"));
    if (key[0] == '\0') return rki_fail(RNNKIT_E_ARGUMENT, "key is empty");
    if (strncmp(key, RKI_RESERVED_PREFIX, sizeof RKI_RESERVED_PREFIX - 1) == 0)
        return rki_fail(RNNKIT_E_ARGUMENT, "key starts with \"%s\", which is the library's",
            RKI_RESERVED_PREFIX);
    RKI_TRY(check_text(key, "key"));
    if (value != NULL) RKI_TRY(check_text(value, "value"));
    return rki_entries_set(&model->context->memory, &model->entries, key, value);
}

int32_t rnnkit_model_set_entry(rnnkit_model *model, const char *key, const char *value)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, set_entry(model, key, value));
}

const char *rnnkit_model_entry(const rnnkit_model *model, const char *key)
{
    if (rki_check(model, RKI_KIND_MODEL, "model") < 0 || key == NULL) return NULL;
    return rki_entries_find(&model->entries, key);
}
