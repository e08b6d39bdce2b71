/* The table of one set of instructions: each kernels_<set>.c defines RKI_W2V_NAME and includes
 * this. */
#include "word2vec/kernels/copies.h"
#include "word2vec/kernels/draw.h"
#include "word2vec/kernels/kernels.h"
#include "word2vec/kernels/products.h"
#include "word2vec/kernels/window.h"

const rki_w2v_kernels RKI_W2V_NAME = {
    .train = kernel_train,
    .subsample = kernel_subsample,
    .noise = kernel_noise,
    .copy_rows = kernel_copy_rows,
    .subtract_rows = kernel_subtract_rows,
    .add_rows = kernel_add_rows,
    .products = kernel_products,
};
