/* The command `generate`: made-up pictures, as a file of features and a file of captions. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/console.h"
#include "../common/interrupt.h"
#include "../common/json.h"
#include "../common/output.h"
#include "commands.h"
#include "convolution.h"

enum { PER_PICTURE = CONVOLUTION_PLACES * CONVOLUTION_FILTERS, NAME_SIZE = 64 };

/* A file that is written to memory first. */
typedef struct text {
    FILE *out;
    char *bytes;
    size_t length;
} text;

typedef struct collection {
    const settings *options;
    convolution *features;
    uint64_t random;
    text arrays, captions;
} collection;

static int text_begin(text *target)
{
    target->out = open_memstream(&target->bytes, &target->length);
    return target->out == NULL ? fail("out of memory") : OUTCOME_OK;
}

static int text_end(text *target)
{
    FILE *out = target->out;

    target->out = NULL;
    return fclose(out) != 0 ? fail("out of memory") : OUTCOME_OK;
}

static void text_free(text *target)
{
    if (target->out != NULL) fclose(target->out);
    free(target->bytes);
}

static const char *name_of(const settings *options, int64_t number, char buffer[NAME_SIZE])
{
    snprintf(buffer, NAME_SIZE, "shapes-%" PRId64 "-%05" PRId64, options->seed, number);
    return buffer;
}

/* safetensors: the header's length in 8 bytes, the header, the numbers. */
static int put_header(const settings *options, FILE *out)
{
    text header = {0};
    char name[NAME_SIZE];
    int outcome = text_begin(&header);

    if (outcome != OUTCOME_OK) return outcome;
    fputs("{\"__metadata__\":{\"names\":\"", header.out);
    for (int64_t i = 1; i <= options->count; i++)
        fprintf(header.out, "%s%s", i == 1 ? "" : "\\n", name_of(options, i, name));
    fprintf(header.out,
        "\"},\"features\":{\"dtype\":\"F32\",\"shape\":[%" PRId64
        ",%d,%d,%d],\"data_offsets\":[0,%" PRId64 "]}}",
        options->count, CONVOLUTION_SIDE, CONVOLUTION_SIDE, CONVOLUTION_FILTERS,
        options->count * PER_PICTURE * 4);
    outcome = text_end(&header);
    if (outcome == OUTCOME_OK) {
        size_t padded = (header.length + 7) / 8 * 8;

        for (int shift = 0; shift < 64; shift += 8)
            putc((int)(padded >> shift & 255), out);
        fprintf(out, "%-*s", (int)padded, header.bytes);
    }
    text_free(&header);
    return outcome;
}

/* Little-endian, as the format wants it, on any machine. */
static void put_floats(const float *values, int count, FILE *out)
{
    for (int i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, &values[i], sizeof bits);
        for (int shift = 0; shift < 32; shift += 8)
            putc((int)(bits >> shift & 255), out);
    }
}

static int draw(const collection *all, const scene *one, const char *name)
{
    size_t size = strlen(all->options->pictures) + strlen(name) + sizeof "/.svg";
    char *path = malloc(size);
    text drawing = {0};
    int outcome = path == NULL ? fail("out of memory") : text_begin(&drawing);

    if (outcome == OUTCOME_OK) {
        snprintf(path, size, "%s/%s.svg", all->options->pictures, name);
        scene_draw(one, drawing.out);
        outcome = text_end(&drawing);
    }
    if (outcome == OUTCOME_OK) outcome = output_replace(path, drawing.bytes, drawing.length);
    text_free(&drawing);
    free(path);
    return outcome;
}

static int add(collection *all, int64_t number)
{
    float values[PER_PICTURE];
    char name[NAME_SIZE];
    scene one;

    if (interrupt_signal() != 0) return OUTCOME_INTERRUPTED;
    scene_make(&one, &all->random);
    convolution_run(all->features, &one, values);
    put_floats(values, PER_PICTURE, all->arrays.out);
    name_of(all->options, number, name);
    fprintf(all->captions.out, "%s\t%s\n", name, one.caption);
    return all->options->pictures[0] != '\0' ? draw(all, &one, name) : OUTCOME_OK;
}

static int make(collection *all)
{
    const settings *options = all->options;
    int outcome;

    all->features = convolution_create();
    if (all->features == NULL) return fail("out of memory");
    if (text_begin(&all->arrays) != OUTCOME_OK || text_begin(&all->captions) != OUTCOME_OK)
        return OUTCOME_FAILED;
    outcome = put_header(options, all->arrays.out);
    for (int64_t i = 1; i <= options->count && outcome == OUTCOME_OK; i++)
        outcome = add(all, i);
    if (outcome == OUTCOME_OK) outcome = text_end(&all->arrays);
    if (outcome == OUTCOME_OK) outcome = text_end(&all->captions);
    if (outcome == OUTCOME_OK)
        outcome = output_replace(options->captions, all->captions.bytes, all->captions.length);
    if (outcome == OUTCOME_OK)
        outcome = output_replace(options->features, all->arrays.bytes, all->arrays.length);
    return outcome;
}

static void tell(const settings *options)
{
    char number[CONSOLE_NUMBER_SIZE];

    if (options->json) {
        json_begin("done");
        json_integer("pictures", options->count);
        json_integer("positions", CONVOLUTION_PLACES);
        json_integer("width", CONVOLUTION_FILTERS);
        json_end();
        return;
    }
    console_line("%s pictures of %d x %d places, %d numbers for each: %s, %s",
        console_count(options->count, number), CONVOLUTION_SIDE, CONVOLUTION_SIDE,
        CONVOLUTION_FILTERS, options->features, options->captions);
}

int generate_command(arguments *parsed)
{
    const settings *options = parsed->values;
    collection all = {.options = options, .random = (uint64_t)options->seed};
    int outcome;

    if (output_check("features", options->features) != OUTCOME_OK ||
        output_check("captions", options->captions) != OUTCOME_OK ||
        output_check_apart("features", options->features, "captions", options->captions) !=
            OUTCOME_OK)
        return OUTCOME_FAILED;
    outcome = make(&all);
    if (outcome == OUTCOME_OK) tell(options);
    convolution_destroy(all.features);
    text_free(&all.arrays);
    text_free(&all.captions);
    return outcome;
}
