/* Reading text and binary vectors. See format.h.
 *
 * Nothing that a file says is believed before its size allows it: the numbers in a first line ask
 * for no more memory than the bytes behind it could fill.
 */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/float_mode.h"
#include "base/numbers.h"
#include "cpu/parallel.h"
#include "text/argument.h"
#include "text/characters.h"
#include "word2vec/float_text.h"
#include "word2vec/format.h"

static const char *line_end(const rki_vectors_source *source)
{
    const char *feed = memchr(source->cursor, '\n', (size_t)(source->end - source->cursor));
    return feed == NULL ? source->end : feed;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

int rki_vectors_header(rki_vectors_source *source, int64_t *count, int64_t *dimension)
{
    enum { LONGEST = 64 };
    const char *start = source->cursor, *end = line_end(source), *space;
    if (end == source->end || end - start > LONGEST) return 0;
    const char *stop = end;
    while (stop > start && is_blank(stop[-1]))
        stop--;
    space = memchr(start, ' ', (size_t)(stop - start));
    if (space == NULL || !rki_parse_integer(start, (size_t)(space - start), count) ||
        !rki_parse_integer(space + 1, (size_t)(stop - space - 1), dimension))
        return 0;
    source->cursor = end + 1;
    source->line++;
    return 1;
}

/* Finds the last `count` fields of a line, from behind: fields[i] .. ends[i]. Returns the end of
 * what stands before them, or NULL. */
static const char *last_fields(const char *start, const char *end, int64_t count, const char **next)
{
    for (int64_t i = 0; i < count; i++) {
        while (end > start && is_blank(end[-1]))
            end--;
        if (end == start) return NULL;
        while (end > start && !is_blank(end[-1]))
            end--;
    }
    *next = end;
    while (end > start && is_blank(end[-1]))
        end--;
    return end > start ? end : NULL;
}

static int32_t bad(
    const rki_vectors_source *source, const char *what, const char *start, size_t size)
{
    char shown[RKI_UTF8_SHOWN];
    return rki_fail(RNNKIT_E_FORMAT, "%s: line %lld: %s, found '%s'", rki_path_end(source->path),
        (long long)source->line, what, rki_utf8_show(start, size, shown));
}

/* Reads values from `text` on into row[0 .. dimension - 1]; the place where one is wrong, or NULL. */
static const char *read_values(const char *text, const char *end, int64_t dimension, float *row)
{
    for (int64_t k = 0; k < dimension; k++) {
        while (text < end && is_blank(*text))
            text++;
        const char *start = text;
        while (text < end && !is_blank(*text))
            text++;
        if (!rki_float_read(start, (size_t)(text - start), &row[k])) return start;
    }
    return NULL;
}

int rki_vectors_is_text(const rki_vectors_source *source, int64_t dimension)
{
    const char *end = line_end(source), *next;
    if (dimension < 1 || dimension > end - source->cursor) return 0;
    if (last_fields(source->cursor, end, dimension, &next) == NULL) return 0;
    for (int64_t k = 0; k < dimension; k++) {
        float value;
        const char *at = next;
        while (next < end && !is_blank(*next))
            next++;
        if (!rki_float_read(at, (size_t)(next - at), &value)) return 0;
        while (next < end && is_blank(*next))
            next++;
    }
    return 1;
}

static int32_t read_line(rki_vectors_source *source, rnnkit_vectors *vectors)
{
    const char *start = source->cursor, *end = line_end(source), *next = NULL;
    source->cursor = end < source->end ? end + 1 : end;
    source->line++;
    const char *stop = last_fields(start, end, vectors->dimension, &next);
    if (stop == NULL)
        return rki_fail(RNNKIT_E_FORMAT, "%s: line %lld: expected a word and %lld values",
            rki_path_end(source->path), (long long)source->line, (long long)vectors->dimension);
    if (memchr(start, 0, (size_t)(stop - start)) != NULL)
        return bad(source, "expected a word without NUL", start, (size_t)(stop - start));
    float *row;
    RKI_TRY(rki_vectors_add(vectors, start, (size_t)(stop - start), &row));
    if (row == NULL) {
        source->repeated++;
        return RNNKIT_OK;
    }
    const char *wrong = read_values(next, end, vectors->dimension, row);
    if (wrong == NULL) return RNNKIT_OK;
    while (end > wrong && is_blank(end[-1]))
        end--;
    const char *blank = wrong;
    while (blank < end && !is_blank(*blank))
        blank++;
    return bad(source, "expected a finite number", wrong, (size_t)(blank - wrong));
}

/* Lines that are not empty, up to the limit. */
static int64_t count_lines(const rki_vectors_source *source)
{
    rki_vectors_source copy = *source;
    int64_t lines = 0;
    while (copy.cursor < copy.end && lines < source->limit) {
        const char *end = line_end(&copy);
        lines += end > copy.cursor;
        copy.cursor = end < copy.end ? end + 1 : end;
    }
    return lines;
}

static int32_t read_lines(rki_vectors_source *source, int64_t count, rnnkit_vectors *vectors)
{
    int64_t lines = count_lines(source), wanted = count < source->limit ? count : source->limit;
    if (count < 0) wanted = lines;
    if (lines < wanted || (count >= 0 && count < source->limit && lines > count))
        return rki_fail(RNNKIT_E_FORMAT, "%s: the first line says %lld words, %s%lld lines follow",
            rki_path_end(source->path), (long long)count, lines == source->limit ? "at least " : "",
            (long long)lines);
    if (wanted < 1)
        return rki_fail(RNNKIT_E_FORMAT, "%s: there is no word", rki_path_end(source->path));
    if (wanted > (source->end - source->cursor) / vectors->dimension / 2)
        return rki_fail(RNNKIT_E_FORMAT, "%s: lines are too short for %lld values each",
            rki_path_end(source->path), (long long)vectors->dimension);
    RKI_TRY(rki_vectors_reserve(vectors, wanted));
    for (int64_t i = 0; i < wanted;) {
        if (*source->cursor == '\n') {
            source->cursor++;
            source->line++;
            continue;
        }
        RKI_TRY(read_line(source, vectors));
        i++;
    }
    return RNNKIT_OK;
}

/* A value takes two bytes at least, so a dimension beyond half of the file is none. */
static int32_t check_header(
    const rki_vectors_source *source, int64_t count, int64_t dimension, int64_t value_bytes)
{
    int64_t left = source->end - source->cursor, wanted = count;
    if (count >= 0 && wanted > source->limit) wanted = source->limit;
    if (wanted < 0) wanted = 1;
    if (count < -1 || dimension < 1 || dimension > left / value_bytes ||
        wanted > left / (dimension * value_bytes))
        return rki_fail(RNNKIT_E_FORMAT,
            "%s: the first line says %lld words of dimension %lld, %lld bytes follow",
            rki_path_end(source->path), (long long)count, (long long)dimension, (long long)left);
    return RNNKIT_OK;
}

int32_t rki_vectors_read_text(
    rki_vectors_source *source, int64_t count, int64_t dimension, rnnkit_vectors **out)
{
    rnnkit_vectors *vectors;
    RKI_TRY(check_header(source, count, dimension, 2));
    RKI_TRY(rki_vectors_new(source->context, dimension, &vectors));
    uint64_t mode = rki_float_enter_exact();
    int32_t status = read_lines(source, count, vectors);
    rki_float_leave(mode);
    if (status < 0)
        rki_vectors_release(vectors);
    else
        *out = vectors;
    return status;
}

/* Binary. */

static int32_t read_row(rki_vectors_source *source, rnnkit_vectors *vectors, int64_t place)
{
    while (source->cursor < source->end && *source->cursor == '\n')
        source->cursor++;
    const char *word = source->cursor;
    int64_t left = source->end - word, bytes = vectors->dimension * (int64_t)sizeof(float);
    const char *space = memchr(word, ' ', (size_t)left);
    if (space == NULL || source->end - space - 1 < bytes)
        return rki_fail(RNNKIT_E_FORMAT, "%s: the file ends within word %lld",
            rki_path_end(source->path), (long long)place);
    size_t size = (size_t)(space - word);
    char shown[RKI_UTF8_SHOWN];
    if (size == 0 || memchr(word, 0, size) != NULL || memchr(word, '\n', size) != NULL)
        return rki_fail(RNNKIT_E_FORMAT, "%s: word %lld is '%s', expected a word",
            rki_path_end(source->path), (long long)place, rki_utf8_show(word, size, shown));
    source->cursor = space + 1 + bytes;
    float *row;
    RKI_TRY(rki_vectors_add(vectors, word, size, &row));
    if (row == NULL) {
        source->repeated++;
        return RNNKIT_OK;
    }
    for (int64_t k = 0; k < vectors->dimension; k++) {
        uint32_t bits = rki_load32((const unsigned char *)space + 1 + 4 * k);
        memcpy(&row[k], &bits, sizeof bits);
        if (!isfinite(row[k]))
            return rki_fail(RNNKIT_E_FORMAT, "%s: value %lld of '%s' is not finite",
                rki_path_end(source->path), (long long)k, rki_utf8_show(word, size, shown));
    }
    return RNNKIT_OK;
}

static int32_t read_rows(rki_vectors_source *source, int64_t count, rnnkit_vectors *vectors)
{
    int64_t wanted = count < source->limit ? count : source->limit;
    if (wanted < 1)
        return rki_fail(RNNKIT_E_FORMAT, "%s: there is no word", rki_path_end(source->path));
    RKI_TRY(rki_vectors_reserve(vectors, wanted));
    for (int64_t i = 0; i < wanted; i++)
        RKI_TRY(read_row(source, vectors, i));
    return RNNKIT_OK;
}

int32_t rki_vectors_read_binary(
    rki_vectors_source *source, int64_t count, int64_t dimension, rnnkit_vectors **out)
{
    rnnkit_vectors *vectors;
    RKI_TRY(check_header(source, count, dimension, (int64_t)sizeof(float)));
    RKI_TRY(rki_vectors_new(source->context, dimension, &vectors));
    int32_t status = read_rows(source, count, vectors);
    if (status < 0)
        rki_vectors_release(vectors);
    else
        *out = vectors;
    return status;
}
