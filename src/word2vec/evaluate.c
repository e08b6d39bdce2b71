/* Evaluation as gensim computes it: word pairs and analogies. See rnnkit/vectors.h.
 *
 * Words are looked up without regard to case: both sides are lower-cased by Unicode's simple
 * mapping, and of several words that are then the same the first, most frequent one counts.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/numbers.h"
#include "text/argument.h"
#include "text/characters.h"
#include "text/normalize.h"
#include "word2vec/search.h"
#include "word2vec/vectors.h"

typedef struct evaluate_settings {
    int64_t restricted;
    int32_t wrong, method;
} evaluate_settings;

static const rki_option rows[] = {
    {"restrict", RKI_OPTION_INTEGER, offsetof(evaluate_settings, restricted), 0, INT32_MAX,
        "300000", NULL, "0.1", "only the first words count; 0: all"},
    {"unknown", RKI_OPTION_CHOICE, offsetof(evaluate_settings, wrong), 0, 0, "skip", "skip|wrong",
        "0.1", "what a word that is not there does to its line"},
    {"method", RKI_OPTION_CHOICE, offsetof(evaluate_settings, method), 0, 0, "add", "add|mul",
        "0.1", "analogies: 3CosAdd or 3CosMul"},
};

const rki_option_table rki_vectors_evaluate_options = {
    "vectors_evaluate", rows, sizeof rows / sizeof *rows};

/* Words without regard to case. */

typedef struct lookup {
    const rnnkit_vectors *vectors;
    int64_t rows;
    rki_wordmap lower; /* a lower-cased word; its count is the id */
    char *text;        /* the word in hand, lower-cased */
    int64_t capacity, used;
} lookup;

static int32_t put_lower(lookup *to, int32_t code)
{
    void *block = to->text;
    RKI_TRY(rki_grow(&to->vectors->context->memory, &block, &to->capacity, to->used,
        to->used + RKI_UTF8_LONGEST, 1, "a word"));
    to->text = block;
    to->used += (int64_t)rki_utf8_encode(rki_lower(code), to->text + to->used);
    return RNNKIT_OK;
}

static int32_t lower_word(lookup *to, const char *word, size_t size)
{
    const unsigned char *cursor = (const unsigned char *)word, *end = cursor + size;
    rki_utf8 decoder;
    int32_t code;
    to->used = 0;
    rki_utf8_init(&decoder, RKI_UTF8_REPLACE);
    while (rki_utf8_take(&decoder, &cursor, end, &code) > 0)
        RKI_TRY(put_lower(to, code));
    if (rki_utf8_end(&decoder, &code) > 0) RKI_TRY(put_lower(to, code));
    return RNNKIT_OK;
}

/* The word's id in *id, or -1. */
static int32_t look_up(lookup *in, const char *word, size_t size, int32_t *id)
{
    RKI_TRY(lower_word(in, word, size));
    int32_t place = in->used == 0 ? -1 : rki_wordmap_find(&in->lower, in->text, (size_t)in->used);
    *id = place < 0 ? -1 : (int32_t)in->lower.words[place].count;
    return RNNKIT_OK;
}

static int32_t open_lookup(lookup *to, const rnnkit_vectors *vectors, int64_t restricted)
{
    *to = (lookup){.vectors = vectors,
        .rows = restricted > 0 && restricted < vectors->size ? restricted : vectors->size};
    rki_wordmap_init(&to->lower, &vectors->context->memory);
    for (int32_t id = 0; id < to->rows; id++) {
        int32_t place, before = to->lower.size;
        RKI_TRY(lower_word(
            to, rki_wordmap_bytes(&vectors->words, id), (size_t)vectors->words.words[id].length));
        if (to->used == 0) continue;
        RKI_TRY(rki_wordmap_add(&to->lower, to->text, (size_t)to->used, &place));
        if (place == before) to->lower.words[place].count = id;
    }
    return RNNKIT_OK;
}

static void close_lookup(lookup *of)
{
    rki_wordmap_release(&of->lower);
    rki_release(&of->vectors->context->memory, of->text);
}

/* Lines. */

typedef struct field {
    const char *start;
    size_t size;
} field;

/* Splits a line at the bytes of `parts`; returns how many fields there are, `most` at most. */
static int split_line(const char *line, const char *end, const char *parts, int most, field *fields)
{
    int count = 0;
    while (line < end) {
        while (line < end && strchr(parts, *line) != NULL)
            line++;
        if (line == end) break;
        const char *start = line;
        while (line < end && (*line == '\0' || strchr(parts, *line) == NULL))
            line++;
        if (count < most) fields[count] = (field){start, (size_t)(line - start)};
        count++;
    }
    return count;
}

typedef int32_t (*take_line_fn)(void *user, const char *line, const char *end);

static int32_t each_line(const rki_mapping *file, take_line_fn take, void *user)
{
    const char *cursor = (const char *)file->data, *end = cursor + file->size;
    while (file->size > 0 && cursor < end) {
        const char *feed = memchr(cursor, '\n', (size_t)(end - cursor));
        const char *stop = feed == NULL ? end : feed;
        const char *next = feed == NULL ? end : feed + 1;
        if (stop > cursor && stop[-1] == '\r') stop--;
        RKI_TRY(take(user, cursor, stop));
        cursor = next;
    }
    return RNNKIT_OK;
}

/* Word pairs. */

typedef struct pair {
    double given, own;
} pair;

typedef struct pairs {
    lookup words;
    const float *inverse;
    int wrong;
    pair *list;
    int64_t capacity, count, unknown;
} pairs;

static int32_t add_pair(pairs *to, double given, double own)
{
    void *block = to->list;
    RKI_TRY(rki_grow(&to->words.vectors->context->memory, &block, &to->capacity, to->count,
        to->count + 1, sizeof(pair), "word pairs"));
    to->list = block;
    to->list[to->count++] = (pair){given, own};
    return RNNKIT_OK;
}

static int32_t take_pair(void *user, const char *line, const char *end)
{
    pairs *to = user;
    const rnnkit_vectors *vectors = to->words.vectors;
    field fields[3];
    double given, own = 0;
    int32_t a, b;
    if (line == end || *line == '#') return RNNKIT_OK;
    if (split_line(line, end, "\t ,", 3, fields) != 3) return RNNKIT_OK;
    if (!rki_parse_number(fields[2].start, fields[2].size, &given) || !isfinite(given))
        return RNNKIT_OK;
    RKI_TRY(look_up(&to->words, fields[0].start, fields[0].size, &a));
    RKI_TRY(look_up(&to->words, fields[1].start, fields[1].size, &b));
    if (a < 0 || b < 0) {
        to->unknown++;
        return to->wrong ? add_pair(to, given, 0) : RNNKIT_OK;
    }
    const float *x = rki_vectors_row(vectors, a), *y = rki_vectors_row(vectors, b);
    for (int64_t k = 0; k < vectors->dimension; k++)
        own += (double)x[k] * (double)y[k];
    return add_pair(to, given, own * (double)to->inverse[a] * (double)to->inverse[b]);
}

static double correlation(const pair *list, int64_t count)
{
    double given = 0, own = 0, gg = 0, oo = 0, go = 0;
    for (int64_t i = 0; i < count; i++) {
        given += list[i].given / (double)count;
        own += list[i].own / (double)count;
    }
    for (int64_t i = 0; i < count; i++) {
        double g = list[i].given - given, o = list[i].own - own;
        gg += g * g;
        oo += o * o;
        go += g * o;
    }
    return gg > 0 && oo > 0 ? go / sqrt(gg) / sqrt(oo) : NAN;
}

static int by_given(const void *left, const void *right)
{
    const pair *a = left, *b = right;
    return (a->given > b->given) - (a->given < b->given);
}

static int by_own(const void *left, const void *right)
{
    const pair *a = left, *b = right;
    return (a->own > b->own) - (a->own < b->own);
}

/* Ranks in the place of values that are in order; equal ones get their ranks' mean. */
static void rank_values(pair *list, int64_t count, int own)
{
    for (int64_t i = 0; i < count;) {
        int64_t j = i + 1;
        while (j < count && (own ? by_own(&list[i], &list[j]) : by_given(&list[i], &list[j])) == 0)
            j++;
        double rank = (double)(i + j - 1) / 2;
        for (; i < j; i++)
            *(own ? &list[i].own : &list[i].given) = rank;
    }
}

static double rank_correlation(pair *list, int64_t count)
{
    qsort(list, (size_t)count, sizeof *list, by_given);
    rank_values(list, count, 0);
    qsort(list, (size_t)count, sizeof *list, by_own);
    rank_values(list, count, 1);
    return correlation(list, count);
}

static int32_t read_pairs(const rnnkit_vectors *vectors, const rki_mapping *file, const char *path,
    const evaluate_settings *settings, pairs *to)
{
    RKI_TRY(open_lookup(&to->words, vectors, settings->restricted));
    RKI_TRY(rki_vectors_inverse(vectors, &to->inverse));
    to->wrong = settings->wrong;
    RKI_TRY(each_line(file, take_pair, to));
    if (to->count + to->unknown == 0)
        return rki_fail(RNNKIT_E_FORMAT, "%s: no line `word word score`", rki_path_end(path));
    return RNNKIT_OK;
}

static int32_t evaluate_pairs(const rnnkit_vectors *vectors, const char *path, const char *options,
    double *pearson, double *spearman, int64_t *count, int64_t *unknown)
{
    evaluate_settings settings;
    rki_mapping file;
    pairs all = {.words = {.vectors = vectors}};
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_options_parse(&rki_vectors_evaluate_options, options, &settings));
    RKI_TRY(rki_map_file(path, &file));
    int32_t status = read_pairs(vectors, &file, path, &settings, &all);
    rki_unmap_file(&file);
    if (status == RNNKIT_OK) {
        int enough = all.count > 1;
        double plain = enough ? correlation(all.list, all.count) : NAN;
        double ranked = enough ? rank_correlation(all.list, all.count) : NAN;
        if (pearson != NULL) *pearson = plain;
        if (spearman != NULL) *spearman = ranked;
        if (count != NULL) *count = all.count;
        if (unknown != NULL) *unknown = all.unknown;
    }
    close_lookup(&all.words);
    rki_release(&vectors->context->memory, all.list);
    return status;
}

int32_t rnnkit_vectors_evaluate_pairs(const rnnkit_vectors *vectors, const char *path,
    const char *options, double *pearson, double *spearman, int64_t *count, int64_t *unknown)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = evaluate_pairs(vectors, path, options, pearson, spearman, count, unknown);
    return rki_leave(vectors->context, __func__, status);
}

/* Analogies. */

typedef struct section {
    int64_t name, length; /* in the file */
    int64_t right, answered;
} section;

typedef struct analogy {
    int32_t words[4];
    int32_t section;
} analogy;

typedef struct analogies {
    lookup words;
    const char *text;
    int wrong;
    section *sections;
    int64_t section_capacity, section_count;
    analogy *list;
    int64_t capacity, count, lines;
} analogies;

static int32_t add_section(analogies *to, const char *name, const char *end)
{
    void *block = to->sections;
    RKI_TRY(rki_grow(&to->words.vectors->context->memory, &block, &to->section_capacity,
        to->section_count, to->section_count + 1, sizeof(section), "sections"));
    to->sections = block;
    while (name < end && *name == ' ')
        name++;
    to->sections[to->section_count++] = (section){.name = name - to->text, .length = end - name};
    return RNNKIT_OK;
}

static int32_t take_analogy(void *user, const char *line, const char *end)
{
    analogies *to = user;
    field fields[4];
    analogy asked;
    int known = 1;
    if (line < end && *line == ':') return add_section(to, line + 1, end);
    if (split_line(line, end, "\t ", 4, fields) != 4) return RNNKIT_OK;
    if (to->section_count == 0) RKI_TRY(add_section(to, line, line));
    to->lines++;
    for (int i = 0; i < 4; i++) {
        RKI_TRY(look_up(&to->words, fields[i].start, fields[i].size, &asked.words[i]));
        known = known && asked.words[i] >= 0;
    }
    asked.section = (int32_t)to->section_count - 1;
    if (!known) {
        to->sections[asked.section].answered += to->wrong;
        return RNNKIT_OK;
    }
    void *block = to->list;
    RKI_TRY(rki_grow(&to->words.vectors->context->memory, &block, &to->capacity, to->count,
        to->count + 1, sizeof(analogy), "analogies"));
    to->list = block;
    to->list[to->count++] = asked;
    return RNNKIT_OK;
}

enum { BATCH = 256 };

/* Work of one batch of analogies. */
typedef struct batch {
    float *queries;    /* [BATCH][3][dimension]; by sum [BATCH][dimension] */
    int32_t *excluded; /* [BATCH][3] */
    int32_t ids[BATCH];
    float scores[BATCH];
} batch;

/* b - a + c, of length 1. */
static void set_sum(
    const rnnkit_vectors *vectors, const float *inverse, const analogy *asked, float *query)
{
    const float *row[3];
    double scale[3], square = 0;
    for (int i = 0; i < 3; i++) {
        row[i] = rki_vectors_row(vectors, asked->words[i]);
        scale[i] = (double)inverse[asked->words[i]] * (i == 0 ? -1 : 1);
    }
    for (int64_t k = 0; k < vectors->dimension; k++) {
        double sum = 0;
        for (int i = 0; i < 3; i++)
            sum += scale[i] * (double)row[i][k];
        query[k] = (float)sum;
        square += sum * sum;
    }
    float length = (float)(square > 0 ? 1 / sqrt(square) : 0);
    for (int64_t k = 0; k < vectors->dimension; k++)
        query[k] *= length;
}

/* b, c and a, which is the negative one. */
static void set_parts(
    const rnnkit_vectors *vectors, const float *inverse, const analogy *asked, float *query)
{
    for (int i = 0; i < 3; i++) {
        int32_t id = asked->words[(i + 1) % 3];
        rki_vectors_unit(vectors, id, inverse[id], query + i * vectors->dimension);
    }
}

static int32_t answer_batch(analogies *to, int multiply, batch *work, int64_t first, int64_t count)
{
    const rnnkit_vectors *vectors = to->words.vectors;
    const float *inverse;
    int64_t parts = multiply ? 3 : 1;
    RKI_TRY(rki_vectors_inverse(vectors, &inverse));
    for (int64_t i = 0; i < count; i++) {
        const analogy *asked = &to->list[first + i];
        float *query = work->queries + i * parts * vectors->dimension;
        if (multiply)
            set_parts(vectors, inverse, asked, query);
        else
            set_sum(vectors, inverse, asked, query);
        memcpy(work->excluded + 3 * i, asked->words, 3 * sizeof *asked->words);
    }
    rki_search search = {.queries = {work->queries, count, parts, multiply ? 2 : -1},
        .rows = to->words.rows,
        .excluded = work->excluded,
        .excluded_count = 3,
        .top = 1,
        .ids = work->ids,
        .scores = work->scores};
    return rki_search_run(vectors, &search);
}

static int32_t answer_all(analogies *to, int multiply, batch *work)
{
    for (int64_t first = 0; first < to->count; first += BATCH) {
        int64_t count = to->count - first < BATCH ? to->count - first : BATCH;
        RKI_TRY(answer_batch(to, multiply, work, first, count));
        for (int64_t i = 0; i < count; i++) {
            section *in = &to->sections[to->list[first + i].section];
            in->answered++;
            in->right += work->ids[i] == to->list[first + i].words[3];
        }
    }
    return RNNKIT_OK;
}

static int32_t answer(analogies *to, int multiply)
{
    const rki_memory *memory = &to->words.vectors->context->memory;
    void *work, *queries = NULL, *excluded = NULL;
    RKI_TRY(rki_allocate(memory, 1, sizeof(batch), "a batch of analogies", &work));
    int32_t status = rki_allocate(
        memory, BATCH * 3 * to->words.vectors->dimension, sizeof(float), "queries", &queries);
    if (status == RNNKIT_OK)
        status = rki_allocate(memory, BATCH * 3, sizeof(int32_t), "words", &excluded);
    ((batch *)work)->queries = queries;
    ((batch *)work)->excluded = excluded;
    if (status == RNNKIT_OK) status = answer_all(to, multiply, work);
    rki_release(memory, queries);
    rki_release(memory, excluded);
    rki_release(memory, work);
    return status;
}

/* The sections as text; measured when `buffer` is NULL. Returns the bytes with the NUL. */
static int64_t write_sections(const analogies *from, char *buffer, section *total)
{
    int64_t used = 0;
    *total = (section){0};
    for (int64_t i = 0; i <= from->section_count; i++) {
        const section *in = i < from->section_count ? &from->sections[i] : total;
        const char *name = i < from->section_count ? from->text + in->name : "total";
        int64_t length = i < from->section_count ? in->length : 5;
        char numbers[64];
        int size = snprintf(numbers, sizeof numbers, "\t%lld\t%lld\n", (long long)in->right,
            (long long)in->answered);
        if (buffer != NULL) {
            memcpy(buffer + used, name, (size_t)length);
            memcpy(buffer + used + length, numbers, (size_t)size);
        }
        used += length + size;
        if (i == from->section_count) break;
        total->right += in->right;
        total->answered += in->answered;
    }
    if (buffer != NULL) buffer[used] = '\0';
    return used + 1;
}

static int32_t read_analogies(const rki_mapping *file, const char *path,
    const evaluate_settings *settings, const rnnkit_vectors *vectors, analogies *to)
{
    RKI_TRY(open_lookup(&to->words, vectors, settings->restricted));
    to->text = (const char *)file->data;
    to->wrong = settings->wrong;
    RKI_TRY(each_line(file, take_analogy, to));
    if (to->lines == 0)
        return rki_fail(RNNKIT_E_FORMAT, "%s: no line of four words", rki_path_end(path));
    return answer(to, settings->method);
}

static int32_t evaluate_analogies(const rnnkit_vectors *vectors, const char *path,
    const char *options, char *buffer, int64_t capacity, int64_t *needed, int64_t *right,
    int64_t *answered)
{
    evaluate_settings settings;
    rki_mapping file;
    section total;
    analogies all = {.words = {.vectors = vectors}};
    RKI_TRY(rki_check_pointer(path, "path"));
    RKI_TRY(rki_check_room(buffer, capacity, "buffer"));
    RKI_TRY(rki_check_pointer(needed, "needed"));
    RKI_TRY(rki_options_parse(&rki_vectors_evaluate_options, options, &settings));
    RKI_TRY(rki_map_file(path, &file));
    int32_t status = read_analogies(&file, path, &settings, vectors, &all);
    if (status == RNNKIT_OK) {
        *needed = write_sections(&all, NULL, &total);
        if (right != NULL) *right = total.right;
        if (answered != NULL) *answered = total.answered;
        status = rki_check_capacity(capacity, *needed, "bytes");
        if (status == RNNKIT_OK) write_sections(&all, buffer, &total);
    }
    rki_unmap_file(&file);
    close_lookup(&all.words);
    rki_release(&vectors->context->memory, all.sections);
    rki_release(&vectors->context->memory, all.list);
    return status;
}

int32_t rnnkit_vectors_evaluate_analogies(const rnnkit_vectors *vectors, const char *path,
    const char *options, char *buffer, int64_t capacity, int64_t *needed, int64_t *right,
    int64_t *answered)
{
    int32_t status = rki_check(vectors, RKI_KIND_VECTORS, "vectors");
    if (status < 0) return rki_leave(NULL, __func__, status);
    status = evaluate_analogies(vectors, path, options, buffer, capacity, needed, right, answered);
    return rki_leave(vectors->context, __func__, status);
}
