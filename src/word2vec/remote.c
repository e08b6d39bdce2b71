/* Training on the context's device. See remote.h. */
#include "word2vec/remote.h"

#include <string.h>

#include "backend/device.h"

/* Enough words in a call for all of a large device, and enough calls in a step that one's text
 * travels while another's is trained on. */
enum { CHUNK_BLOCKS = 64, STEP_CHUNKS = 4 };

/* Changes of a row that may know nothing of each other, and the part of the text that may be in
 * training at once: one word of so many. docs/backends.md has what speaks for them. */
enum { STALE = 256, PART = 1000 };

static const rki_device *device_of(const rnnkit_word2vec *word2vec)
{
    return rki_w2v_context(word2vec)->device;
}

/* How many groups may be trained at the same time: so few that no row is expected to be changed more
 * than STALE times by those that have not seen each other's changes, and that a short text does not
 * pass by before anything of it was learned. A group in training holds changes back of its output
 * rows alone, but of the input rows all around it. */
static int64_t most_together(const rnnkit_word2vec *word2vec)
{
    const rki_w2v_settings *settings = &word2vec->settings;
    double words = settings->architecture == RKI_W2V_CBOW ? 1 : RKI_WORD2VEC_GROUP;
    double input, output, around = 2 * (double)settings->window + words;
    rki_w2v_local_changes(word2vec, &input, &output);
    double most = input * around > output * words ? input * around : output * words;
    double together = STALE / most, part = (double)word2vec->text.count / (PART * around);
    if (part < together) together = part;
    return together < 1 ? 1 : together > 1 << 20 ? 1 << 20 : (int64_t)together;
}

static rki_word2vec layout_of(const rnnkit_word2vec *word2vec)
{
    const rki_w2v_settings *settings = &word2vec->settings;
    return (rki_word2vec){.size = word2vec->size,
        .stride = word2vec->stride,
        .window = settings->window,
        .negatives = settings->negative,
        .shrink = settings->shrink,
        .cbow = settings->architecture == RKI_W2V_CBOW,
        .spread = settings->cbow_gradient == RKI_W2V_GRADIENT_WORD2VEC ? 1.0 : 0.0,
        .block = RKI_W2V_BLOCK,
        .halo = rki_w2v_halo(word2vec),
        .blocks = CHUNK_BLOCKS,
        .together = most_together(word2vec)};
}

int rki_w2v_remote_offered(const rnnkit_word2vec *word2vec, size_t *scratch)
{
    const rki_device *device = device_of(word2vec);
    const rki_log *log = &rki_w2v_context(word2vec)->log;
    if (device->ops->word2vec_train == NULL) return 0;
    if (word2vec->settings.deterministic) {
        rki_log_line(log, RNNKIT_LOG_INFO,
            "word2vec: deterministic=1 trains on the CPU, %s adds up in no certain order",
            device->name);
        return 0;
    }
    rki_word2vec layout = layout_of(word2vec);
    if (device->ops->word2vec_scratch(device->self, &layout, scratch) >= 0) return 1;
    rki_log_line(log, RNNKIT_LOG_WARNING, "word2vec trains on the CPU: %s", rki_message());
    return 0;
}

static int32_t allocate_host(rki_w2v_remote *remote, rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    const rki_word2vec *of = &remote->call.of;
    rki_w2v_team *team = word2vec->team;
    void *block;
    RKI_TRY(rki_allocate(
        memory, of->blocks * of->block + 2 * of->halo, sizeof(int32_t), "a chunk of text", &block));
    remote->tokens = block;
    RKI_TRY(rki_allocate(memory, of->blocks, sizeof(float), "the blocks' rates", &block));
    remote->rates = block;
    RKI_TRY(rki_allocate(
        memory, team->step * RKI_WORD2VEC_TALLY, sizeof(double), "the blocks' results", &block));
    remote->tallies = block;
    return RNNKIT_OK;
}

/* A copy of `bytes` bytes on the device. */
static int32_t send(const rki_device *device, const void *from, size_t bytes, void **out)
{
    RKI_TRY(device->ops->allocate(device->self, bytes, out));
    return device->ops->upload(device->self, *out, from, bytes);
}

static int32_t send_matrix(const rnnkit_word2vec *word2vec, const float *from, void **out)
{
    const rki_device *device = device_of(word2vec);
    int64_t count = word2vec->size * word2vec->stride;
    RKI_TRY(rki_device_allocate(device, count, out));
    return rki_device_write(device, rki_w2v_memory(word2vec), *out, from, count);
}

static int32_t allocate_device(
    rki_w2v_remote *remote, const rnnkit_word2vec *word2vec, size_t scratch)
{
    const rki_device *device = device_of(word2vec);
    size_t size = (size_t)word2vec->size;
    int64_t numbers = word2vec->team->step * RKI_WORD2VEC_TALLY;
    RKI_TRY(send(device, word2vec->keep, (size + 1) * sizeof(int32_t), &remote->keep));
    RKI_TRY(send(device, word2vec->noise.limits, size * sizeof(int32_t), &remote->limits));
    RKI_TRY(send(device, word2vec->noise.aliases, size * sizeof(int32_t), &remote->aliases));
    RKI_TRY(device->ops->allocate(
        device->self, (size_t)numbers * sizeof(double), &remote->device_tallies));
    RKI_TRY(device->ops->allocate(device->self, scratch, &remote->call.scratch));
    RKI_TRY(send_matrix(word2vec, word2vec->input, &remote->call.input));
    return send_matrix(word2vec, word2vec->output, &remote->call.output);
}

int32_t rki_w2v_remote_create(rnnkit_word2vec *word2vec, size_t scratch)
{
    void *block;
    RKI_TRY(rki_allocate(
        rki_w2v_memory(word2vec), 1, sizeof(rki_w2v_remote), "training on a device", &block));
    rki_w2v_remote *remote = block;
    word2vec->team->remote = remote;
    word2vec->team->step = CHUNK_BLOCKS * STEP_CHUNKS;
    remote->call.of = layout_of(word2vec);
    RKI_TRY(allocate_host(remote, word2vec));
    RKI_TRY(allocate_device(remote, word2vec, scratch));
    remote->call.keep = remote->keep;
    remote->call.limits = remote->limits;
    remote->call.aliases = remote->aliases;
    remote->call.tokens = remote->tokens;
    remote->call.rates = remote->rates;
    return RNNKIT_OK;
}

void rki_w2v_remote_destroy(rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    const rki_device *device = device_of(word2vec);
    rki_w2v_remote *remote = word2vec->team->remote;
    void *blocks[] = {remote->keep, remote->limits, remote->aliases, remote->device_tallies,
        remote->call.scratch, remote->call.input, remote->call.output};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        rki_device_release(device, blocks[i]);
    rki_release(memory, remote->tokens);
    rki_release(memory, remote->rates);
    rki_release(memory, remote->tallies);
    rki_release(memory, remote);
    word2vec->team->remote = NULL;
}

/* Queues blocks first .. first + count - 1, count <= CHUNK_BLOCKS. */
static int32_t queue_chunk(
    const rnnkit_word2vec *word2vec, int64_t first, int64_t count, double *tallies)
{
    rki_w2v_remote *remote = word2vec->team->remote;
    const rki_device *device = device_of(word2vec);
    rki_word2vec_train *call = &remote->call;
    int64_t text = word2vec->text.count, halo = call->of.halo, begin = first * RKI_W2V_BLOCK;
    int64_t end = begin + count * RKI_W2V_BLOCK < text ? begin + count * RKI_W2V_BLOCK : text;
    call->base = begin > halo ? begin - halo : 0;
    call->count = (text - end > halo ? end + halo : text) - call->base;
    call->begin = begin - call->base;
    call->end = end - call->base;
    call->tallies = tallies;
    rki_w2v_draws draws = rki_w2v_draws_of(word2vec, call->base);
    memcpy(call->key, draws.key, sizeof call->key);
    call->pass = draws.pass;
    for (int64_t i = 0; i < count; i++)
        remote->rates[i] =
            (float)rki_w2v_rate(word2vec, word2vec->place.epoch, (first + i) * RKI_W2V_BLOCK);
    if (rki_idstore_copy(&word2vec->text, call->base, remote->tokens, call->count) < 0)
        return rki_fail(RNNKIT_E_IO, "the temporary file of the text cannot be read");
    return device->ops->word2vec_train(device->self, call);
}

int32_t rki_w2v_remote_train(rnnkit_word2vec *word2vec, int64_t first, int64_t count)
{
    rki_w2v_team *team = word2vec->team;
    rki_w2v_remote *remote = team->remote;
    const rki_device *device = device_of(word2vec);
    double *numbers = remote->device_tallies;
    remote->ahead = 1;
    for (int64_t i = 0; i < count; i += CHUNK_BLOCKS)
        RKI_TRY(queue_chunk(word2vec, first + i,
            count - i < CHUNK_BLOCKS ? count - i : CHUNK_BLOCKS, numbers + i * RKI_WORD2VEC_TALLY));
    RKI_TRY(device->ops->download(device->self, remote->tallies, numbers,
        (size_t)(count * RKI_WORD2VEC_TALLY) * sizeof(double)));
    for (int64_t i = 0; i < count; i++) {
        const double *from = remote->tallies + i * RKI_WORD2VEC_TALLY;
        team->tallies[i] = (rki_w2v_tally){.loss = from[0],
            .pairs = (int64_t)from[1],
            .words = (int64_t)from[2],
            .diverged = from[3] != 0};
    }
    return RNNKIT_OK;
}

int32_t rki_w2v_remote_fetch(const rnnkit_word2vec *word2vec)
{
    rki_w2v_remote *remote = word2vec->team == NULL ? NULL : word2vec->team->remote;
    const rki_device *device = device_of(word2vec);
    const rki_memory *memory = rki_w2v_memory(word2vec);
    int64_t count = word2vec->size * word2vec->stride;
    if (remote == NULL || !remote->ahead) return RNNKIT_OK;
    RKI_TRY(rki_device_read(device, memory, remote->call.input, word2vec->input, count));
    RKI_TRY(rki_device_read(device, memory, remote->call.output, word2vec->output, count));
    remote->ahead = 0;
    return RNNKIT_OK;
}
