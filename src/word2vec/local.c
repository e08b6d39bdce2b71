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

/* A group that begins in a stretch may end behind it. */
enum { MOST_WORDS = RKI_W2V_STRETCH + RKI_WORD2VEC_GROUP - 1 };

static int64_t window_of(const rki_w2v_settings *settings)
{
    return MOST_WORDS + 2 * settings->window;
}

static int64_t outputs_of(const rki_w2v_settings *settings)
{
    return MOST_WORDS + RKI_W2V_STRETCH * settings->negative;
}

void rki_w2v_local_rows(const rnnkit_word2vec *word2vec, int64_t *input, int64_t *output)
{
    int64_t count = rki_w2v_local_count(word2vec);
    *input = count * window_of(&word2vec->settings);
    *output = count * outputs_of(&word2vec->settings);
}

static int32_t uses_init(
    rki_w2v_uses *uses, const rki_memory *memory, int64_t room, int64_t first_copy)
{
    void *block;
    *uses = (rki_w2v_uses){.room = room, .slot_count = 2, .first_copy = (int32_t)first_copy};
    while (uses->slot_count < 2 * room)
        uses->slot_count *= 2;
    RKI_TRY(rki_allocate(memory, 3 * room, sizeof(int32_t), "a stretch's rows", &block));
    uses->ids = block;
    uses->now = uses->ids + room;
    uses->copied = uses->now + room;
    RKI_TRY(rki_allocate(
        memory, uses->slot_count, sizeof(int32_t), "a stretch's table of rows", &block));
    uses->slots = block;
    return RNNKIT_OK;
}

static void uses_release(rki_w2v_uses *uses, const rki_memory *memory)
{
    rki_release(memory, uses->ids);
    rki_release(memory, uses->slots);
    *uses = (rki_w2v_uses){0};
}

int32_t rki_w2v_local_init(rki_w2v_local *local, const rnnkit_word2vec *word2vec, int64_t number)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    const rki_w2v_settings *settings = &word2vec->settings;
    int64_t window = window_of(settings), outputs = outputs_of(settings);
    void *block;
    *local = (rki_w2v_local){.negatives = settings->negative, .pitch = window};
    int32_t status = uses_init(&local->input, memory, window, word2vec->size + number * window);
    if (status == RNNKIT_OK)
        status = uses_init(&local->output, memory, outputs, word2vec->size + number * outputs);
    if (status == RNNKIT_OK)
        status = rki_allocate(memory, window * (3 + settings->negative), sizeof(int32_t),
            "a stretch's words", &block);
    if (status < 0) {
        rki_w2v_local_release(local, memory);
        return status;
    }
    local->words = block;
    local->targets = local->words + window;
    local->starts = local->targets + window;
    local->noise = local->starts + window;
    return RNNKIT_OK;
}

void rki_w2v_local_release(rki_w2v_local *local, const rki_memory *memory)
{
    uses_release(&local->input, memory);
    uses_release(&local->output, memory);
    rki_release(memory, local->words);
    *local = (rki_w2v_local){0};
}

static void forget(rki_w2v_uses *uses)
{
    uses->count = 0;
    memset(uses->slots, 0, (size_t)uses->slot_count * sizeof *uses->slots);
}

/* The place of a row among those used, where it is noted when it is new. */
static int32_t place_of(rki_w2v_uses *uses, int32_t id)
{
    uint64_t mask = (uint64_t)uses->slot_count - 1;
    uint64_t slot = (uint32_t)id * 0x9E3779B9u & mask;
    while (uses->slots[slot] != 0) {
        int32_t place = uses->slots[slot] - 1;
        if (uses->ids[place] == id) return place;
        slot = (slot + 1) & mask;
    }
    int32_t place = (int32_t)uses->count++;
    uses->slots[slot] = place + 1;
    uses->ids[place] = id;
    return place;
}

static void mark(const rki_w2v_uses *uses, const rki_w2v_turn *turn, rki_w2v_mark *marks)
{
    uint64_t own = turn->batch << 8 | (uint64_t)turn->number;
    uint64_t shared = turn->batch << 8 | RKI_W2V_SHARED;
    for (int64_t i = 0; i < uses->count; i++) {
        rki_w2v_mark *at = &marks[uses->ids[i]];
        uint64_t before = atomic_load_explicit(at, memory_order_relaxed), after;
        do {
            after = before >> 8 == turn->batch ? shared : own;
        } while (before != after && !atomic_compare_exchange_weak_explicit(at, &before, after,
                                        memory_order_relaxed, memory_order_relaxed));
    }
}

void rki_w2v_local_list(rki_w2v_local *local, const rki_w2v_turn *turn,
    const rki_w2v_sample *sample, int64_t first, int64_t last)
{
    int64_t begin = sample->starts[first], end = begin;
    if (last > first) { /* ends of sentences may follow */
        end = sample->starts[last - 1] + RKI_WORD2VEC_GROUP;
        if (end > sample->starts[last]) end = sample->starts[last];
    }
    int64_t from = begin, to = end;
    for (int64_t i = begin; i < end; i++) {
        if (sample->words[i] < 0) continue;
        if (i - sample->left[i] < from) from = i - sample->left[i];
        if (i + sample->right[i] >= to) to = i + sample->right[i] + 1;
    }
    forget(&local->input);
    forget(&local->output);
    for (int64_t i = from; i < to; i++) {
        int32_t word = sample->words[i], at = (int32_t)(i - from);
        int own = word >= 0 && i >= begin && i < end;
        local->words[at] = word < 0 ? -1 : place_of(&local->input, word);
        local->targets[at] = own ? place_of(&local->output, sample->targets[i]) : -1;
    }
    for (int64_t g = first; g < last; g++) {
        local->starts[g - first] = sample->starts[g] - (int32_t)from;
        for (int64_t k = 0; k < local->negatives; k++) {
            int32_t drawn = sample->noise[k * sample->pitch + g];
            local->noise[k * local->pitch + g - first] =
                drawn < 0 ? -1 : place_of(&local->output, drawn);
        }
    }
    local->starts[last - first] = (int32_t)(end - from);
    local->left = sample->left + from;
    local->right = sample->right + from;
    local->used = to - from;
    local->groups = last - first;
    mark(&local->input, turn, turn->input);
    mark(&local->output, turn, turn->output);
}

/* Decides for each row whether it is changed where it is, and copies the others. */
static void settle(rki_w2v_uses *uses, const rki_w2v_turn *turn, const rki_w2v_mark *marks,
    const rki_w2v_kernels *kernels, int64_t stride, float *matrix)
{
    uint64_t own = turn->batch << 8 | (uint64_t)turn->number;
    uses->copied_count = 0;
    for (int64_t i = 0; i < uses->count; i++) {
        uses->now[i] = uses->ids[i];
        if (atomic_load_explicit(&marks[uses->ids[i]], memory_order_relaxed) == own) continue;
        uses->now[i] = uses->first_copy + (int32_t)uses->copied_count;
        uses->copied[uses->copied_count++] = uses->ids[i];
    }
    kernels->copy_rows(
        matrix, uses->copied, uses->copied_count, stride, matrix + uses->first_copy * stride);
}

void rki_w2v_local_load(rki_w2v_local *local, const rki_w2v_turn *turn,
    const rki_w2v_kernels *kernels, const rki_w2v_run *run)
{
    settle(&local->input, turn, turn->input, kernels, run->stride, run->input);
    settle(&local->output, turn, turn->output, kernels, run->stride, run->output);
    for (int64_t i = 0; i < local->used; i++) {
        if (local->words[i] >= 0) local->words[i] = local->input.now[local->words[i]];
        if (local->targets[i] >= 0) local->targets[i] = local->output.now[local->targets[i]];
    }
    for (int64_t k = 0; k < local->negatives; k++)
        for (int64_t i = 0; i < local->groups; i++) {
            int32_t *noise = &local->noise[k * local->pitch + i];
            if (*noise >= 0) *noise = local->output.now[*noise];
        }
    local->run = *run;
    local->run.words = local->words;
    local->run.targets = local->targets;
    local->run.noise = local->noise;
    local->run.left = local->left;
    local->run.right = local->right;
    local->run.pitch = local->pitch;
    local->run.starts = local->starts;
    local->run.groups = local->groups;
}

void rki_w2v_local_subtract(
    rki_w2v_local *local, const rki_w2v_kernels *kernels, const rki_w2v_run *run)
{
    const rki_w2v_uses *input = &local->input, *output = &local->output;
    kernels->subtract_rows(run->input, input->copied, input->copied_count, run->stride,
        run->input + input->first_copy * run->stride);
    kernels->subtract_rows(run->output, output->copied, output->copied_count, run->stride,
        run->output + output->first_copy * run->stride);
}

void rki_w2v_local_add(const rki_w2v_local *local, const rki_w2v_kernels *kernels,
    const rki_w2v_run *run, uint32_t share, uint32_t shares)
{
    const rki_w2v_uses *input = &local->input, *output = &local->output;
    kernels->add_rows(run->input, input->copied, input->copied_count, run->stride, share, shares,
        run->input + input->first_copy * run->stride);
    kernels->add_rows(run->output, output->copied, output->copied_count, run->stride, share, shares,
        run->output + output->first_copy * run->stride);
}
