/* Training whose result does not depend on the number of threads. See local.h. */
#include "base/float_mode.h"
#include "base/threads.h"
#include "word2vec/team.h"

#ifdef _OPENMP
#include <omp.h>
#endif

/* One thread of `threads`, of which this is number `self`; all of them come through here. */
typedef struct member {
    rnnkit_word2vec *word2vec;
    rki_w2v_team *team;
    rki_w2v_worker *worker;
    int64_t self, threads;
    uint64_t batch;
} member;

static void meet(const member *me)
{
    rki_barrier_wait(&me->team->barrier, (unsigned)me->threads);
}

static rki_w2v_turn turn_of(const member *me, int64_t number)
{
    return (rki_w2v_turn){me->batch, number, me->team->input_marks, me->team->output_marks};
}

/* Lists the rows of stretch number `number` of the batch that begins at `at`. */
static void list_stretch(const member *me, const rki_w2v_sample *sample, int64_t number, int64_t at)
{
    rki_w2v_turn turn = turn_of(me, number);
    int64_t first = at + number * RKI_W2V_STRETCH, last = first + RKI_W2V_STRETCH;
    rki_w2v_local_list(&me->team->locals[number], &turn, sample, rki_w2v_group_from(sample, first),
        rki_w2v_group_from(sample, last));
}

static void train_stretch(const member *me, const rki_w2v_run *run, int64_t number)
{
    rki_w2v_turn turn = turn_of(me, number);
    rki_w2v_local *local = &me->team->locals[number];
    rki_w2v_local_load(local, &turn, me->word2vec->kernels, run);
    local->run.gradients = me->worker->gradients;
    local->run.rows = me->worker->rows;
    local->run.fetch = me->worker->fetch;
    local->run.kinds = me->worker->kinds;
    local->run.mean = me->worker->mean;
    me->word2vec->kernels->train(&local->run);
    rki_w2v_local_subtract(local, me->word2vec->kernels, run);
}

static void count_batch(const rki_w2v_team *team, rki_w2v_tally *tally)
{
    for (int64_t i = 0; i < team->local_count; i++) {
        const rki_w2v_run *run = &team->locals[i].run;
        tally->loss += run->loss;
        tally->pairs += run->pairs;
        tally->diverged |= run->diverged;
    }
}

static void train_block(member *me, int64_t block, int64_t place)
{
    const rki_w2v_sample *sample = &me->team->samples[place];
    rki_w2v_run run = rki_w2v_run_of(me->word2vec, me->worker, block);
    int64_t locals = me->team->local_count;
    for (int64_t at = sample->first; at < sample->last; at += locals * RKI_W2V_STRETCH) {
        me->batch++;
        for (int64_t i = me->self; i < locals; i += me->threads)
            list_stretch(me, sample, i, at);
        if (me->self == 0) atomic_store(&me->team->next, 0);
        meet(me);
        for (int64_t i; (i = atomic_fetch_add(&me->team->next, 1)) < locals;)
            train_stretch(me, &run, i);
        meet(me);
        for (int64_t i = 0; i < locals; i++)
            rki_w2v_local_add(&me->team->locals[i], me->word2vec->kernels, &run, (uint32_t)me->self,
                (uint32_t)me->threads);
        if (me->self == 0) count_batch(me->team, &me->team->tallies[place]);
        meet(me);
    }
}

static void train_share(member *me, int64_t first, int64_t count)
{
    rki_w2v_team *team = me->team;
    for (int64_t i = me->self; i < count; i += me->threads) {
        int32_t status = rki_w2v_sample_draw(&team->samples[i], me->word2vec, first + i);
        team->tallies[i] =
            (rki_w2v_tally){.status = status, .words = team->samples[i].tokens_inside};
    }
    meet(me);
    for (int64_t i = 0; i < count; i++)
        if (team->tallies[i].status < 0) return; /* the same for all threads */
    for (int64_t i = 0; i < count; i++)
        train_block(me, first + i, i);
    if (me->self == 0) team->batch = me->batch;
}

void rki_w2v_train_deterministic(rnnkit_word2vec *word2vec, int64_t first, int64_t count)
{
    rki_w2v_team *team = word2vec->team;
    int threads =
        rki_threads_now(team->threads < team->local_count ? team->threads : team->local_count);
#pragma omp parallel num_threads(threads)
    {
        member me = {word2vec, team, team->workers, 0, 1, team->batch};
#ifdef _OPENMP
        me.self = omp_get_thread_num();
        me.threads = omp_get_num_threads();
        me.worker += me.self;
#endif
        uint64_t mode = rki_float_enter();
        train_share(&me, first, count);
        rki_float_leave(mode);
    }
}
