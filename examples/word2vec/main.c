/* word2vec: learns word vectors from text, and answers questions about them. */
#include <rnnkit/rnnkit.h>

#include "../common/program.h"
#include "commands.h"

int main(int count, char **words)
{
    static const program_command commands[] = {
        {"train", "learn vectors from text", COMMAND_TRAIN, train_command},
        {"nearest", "words that are used alike", COMMAND_NEAREST, nearest_command},
        {"analogy", "a is to b as c is to ...", COMMAND_ANALOGY, analogy_command},
        {"doesnt-match", "the word that goes least with the others", COMMAND_DOESNT_MATCH,
            doesnt_match_command},
        {"evaluate", "compare with people's judgement", COMMAND_EVALUATE, evaluate_command},
        {"convert", "write the vectors in another format", COMMAND_CONVERT, convert_command},
        {"map", "draw the most frequent words", COMMAND_MAP, map_command},
    };
    settings values = {0};
    program self = {.name = "word2vec",
        .about = "Learns word vectors from text, and answers questions about them.",
        .example = "  word2vec train --corpus text.txt --output vectors.txt\n"
                   "  word2vec nearest --vectors vectors.txt king\n",
        .commands = commands,
        .command_count = sizeof commands / sizeof *commands,
        .rows = settings_rows,
        .row_count = settings_row_count,
        .values = &values,
        .loose = "words"};

    return program_main(&self, count, words);
}
