/* Runs a fuzz target as an ordinary program, without libFuzzer:
 *
 *     fuzz_<thing> SEED_FILE_OR_FOLDER...
 *
 * Each file is given to the target as it is, cut off at every byte, with every bit flipped, and
 * with pieces of it repeated, removed, overwritten and joined to those of other files, as a fixed
 * sequence of random numbers says: the same run on every machine. RNNKIT_FUZZ_ROUNDS (20000) says
 * how many of the random ones.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SEED_LIMIT = 256, SIZE_LIMIT = 1 << 16 };

typedef struct seed {
    uint8_t *bytes;
    size_t size;
} seed;

static seed seeds[SEED_LIMIT];
static size_t seed_count;

/* splitmix64 (Steele et al., 2014) */
static uint64_t draw(uint64_t below)
{
    static uint64_t state = 1;
    uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % below;
}

/* In a block of exactly that size, so that a sanitizer sees every byte too far. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) exit(99);
    if (size > 0) memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int load_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || seed_count == SEED_LIMIT) return 0;
    uint8_t *bytes = malloc(SIZE_LIMIT);
    if (bytes == NULL) return 0;
    seeds[seed_count].size = fread(bytes, 1, SIZE_LIMIT, file);
    seeds[seed_count++].bytes = bytes;
    fclose(file);
    return 1;
}

/* A folder's files in the order of their names, so that the run is the same everywhere. */
static int load(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), loaded = 1;
    if (count < 0) return load_file(path);
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        if (loaded && entries[i]->d_name[0] != '.') loaded = load_file(name);
        free(entries[i]);
    }
    free(entries);
    return loaded;
}

static void cut_and_flip(const seed *item)
{
    for (size_t size = 0; size <= item->size; size++)
        run(item->bytes, size);
    uint8_t *copy = malloc(item->size + 1);
    if (copy == NULL) exit(99);
    memcpy(copy, item->bytes, item->size);
    for (size_t bit = 0; bit < 8 * item->size; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        run(copy, item->size);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(copy);
}

/* Replaces [at, at + old) of *size bytes by `size_new` others. */
static void splice(
    uint8_t *bytes, size_t *size, size_t at, size_t old, const uint8_t *with, size_t size_new)
{
    if (*size - old + size_new > SIZE_LIMIT) return;
    memmove(bytes + at + size_new, bytes + at + old, *size - at - old);
    if (size_new > 0) memcpy(bytes + at, with, size_new);
    *size = *size - old + size_new;
}

static void mutate(uint8_t *bytes, size_t *size)
{
    static const char *const words[] = {"-1", "9007199254740992", "1e999", "[", "]", "{", "}", "\"",
        ",", "\\u0000", "\\", "null", "0", " ", "\n", "\x80", "\xff\xff\xff\xff"};
    uint8_t piece[64];
    size_t at = (size_t)draw(*size + 1);
    size_t most = *size - at < sizeof piece ? *size - at : sizeof piece;
    size_t length = (size_t)draw(most + 1);
    const seed *other = &seeds[draw(seed_count)];
    size_t from = (size_t)draw(other->size + 1);
    size_t taken = other->size - from < sizeof piece ? other->size - from : sizeof piece;
    const char *word = words[draw(sizeof words / sizeof *words)];
    switch (draw(5)) {
    case 0: splice(bytes, size, at, length, NULL, 0); break;
    case 1: splice(bytes, size, at, 0, (const uint8_t *)word, strlen(word)); break;
    case 2: splice(bytes, size, at, length, (const uint8_t *)word, strlen(word)); break;
    case 3: splice(bytes, size, at, length, other->bytes + from, taken); break;
    default: memcpy(piece, bytes + at, length); splice(bytes, size, at, 0, piece, length);
    }
}

int main(int count, char **arguments)
{
    static uint8_t bytes[SIZE_LIMIT];
    const char *wanted = getenv("RNNKIT_FUZZ_ROUNDS");
    long rounds = wanted != NULL ? strtol(wanted, NULL, 10) : 20000;
    for (int i = 1; i < count; i++) {
        if (load(arguments[i])) continue;
        fprintf(stderr, "cannot read %s\n", arguments[i]);
        return 1;
    }
    if (seed_count == 0) {
        fprintf(stderr, "usage: %s SEED_FILE_OR_FOLDER...\n", arguments[0]);
        return 1;
    }
    for (size_t i = 0; i < seed_count; i++)
        cut_and_flip(&seeds[i]);
    for (long round = 0; round < rounds; round++) {
        const seed *start = &seeds[draw(seed_count)];
        size_t size = start->size;
        memcpy(bytes, start->bytes, size);
        for (uint64_t left = 1 + draw(4); left > 0; left--)
            mutate(bytes, &size);
        run(bytes, size);
    }
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].bytes);
    printf("%zu seeds, %ld random rounds\n", seed_count, rounds);
    return 0;
}
