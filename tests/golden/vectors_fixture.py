#!/usr/bin/env python3
"""Makes the files of tests/golden/test_vectors.c; needs gensim, fasttext (Python) and safetensors, the
program word2vec of this tree, and the programs word2vec, distance (word2vec.c) and fasttext.

    vectors_fixture.py FOLDER OUR_PROGRAM WORD2VEC_C DISTANCE FASTTEXT

gensim.txt gensim.bin      written by gensim's KeyedVectors: words beyond ASCII, numbers at the limits
word2vec_c.txt .bin        trained and written by word2vec.c
fasttext.vec               trained and written by fastText
vectors.safetensors        what gensim reads from each of these: "<file>", and its words in the metadata
rnnkit.txt .bin .vec       what our program makes of gensim.bin; gensim, fastText and word2vec.c's
                           distance read them here, and find the same words and numbers
"""
import pathlib
import subprocess
import sys
import tempfile

import fasttext
import numpy
from gensim.models import KeyedVectors
from safetensors.numpy import save_file

WORDS = ["the", "naïve", "日本", "of", "a_b", "\U0001f600", "x"]
TEXT = "the cat sat on the mat\nthe dog sat on the log\nthe naïve cat saw the dog\n" * 9


def write_gensim(folder):
    values = numpy.random.RandomState(1).randn(len(WORDS), 5).astype(numpy.float32)
    values[0] = [0.0, -0.0, 0.1, 1 / 3, 16777216.0]
    values[1] = [1e-45, 1.17549435e-38, 3.4028235e38, -3.4028235e38, 9.999999e-5]
    vectors = KeyedVectors(vector_size=5)
    vectors.add_vectors(WORDS, values)
    vectors.save_word2vec_format(folder / "gensim.txt", binary=False)
    vectors.save_word2vec_format(folder / "gensim.bin", binary=True)
    return values


def write_others(folder, word2vec_c, fasttext_program):
    with tempfile.TemporaryDirectory() as place:
        text = pathlib.Path(place) / "text"
        text.write_text(TEXT, encoding="utf-8")
        for name, binary in (("word2vec_c.txt", "0"), ("word2vec_c.bin", "1")):
            subprocess.run([word2vec_c, "-train", text, "-output", folder / name, "-size", "6", "-threads", "1",
                            "-binary", binary, "-min-count", "1"], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([fasttext_program, "skipgram", "-input", text, "-output", f"{place}/model", "-dim", "6",
                        "-thread", "1", "-minn", "0", "-maxn", "0", "-bucket", "1", "-minCount", "1"], check=True,
                       stderr=subprocess.DEVNULL)
        (folder / "fasttext.vec").write_bytes(pathlib.Path(f"{place}/model.vec").read_bytes())


def read(path):
    return KeyedVectors.load_word2vec_format(path, binary=path.suffix == ".bin")


def bits(values):
    return numpy.ascontiguousarray(values, dtype=numpy.float32).tobytes()


def check_rnnkit(folder, program, distance, values):
    for name, form in (("rnnkit.txt", "text"), ("rnnkit.bin", "binary"), ("rnnkit.vec", "vec")):
        subprocess.run([program, "convert", "--vectors", folder / "gensim.bin", "--output", folder / name,
                        "--format", form], check=True)
        found = read(folder / name)
        assert found.index_to_key == WORDS, found.index_to_key
        assert bits(found.vectors) == bits(values), name
    # distance reads the binary format, and says where the word stands
    asked = subprocess.run([distance, folder / "rnnkit.bin"], input=b"x\nEXIT\n", stdout=subprocess.PIPE, check=True)
    assert b"Position in vocabulary: 6" in asked.stdout, asked.stdout
    # a training of no effect, whose words start from the file
    with tempfile.TemporaryDirectory() as place:
        (pathlib.Path(place) / "text").write_text("__label__a the\n")
        model = fasttext.train_supervised(f"{place}/text", dim=5, minn=0, maxn=0, bucket=1, lr=0.0, epoch=1, thread=1,
                                          verbose=0, pretrainedVectors=str(folder / "rnnkit.vec"))
        for word, row in zip(WORDS, values):
            numpy.testing.assert_array_equal(model.get_word_vector(word), row)


def main(folder, program, word2vec_c, distance, fasttext_program):
    folder = pathlib.Path(folder)
    values = write_gensim(folder)
    write_others(folder, word2vec_c, fasttext_program)
    tensors, words = {}, {}
    for name in ("gensim.txt", "gensim.bin", "word2vec_c.txt", "word2vec_c.bin", "fasttext.vec"):
        found = read(folder / name)
        tensors[name] = numpy.ascontiguousarray(found.vectors, dtype=numpy.float32)
        words[name] = "\n".join(found.index_to_key)
    assert bits(tensors["gensim.txt"]) == bits(tensors["gensim.bin"]) == bits(values)
    save_file(tensors, folder / "vectors.safetensors", metadata=words)
    check_rnnkit(folder, program, distance, values)


if __name__ == "__main__":
    main(*sys.argv[1:])
