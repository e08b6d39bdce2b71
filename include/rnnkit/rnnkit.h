/** @file
 * librnnkit: word vectors, recurrent networks and attention for C, on the CPU or a GPU.
 *
 * This header brings in all the others. In reading order:
 *   status.h      what calls return, and what went wrong in words
 *   context.h     a device, threads, a seed, the host's hooks
 *   tokenizer.h   text to tokens and back
 *   vocab.h       tokens to ids
 *   tokens.h      a corpus as ids
 *   batches.h     a corpus as training batches
 *   model.h       parameters by name, and their file
 *   embedding.h, rnn.h, linear.h   the layers
 *   loss.h        losses of numbers and probabilities
 *   attention.h   looking at a source, and where a model looks
 *   multihead.h, norm.h   what a Transformer block is made of
 *   decoder.h     writing a sequence while looking at a source
 *   tape.h        what was computed, and its gradients
 *   tensor.h      the values on a tape
 *   optimizer.h   updates and learning-rate schedules
 *   checkpoint.h  stop and go on
 *   generator.h   write text
 *   search.h      write about a source: greedy, beams, draws
 *   word2vec.h    word vectors, learnt from text
 *   vectors.h     word vectors: files, queries, evaluation
 *   pairs.h       the pieces of skip-gram
 *   arrays.h      numbers from files: features that another program computed
 *
 * Rules that hold everywhere. A status below 0 is a failure: outputs are untouched, and
 * rnnkit_error_message() explains. What has a default is an option, `key=value` in one string;
 * NULL means all defaults; rnnkit_options_describe() lists them. Arrays are row-major, time first.
 * The library copies what it is given unless a name says _borrow. Handles are freed in any order.
 * Threads tags: "any": at any time; "shared": together with other such calls while nobody changes
 * the handle; "owner": one thread at a time. The library prints nothing and leaves the process as
 * it was.
 */
#ifndef RNNKIT_RNNKIT_H
#define RNNKIT_RNNKIT_H

#include "rnnkit/api.h"
#include "rnnkit/arrays.h"
#include "rnnkit/attention.h"
#include "rnnkit/batches.h"
#include "rnnkit/checkpoint.h"
#include "rnnkit/context.h"
#include "rnnkit/decoder.h"
#include "rnnkit/embedding.h"
#include "rnnkit/generator.h"
#include "rnnkit/linear.h"
#include "rnnkit/loss.h"
#include "rnnkit/model.h"
#include "rnnkit/multihead.h"
#include "rnnkit/norm.h"
#include "rnnkit/optimizer.h"
#include "rnnkit/pairs.h"
#include "rnnkit/rnn.h"
#include "rnnkit/search.h"
#include "rnnkit/status.h"
#include "rnnkit/tape.h"
#include "rnnkit/tensor.h"
#include "rnnkit/tokenizer.h"
#include "rnnkit/tokens.h"
#include "rnnkit/vectors.h"
#include "rnnkit/vocab.h"
#include "rnnkit/word2vec.h"

#endif
