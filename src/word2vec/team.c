/* Workers, and training where they write the same matrices side by side. See team.h. */
#include "word2vec/team.h"

#include "base/float_mode.h"
#include "base/threads.h"
#include "word2vec/remote.h"

#ifdef _OPENMP
#include <omp.h>
#endif

enum { STEP_BLOCKS = 32 }; /* a thread */

static int32_t worker_init(rki_w2v_worker *worker, const rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    int64_t rows = 2 * word2vec->settings.window + RKI_WORD2VEC_GROUP;
    void *block;
    if (!word2vec->settings.deterministic) RKI_TRY(rki_w2v_sample_init(&worker->sample, word2vec));
    RKI_TRY(rki_allocate(memory, rows * RKI_W2V_SCORES + RKI_W2V_SLACK, sizeof(float),
        "a window's gradients", &block));
    worker->gradients = block;
    RKI_TRY(rki_allocate(memory, RKI_W2V_BLOCK + 2 * rki_w2v_halo(word2vec), sizeof(float *),
        "a block's rows", &block));
    worker->rows = block;
    RKI_TRY(
        rki_allocate(memory, rows + RKI_W2V_SLACK, sizeof(int32_t), "a window's kinds", &block));
    worker->kinds = block;
    RKI_TRY(rki_allocate(memory, 2 * rows + word2vec->settings.negative + 2, sizeof(float *),
        "a window's next rows", &block));
    worker->fetch = block;
    RKI_TRY(rki_allocate(memory, 2 * word2vec->stride, sizeof(float), "a window's mean", &block));
    worker->mean = block;
    return RNNKIT_OK;
}

static void worker_release(rki_w2v_worker *worker, const rki_memory *memory)
{
    rki_w2v_sample_release(&worker->sample, memory);
    rki_release(memory, worker->gradients);
    rki_release(memory, worker->rows);
    rki_release(memory, worker->fetch);
    rki_release(memory, worker->kinds);
    rki_release(memory, worker->mean);
}

static int32_t init_workers(rki_w2v_team *team, const rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    void *block;
    RKI_TRY(rki_allocate(memory, team->threads, sizeof(rki_w2v_worker), "the workers", &block));
    team->workers = block;
    for (int64_t i = 0; i < team->threads; i++)
        RKI_TRY(worker_init(&team->workers[i], word2vec));
    return RNNKIT_OK;
}

/* What deterministic training holds besides. */
static int32_t init_locals(rki_w2v_team *team, const rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    void *block;
    RKI_TRY(rki_allocate(memory, team->step, sizeof(rki_w2v_sample), "a step's blocks", &block));
    team->samples = block;
    for (int64_t i = 0; i < team->step; i++)
        RKI_TRY(rki_w2v_sample_init(&team->samples[i], word2vec));
    team->local_count = rki_w2v_local_count(word2vec);
    RKI_TRY(
        rki_allocate(memory, team->local_count, sizeof(rki_w2v_local), "a batch's rows", &block));
    team->locals = block;
    for (int64_t i = 0; i < team->local_count; i++)
        RKI_TRY(rki_w2v_local_init(&team->locals[i], word2vec, i));
    RKI_TRY(rki_allocate(memory, word2vec->size, sizeof(rki_w2v_mark), "the rows' marks", &block));
    team->input_marks = block;
    RKI_TRY(rki_allocate(memory, word2vec->size, sizeof(rki_w2v_mark), "the rows' marks", &block));
    team->output_marks = block;
    return RNNKIT_OK;
}

static int32_t init_threads(rki_w2v_team *team, const rnnkit_word2vec *word2vec)
{
    team->threads = word2vec->settings.threads;
    /* a thread must not wait for the memory of many blocks where they are held all at once */
    team->step = word2vec->settings.deterministic ? STEP_BLOCKS / 2 : STEP_BLOCKS * team->threads;
    RKI_TRY(init_workers(team, word2vec));
    return word2vec->settings.deterministic ? init_locals(team, word2vec) : RNNKIT_OK;
}

static int32_t init_tallies(rki_w2v_team *team, const rki_memory *memory)
{
    void *block;
    RKI_TRY(rki_allocate(memory, team->step, sizeof(rki_w2v_tally), "the blocks' results", &block));
    team->tallies = block;
    return RNNKIT_OK;
}

int32_t rki_w2v_team_create(rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    size_t scratch;
    void *block;
    RKI_TRY(rki_allocate(memory, 1, sizeof(rki_w2v_team), "a team", &block));
    rki_w2v_team *team = word2vec->team = block;
    int32_t status = rki_w2v_remote_offered(word2vec, &scratch)
                         ? rki_w2v_remote_create(word2vec, scratch)
                         : init_threads(team, word2vec);
    if (status == RNNKIT_OK) status = init_tallies(team, memory);
    if (status < 0) rki_w2v_team_destroy(word2vec);
    return status;
}

void rki_w2v_team_destroy(rnnkit_word2vec *word2vec)
{
    const rki_memory *memory = rki_w2v_memory(word2vec);
    rki_w2v_team *team = word2vec->team;
    if (team == NULL) return;
    if (team->remote != NULL) rki_w2v_remote_destroy(word2vec);
    for (int64_t i = 0; team->workers != NULL && i < team->threads; i++)
        worker_release(&team->workers[i], memory);
    for (int64_t i = 0; team->samples != NULL && i < team->step; i++)
        rki_w2v_sample_release(&team->samples[i], memory);
    for (int64_t i = 0; team->locals != NULL && i < team->local_count; i++)
        rki_w2v_local_release(&team->locals[i], memory);
    rki_release(memory, team->workers);
    rki_release(memory, team->tallies);
    rki_release(memory, team->samples);
    rki_release(memory, team->locals);
    rki_release(memory, team->input_marks);
    rki_release(memory, team->output_marks);
    rki_release(memory, team);
    word2vec->team = NULL;
}

rki_w2v_run rki_w2v_run_of(
    const rnnkit_word2vec *word2vec, const rki_w2v_worker *worker, int64_t block)
{
    const rki_w2v_settings *settings = &word2vec->settings;
    return (rki_w2v_run){.input = word2vec->input,
        .output = word2vec->output,
        .stride = word2vec->stride,
        .negatives = settings->negative,
        .cbow = settings->architecture == RKI_W2V_CBOW,
        .rate = (float)rki_w2v_rate(word2vec, word2vec->place.epoch, block * RKI_W2V_BLOCK),
        .spread = settings->cbow_gradient == RKI_W2V_GRADIENT_WORD2VEC ? 1.0f : 0.0f,
        .gradients = worker->gradients,
        .rows = worker->rows,
        .fetch = worker->fetch,
        .kinds = worker->kinds,
        .mean = worker->mean};
}

static void train_block(
    const rnnkit_word2vec *word2vec, rki_w2v_worker *worker, int64_t block, rki_w2v_tally *tally)
{
    rki_w2v_sample *sample = &worker->sample;
    *tally = (rki_w2v_tally){.status = rki_w2v_sample_draw(sample, word2vec, block)};
    if (tally->status < 0) return;
    rki_w2v_run run = rki_w2v_run_of(word2vec, worker, block);
    run.words = sample->words;
    run.targets = sample->targets;
    run.left = sample->left;
    run.right = sample->right;
    run.noise = sample->noise;
    run.pitch = sample->pitch;
    run.starts = sample->starts;
    run.groups = sample->groups;
    word2vec->kernels->train(&run);
    tally->loss = run.loss;
    tally->pairs = run.pairs;
    tally->words = sample->tokens_inside;
    tally->diverged = run.diverged;
}

static int this_thread(void)
{
#ifdef _OPENMP
    return omp_get_thread_num();
#else
    return 0;
#endif
}

void rki_w2v_train_side_by_side(rnnkit_word2vec *word2vec, int64_t first, int64_t count)
{
    rki_w2v_team *team = word2vec->team;
    int threads = rki_threads_now(team->threads < count ? team->threads : count);
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        rki_w2v_worker *worker = &team->workers[this_thread()];
        uint64_t mode = rki_float_enter();
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < count; i++)
            train_block(word2vec, worker, first + i, &team->tallies[i]);
        rki_float_leave(mode);
    }
}
