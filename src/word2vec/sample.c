/* A block with its draws. See sample.h. */
#include "word2vec/sample.h"

#include <math.h>

#include "base/random.h"

int64_t rki_w2v_halo(const rnnkit_word2vec *word2vec)
{
    int64_t wide = 16 * word2vec->settings.window;
    return wide > RKI_W2V_HALO ? wide : RKI_W2V_HALO;
}

int32_t rki_w2v_sample_init(rki_w2v_sample *sample, const rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    int64_t pitch = RKI_W2V_BLOCK + 2 * rki_w2v_halo(word2vec) + RKI_W2V_SLACK;
    int32_t **arrays[] = {&sample->tokens, &sample->words, &sample->places, &sample->left,
        &sample->right, &sample->targets, &sample->starts};
    void *block;
    *sample = (rki_w2v_sample){.pitch = pitch};
    int32_t status = RNNKIT_OK;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays && status == RNNKIT_OK; i++) {
        status = rki_allocate(memory, pitch, sizeof(int32_t), "a block of text", &block);
        if (status == RNNKIT_OK) *arrays[i] = block;
    }
    if (status == RNNKIT_OK)
        status = rki_allocate(memory, pitch * word2vec->settings.negative + RKI_W2V_SLACK,
            sizeof(int32_t), "a block's noise words", &block);
    if (status == RNNKIT_OK)
        sample->noise = block;
    else
        rki_w2v_sample_release(sample, memory);
    return status;
}

void rki_w2v_sample_release(rki_w2v_sample *sample, const rki_memory *memory)
{
    rki_release(memory, sample->tokens);
    rki_release(memory, sample->words);
    rki_release(memory, sample->places);
    rki_release(memory, sample->left);
    rki_release(memory, sample->right);
    rki_release(memory, sample->targets);
    rki_release(memory, sample->starts);
    rki_release(memory, sample->noise);
    *sample = (rki_w2v_sample){0};
}

int64_t rki_w2v_blocks(const rnnkit_word2vec *word2vec)
{
    return (word2vec->text.count + RKI_W2V_BLOCK - 1) / RKI_W2V_BLOCK;
}

/* In: each word's second draw, in `right`. Out: how far its window reaches to both sides. */
static void set_windows(rki_w2v_sample *sample, const rki_w2v_settings *settings)
{
    uint64_t window = (uint64_t)settings->window;
    int32_t before = 0, behind = 0;
    for (int64_t i = 0; i < sample->kept; i++) {
        int32_t reach = (int32_t)window;
        if (settings->shrink)
            reach = 1 + (int32_t)((uint64_t)(uint32_t)sample->right[i] * window >> 32);
        sample->left[i] = before < reach ? before : reach;
        sample->right[i] = reach;
        before = sample->words[i] < 0 ? 0 : before + 1;
    }
    for (int64_t i = sample->kept; i-- > 0;) {
        if (behind < sample->right[i]) sample->right[i] = behind;
        behind = sample->words[i] < 0 ? 0 : behind + 1;
    }
}

/* From the first word on, two in a row where they may be together. */
static void set_groups(rki_w2v_sample *sample, const rki_w2v_settings *settings)
{
    const int32_t *words = sample->words;
    int64_t most = settings->architecture == RKI_W2V_CBOW ? 1 : RKI_WORD2VEC_GROUP;
    sample->groups = 0;
    for (int64_t i = sample->first; i < sample->last;) {
        int64_t start = i++;
        if (words[start] < 0) continue;
        sample->starts[sample->groups++] = (int32_t)start;
        if (most > 1 && i < sample->last && words[i] >= 0 && words[i] != words[start]) i++;
    }
    for (int64_t i = 0; i < RKI_W2V_SLACK; i++)
        sample->starts[sample->groups + i] = (int32_t)sample->last;
}

rki_w2v_draws rki_w2v_draws_of(const rnnkit_word2vec *word2vec, int64_t base)
{
    rki_random random = {
        (uint64_t)word2vec->settings.seed, RKI_PURPOSE_WORD2VEC, (uint32_t)word2vec->place.run};
    rki_w2v_draws draws = {.pass = (uint32_t)word2vec->place.epoch, .base = (uint64_t)base};
    uint32_t fixed[2];
    rki_random_words(random, 0, draws.key, fixed);
    draws.key[1] ^= random.stream * 0x85EBCA6Bu; /* the counter has no room for the run */
    return draws;
}

int32_t rki_w2v_sample_draw(rki_w2v_sample *sample, const rnnkit_word2vec *word2vec, int64_t block)
{
    const rki_w2v_kernels *kernels = word2vec->kernels;
    int64_t halo = rki_w2v_halo(word2vec), count = word2vec->text.count;
    int64_t begin = block * RKI_W2V_BLOCK;
    int64_t end = count - begin > RKI_W2V_BLOCK ? begin + RKI_W2V_BLOCK : count;
    int64_t base = begin > halo ? begin - halo : 0, stop = count - end > halo ? end + halo : count;
    RKI_TRY(rki_idstore_copy(&word2vec->text, base, sample->tokens, stop - base));
    rki_w2v_draws draws = rki_w2v_draws_of(word2vec, base);
    sample->kept = kernels->subsample(&draws, 0, sample->tokens, stop - base, word2vec->keep + 1,
        sample->words, sample->places, sample->right);
    sample->first = 0;
    while (sample->first < sample->kept && sample->places[sample->first] < begin - base)
        sample->first++;
    sample->last = sample->kept;
    while (sample->last > sample->first && sample->places[sample->last - 1] >= end - base)
        sample->last--;
    sample->tokens_inside = 0;
    for (int64_t i = begin - base; i < end - base; i++)
        sample->tokens_inside += sample->tokens[i] >= 0;
    set_windows(sample, &word2vec->settings);
    for (int64_t i = 0; i < sample->kept; i++)
        sample->targets[i] = sample->words[i] < 0 ? -1 : word2vec->rows[sample->words[i]];
    set_groups(sample, &word2vec->settings);
    kernels->noise(&draws, sample->places, sample->words, sample->starts, sample->groups,
        word2vec->settings.negative, word2vec->noise.size, word2vec->noise.limits,
        word2vec->noise.aliases, word2vec->rows, sample->pitch, sample->noise);
    return RNNKIT_OK;
}

int64_t rki_w2v_group_from(const rki_w2v_sample *sample, int64_t place)
{
    int64_t low = 0, high = sample->groups;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (sample->starts[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int32_t rki_w2v_keep_limits(
    const rnnkit_vocab *vocab, double sample, rki_w2v_formula formula, int32_t **out)
{
    const uint32_t always = 0xFFFFFFFFu;
    int32_t specials = rki_vocab_specials(vocab);
    int64_t size = rki_vocab_ids(vocab) - specials;
    const rki_word *words = vocab->words.words + specials;
    double total = 0;
    void *block;
    RKI_TRY(
        rki_allocate(vocab->words.memory, size + 1, sizeof(int32_t), "the words' shares", &block));
    int32_t *limits = block;
    for (int64_t i = 0; i < size; i++)
        total += (double)words[i].count;
    limits[0] = (int32_t)always;
    for (int64_t i = 0; i < size; i++) {
        double ratio = words[i].count > 0 ? sample * total / (double)words[i].count : 1;
        double keep = sqrt(ratio) + (formula == RKI_W2V_FORMULA_WORD2VEC ? ratio : 0);
        int all = sample == 0 || keep >= 1;
        limits[i + 1] = (int32_t)(all ? always : (uint32_t)(keep * 4294967295.0));
    }
    *out = limits;
    return RNNKIT_OK;
}
