/* Every operation of the table, with the shapes that it is tried on. */
#ifndef PARITY_OPERATIONS_H
#define PARITY_OPERATIONS_H

#include "bench.h"

extern const operation operations[];
extern const int operation_count;

/* Those that rki_precision changes. */
extern const operation narrow_operations[];
extern const int narrow_operation_count;

/* run_matrix.c */
enum { GEMM_SHAPES = 164, ADD_SCALED_SHAPES = 24, COLUMN_SUM_SHAPES = 24 };
void run_gemm(bench *b, int shape);
void run_add_scaled(bench *b, int shape);
void run_column_sum(bench *b, int shape);

/* run_embedding.c */
enum { GATHER_SHAPES = 24, SCATTER_SHAPES = 24 };
void run_gather(bench *b, int shape);
void run_scatter(bench *b, int shape);

/* run_formats.c: as many shapes as with plain weights */
void run_gemm_bf16(bench *b, int shape);
void run_gemm_int8(bench *b, int shape);
void run_gemm_packed(bench *b, int shape);
void run_gather_bf16(bench *b, int shape);
void run_gather_int8(bench *b, int shape);
void run_gather_packed(bench *b, int shape);
void run_gather_packed_bf16(bench *b, int shape);
void run_recurrent_bf16(bench *b, int shape);
void run_recurrent_int8(bench *b, int shape);
void run_recurrent_packed(bench *b, int shape);
void run_step_bf16(bench *b, int shape);
void run_step_int8(bench *b, int shape);
void run_step_packed(bench *b, int shape);
void run_softmax_bf16(bench *b, int shape);
void run_softmax_int8(bench *b, int shape);
void run_softmax_packed(bench *b, int shape);

/* run_dropout.c */
enum { DROPOUT_SHAPES = 40 };
void run_dropout(bench *b, int shape);

/* run_recurrent.c */
enum { RECURRENT_SHAPES = 420, STEP_SHAPES = 120, POOL_SHAPES = 63 };
void run_recurrent(bench *b, int shape);
void run_recurrent_step(bench *b, int shape);
void run_pool(bench *b, int shape);

/* run_large.c */
enum { RECURRENT_LARGE_SHAPES = 24 };
void run_recurrent_large(bench *b, int shape);

/* run_softmax_loss.c */
enum { SOFTMAX_LOSS_SHAPES = 60 };
void run_softmax_loss(bench *b, int shape);

/* run_pointwise_loss.c */
enum { POINTWISE_LOSS_SHAPES = 48 };
void run_pointwise_loss(bench *b, int shape);

/* run_negative_sampling.c */
enum { NEGATIVE_SAMPLING_SHAPES = 48 };
void run_negative_sampling(bench *b, int shape);

/* run_update.c */
enum { UPDATE_SHAPES = 72, SQUARE_SUM_SHAPES = 24 };
void run_update(bench *b, int shape);
void run_square_sum(bench *b, int shape);

/* run_attention.c */
enum { ATTENTION_SHAPES = 90 };
void run_attention(bench *b, int shape);

/* run_decoding.c */
enum { CELL_SHAPES = 50, TANH_SHAPES = 24, TOP_SHAPES = 40 };
void run_cell(bench *b, int shape);
void run_tanh(bench *b, int shape);
void run_top(bench *b, int shape);

/* run_norm.c */
enum { NORM_SHAPES = 50, RELU_SHAPES = 24 };
void run_norm(bench *b, int shape);
void run_relu(bench *b, int shape);

/* run_word2vec.c */
enum { WORD2VEC_SHAPES = 90 };
void run_word2vec(bench *b, int shape);
int word2vec_offered(const rki_backend *ops);

#endif
