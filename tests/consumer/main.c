/* A user's program: links the installed library and makes a few calls that need what the library
 * stands on (Unicode, back ends). With an argument, that device must open as well. */
#include <rnnkit/rnnkit.h>
#include <stdio.h>
#include <string.h>

static int fails(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, rnnkit_error_message());
    return 1;
}

int main(int argc, char **argv)
{
    rnnkit_context *context;
    rnnkit_tokenizer *tokenizer;
    char tokens[64];
    int64_t needed, count;
    if (strcmp(rnnkit_version(), EXPECTED_VERSION) != 0) return fails("rnnkit_version");
    if (rnnkit_context_create(argc > 1 ? argv[1] : "cpu", NULL, &context) != RNNKIT_OK)
        return fails("rnnkit_context_create");
    if (rnnkit_tokenizer_create(context, "unit=word lowercase=1", &tokenizer) != RNNKIT_OK)
        return fails("rnnkit_tokenizer_create");
    if (rnnkit_tokenizer_split(tokenizer, "\xc3\x84pfel here.", -1, tokens, sizeof tokens, &needed,
            &count) != RNNKIT_OK)
        return fails("rnnkit_tokenizer_split");
    if (count != 3 || strcmp(tokens, "\xc3\xa4pfel") != 0) return fails("tokens");
    rnnkit_tokenizer_destroy(tokenizer);
    printf("%s on %s\n", rnnkit_version(), rnnkit_context_device(context));
    rnnkit_context_destroy(context);
    return 0;
}
