/* Copies of rows for deterministic training. See local.h. */
#include "word2vec/local.h"

#include <math.h>
#include <string.h>

void rki_w2v_local_changes(const rnnkit_word2vec *word2vec, double *input, double *output)
{
    const rki_w2v_settings *settings = &word2vec->settings;
    const rki_word *words = word2vec->vocab->words.words + rki_vocab_specials(word2vec->vocab);
    double kept = 0, drawn = 0, most_kept = 0, most_drawn = 0;
    for (int64_t i = 0; i < word2vec->size; i++) {
        double count = words[i].count > 0 ? (double)words[i].count : 1;
        double own = count * (double)(uint32_t)word2vec->keep[i + 1] / 4294967295.0;
        double noise = pow(count, settings->power);
        kept += own;
        drawn += noise;
        if (own > most_kept) most_kept = own;
        if (noise > most_drawn) most_drawn = noise;
    }
    double neighbours = (double)(settings->shrink ? settings->window + 1 : 2 * settings->window);
    *input = most_kept / kept * neighbours;
    *output = most_kept / kept + (double)settings->negative * most_drawn / drawn;
}

int64_t rki_w2v_local_count(const rnnkit_word2vec *word2vec)
{
    double input, output;
    rki_w2v_local_changes(word2vec, &input, &output);
    double changes = RKI_W2V_STRETCH * (input > output ? input : output);
    double count = RKI_W2V_STALE / changes;
    return count < 1 ? 1 : count > RKI_W2V_LOCALS ? RKI_W2V_LOCALS : (int64_t)count;
}

static int32_t copies_init(
    rki_w2v_copies *copies, const rki_memory *memory, int64_t room, int64_t stride)
{
    void *block;
    *copies = (rki_w2v_copies){.room = room, .slot_count = 2};
    while (copies->slot_count < 2 * room)
        copies->slot_count *= 2;
    RKI_TRY(rki_allocate(memory, room, sizeof(int32_t), "a stretch's rows", &block));
    copies->ids = block;
    RKI_TRY(rki_allocate(memory, room * stride, sizeof(float), "a stretch's rows", &block));
    copies->values = block;
    RKI_TRY(rki_allocate(
        memory, copies->slot_count, sizeof(int32_t), "a stretch's table of rows", &block));
    copies->slots = block;
    return RNNKIT_OK;
}

static void copies_release(rki_w2v_copies *copies, const rki_memory *memory)
{
    rki_release(memory, copies->ids);
    rki_release(memory, copies->values);
    rki_release(memory, copies->slots);
    *copies = (rki_w2v_copies){0};
}

int32_t rki_w2v_local_init(rki_w2v_local *local, const rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    int64_t negatives = word2vec->settings.negative;
    int64_t window = RKI_W2V_STRETCH + 2 * word2vec->settings.window;
    void *block;
    *local = (rki_w2v_local){.pitch = window};
    int32_t status = copies_init(&local->input, memory, window, word2vec->stride);
    if (status == RNNKIT_OK)
        status = copies_init(
            &local->output, memory, RKI_W2V_STRETCH * (1 + negatives), word2vec->stride);
    if (status == RNNKIT_OK)
        status = rki_allocate(
            memory, window * (2 + negatives), sizeof(int32_t), "a stretch's words", &block);
    if (status < 0) {
        rki_w2v_local_release(local, memory);
        return status;
    }
    local->words = block;
    local->targets = local->words + window;
    local->noise = local->targets + window;
    return RNNKIT_OK;
}

void rki_w2v_local_release(rki_w2v_local *local, const rki_memory *memory)
{
    copies_release(&local->input, memory);
    copies_release(&local->output, memory);
    rki_release(memory, local->words);
    *local = (rki_w2v_local){0};
}

static void forget(rki_w2v_copies *copies)
{
    copies->count = 0;
    memset(copies->slots, 0, (size_t)copies->slot_count * sizeof *copies->slots);
}

/* The place of a row among the copies, where it is noted when it is new. */
static int32_t place_of(rki_w2v_copies *copies, int32_t id)
{
    uint64_t mask = (uint64_t)copies->slot_count - 1;
    uint64_t slot = (uint32_t)id * 0x9E3779B9u & mask;
    while (copies->slots[slot] != 0) {
        int32_t place = copies->slots[slot] - 1;
        if (copies->ids[place] == id) return place;
        slot = (slot + 1) & mask;
    }
    int32_t place = (int32_t)copies->count++;
    copies->slots[slot] = place + 1;
    copies->ids[place] = id;
    return place;
}

void rki_w2v_local_load(rki_w2v_local *local, const rki_w2v_kernels *kernels,
    const rki_w2v_run *run, const rki_w2v_sample *sample, int64_t first, int64_t last)
{
    int64_t from = first, to = last;
    for (int64_t i = first; i < last; i++) {
        if (sample->words[i] < 0) continue;
        if (i - sample->left[i] < from) from = i - sample->left[i];
        if (i + sample->right[i] >= to) to = i + sample->right[i] + 1;
    }
    forget(&local->input);
    forget(&local->output);
    for (int64_t i = from; i < to; i++) {
        int32_t word = sample->words[i], at = (int32_t)(i - from);
        local->words[at] = word < 0 ? -1 : place_of(&local->input, word);
        local->targets[at] = -1;
        if (word < 0 || i < first || i >= last) continue;
        local->targets[at] = place_of(&local->output, sample->targets[i]);
        for (int64_t k = 0; k < run->negatives; k++) {
            int32_t drawn = sample->noise[k * sample->pitch + i];
            local->noise[k * local->pitch + at] = drawn < 0 ? -1 : place_of(&local->output, drawn);
        }
    }
    kernels->copy_rows(
        run->input, local->input.ids, local->input.count, run->stride, local->input.values);
    kernels->copy_rows(
        run->output, local->output.ids, local->output.count, run->stride, local->output.values);
    local->run = *run;
    local->run.input = local->input.values;
    local->run.output = local->output.values;
    local->run.words = local->words;
    local->run.targets = local->targets;
    local->run.noise = local->noise;
    local->run.left = sample->left + from;
    local->run.right = sample->right + from;
    local->run.pitch = local->pitch;
    local->run.first = first - from;
    local->run.last = last - from;
    local->run.prefetch = 0;
}

void rki_w2v_local_subtract(
    rki_w2v_local *local, const rki_w2v_kernels *kernels, const rki_w2v_run *run)
{
    kernels->subtract_rows(
        run->input, local->input.ids, local->input.count, run->stride, local->input.values);
    kernels->subtract_rows(
        run->output, local->output.ids, local->output.count, run->stride, local->output.values);
}

void rki_w2v_local_add(const rki_w2v_local *local, const rki_w2v_kernels *kernels,
    const rki_w2v_run *run, uint32_t share, uint32_t shares)
{
    kernels->add_rows(run->input, local->input.ids, local->input.count, run->stride, share, shares,
        local->input.values);
    kernels->add_rows(run->output, local->output.ids, local->output.count, run->stride, share,
        shares, local->output.values);
}
