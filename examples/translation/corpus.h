/* Sentences and their translations: two texts, line by line. */
#ifndef TRANSLATION_CORPUS_H
#define TRANSLATION_CORPUS_H

#include <stddef.h>
#include <stdint.h>

enum { SOURCE, TARGET, SIDES };

typedef struct line {
    const char *text; /* without its line feed; no NUL behind it */
    int64_t length;
} line;

typedef struct corpus {
    const char *names[SIDES]; /* of the files, for messages */
    char *texts[SIDES];
    line *lines[SIDES];
    size_t count; /* lines of each */
} corpus;

/* Reads both files; - is standard input, for one of them. OUTCOME_FAILED after a message that names
 * the first line without a partner; corpus_free frees in any case. */
int corpus_read(corpus *target, const char *source_path, const char *target_path);
void corpus_free(corpus *target);

/* 1 when marks mostly stand by themselves, between spaces: the text is tokenised already. */
int corpus_is_tokenised(const corpus *source);

#endif
