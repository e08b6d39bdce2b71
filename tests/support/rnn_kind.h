/* A recurrent layer for tests that go through many: how it is created. */
#ifndef TESTS_SUPPORT_RNN_KIND_H
#define TESTS_SUPPORT_RNN_KIND_H

#include "rnnkit/rnnkit.h"

typedef int32_t (*rnn_create_fn)(
    rnnkit_model *, const char *, int64_t, int64_t, const char *, rnnkit_rnn **);

typedef struct rnn_kind {
    rnn_create_fn create;
    const char *options;
} rnn_kind;

#endif
