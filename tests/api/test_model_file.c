/* Model files: what is saved opens as the same model, PyTorch's weights load, and nothing that is
 * damaged, incomplete or made for another model does.
 *
 * Fixtures: tests/golden/state_dict_fixture.py.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "../support/failing_memory.h"
#include "../support/scratch.h"
#include "../support/small_model.h"

static rnnkit_context *context;

static void expect_message(const char *part)
{
    if (strstr(rnnkit_error_message(), part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", rnnkit_error_message(), part);
}

/* All parameters, one behind the other; to be freed. */
static float *all_values(const rnnkit_model *model, int64_t *count)
{
    int64_t place = 0;
    must(rnnkit_model_size(model, NULL, count), "size");
    float *values = malloc((size_t)*count * sizeof *values + 1);
    assert_non_null(values);
    const char *name;
    for (int64_t i = 0; (name = rnnkit_model_parameter_name(model, i)) != NULL; i++) {
        int64_t dims[4], rank, size = 1;
        must(rnnkit_model_parameter_shape(model, name, dims, 4, &rank), "shape");
        for (int64_t k = 0; k < rank; k++)
            size *= dims[k];
        must(rnnkit_model_parameter_read(model, name, values + place, size), "read");
        place += size;
    }
    assert_int_equal(place, *count);
    return values;
}

static void expect_same_weights(const rnnkit_model *a, const rnnkit_model *b)
{
    int64_t count, other;
    float *first = all_values(a, &count), *second = all_values(b, &other);
    assert_int_equal(count, other);
    assert_memory_equal(first, second, (size_t)count * sizeof *first);
    free(first);
    free(second);
}

/* The bytes of a saved small model with an entry; to be freed. */
static unsigned char *saved_model(size_t *size)
{
    small_model small;
    const char *path = scratch_path("saved.safetensors");
    must(small_model_create(context, &small), "model");
    must(rnnkit_model_set_entry(small.model, "note", "k\u00e4se \"x\"\n"), "entry");
    must(rnnkit_model_save(small.model, path), "save");
    small_model_destroy(&small);
    unsigned char *bytes = scratch_read(path, size);
    assert_non_null(bytes);
    return bytes;
}

static void opens_what_was_saved(void **state)
{
    (void)state;
    small_model small;
    double loss;
    rnnkit_model *opened;
    rnnkit_rnn *lstm;
    rnnkit_vocab *vocab;
    int64_t inputs, hidden, layers, words, tokens, had_tokens;
    char word[64], had_word[64];
    int64_t needed;
    const char *path = scratch_path("model.safetensors");
    must(small_model_create(context, &small), "model");
    must(small_model_train(context, &small, &loss), "train");
    must(rnnkit_model_set_entry(small.model, "b", "first\nsecond"), "entry");
    must(rnnkit_model_set_entry(small.model, "a", ""), "entry");
    must(rnnkit_model_save(small.model, path), "save");
    must(rnnkit_model_open(context, path, NULL, &opened), "open");
    expect_same_weights(small.model, opened);
    assert_string_equal(rnnkit_model_entry(opened, "b"), "first\nsecond");
    assert_string_equal(rnnkit_model_entry(opened, "a"), "");
    assert_null(rnnkit_model_entry(opened, "c"));
    must(rnnkit_rnn_find(opened, "lstm", &lstm), "find");
    must(rnnkit_rnn_size(lstm, &inputs, &hidden, &layers), "size");
    assert_int_equal(inputs, SMALL_WIDTH);
    assert_int_equal(hidden, SMALL_HIDDEN);
    assert_int_equal(layers, 2);
    rnnkit_rnn_destroy(lstm);
    must(rnnkit_model_vocab(opened, &vocab), "vocab");
    must(rnnkit_vocab_size(small.vocab, NULL, &had_tokens), "size");
    must(rnnkit_vocab_size(vocab, &words, &tokens), "size");
    assert_int_equal(words, small.words);
    assert_int_equal(tokens, had_tokens);
    for (int32_t id = 0; id < words; id++) {
        must(rnnkit_vocab_word(vocab, id, word, sizeof word, &needed, NULL), "word");
        must(rnnkit_vocab_word(small.vocab, id, had_word, sizeof word, &needed, NULL), "word");
        assert_string_equal(word, had_word);
    }
    rnnkit_vocab_destroy(vocab);
    rnnkit_model_destroy(opened);
    small_model_destroy(&small);
}

static void saving_what_was_opened_gives_the_same_bytes(void **state)
{
    (void)state;
    size_t size, again_size;
    rnnkit_model *opened;
    const char *path = scratch_path("again.safetensors");
    unsigned char *bytes = saved_model(&size);
    must(rnnkit_model_open_memory(context, bytes, size, NULL, &opened), "open");
    must(rnnkit_model_save(opened, path), "save");
    unsigned char *again = scratch_read(path, &again_size);
    assert_int_equal(size, again_size);
    assert_memory_equal(bytes, again, size);
    free(bytes);
    free(again);
    rnnkit_model_destroy(opened);
}

static void options_of_layers_travel(void **state)
{
    (void)state;
    rnnkit_model *model, *opened;
    rnnkit_embedding *embedding;
    rnnkit_linear *linear;
    int64_t parameters, values, opened_parameters, opened_values;
    const char *path = scratch_path("tied.safetensors");
    must(rnnkit_model_create(context, &model), "model");
    must(
        rnnkit_embedding_create(model, "table \"\u00fc\"", 9, 5, "padding=0 scale=0.1", &embedding),
        "embedding");
    must(rnnkit_linear_create(model, "out", 5, 9, "bias=0 tie=\"table \\\"\u00fc\\\"\"", &linear),
        "linear");
    must(rnnkit_model_size(model, &parameters, &values), "size");
    must(rnnkit_model_save(model, path), "save");
    must(rnnkit_model_open(context, path, NULL, &opened), "open");
    must(rnnkit_model_size(opened, &opened_parameters, &opened_values), "size");
    assert_int_equal(parameters, 1);
    assert_int_equal(opened_parameters, 1);
    assert_int_equal(opened_values, values);
    expect_same_weights(model, opened);
    rnnkit_embedding_destroy(embedding);
    rnnkit_linear_destroy(linear);
    rnnkit_model_destroy(model);
    rnnkit_model_destroy(opened);
}

static void a_model_without_anything_travels(void **state)
{
    (void)state;
    rnnkit_model *model, *opened;
    rnnkit_vocab *vocab = NULL;
    int64_t parameters;
    const char *path = scratch_path("nothing.safetensors");
    must(rnnkit_model_create(context, &model), "model");
    must(rnnkit_model_save(model, path), "save");
    must(rnnkit_model_open(context, path, NULL, &opened), "open");
    must(rnnkit_model_size(opened, &parameters, NULL), "size");
    assert_int_equal(parameters, 0);
    assert_int_equal(rnnkit_model_vocab(opened, &vocab), RNNKIT_E_NOT_FOUND);
    rnnkit_model_destroy(model);
    rnnkit_model_destroy(opened);
}

/* PyTorch's weights. */

static rnnkit_model *torch_model(int64_t hidden)
{
    rnnkit_model *model;
    rnnkit_embedding *embedding;
    rnnkit_rnn *lstm;
    rnnkit_linear *linear;
    must(rnnkit_model_create(context, &model), "model");
    must(rnnkit_embedding_create(model, "embedding", 7, 4, NULL, &embedding), "embedding");
    must(rnnkit_lstm_create(model, "lstm", 4, hidden, "layers=2", &lstm), "lstm");
    must(rnnkit_linear_create(model, "linear", hidden, 7, NULL, &linear), "linear");
    rnnkit_embedding_destroy(embedding);
    rnnkit_rnn_destroy(lstm);
    rnnkit_linear_destroy(linear);
    return model;
}

static void loads_a_pytorch_state_dict(void **state)
{
    (void)state;
    /* In the order of torch's parameters(). */
    static const char *const names[] = {"embedding.weight", "lstm.weight_ih_l0",
        "lstm.weight_hh_l0", "lstm.bias_ih_l0", "lstm.bias_hh_l0", "lstm.weight_ih_l1",
        "lstm.weight_hh_l1", "lstm.bias_ih_l1", "lstm.bias_hh_l1", "linear.weight", "linear.bias"};
    static const char *const files[] = {"", "_f16", "_bf16", "_f64"};
    for (size_t f = 0; f < 4; f++) {
        char path[128];
        rnnkit_model *model = torch_model(5);
        snprintf(path, sizeof path, "../golden/state_dict%s.safetensors", files[f]);
        must(rnnkit_model_load_parameters(model, path, NULL), path);
        for (int k = 0; k < 11; k++) {
            int64_t dims[4], rank, count = 1;
            float values[100];
            must(rnnkit_model_parameter_shape(model, names[k], dims, 4, &rank), names[k]);
            for (int64_t i = 0; i < rank; i++)
                count *= dims[i];
            must(rnnkit_model_parameter_read(model, names[k], values, count), names[k]);
            for (int i = 0; i < count; i++)
                assert_true(values[i] == (float)((7 * i + k) % 23) / 16 - 0.5f);
        }
        rnnkit_model_destroy(model);
    }
}

/* Loading must fail with this status and message, and leave the weights alone. */
static void expect_refused(
    rnnkit_model *model, const char *path, const char *options, int32_t status, const char *part)
{
    int64_t count;
    float *before = all_values(model, &count);
    assert_int_equal(rnnkit_model_load_parameters(model, path, options), status);
    expect_message(part);
    float *after = all_values(model, &count);
    assert_memory_equal(before, after, (size_t)count * sizeof *before);
    free(before);
    free(after);
}

static void another_shape_names_both(void **state)
{
    (void)state;
    rnnkit_model *model = torch_model(6);
    const char *path = "../golden/state_dict.safetensors";
    expect_refused(model, path, NULL, RNNKIT_E_SHAPE, "\"lstm.weight_ih_l0\"");
    expect_message("[20, 4]");
    expect_message("[24, 4]");
    expect_refused(model, path, "strict=0", RNNKIT_E_SHAPE, "[24, 4]");
    rnnkit_model_destroy(model);
}

static void strict_wants_the_same_names(void **state)
{
    (void)state;
    rnnkit_embedding *more;
    rnnkit_model *model = torch_model(5), *small;
    float row[4];
    const char *path = "../golden/state_dict.safetensors";
    must(rnnkit_embedding_create(model, "more", 2, 4, NULL, &more), "embedding");
    expect_refused(model, path, NULL, RNNKIT_E_NOT_FOUND, "\"more.weight\"");
    must(rnnkit_model_load_parameters(model, path, "strict=0"), "not strict");
    rnnkit_embedding_destroy(more);
    rnnkit_model_destroy(model);

    must(rnnkit_model_create(context, &small), "model");
    must(rnnkit_embedding_create(small, "embedding", 7, 4, NULL, &more), "embedding");
    expect_refused(small, path, "strict=1", RNNKIT_E_NOT_FOUND, "linear.bias");
    must(rnnkit_model_load_parameters(small, path, "strict=0"), "not strict");
    float table[28];
    must(rnnkit_model_parameter_read(small, "embedding.weight", table, 28), "read");
    memcpy(row, table, sizeof row);
    assert_true(row[0] == -0.5f && row[1] == 7.0f / 16 - 0.5f);
    rnnkit_embedding_destroy(more);
    rnnkit_model_destroy(small);
}

static void a_saved_model_loads_into_layers(void **state)
{
    (void)state;
    size_t size;
    small_model small;
    double loss;
    rnnkit_model *opened;
    unsigned char *bytes = saved_model(&size);
    must(small_model_create(context, &small), "model");
    must(small_model_train(context, &small, &loss), "train");
    must(
        rnnkit_model_load_parameters(small.model, scratch_path("saved.safetensors"), NULL), "load");
    must(rnnkit_model_open_memory(context, bytes, size, NULL, &opened), "open");
    expect_same_weights(small.model, opened);
    rnnkit_model_destroy(opened);
    small_model_destroy(&small);
    free(bytes);
}

/* Files that are no models of ours. */

static void refuses_other_files(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "../golden/state_dict.safetensors", "../golden/from_python.safetensors"};
    rnnkit_model *model = NULL;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rnnkit_model_open(context, paths[i], NULL, &model), RNNKIT_E_FORMAT);
        expect_message("rnnkit_model_load_parameters");
    }
    assert_int_equal(rnnkit_model_open(context, "missing file", NULL, &model), RNNKIT_E_IO);
    expect_message("rnnkit_model_open: cannot open missing file: No such file or directory");
    assert_int_equal(rnnkit_model_open(context, ".", NULL, &model), RNNKIT_E_IO);
    scratch_write(scratch_path("zero"), "", 0);
    assert_int_equal(
        rnnkit_model_open(context, scratch_path("zero"), NULL, &model), RNNKIT_E_FORMAT);
    assert_int_equal(rnnkit_model_open_memory(context, "", 0, NULL, &model), RNNKIT_E_FORMAT);
    assert_null(model);
}

static void checks_arguments(void **state)
{
    (void)state;
    rnnkit_model *model, *none = NULL;
    must(rnnkit_model_create(context, &model), "model");
    assert_int_equal(rnnkit_model_save(NULL, "x"), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_model_save(model, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_model_save((rnnkit_model *)(void *)context, "x"), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_model_open(NULL, "x", NULL, &none), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_model_open(context, NULL, NULL, &none), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_model_open(context, "x", NULL, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_model_open_memory(context, NULL, 5, NULL, &none), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_model_open_memory(context, "x", 1, NULL, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_model_load_parameters(model, NULL, NULL), RNNKIT_E_ARGUMENT);
    assert_int_equal(rnnkit_model_load_parameters(NULL, "x", NULL), RNNKIT_E_HANDLE);
    assert_int_equal(rnnkit_model_load_parameters(model, "x", "strct=1"), RNNKIT_E_OPTION);
    expect_message("strict");
    assert_null(none);
    rnnkit_model_destroy(model);
}

/* The file with `from` replaced by `to` everywhere, its header length and padding repaired; so that
 * a header that is well formed but wrong gets as far as possible. */
static unsigned char *rewrite(
    const unsigned char *bytes, size_t size, const char *from, const char *to, size_t *out_size)
{
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    unsigned char *out = malloc(2 * size + 4096);
    assert_non_null(out);
    size_t used = 8;
    int found = 0;
    for (size_t i = 8; i < 8 + length;) {
        if (i + strlen(from) <= 8 + length && memcmp(bytes + i, from, strlen(from)) == 0) {
            memcpy(out + used, to, strlen(to));
            used += strlen(to);
            i += strlen(from);
            found = 1;
        } else {
            out[used++] = bytes[i++];
        }
    }
    if (!found) fail_msg("the header has no %s", from);
    while (used % 8 != 0)
        out[used++] = ' ';
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)((used - 8) >> 8 * i);
    memcpy(out + used, bytes + 8 + length, size - 8 - length);
    *out_size = used + size - 8 - length;
    return out;
}

static void refuses_wrong_metadata(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
    } changes[] = {
        {"\"rnnkit.version\":\"1\"", "\"rnnkit.version\":\"2\"", "version"},
        {"\"rnnkit.version\":\"1\"", "\"rnnkit.version\":\"x\"", "version"},
        {"\"rnnkit.version\"", "\"rnnkit.vorsion\"", "version"},
        {"\"rnnkit.layers\":\"[", "\"rnnkit.layers\":\"{", "rnnkit.layers"},
        {"\"rnnkit.layers\":\"[{", "\"rnnkit.layers\":\"[1,{", "rnnkit.layers"},
        {"\\\"kind\\\":\\\"lstm\\\"", "\\\"kind\\\":\\\"lstn\\\"", "lstn"},
        {"\\\"name\\\":\\\"lstm\\\"", "\\\"name\\\":\\\"linear\\\"", "linear"},
        {"\\\"name\\\":\\\"lstm\\\"", "\\\"name\\\":\\\"\\\"", "name"},
        {"\\\"name\\\":\\\"lstm\\\"", "\\\"name\\\":7", "name"},
        {"\\\"sizes\\\":[8,12]", "\\\"sizes\\\":[8]", "sizes"},
        {"\\\"sizes\\\":[8,12]", "\\\"sizes\\\":[8,-12]", "lstm"},
        {"\\\"sizes\\\":[8,12]", "\\\"sizes\\\":[8,1.5]", "sizes"},
        {"\\\"sizes\\\":[8,12]", "\\\"sizes\\\":[8,13]", "[52, 8]"},
        {"\\\"sizes\\\":[8,12]", "\\\"sizes\\\":[4503599627370496,4503599627370496]", "lstm"},
        {"layers=2", "layers=3", "weight_ih_l2"},
        {"layers=2", "layers=1", "_l1"},
        {"layers=2", "layrs=2", "layrs"},
        {"\"unit=", "\"unti=", "unti"},
        {"<pad> 0", "<pda> 0", "line 1"},
        {"lstm.weight_ih_l1", "lstm.weight_ih_l7", "weight_ih_l1"},
    };
    size_t size, changed;
    rnnkit_model *model = NULL;
    unsigned char *bytes = saved_model(&size);
    unsigned char *unsummed = rewrite(bytes, size, "\"rnnkit.checksum\"", "\"other\"", &changed);
    size = changed;
    must(rnnkit_model_open_memory(context, unsummed, size, NULL, &model), "without checksum");
    rnnkit_model_destroy(model);
    model = NULL;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        if (strstr(changes[i].from, "unit=") != NULL) continue; /* all defaults: not in the file */
        unsigned char *other = rewrite(unsummed, size, changes[i].from, changes[i].to, &changed);
        int32_t status = rnnkit_model_open_memory(context, other, changed, NULL, &model);
        if (status != RNNKIT_E_FORMAT)
            fail_msg(
                "%s: %s, %s", changes[i].to, rnnkit_status_name(status), rnnkit_error_message());
        expect_message(changes[i].message);
        assert_null(model);
        free(other);
    }
    free(unsummed);
    free(bytes);
}

static void notices_every_truncation(void **state)
{
    (void)state;
    size_t size;
    rnnkit_model *model = NULL;
    unsigned char *bytes = saved_model(&size);
    for (size_t cut = 0; cut < size; cut += cut < 64 || cut + 64 > size ? 1 : 37)
        assert_int_equal(
            rnnkit_model_open_memory(context, bytes, cut, NULL, &model), RNNKIT_E_FORMAT);
    assert_null(model);
    free(bytes);
}

/* A flip that goes unnoticed must be one that changes nothing: white space, or the checksum's key
 * turned into another one. */
static void notices_flipped_bits(void **state)
{
    (void)state;
    size_t size;
    rnnkit_model *original, *model;
    unsigned char *bytes = saved_model(&size);
    must(rnnkit_model_open_memory(context, bytes, size, NULL, &original), "open");
    int opened = 0;
    for (size_t bit = 0; bit < 8 * size; bit += 11) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        int32_t status = rnnkit_model_open_memory(context, bytes, size, NULL, &model);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        if (status == RNNKIT_OK) {
            opened++;
            expect_same_weights(original, model);
            rnnkit_model_destroy(model);
        } else {
            assert_int_equal(status, RNNKIT_E_FORMAT);
        }
    }
    assert_true(opened < 100);
    rnnkit_model_destroy(original);
    free(bytes);
}

static void a_failed_save_keeps_the_old_file(void **state)
{
    (void)state;
    size_t size, after_size;
    small_model small;
    double loss;
    struct rlimit limit, low;
    const char *path = scratch_path("saved.safetensors");
    unsigned char *bytes = saved_model(&size);
    int files = scratch_count(scratch_path(""));
    must(small_model_create(context, &small), "model");
    must(small_model_train(context, &small, &loss), "train");
    assert_int_equal(rnnkit_model_save(small.model, "/dev/full"), RNNKIT_E_IO);
    expect_message("No space left on device");
    assert_int_equal(rnnkit_model_save(small.model, scratch_path("no/folder")), RNNKIT_E_IO);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    low = limit;
    low.rlim_cur = size / 2;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    int32_t status = rnnkit_model_save(small.model, path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(status, RNNKIT_E_IO);
    unsigned char *after = scratch_read(path, &after_size);
    assert_int_equal(after_size, size);
    assert_memory_equal(after, bytes, size);
    assert_int_equal(scratch_count(scratch_path("")), files);
    small_model_destroy(&small);
    free(bytes);
    free(after);
}

/* Opening, loading and saving with the n-th allocation failing, for every n. */
static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    size_t size, after_size;
    failing_memory host = {0};
    rnnkit_context *failing;
    rnnkit_model *model;
    const char *path = scratch_path("saved.safetensors"), *other = scratch_path("other");
    unsigned char *bytes = saved_model(&size);
    must(rnnkit_context_create_with_allocator(
             "cpu", "threads=1", failing_allocate, failing_release, &host, &failing),
        "context");
    int64_t before = host.alive;
    int32_t status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        model = NULL;
        host.fail_at = host.calls + n;
        status = rnnkit_model_open(failing, path, NULL, &model);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        assert_int_equal(model != NULL, status == RNNKIT_OK);
        if (model == NULL) assert_int_equal(host.alive, before);
    }
    int64_t with_model = host.alive;
    status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        host.fail_at = host.calls + n;
        status = rnnkit_model_load_parameters(model, path, NULL);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        assert_int_equal(host.alive, with_model);
    }
    status = RNNKIT_E_MEMORY;
    for (int64_t n = 1; status != RNNKIT_OK; n++) {
        host.fail_at = host.calls + n;
        status = rnnkit_model_save(model, other);
        assert_true(status == RNNKIT_OK || status == RNNKIT_E_MEMORY);
        assert_int_equal(host.alive, with_model);
    }
    host.fail_at = 0;
    rnnkit_model_destroy(model);
    assert_int_equal(host.alive, before);
    rnnkit_context_destroy(failing);
    assert_int_equal(host.alive, 0);
    unsigned char *after = scratch_read(other, &after_size);
    assert_int_equal(after_size, size);
    assert_memory_equal(after, bytes, size);
    free(after);
    free(bytes);
}

static int open_context(void **state)
{
    (void)state;
    return rnnkit_context_create("cpu", "threads=1 seed=3", &context) == RNNKIT_OK ? 0 : -1;
}

static int close_context(void **state)
{
    (void)state;
    rnnkit_context_destroy(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_was_saved),
        cmocka_unit_test(saving_what_was_opened_gives_the_same_bytes),
        cmocka_unit_test(options_of_layers_travel),
        cmocka_unit_test(a_model_without_anything_travels),
        cmocka_unit_test(loads_a_pytorch_state_dict),
        cmocka_unit_test(another_shape_names_both),
        cmocka_unit_test(strict_wants_the_same_names),
        cmocka_unit_test(a_saved_model_loads_into_layers),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(checks_arguments),
        cmocka_unit_test(refuses_wrong_metadata),
        cmocka_unit_test(notices_every_truncation),
        cmocka_unit_test(notices_flipped_bits),
        cmocka_unit_test(a_failed_save_keeps_the_old_file),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
