/** @file
 * What every librnnkit header needs: the export mark, the language brackets, the handles' names.
 *
 * Only these types cross the API: int32_t, int64_t, uint64_t, size_t, float, double, UTF-8 text,
 * pointers to arrays of these with their element counts, opaque handles, and plain callbacks
 * whose last argument is `void *user`.
 */
#ifndef RNNKIT_API_H
#define RNNKIT_API_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define RNNKIT_API   __attribute__((visibility("default")))
#define RNNKIT_CHECK __attribute__((warn_unused_result))
#else
#define RNNKIT_API
#define RNNKIT_CHECK
#endif

#ifdef __cplusplus
#define RNNKIT_BEGIN extern "C" {
#define RNNKIT_END   }
#else
#define RNNKIT_BEGIN
#define RNNKIT_END
#endif

typedef struct rnnkit_context rnnkit_context;
typedef struct rnnkit_tensor rnnkit_tensor;
typedef struct rnnkit_tape rnnkit_tape;
typedef struct rnnkit_model rnnkit_model;
typedef struct rnnkit_embedding rnnkit_embedding;
typedef struct rnnkit_linear rnnkit_linear;
typedef struct rnnkit_rnn rnnkit_rnn;
typedef struct rnnkit_state rnnkit_state;
typedef struct rnnkit_attention rnnkit_attention;
typedef struct rnnkit_decoder rnnkit_decoder;
typedef struct rnnkit_search rnnkit_search;
typedef struct rnnkit_multihead rnnkit_multihead;
typedef struct rnnkit_norm rnnkit_norm;
typedef struct rnnkit_optimizer rnnkit_optimizer;
typedef struct rnnkit_schedule rnnkit_schedule;
typedef struct rnnkit_tokenizer rnnkit_tokenizer;
typedef struct rnnkit_vocab rnnkit_vocab;
typedef struct rnnkit_tokens rnnkit_tokens;
typedef struct rnnkit_batches rnnkit_batches;
typedef struct rnnkit_generator rnnkit_generator;
typedef struct rnnkit_checkpoint rnnkit_checkpoint;
typedef struct rnnkit_word2vec rnnkit_word2vec;
typedef struct rnnkit_vectors rnnkit_vectors;
typedef struct rnnkit_pairs rnnkit_pairs;
typedef struct rnnkit_noise rnnkit_noise;
typedef struct rnnkit_arrays rnnkit_arrays;

#endif
