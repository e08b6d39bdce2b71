/* Reviews and their two labels, from lines `label<TAB>text`, lines `__label__x text`, or a folder
 * of files as aclImdb is one. Which it is, the data themselves tell.
 *
 * Of the two labels the one that is later in the order of bytes is the positive one: 1 of 0 and 1,
 * pos of neg and pos. Text is taken as it is, but that NUL bytes and <br /> become spaces.
 */
#ifndef SENTIMENT_REVIEWS_H
#define SENTIMENT_REVIEWS_H

#include <stddef.h>
#include <stdint.h>

typedef struct review {
    const char *text;
    int64_t length;
    int label; /* 0 or 1; while reading: place in `labels` */
} review;

enum { REVIEW_LABELS = 2, REVIEW_LABEL_SIZE = 64 };

typedef struct reviews {
    review *items;
    size_t count, room;
    char labels[REVIEW_LABELS][REVIEW_LABEL_SIZE]; /* the positive one last */
    int label_count;
    char **texts; /* what the items point into */
    size_t text_count, text_room;
} reviews;

/* `part` is the folder to take of a tree that has train and test. OUTCOME_FAILED after a message
 * that names file and line; reviews_free frees in any case. */
int reviews_read(reviews *target, const char *path, const char *part);

/* OUTCOME_FAILED after a message unless both labels occur. */
int reviews_check_labels(const reviews *source, const char *path);

/* Numbers the labels as a model has them: `labels` are its two. */
int reviews_use_labels(reviews *target, const char *path, const char labels[2][REVIEW_LABEL_SIZE]);

void reviews_free(reviews *target);

/* For readers: takes a text over, adds a review of one. */
int reviews_keep(reviews *target, char *text);
int reviews_add(reviews *target, char *text, int64_t length, const char *label,
    int64_t label_length, const char *path, int64_t line);

/* reviews_tree.c: reads a folder. */
int reviews_read_tree(reviews *target, const char *path, const char *part);

#endif
