/* Writes a corpus as ids, for pytorch/course.py, which so trains on the same tokens.
 *
 *     export_ids CORPUS IDS VOCAB
 *
 * IDS gets int32, native byte order; VOCAB lines `word count`, one for each id.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rnnkit/rnnkit.h"

enum { PIECE = 65536 };

static void must(int32_t status)
{
    if (status >= RNNKIT_OK) return;
    fprintf(stderr, "export_ids: %s\n", rnnkit_error_message());
    exit(1);
}

static int64_t write_ids(const rnnkit_tokens *tokens, const char *path)
{
    static int32_t ids[PIECE];
    int64_t count;
    FILE *file = fopen(path, "wb");
    int whole = file != NULL;
    must(rnnkit_tokens_size(tokens, &count, NULL));
    for (int64_t first = 0; whole && first < count; first += PIECE) {
        int64_t size = count - first < PIECE ? count - first : PIECE;
        must(rnnkit_tokens_read(tokens, first, ids, size));
        whole = fwrite(ids, sizeof *ids, (size_t)size, file) == (size_t)size;
    }
    if (!whole || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    return count;
}

int main(int argc, char **argv)
{
    rnnkit_context *context;
    rnnkit_tokenizer *tokenizer;
    rnnkit_vocab *vocab;
    rnnkit_tokens *tokens;
    int64_t words;
    if (argc != 4) {
        fprintf(stderr, "usage: %s CORPUS IDS VOCAB\n", argv[0]);
        return 1;
    }
    must(rnnkit_context_create("cpu", NULL, &context));
    must(rnnkit_tokenizer_create(context, "unit=word punctuation=tokens lowercase=1", &tokenizer));
    must(rnnkit_vocab_create(tokenizer, NULL, &vocab));
    must(rnnkit_vocab_push_file(vocab, argv[1]));
    must(rnnkit_vocab_finish(vocab));
    must(rnnkit_tokens_create(vocab, NULL, &tokens));
    must(rnnkit_tokens_push_file(tokens, argv[1]));
    must(rnnkit_tokens_finish(tokens));
    must(rnnkit_vocab_size(vocab, &words, NULL));
    int64_t count = write_ids(tokens, argv[2]);
    must(rnnkit_vocab_save(vocab, argv[3]));
    printf("tokens=%lld words=%lld\n", (long long)count, (long long)words);
    rnnkit_tokens_destroy(tokens);
    rnnkit_vocab_destroy(vocab);
    rnnkit_tokenizer_destroy(tokenizer);
    rnnkit_context_destroy(context);
    return 0;
}
