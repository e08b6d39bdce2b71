/* Times word2vec's training on a device, on a text that is made up here, and prints one line of
 * key=value.
 *
 *     word2vec_train DEVICE WORDS DIMENSION THREADS
 *
 * Words follow Zipf's law over VOCABULARY of them, in sentences of LENGTH words out of one of TOPICS
 * topics: word i belongs to topic i % TOPICS. `strangers` is the share of the first ASKED words
 * whose nearest word belongs to another topic: a wrong kernel shows there, as it does in the loss,
 * which is that of the second epoch. Speed counts both epochs from the first step to the last, text
 * on its way to the device included, reading the text not.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rnnkit/rnnkit.h"

enum { VOCABULARY = 30000, TOPICS = 60, LENGTH = 20, ASKED = 600, PIECE = 1 << 20 };

static void must(int32_t status)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "word2vec_train: %s\n", rnnkit_error_message());
    exit(1);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-53;
}

/* A sentence of a topic's words, the frequent ones often: p(rank) ~ 1 / (rank + 1). */
static size_t write_sentence(uint64_t *state, char *to)
{
    int topic = (int)(draw(state) * TOPICS);
    size_t used = 0;
    for (int i = 0; i < LENGTH; i++) {
        int rank = (int)exp(draw(state) * log(VOCABULARY / TOPICS));
        used += (size_t)sprintf(to + used, "%d ", (rank - 1) * TOPICS + topic);
    }
    to[used++] = '\n';
    return used;
}

static char *write_text(int64_t words, size_t *length)
{
    uint64_t state = 1;
    char *text = malloc((size_t)words * 7 + 256 * LENGTH);
    if (text == NULL) exit(1);
    *length = 0;
    for (int64_t i = 0; i < words; i += LENGTH)
        *length += write_sentence(&state, text + *length);
    return text;
}

static double strangers(rnnkit_word2vec *word2vec)
{
    rnnkit_vectors *vectors;
    int wrong = 0;
    must(rnnkit_word2vec_vectors(word2vec, NULL, &vectors));
    for (int i = 0; i < ASKED; i++) {
        char word[16], near[16];
        int32_t id, best;
        int64_t found, needed;
        float score;
        snprintf(word, sizeof word, "%d", i);
        must(rnnkit_vectors_find(vectors, word, -1, &id));
        must(rnnkit_vectors_most_similar(vectors, &id, 1, NULL, 0, NULL, 1, &best, &score, &found));
        must(rnnkit_vectors_word(vectors, best, near, sizeof near, &needed, NULL));
        wrong += atoi(near) % TOPICS != i % TOPICS;
    }
    rnnkit_vectors_destroy(vectors);
    return (double)wrong / ASKED;
}

int main(int argc, char **argv)
{
    rnnkit_context *context;
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_word2vec *word2vec;
    char options[128];
    size_t length;
    int64_t words;
    double loss;
    if (argc != 5) {
        fputs("word2vec_train DEVICE WORDS DIMENSION THREADS\n", stderr);
        return 2;
    }
    char *text = write_text(atoll(argv[2]), &length);
    snprintf(options, sizeof options, "threads=%d seed=1", atoi(argv[4]));
    must(rnnkit_context_create(argv[1], options, &context));
    must(rnnkit_tokenizer_create(context, "punctuation=keep", &tokenizer));
    must(rnnkit_vocab_create(tokenizer, NULL, &vocab));
    must(rnnkit_vocab_push(vocab, text, (int64_t)length));
    must(rnnkit_vocab_finish(vocab));
    snprintf(options, sizeof options, "dimension=%d epochs=2", atoi(argv[3]));
    must(rnnkit_word2vec_create(vocab, options, &word2vec));
    must(rnnkit_word2vec_push(word2vec, text, (int64_t)length));
    must(rnnkit_word2vec_step(word2vec)); /* makes the run: memory, matrices on the device */
    must(rnnkit_word2vec_progress(word2vec, NULL, NULL, &words, NULL, NULL));
    double begin = seconds_now(), before = (double)words;
    must(rnnkit_word2vec_train(word2vec, NULL, NULL));
    double seconds = seconds_now() - begin;
    must(rnnkit_word2vec_progress(word2vec, NULL, NULL, &words, &loss, NULL));
    printf("engine=rnnkit device=%s words_per_second=%.0f seconds=%.3f loss=%.5f strangers=%.3f\n",
        rnnkit_context_device(context), ((double)words - before) / seconds, seconds, loss,
        strangers(word2vec));
    rnnkit_word2vec_destroy(word2vec);
    rnnkit_vocab_destroy(vocab);
    rnnkit_tokenizer_destroy(tokenizer);
    rnnkit_context_destroy(context);
    free(text);
    return 0;
}
