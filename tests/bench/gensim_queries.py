#!/usr/bin/env python3
"""Nearest words by gensim, as word2vec_queries.c times them: gensim_queries.py WORDS DIMENSION THREADS

Random vectors, the best of ten rounds: most_similar of one word, and, as gensim has no batches,
64 vectors at once by NumPy: one product of matrices, and the ten largest of each row. With one thread
it is processor time that counts."""
import os
import sys
import time

words, dimension = int(sys.argv[1]), int(sys.argv[2])
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = sys.argv[3]

import gensim  # noqa: E402
import numpy  # noqa: E402

ROUNDS, TOP, BATCH = 10, 10, 64


def best(call):
    times, now = [], time.process_time if sys.argv[3] == "1" else time.perf_counter
    for _ in range(ROUNDS):
        begun = now()
        call()
        times.append(now() - begun)
    return min(times)


def many(units, queries):
    scores = queries @ units.T
    nearest = numpy.argpartition(scores, -TOP, axis=1)[:, -TOP:]
    order = numpy.argsort(-numpy.take_along_axis(scores, nearest, 1), axis=1)
    return numpy.take_along_axis(nearest, order, 1)


vectors = gensim.models.KeyedVectors(dimension, dtype=numpy.float32)
vectors.add_vectors([f"w{i}" for i in range(words)],
                    numpy.random.default_rng(1).random((words, dimension), numpy.float32) * 2 - 1)
vectors.fill_norms()
one = best(lambda: vectors.most_similar("w7", topn=TOP))
units = vectors.get_normed_vectors()
batch = best(lambda: many(units, units[:BATCH]))
print(f"gensim {gensim.__version__}: one {1e3 * one:.2f} ms {1 / one:.1f}/s   NumPy {numpy.__version__}: "
      f"{BATCH} at once {1e3 * batch / BATCH:.3f} ms each {BATCH / batch:.1f}/s")
