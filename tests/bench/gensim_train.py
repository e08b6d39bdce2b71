#!/usr/bin/env python3
"""Trains gensim's Word2Vec on a file; prints thousand words a second (training alone).

gensim_train.py CORPUS DIMENSION THREADS EPOCHS SEED [OUTPUT]
"""
import sys
import time

from gensim.models import Word2Vec

corpus, dimension, threads, epochs, seed = sys.argv[1], *map(int, sys.argv[2:6])
model = Word2Vec(vector_size=dimension, window=5, negative=5, sample=1e-4, min_count=5, sg=1,
                 workers=threads, seed=seed, epochs=epochs)
model.build_vocab(corpus_file=corpus)
begun = time.monotonic()
model.train(corpus_file=corpus, total_words=model.corpus_total_words,
            total_examples=model.corpus_count, epochs=epochs)
seconds = time.monotonic() - begun
words = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key)
print(f"{words * epochs / seconds / 1000:.0f}")
if len(sys.argv) > 6:
    model.wv.save_word2vec_format(sys.argv[6], binary=True)
