#!/usr/bin/env python3
"""The text of the IMDB reviews as word2vec wants it: one review a line, lower-cased, HTML breaks and
punctuation dropped (apostrophes inside words stay), shuffled with a fixed seed.

imdb_text.py FOLDER OUTPUT [WORDS]: FOLDER holds train.tsv.xz, test.tsv.xz and unlabelled.txt.xz
"""
import lzma
import pathlib
import random
import re
import sys

BREAK = re.compile(r"<br\s*/?>")
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def reviews(folder):
    for name in ("train.tsv.xz", "test.tsv.xz", "unlabelled.txt.xz"):
        with lzma.open(pathlib.Path(folder) / name, "rt", encoding="utf-8") as file:
            for line in file:
                text = line if name.startswith("unlabelled") else line.split("\t", 1)[1]
                yield WORD.findall(BREAK.sub(" ", text).lower())


def main(folder, output, limit=0):
    lines = list(reviews(folder))
    random.Random(1).shuffle(lines)
    words = 0
    with open(output, "w", encoding="utf-8") as file:
        for line in lines:
            if limit and words >= limit:
                break
            file.write(" ".join(line) + "\n")
            words += len(line)
    print(f"{output}: {words} words")


main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
