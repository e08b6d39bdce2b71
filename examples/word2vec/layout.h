/* Vectors laid out in a plane, so that near ones stay near. */
#ifndef WORD2VEC_LAYOUT_H
#define WORD2VEC_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

/* points[count][width] of length 1 to plane[count][2]; 0 when memory is short. */

/* The two directions of greatest variance (Pearson 1901), by power iteration. */
int layout_pca(const float *points, size_t count, size_t width, double *plane);

/* t-SNE (van der Maaten and Hinton, JMLR 2008), exact; starts from what `plane` holds. */
int layout_tsne(const float *points, size_t count, size_t width, double *plane);

#endif
