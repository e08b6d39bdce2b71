/* Opening a file of vectors: which format it has, and reading it. See format.h. */
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "text/argument.h"
#include "word2vec/format.h"

typedef enum format {
    FORMAT_AUTO,
    FORMAT_TEXT,
    FORMAT_BINARY,
    FORMAT_GLOVE,
    FORMAT_SAFETENSORS
} format;

typedef struct open_settings {
    int64_t limit;
    int32_t format, map;
} open_settings;

static const rki_option rows[] = {
    {"format", RKI_OPTION_CHOICE, offsetof(open_settings, format), 0, 0, "auto",
        "auto|text|binary|glove|safetensors", "0.1", "auto: what the first bytes look like"},
    {"limit", RKI_OPTION_INTEGER, offsetof(open_settings, limit), 0, INT32_MAX, "0", NULL, "0.1",
        "only the first words are read; 0: all"},
    {"map", RKI_OPTION_FLAG, offsetof(open_settings, map), 0, 1, "0", NULL, "0.1",
        "1: values stay in the file, shared by all that map it; safetensors alone"},
};

const rki_option_table rki_vectors_open_options = {
    "vectors_open", rows, sizeof rows / sizeof *rows};

/* A length of eight bytes and a brace. */
static int is_safetensors(const rki_mapping *file)
{
    return file->size > 8 && file->data[8] == '{' && rki_load64(file->data) <= file->size - 8;
}

/* Without a first line, the first word has no space in it, so the line says the dimension. */
static int64_t fields_of_line(const rki_vectors_source *source)
{
    int64_t fields = 0;
    int inside = 0;
    for (const char *p = source->cursor; p < source->end && *p != '\n'; p++) {
        int blank = *p == ' ' || *p == '\t' || *p == '\r';
        fields += !blank && !inside;
        inside = !blank;
    }
    return fields;
}

static int32_t no_header(const rki_vectors_source *source)
{
    return rki_fail(
        RNNKIT_E_FORMAT, "%s: line 1: expected `count dimension`", rki_path_end(source->path));
}

static int32_t read_file(rki_vectors_source *source, int32_t wanted, rnnkit_vectors **out)
{
    int64_t count, dimension;
    int header = wanted != FORMAT_GLOVE && rki_vectors_header(source, &count, &dimension);
    if (!header && (wanted == FORMAT_TEXT || wanted == FORMAT_BINARY)) return no_header(source);
    if (!header) return rki_vectors_read_text(source, -1, fields_of_line(source) - 1, out);
    if (count < 0)
        return rki_fail(RNNKIT_E_FORMAT, "%s: line 1 says %lld words", rki_path_end(source->path),
            (long long)count);
    if (wanted == FORMAT_TEXT || (wanted == FORMAT_AUTO && rki_vectors_is_text(source, dimension)))
        return rki_vectors_read_text(source, count, dimension, out);
    return rki_vectors_read_binary(source, count, dimension, out);
}

static int32_t open_mapped(rnnkit_context *context, const char *path, const rki_mapping *file,
    const open_settings *settings, rnnkit_vectors **out)
{
    int64_t limit = settings->limit > 0 ? settings->limit : INT32_MAX;
    if (settings->format == FORMAT_SAFETENSORS ||
        (settings->format == FORMAT_AUTO && is_safetensors(file)))
        return rki_vectors_read_safetensors(context, path, limit, settings->map, out);
    if (settings->map)
        return rki_fail(RNNKIT_E_OPTION, "option map=1 is for safetensors, which this is not");
    if (file->size == 0)
        return rki_fail(RNNKIT_E_FORMAT, "%s: the file is empty", rki_path_end(path));
    const char *text = (const char *)file->data;
    rki_vectors_source source = {context, path, text, text + file->size, limit, 0, 0};
    RKI_TRY(read_file(&source, settings->format, out));
    if (source.repeated > 0)
        rki_log_line(&context->log, RNNKIT_LOG_WARNING,
            "%s: %lld words came again and were left out", rki_path_end(path),
            (long long)source.repeated);
    return RNNKIT_OK;
}

static int32_t open_vectors(
    rnnkit_context *context, const char *path, const char *options, rnnkit_vectors **out)
{
    open_settings settings;
    rki_mapping file;
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_check_pointer(out, "out"));
    RKI_TRY(rki_options_parse(&rki_vectors_open_options, options, &settings));
    RKI_TRY(rki_map_file(path, &file));
    int32_t status = open_mapped(context, path, &file, &settings, out);
    rki_unmap_file(&file);
    return status;
}

int32_t rnnkit_vectors_open(
    rnnkit_context *context, const char *path, const char *options, rnnkit_vectors **out)
{
    int32_t status = rki_check(context, RKI_KIND_CONTEXT, "context");
    if (status < 0) return rki_leave(NULL, __func__, status);
    return rki_leave(context, __func__, open_vectors(context, path, options, out));
}
