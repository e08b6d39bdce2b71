/* The options of word2vec. See word2vec.h. */
#include <stddef.h>

#include "base/context.h"
#include "base/threads.h"
#include "word2vec/word2vec.h"

#define AT(field) offsetof(rki_w2v_settings, field)

static const rki_option rows[] = {
    {"dimension", RKI_OPTION_INTEGER, AT(dimension), 1, 65536, "100", NULL, "0.1",
        "numbers in a vector"},
    {"window", RKI_OPTION_INTEGER, AT(window), 1, 1000, "5", NULL, "0.1",
        "most words to each side that a word is trained with"},
    {"shrink", RKI_OPTION_FLAG, AT(shrink), 0, 1, "1", NULL, "0.1",
        "1: each word's window is drawn from 1 to window; 0: it is window"},
    {"negative", RKI_OPTION_INTEGER, AT(negative), 1, 1000, "5", NULL, "0.1",
        "noise words drawn for each window"},
    {"power", RKI_OPTION_NUMBER, AT(power), -10, 10, "0.75", NULL, "0.1",
        "noise words are drawn in proportion to count^power"},
    {"sample", RKI_OPTION_NUMBER, AT(sample), 0, 1, "0.001", NULL, "0.1",
        "share of the text from which on a word is thinned out; 0: all words are kept"},
    {"subsampling", RKI_OPTION_CHOICE, AT(subsampling), 0, 0, "word2vec", "word2vec|paper", "0.1",
        "a word of share f is kept with probability sqrt(sample/f) + sample/f, or the paper's "
        "sqrt(sample/f)"},
    {"epochs", RKI_OPTION_INTEGER, AT(epochs), 1, 1 << 20, "5", NULL, "0.1",
        "passes over the text"},
    {"lr", RKI_OPTION_NUMBER, AT(lr), 0, 100, "0", NULL, "0.1",
        "learning rate at the start; 0: 0.025, for cbow 0.05"},
    {"min_lr", RKI_OPTION_NUMBER, AT(min_lr), -1, 100, "-1", NULL, "0.1",
        "least learning rate of the linear descent; -1: lr / 10000"},
    {"architecture", RKI_OPTION_CHOICE, AT(architecture), 0, 0, "skipgram", "skipgram|cbow", "0.1",
        "a word's neighbours are trained one by one, or as their mean"},
    {"cbow_gradient", RKI_OPTION_CHOICE, AT(cbow_gradient), 0, 0, "mean", "mean|word2vec", "0.1",
        "cbow: each neighbour gets its part of the mean's gradient, or all of it as in word2vec.c"},
    {"sentence", RKI_OPTION_CHOICE, AT(sentence), 0, 0, "line", "line|text", "0.1",
        "windows end at line feeds, or only where a file or the text ends"},
    {"seed", RKI_OPTION_INTEGER, AT(seed), -1, 0x1p53, "-1", NULL, "0.1",
        "of all random choices; -1: the context's"},
    {"threads", RKI_OPTION_INTEGER, AT(threads), 0, 1024, "0", NULL, "0.1", "0: the context's"},
    {"deterministic", RKI_OPTION_FLAG, AT(deterministic), 0, 1, "0", NULL, "0.1",
        "1: the same bits for every number of threads"},
    {"memory", RKI_OPTION_INTEGER, AT(memory), 0, 1 << 24, "4096", NULL, "0.1",
        "MiB of ids (4 bytes each) held in memory; what is beyond goes to a file"},
    {"folder", RKI_OPTION_TEXT, AT(folder), 0, 0, "", NULL, "0.1",
        "where that file is made; empty: TMPDIR, else /tmp"},
};

#undef AT

const rki_option_table rki_w2v_options_table = {"word2vec", rows, sizeof rows / sizeof *rows};

/* Fills in what the options leave open. */
static int32_t complete(const rnnkit_context *context, rki_w2v_settings *settings)
{
    if (settings->seed < 0) settings->seed = context->seed;
    if (settings->lr == 0) settings->lr = settings->architecture == RKI_W2V_CBOW ? 0.05 : 0.025;
    if (settings->min_lr < 0) settings->min_lr = settings->lr / 10000;
    if (settings->min_lr > settings->lr)
        return rki_fail(
            RNNKIT_E_OPTION, "option min_lr=%g is above lr=%g", settings->min_lr, settings->lr);
    settings->threads =
        settings->threads == 0 ? context->threads : rki_threads_resolve(settings->threads);
    return RNNKIT_OK;
}

int32_t rki_w2v_settings_read(
    const rnnkit_context *context, const char *options, rki_w2v_settings *settings)
{
    RKI_TRY(rki_options_parse(&rki_w2v_options_table, options, settings));
    return complete(context, settings);
}

int32_t rki_w2v_settings_change(
    const rnnkit_context *context, const char *options, rki_w2v_settings *settings)
{
    RKI_TRY(rki_options_apply(&rki_w2v_options_table, options, settings));
    return complete(context, settings);
}

int32_t rki_w2v_settings_course(
    const rki_w2v_settings *settings, const rki_memory *memory, char **text)
{
    rki_w2v_settings course = *settings;
    course.threads = 0;
    course.memory = 4096;
    course.folder[0] = '\0';
    return rki_options_format(&rki_w2v_options_table, &course, memory, text);
}
