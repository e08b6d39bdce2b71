/* Files of word vectors that gensim, word2vec.c and fastText wrote are read as gensim reads them;
 * what we write is, byte for byte, what those programs were seen to read (vectors_fixture.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "expected.h"

static rnnkit_vectors *open_file(const char *path)
{
    rnnkit_context *context;
    rnnkit_vectors *vectors;
    golden_ok(rnnkit_context_create("cpu", NULL, &context));
    golden_ok(rnnkit_vectors_open(context, path, NULL, &vectors));
    rnnkit_context_destroy(context);
    return vectors;
}

static void expect_words(const rnnkit_vectors *vectors, const char *words, int64_t count)
{
    for (int32_t id = 0; id < count; id++) {
        char word[64];
        int64_t needed;
        size_t length = strcspn(words, "\n");
        golden_ok(rnnkit_vectors_word(vectors, id, word, sizeof word, &needed, NULL));
        assert_int_equal(needed, length + 1);
        assert_memory_equal(word, words, length);
        words += length + (words[length] == '\n');
    }
    assert_string_equal(words, "");
}

static void others_files_are_read(void **state)
{
    (void)state;
    static const char *const files[] = {
        "gensim.txt", "gensim.bin", "word2vec_c.txt", "word2vec_c.bin", "fasttext.vec"};
    rki_st *st = expected_open("vectors.safetensors");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const rki_st_entry *entry = expected_entry(st, "%s", files[i]);
        float *expected = expected_floats(entry);
        rnnkit_vectors *vectors = open_file(files[i]);
        int64_t count, width;
        golden_ok(rnnkit_vectors_size(vectors, &count, &width));
        assert_int_equal(count, entry->dims[0]);
        assert_int_equal(width, entry->dims[1]);
        for (int32_t id = 0; id < count; id++) {
            float row[16];
            assert_true(width <= 16);
            golden_ok(rnnkit_vectors_read(vectors, &id, 1, row));
            assert_memory_equal(row, expected + id * width, (size_t)width * sizeof *row);
        }
        expect_words(vectors, rki_st_metadata(st, files[i]), count);
        rnnkit_vectors_destroy(vectors);
        free(expected);
    }
    rki_st_close(st);
}

static void ours_are_those_that_others_read(void **state)
{
    (void)state;
    static const char *const files[][2] = {{"rnnkit.txt", "format=text"},
        {"rnnkit.bin", "format=binary"}, {"rnnkit.vec", "format=vec"}};
    rnnkit_vectors *vectors = open_file("gensim.bin");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = scratch_path("ours");
        size_t size, expected_size;
        golden_ok(rnnkit_vectors_save(vectors, path, files[i][1]));
        unsigned char *found = scratch_read(path, &size);
        unsigned char *expected = scratch_read(files[i][0], &expected_size);
        assert_non_null(expected);
        assert_int_equal(size, expected_size);
        assert_memory_equal(found, expected, size);
        free(found);
        free(expected);
    }
    rnnkit_vectors_destroy(vectors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_files_are_read),
        cmocka_unit_test(ours_are_those_that_others_read),
    };
    return cmocka_run_group_tests_name("golden vectors", tests, NULL, NULL);
}
