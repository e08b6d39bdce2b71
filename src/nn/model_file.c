/* Models to files and back. See model_file.h; the layers' JSON is in model_layers.c.
 *
 * Opening creates the layers while the file is the model's source: each parameter then looks for
 * its tensor and compares the shape before it takes any memory, so a small file cannot ask for a
 * large model, and no initial values are drawn in vain.
 */
#include "nn/model_file.h"

#include <string.h>

#include "base/numbers.h"
#include "nn/device_file.h"
#include "nn/model_layers.h"
#include "rnnkit/model.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

static const char key_format[] = "format", key_version[] = RKI_RESERVED_PREFIX "version",
                  key_layers[] = RKI_RESERVED_PREFIX "layers",
                  key_tokenizer[] = RKI_RESERVED_PREFIX "tokenizer",
                  key_vocab[] = RKI_RESERVED_PREFIX "vocab",
                  key_checksum[] = RKI_RESERVED_PREFIX "checksum", key_entry[] = "entry.";

enum { FORMAT_VERSION = 1 };

/* Saving. */

static int32_t add_vocab(const rki_memory *memory, const rnnkit_vocab *vocab, rki_st_writer *writer)
{
    char *options, *text;
    int64_t size;
    RKI_TRY(rki_tokenizer_options(vocab->tokenizer, memory, &options));
    int32_t status = rki_st_writer_add_text(writer, key_tokenizer, options);
    rki_release(memory, options);
    RKI_TRY(status);
    RKI_TRY(rki_vocab_write_text(vocab, memory, &text, &size));
    status = rki_st_writer_add_text(writer, key_vocab, text);
    rki_release(memory, text);
    return status;
}

static int32_t add_entry(
    const rki_memory *memory, const rki_text_entry *entry, rki_st_writer *writer)
{
    void *key;
    size_t prefix = sizeof key_entry - 1, length = strlen(entry->key);
    RKI_TRY(rki_allocate(memory, (int64_t)(prefix + length + 1), 1, "an entry's key", &key));
    memcpy(key, key_entry, prefix);
    memcpy((char *)key + prefix, entry->key, length);
    int32_t status = rki_st_writer_add_text(writer, key, entry->value);
    rki_release(memory, key);
    return status;
}

int32_t rki_model_add_texts(const rnnkit_model *model, rki_st_writer *writer)
{
    const rki_memory *memory = &model->context->memory;
    char *layers;
    RKI_TRY(rki_st_writer_add_text(writer, key_format, "rnnkit"));
    RKI_TRY(rki_st_writer_add_text(writer, key_version, "1"));
    RKI_TRY(rki_model_layers_write(model, &layers));
    int32_t status = rki_st_writer_add_text(writer, key_layers, layers);
    rki_release(memory, layers);
    RKI_TRY(status);
    if (model->vocab != NULL) RKI_TRY(add_vocab(memory, model->vocab, writer));
    for (int64_t i = 0; i < model->entries.count; i++)
        RKI_TRY(add_entry(memory, &model->entries.items[i], writer));
    return rki_st_writer_add_checksum(writer, key_checksum);
}

int32_t rki_model_declare(const rnnkit_model *model, rki_st_writer *writer)
{
    rki_st_dtype dtype = rki_device_file_type(model->context->device);
    RKI_TRY(rki_model_check_plain(model, "save it"));
    for (int64_t i = 0; i < model->parameter_count; i++) {
        const rki_parameter *parameter = model->parameters[i];
        RKI_TRY(rki_st_writer_add_tensor(
            writer, parameter->name, dtype, parameter->shape.dims, parameter->shape.rank));
    }
    return RNNKIT_OK;
}

int32_t rki_model_put(const rnnkit_model *model, void *piece, rki_st_writer *writer)
{
    for (int64_t i = 0; i < model->parameter_count; i++) {
        const rki_parameter *parameter = model->parameters[i];
        RKI_TRY(rki_device_put(model->context->device, piece, parameter->value,
            rki_shape_count(&parameter->shape), writer));
    }
    return RNNKIT_OK;
}

static int32_t write_file(
    const rnnkit_model *model, const char *path, void *piece, rki_st_writer *writer)
{
    RKI_TRY(rki_model_add_texts(model, writer));
    RKI_TRY(rki_model_declare(model, writer));
    RKI_TRY(rki_st_writer_open(writer, path));
    RKI_TRY(rki_model_put(model, piece, writer));
    return rki_st_writer_commit(writer);
}

static int32_t save(const rnnkit_model *model, const char *path)
{
    const rki_memory *memory = &model->context->memory;
    rki_st_writer *writer = NULL;
    void *piece;
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_piece_allocate(memory, &piece));
    int32_t status = rki_st_writer_create(memory, &writer);
    if (status == RNNKIT_OK) status = write_file(model, path, piece, writer);
    rki_st_writer_destroy(writer);
    rki_release(memory, piece);
    return status;
}

int32_t rnnkit_model_save(rnnkit_model *model, const char *path)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, save(model, path));
}

/* Checks. */

int32_t rki_model_check_file(const rki_st *st)
{
    char shown[RKI_ST_SHOWN];
    int64_t number;
    const char *format = rki_st_metadata(st, key_format);
    const char *version = rki_st_metadata(st, key_version);
    if (format == NULL || strcmp(format, "rnnkit") != 0)
        return rki_fail(RNNKIT_E_FORMAT,
            "no model of librnnkit, though a safetensors file: create the layers and use "
            "rnnkit_model_load_parameters");
    if (version == NULL || !rki_parse_integer(version, strlen(version), &number) || number < 1)
        return rki_fail(RNNKIT_E_FORMAT, "metadata \"%s\" is \"%s\", expected a version number",
            key_version, version == NULL ? "" : rki_st_shown(version, shown));
    if (number > FORMAT_VERSION)
        return rki_fail(RNNKIT_E_FORMAT,
            "written in version %lld of the format; this librnnkit knows versions up to %d",
            (long long)number, FORMAT_VERSION);
    return rki_st_check(st, key_checksum);
}

/* The tensors of the file that no parameter takes. */
static int32_t check_leftovers(const rnnkit_model *model, const rki_st *st)
{
    char shown[RKI_ST_SHOWN];
    const rki_st_entry *entry;
    for (int64_t i = 0; (entry = rki_st_entry_at(st, i)) != NULL; i++) {
        if (strncmp(entry->name, RKI_RESERVED_PREFIX, sizeof RKI_RESERVED_PREFIX - 1) == 0)
            continue;
        if (rki_model_parameter(model, entry->name) == NULL)
            return rki_fail(RNNKIT_E_NOT_FOUND,
                "the file has a tensor \"%s\", but the model no such parameter (strict=0 passes "
                "over it)",
                rki_st_shown(entry->name, shown));
    }
    return RNNKIT_OK;
}

int32_t rki_model_check_parameters(const rnnkit_model *model, const rki_st *st, int strict)
{
    char shown[RKI_ST_SHOWN];
    RKI_TRY(rki_model_check_plain(model, "load parameters into it"));
    for (int64_t i = 0; i < model->parameter_count; i++) {
        const rki_parameter *parameter = model->parameters[i];
        const rki_st_entry *entry = rki_st_find(st, parameter->name);
        if (entry != NULL)
            RKI_TRY(rki_device_check_entry(entry, &parameter->shape));
        else if (strict)
            return rki_fail(RNNKIT_E_NOT_FOUND,
                "the file has no tensor \"%s\" (strict=0 passes over it)",
                rki_st_shown(parameter->name, shown));
    }
    return strict ? check_leftovers(model, st) : RNNKIT_OK;
}

int32_t rki_model_check_vocab(const rnnkit_model *model, const rki_st *st)
{
    const char *expected = rki_st_metadata(st, key_vocab);
    char *text;
    int64_t size;
    if (expected == NULL || model->vocab == NULL) return RNNKIT_OK;
    RKI_TRY(rki_vocab_write_text(model->vocab, &model->context->memory, &text, &size));
    int same = strcmp(text, expected) == 0;
    rki_release(&model->context->memory, text);
    if (same) return RNNKIT_OK;
    return rki_fail(RNNKIT_E_SHAPE, "the model has another vocabulary than the file");
}

/* Loading. */

int32_t rki_model_take(rnnkit_model *model, const rki_st *st, void *piece)
{
    for (int64_t i = 0; i < model->parameter_count; i++) {
        const rki_parameter *parameter = model->parameters[i];
        const rki_st_entry *entry = rki_st_find(st, parameter->name);
        if (entry == NULL) continue;
        RKI_TRY(rki_device_take(model->context->device, piece, entry, parameter->value));
    }
    return RNNKIT_OK;
}

int32_t rki_model_read_entries(const rki_memory *memory, const rki_st *st, rki_entries *out)
{
    const rki_st_text *text;
    size_t prefix = sizeof key_entry - 1;
    for (int64_t i = 0; (text = rki_st_metadata_at(st, i)) != NULL; i++)
        if (strncmp(text->key, key_entry, prefix) == 0)
            RKI_TRY(rki_entries_set(memory, out, text->key + prefix, text->value));
    return RNNKIT_OK;
}

static int32_t read_vocab(rnnkit_model *model, const rki_st *st)
{
    const char *options = rki_st_metadata(st, key_tokenizer);
    const char *text = rki_st_metadata(st, key_vocab);
    rnnkit_tokenizer *tokenizer;
    if (text == NULL) return RNNKIT_OK;
    RKI_TRY(rki_tokenizer_new(model->context, options, &tokenizer));
    int32_t status = rki_vocab_read_text(tokenizer, text, (int64_t)strlen(text), &model->vocab);
    rki_tokenizer_release(tokenizer);
    if (status == RNNKIT_E_FORMAT) rki_prefix_message("metadata \"%s\"", key_vocab);
    return status;
}

static int32_t fill_model(rnnkit_model *model, const rki_st *st)
{
    const char *layers = rki_st_metadata(st, key_layers);
    if (layers == NULL) return rki_fail(RNNKIT_E_FORMAT, "there is no metadata \"%s\"", key_layers);
    RKI_TRY(read_vocab(model, st));
    RKI_TRY(rki_model_read_entries(&model->context->memory, st, &model->entries));
    model->source = st;
    int32_t status = rki_model_layers_read(model, layers);
    model->source = NULL;
    return status < 0 ? status : check_leftovers(model, st);
}

/* What the file says wrongly is the file's fault, whatever a layer calls it. */
static int32_t as_format(int32_t status)
{
    int kept = status >= 0 || status == RNNKIT_E_MEMORY || status == RNNKIT_E_DEVICE ||
               status == RNNKIT_E_IO;
    return kept ? status : RNNKIT_E_FORMAT;
}

typedef struct open_settings {
    int32_t weights; /* rki_format */
} open_settings;

static const rki_option open_rows[] = {
    {"weights", RKI_OPTION_CHOICE, offsetof(open_settings, weights), 0, 0, "f32",
        "f32|bf16|int8|packed", "0.1",
        "how layers hold their weights; all but f32, on the CPU, run faster and do not train: "
        "packed reorders those of all but embeddings, bf16 rounds all, int8 rounds those of "
        "embeddings, recurrent and linear layers and reorders the others"},
};

const rki_option_table rki_open_options = {"open", open_rows, sizeof open_rows / sizeof *open_rows};

static int32_t check_format(const rki_device *device, rki_format format)
{
    rki_format products = rki_format_of_products(format);
    if (format == RKI_PLAIN ||
        (device->ops->formats >> format & device->ops->formats >> products & 1u))
        return RNNKIT_OK;
    return rki_fail(RNNKIT_E_UNSUPPORTED, "weights=%s needs device cpu, the context's is %s",
        rki_format_name(format), device->name);
}

static int32_t open_model(
    rnnkit_context *context, const rki_st *st, rki_format format, rnnkit_model **out)
{
    rnnkit_model *model;
    RKI_TRY(rki_model_check_file(st));
    RKI_TRY(rki_model_new(context, &model));
    model->format = format;
    int32_t status = as_format(fill_model(model, st));
    if (status < 0)
        rki_model_release(model);
    else
        *out = model;
    return status;
}

static int32_t read_open_options(
    const rnnkit_context *context, const char *text, rki_format *format)
{
    open_settings settings;
    RKI_TRY(rki_options_parse(&rki_open_options, text, &settings));
    *format = (rki_format)settings.weights;
    return check_format(context->device, *format);
}

static int32_t open_path(
    rnnkit_context *context, const char *path, const char *options, rnnkit_model **out)
{
    rki_format format = RKI_PLAIN;
    rki_st *st;
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(read_open_options(context, options, &format));
    RKI_TRY(rki_st_open_file(&context->memory, path, &st));
    int32_t status = open_model(context, st, format, out);
    if (status < 0) rki_prefix_message("%s", path);
    rki_st_close(st);
    return status;
}

int32_t rnnkit_model_open(
    rnnkit_context *context, const char *path, const char *options, rnnkit_model **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context, __func__, open_path(context, path, options, out));
}

static int32_t open_bytes(rnnkit_context *context, const void *bytes, size_t size,
    const char *options, rnnkit_model **out)
{
    rki_format format = RKI_PLAIN;
    rki_st *st;
    RKI_TRY(rki_check_pointer(bytes, "bytes"));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(read_open_options(context, options, &format));
    RKI_TRY(rki_st_open_memory(&context->memory, bytes, size, &st));
    int32_t status = open_model(context, st, format, out);
    rki_st_close(st);
    return status;
}

int32_t rnnkit_model_open_memory(rnnkit_context *context, const void *bytes, size_t size,
    const char *options, rnnkit_model **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context, __func__, open_bytes(context, bytes, size, options, out));
}

/* Parameters alone. */

typedef struct load_settings {
    int32_t strict;
} load_settings;

static const rki_option load_rows[] = {
    {"strict", RKI_OPTION_FLAG, offsetof(load_settings, strict), 0, 1, "1", NULL, "0.1",
        "1: file and model must have the same names; 0: what only one of them has is passed over"},
};

const rki_option_table rki_load_options = {"load", load_rows, sizeof load_rows / sizeof *load_rows};

static int32_t load_open_file(rnnkit_model *model, const rki_st *st, int strict)
{
    void *piece;
    RKI_TRY(rki_st_check(st, key_checksum));
    RKI_TRY(rki_model_check_parameters(model, st, strict));
    RKI_TRY(rki_piece_allocate(&model->context->memory, &piece));
    int32_t status = rki_model_take(model, st, piece);
    rki_release(&model->context->memory, piece);
    return status;
}

static int32_t load(rnnkit_model *model, const char *path, const char *options)
{
    load_settings settings;
    rki_st *st;
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_options_parse(&rki_load_options, options, &settings));
    RKI_TRY(rki_st_open_file(&model->context->memory, path, &st));
    int32_t status = load_open_file(model, st, settings.strict);
    if (status < 0) rki_prefix_message("%s", path);
    rki_st_close(st);
    return status;
}

int32_t rnnkit_model_load_parameters(rnnkit_model *model, const char *path, const char *options)
{
    int32_t status = rki_check(model, RKI_KIND_MODEL, "model");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(model->context, __func__, load(model, path, options));
}
