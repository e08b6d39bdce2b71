/* Training of word vectors: the arguments of its operation, part of the table in backend.h.
 *
 * A device may leave the operation out (NULL, with its scratch query); word2vec then trains on the
 * CPU. A call trains the windows of some blocks of the text; what is drawn depends on the tokens'
 * places alone:
 *  - Draw n of a token is Philox 4x32-10 of the counter {place low, place high, pass, n} and `key`.
 *    A token is kept when word 0 of its draw 0, without the lowest bit, is below keep[token]; for
 *    ends of sentences, token -1, there is keep[-1].
 *  - Of the words kept, one is trained with those that stand up to r to its left and right in its
 *    sentence; r is 1 + floor(word 1 of draw 0 * window / 2^32), or the window without `shrink`. A
 *    block sees `halo` tokens around it and no more.
 *  - Words are trained in groups. From the first word that is kept of a block on, two make up a group
 *    that follow each other there and differ, with no end of a sentence between them; without such a
 *    one behind it, and with `cbow`, a word is a group of its own.
 *  - Noise word k of a group comes of words 2 (k mod 2) and 2 (k mod 2) + 1, u and v, of draw
 *    1 + floor(k / 2) of its first token: column c = floor(u size / 2^32), then c when v < limits[c],
 *    else aliases[c]. It is dropped when it is one of the group's words or was drawn before for it.
 *
 * The input rows x of the group's windows meet the output rows y of its words, label 1, and of its
 * noise words, label 0, RKI_WORD2VEC_OUTPUTS of them at a time, in that order:
 *   s = x . y    g = times rate (label - sigmoid(s))
 *   y += sum g x    x += sum g y    (from old values)
 *   loss = sum over pairs of -times log(label ? sigmoid(s) : sigmoid(-s))
 * where s beyond +-40 counts as +-40. `times` says how often a pair is there: for a word of the group
 * whether x is in its window, for noise how many of the windows x is in. With `cbow` the mean of the
 * window's input rows is the one x, and each of them gets the mean's change times `spread`, or its
 * share where that is 0.
 *
 * Up to `together` groups may be trained at the same time; their changes are all added, none is
 * lost, but in no certain order. With together 1 the groups come one after another. An input row may
 * then be changed in a copy that is shared by the windows next to each other.
 */
#ifndef RKI_BACKEND_WORD2VEC_H
#define RKI_BACKEND_WORD2VEC_H

#include <stdint.h>

enum {
    RKI_WORD2VEC_GROUP = 2,   /* words of a group, at most */
    RKI_WORD2VEC_OUTPUTS = 7, /* output rows that change together */
    RKI_WORD2VEC_TALLY = 4    /* numbers of a block: loss, pairs, words, whether a score was NaN */
};

/* What is the same in all calls of a run. */
typedef struct rki_word2vec {
    int64_t size;   /* rows of either matrix */
    int64_t stride; /* elements from one row to the next, a multiple of 16; columns beyond the
                       dimension are 0 and stay 0 */
    int64_t window, negatives;
    int shrink, cbow;
    double spread;
    int64_t block, halo; /* tokens */
    int64_t blocks;      /* most of a call */
    int64_t together;
} rki_word2vec;

typedef struct rki_word2vec_train {
    rki_word2vec of;
    void *input, *output;         /* [size][stride] */
    const void *keep;             /* int32 [size + 1], without sign; the first is keep[-1] */
    const void *limits, *aliases; /* int32 [size], limits without sign */
    uint32_t key[2], pass;
    int64_t base;          /* place of tokens[0] in the text */
    int64_t count;         /* tokens */
    const int32_t *tokens; /* [count] */
    int64_t begin, end;    /* tokens begin .. end - 1 make up the blocks, the last of which may be
                              short; the others are around them */
    const float *rates;    /* HOST [blocks] learning rates */
    double *tallies;       /* on the DEVICE [blocks][RKI_WORD2VEC_TALLY], written */
    void *scratch;
} rki_word2vec_train;

#endif
