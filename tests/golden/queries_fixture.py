#!/usr/bin/env python3
"""Makes the files of tests/golden/test_queries.c; needs gensim and safetensors.

    queries_fixture.py FOLDER

queries.vec           words in both cases, with vectors of which some are sums of others
queries_pairs.txt     word pairs with people's scores, and lines that are none
queries_analogies.txt analogies in sections
queries.safetensors   what gensim's KeyedVectors answer, float64; ids are places in the file:
  question.<i>.positive, .negative; question.<i>.<add.0|add.20|mul.0>.ids, .scores: by sum, within the
    first 20 words, by product (where gensim does not restrict)
  vector.ids, .scores: similar_by_vector of `vector.query`
  pairs [n][2], pairs.similarity, pairs.rank
  lists.<i>, lists.<i>.odd (its place in the list); lists.similarity: n_similarity of lists 0 and 1
  evaluate.pairs.<all|restrict|wrong>: Pearson, Spearman, share of unknown words
  evaluate.analogies.<all|restrict>: right and answered of each section, then of all
"""
import pathlib
import sys

import numpy
from gensim.models import KeyedVectors
from safetensors.numpy import save_file

WIDTH, TOP, RESTRICT = 8, 7, 20
KINDS = ["king queen", "man woman", "actor Actress", "son daughter", "uncle aunt", "he she"]
OTHERS = "Paris France Rome Italy Oslo Norway the of red blue seven EIGHT good bad naïve 日本 x y".split()
QUESTIONS = [(["king"], []), (["king", "woman"], ["man"]), (["Paris", "Italy", "of"], ["France", "red"]),
             (["x"], ["good", "y"])]
LISTS = [["king", "man", "son", "red"], ["queen", "woman"], ["Paris", "Rome", "seven", "Oslo", "x"]]
PAIRS = """# people's scores
king\tqueen\t8.5
king\tman\t6
KING\tred\t0.5
actor\tactress\t9
seven\teight\t7.25
good\tunheard\t5
paris\trome\t7.5
x\ty\t1
nonsense
"""
ANALOGIES = """: family
man woman king queen
man woman actor actress
Son Daughter Uncle Aunt
: cities
Paris France Rome Italy
Rome Italy Oslo Norway
Oslo Norway Unheard Norway
: odd
the of red blue
"""


def make_words():
    draws = numpy.random.RandomState(3)
    words, rows = [], []
    step = draws.randn(WIDTH)
    for pair in KINDS:
        base = draws.randn(WIDTH)
        for word, row in zip(pair.split(), (base, base + step + 0.3 * draws.randn(WIDTH))):
            words.append(word)
            rows.append(row)
    for word in OTHERS:
        words.append(word)
        rows.append(draws.randn(WIDTH) * 2)
    return words, numpy.array(rows, dtype=numpy.float32)


def questions(vectors, tensors):
    for i, (positive, negative) in enumerate(QUESTIONS):
        name = f"question.{i}"
        for part, list_of in (("positive", positive), ("negative", negative)):
            tensors[f"{name}.{part}"] = [vectors.key_to_index[word] for word in list_of]
        for case, call, limit in (("add.0", vectors.most_similar, None), ("add.20", vectors.most_similar, RESTRICT),
                                  ("mul.0", vectors.most_similar_cosmul, None)):
            found = call(positive=positive, negative=negative, topn=TOP, restrict_vocab=limit)
            tensors[f"{name}.{case}.ids"] = [vectors.key_to_index[word] for word, _ in found]
            tensors[f"{name}.{case}.scores"] = numpy.array([score for _, score in found], numpy.float64)
    query = numpy.random.RandomState(4).randn(WIDTH).astype(numpy.float32)
    found = vectors.similar_by_vector(query, topn=TOP)
    tensors["vector.query"] = query
    tensors["vector.ids"] = [vectors.key_to_index[word] for word, _ in found]
    tensors["vector.scores"] = numpy.array([score for _, score in found], numpy.float64)


def words_and_lists(vectors, tensors):
    pairs = [(a, b) for a in (0, 5, 13) for b in (1, 7, 20, 29)]
    name = vectors.index_to_key
    tensors["pairs"] = pairs
    tensors["pairs.similarity"] = numpy.array([vectors.similarity(name[a], name[b]) for a, b in pairs], numpy.float64)
    tensors["pairs.rank"] = [vectors.rank(name[a], name[b]) for a, b in pairs]
    for i, words in enumerate(LISTS):
        tensors[f"lists.{i}"] = [vectors.key_to_index[word] for word in words]
        tensors[f"lists.{i}.odd"] = [words.index(vectors.doesnt_match(words))]
    tensors["lists.similarity"] = numpy.array([vectors.n_similarity(LISTS[0], LISTS[1])], numpy.float64)


def evaluation(vectors, folder, tensors):
    (folder / "queries_pairs.txt").write_text(PAIRS, encoding="utf-8")
    (folder / "queries_analogies.txt").write_text(ANALOGIES, encoding="utf-8")
    for case, options in (("all", {}), ("restrict", {"restrict_vocab": RESTRICT}), ("wrong", {"dummy4unknown": True})):
        pearson, spearman, unknown = vectors.evaluate_word_pairs(folder / "queries_pairs.txt", **options)
        tensors[f"evaluate.pairs.{case}"] = numpy.array([pearson[0], spearman[0], unknown / 100], numpy.float64)
    for case, options in (("all", {}), ("restrict", {"restrict_vocab": RESTRICT})):
        _, sections = vectors.evaluate_word_analogies(folder / "queries_analogies.txt", **options)
        counts = [(len(found["correct"]), len(found["correct"]) + len(found["incorrect"])) for found in sections]
        tensors[f"evaluate.analogies.{case}"] = counts


def main(folder):
    folder, tensors = pathlib.Path(folder), {}
    words, values = make_words()
    made = KeyedVectors(WIDTH)
    made.add_vectors(words, values)
    made.save_word2vec_format(folder / "queries.vec")
    vectors = KeyedVectors.load_word2vec_format(folder / "queries.vec")
    assert vectors.index_to_key == words and (vectors.vectors == values).all()
    questions(vectors, tensors)
    words_and_lists(vectors, tensors)
    evaluation(vectors, folder, tensors)
    save_file({name: value if isinstance(value, numpy.ndarray) else numpy.array(value, numpy.int64)
               for name, value in tensors.items()}, folder / "queries.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])
