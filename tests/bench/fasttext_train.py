#!/usr/bin/env python3
"""Trains fastText's skip-gram without subwords on a file; prints thousand words a second, of the
whole call (fastText tells no other time), so reading the text is in it.

fasttext_train.py CORPUS DIMENSION THREADS EPOCHS SEED [OUTPUT]; SEED is of no effect
"""
import sys
import time

import fasttext

corpus, dimension, threads, epochs = sys.argv[1], *map(int, sys.argv[2:5])
begun = time.monotonic()
model = fasttext.train_unsupervised(corpus, model="skipgram", dim=dimension, ws=5, neg=5, t=1e-4, minCount=5,
                                    minn=0, maxn=0, lr=0.025, epoch=epochs, thread=threads, verbose=0)
seconds = time.monotonic() - begun
words, counts = model.get_words(include_freq=True)
total = sum(int(count) for word, count in zip(words, counts) if word != "</s>")
print(f"{total * epochs / seconds / 1000:.0f}")
