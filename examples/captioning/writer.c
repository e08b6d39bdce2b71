/* See writer.h. */
#include "writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/console.h"

int writer_open(
    writer *target, network *net, rnnkit_context *context, const gallery *pictures, int64_t beam)
{
    char text[120];

    *target = (writer){.net = net, .pictures = pictures};
    snprintf(text, sizeof text, "beam=%" PRId64 " max_length=60 length_penalty=1 bos=%d eos=%d",
        beam, NETWORK_BOS, NETWORK_EOS);
    if (view_room_make(&target->room, pictures, WRITER_BATCH) != OUTCOME_OK ||
        failed(rnnkit_search_create(net->words, net->decoder, net->output, text, &target->search)))
        return OUTCOME_FAILED;
    return failed(rnnkit_tape_create(context, "train=0", &target->tape));
}

void writer_close(writer *target)
{
    rnnkit_tape_destroy(target->tape);
    rnnkit_search_destroy(target->search);
    view_room_free(&target->room);
    free(target->ids);
    *target = (writer){0};
}

int writer_run(writer *self, const int64_t *which, int64_t count)
{
    view seen;

    if (failed(rnnkit_tape_clear(self->tape)) ||
        network_see(self->net, self->tape, self->pictures, which, count, &self->room, &seen) !=
            OUTCOME_OK)
        return OUTCOME_FAILED;
    return failed(rnnkit_search_run(self->search, seen.memory, NULL, seen.start));
}

int writer_take(writer *self, int64_t i, written *out)
{
    int64_t needed = 0;
    int32_t status = rnnkit_search_result(
        self->search, i, 0, self->ids, self->id_room, &needed, &out->score, NULL);

    if (status == RNNKIT_E_TOO_SMALL) {
        int32_t *larger = realloc(self->ids, (size_t)needed * sizeof *larger);

        if (larger == NULL) return fail("out of memory");
        self->ids = larger;
        self->id_room = needed;
        status = rnnkit_search_result(
            self->search, i, 0, self->ids, self->id_room, &needed, &out->score, NULL);
    }
    out->ids = self->ids;
    out->count = needed;
    return failed(status);
}

char *writer_text(const writer *self, const int32_t *ids, int64_t count)
{
    int64_t needed = 0;
    int32_t status = rnnkit_vocab_decode(self->net->vocab, ids, count, NULL, 0, &needed);
    char *text;

    if (status != RNNKIT_E_TOO_SMALL && failed(status)) return NULL;
    text = malloc((size_t)needed);
    if (text == NULL)
        fail("out of memory");
    else if (failed(rnnkit_vocab_decode(self->net->vocab, ids, count, text, needed, &needed))) {
        free(text);
        text = NULL;
    }
    return text;
}
