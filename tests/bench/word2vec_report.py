#!/usr/bin/env python3
"""Makes docs/benchmarks/word2vec.md of what word2vec_peers.sh measured.

word2vec_report.py FOLDER OUTPUT: FOLDER holds speed.tsv, pairs.tsv, whole.tsv, quality.tsv,
versions.txt and minutes.txt, as far as they were measured. What stands in OUTPUT from "## Remarks" on
is written by people, and stays.
"""
import collections
import datetime
import pathlib
import statistics
import sys

NAMES = {
    "ours": "librnnkit", "deterministic": "librnnkit, deterministic", "ours_avx2": "librnnkit, AVX2",
    "ours_portable": "librnnkit, portable", "pword2vec_mkl": "pWord2Vec, MKL",
    "pword2vec_openblas": "pWord2Vec, OpenBLAS", "pword2vec_mkl_avx2": "pWord2Vec, MKL held to AVX2",
    "pword2vec_openblas_avx2": "pWord2Vec, OpenBLAS held to AVX2", "gensim": "gensim (corpus_file)",
    "fasttext": "fastText without subwords", "word2vec_c": "word2vec.c -Ofast"}
PWORD2VEC = ["pword2vec_mkl", "pword2vec_openblas", "pword2vec_mkl_avx2", "pword2vec_openblas_avx2"]
RATIOS = [  # name, ours, the others: the fastest of them counts
    ("librnnkit / the fastest pWord2Vec", "ours", PWORD2VEC), ("librnnkit / gensim", "ours", ["gensim"]),
    ("librnnkit / word2vec.c -Ofast", "ours", ["word2vec_c"]),
    ("librnnkit held to AVX2 / the fastest pWord2Vec held to AVX2", "ours_avx2", PWORD2VEC[2:])]
COLUMNS = [("100", "1"), ("100", "2"), ("300", "1"), ("300", "2")]
MEASURES = ["EN-WS-353-ALL", "EN-MTurk-771", "analogies"]


def rows(path):
    groups = collections.OrderedDict()
    for line in path.read_text().splitlines() if path.exists() else ():
        *key, value = line.split("\t")
        if value:
            groups.setdefault(tuple(key), []).append(float(value))
    return groups


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    flags = next(line for line in text.splitlines() if line.startswith("flags"))
    return f"{model}, {text.count('processor')} cores, {'AVX-512' if ' avx512f ' in flags else 'no AVX-512'}"


def table(head, body):
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for line in body:
        yield "| " + " | ".join(line) + " |"


def speed_rows(groups):
    for tool, name in NAMES.items():
        cells = []
        for column in COLUMNS:
            values = groups.get((tool, *column), [])
            cells.append(f"{statistics.median(values):,.0f} ({', '.join(f'{v:,.0f}' for v in values)})" if values else "-")
        if set(cells) != {"-"}:
            yield [name, *cells]


def spread(ratios):
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def ratio_rows(groups):
    for name, tool, others in RATIOS:
        cells = []
        for column in COLUMNS:
            theirs = [groups[other, *column] for other in others if (other, *column) in groups]
            rounds = [(own, [values[i] for values in theirs if i < len(values)])
                      for i, own in enumerate(groups.get((tool, *column), []))]
            cells.append(spread([own / max(best) for own, best in rounds if best]))
        if set(cells) != {"-"}:
            yield [name, *cells]


def pair_rows(path):
    groups = collections.OrderedDict()
    for line in path.read_text().splitlines():
        dimension, threads, default, deterministic = line.split("\t")
        groups.setdefault((dimension, threads), []).append((float(default), float(deterministic)))
    for (dimension, threads), pairs in groups.items():
        ratios = [slow / fast for fast, slow in pairs]
        yield [f"D {dimension}, {threads} thread{'s' if threads != '1' else ''}",
               f"{statistics.median(p[0] for p in pairs):,.0f}", f"{statistics.median(p[1] for p in pairs):,.0f}",
               spread(ratios), str(len(pairs))]


def whole_rows(path):
    groups = collections.OrderedDict()
    for line in path.read_text().splitlines():
        tool, seconds, peak = line.split("\t")
        groups.setdefault(tool, []).append((float(seconds), float(peak) / 1024))
    for tool, values in groups.items():
        seconds = [v[0] for v in values]
        yield [NAMES[tool], f"{statistics.median(seconds):.1f} ({', '.join(f'{v:.1f}' for v in seconds)})",
               f"{max(v[1] for v in values):.0f}"]


def quality_rows(groups):
    for tool, name in NAMES.items():
        cells = []
        for measure in MEASURES:
            values = [100 * v for key, vs in groups.items() if key[0] == tool and key[2] == measure for v in vs]
            if values:
                cells.append(f"{statistics.mean(values):.1f} ({', '.join(f'{v:.1f}' for v in values)})")
        if cells:
            yield [name, *cells]


def remarks(output):
    text = output.read_text(encoding="utf-8") if output.exists() else ""
    place = text.find("## Remarks\n")
    return [text[place:].rstrip("\n")] if place >= 0 else []


def main(folder, output):
    folder, output = pathlib.Path(folder), pathlib.Path(output)
    heads = [f"D {dimension}, {threads} thread{'s' if threads != '1' else ''}" for dimension, threads in COLUMNS]
    speed, quality = rows(folder / "speed.tsv"), rows(folder / "quality.tsv")
    versions = (folder / "versions.txt").read_text().strip() if (folder / "versions.txt").exists() else ""
    minutes = folder / "minutes.txt"
    took = f" It took {sum(map(int, minutes.read_text().split()))} minutes." if minutes.exists() else ""
    lines = ["# word2vec: speed and quality", "",
             f"Machine: {machine()}. Date: {datetime.date.today()}. Command:",
             f"`tests/bench/word2vec_peers.sh DATA`.{took}", f"{versions}", "",
             "Text: the IMDB reviews, lower-cased, punctuation dropped, shuffled. Skip-gram, window 5, 5 noise words, sample",
             "1e-4, min count 5. All programs in turn, on the same machine and text.", "",
             "## Training alone", "",
             "5 million words, one epoch, thousand words of the vocabulary a second: the median (all rounds). Ratios are",
             "of a round, in which the programs run one after the other: their median, the least and the largest. fastText",
             "tells no time of its own, so reading the text is in its figures.", ""]
    if folder.name == "short":
        lines[2:2] = ["Little text, whatever is said below: this shows that the command works, and measures nothing.", ""]
    lines += table(["thousand words/s", *heads], speed_rows(speed)) if speed else ()
    lines += ["", *table(["ratio", *heads], ratio_rows(speed))]
    if (folder / "pairs.tsv").exists():
        lines += ["", "Deterministic training against the default, one straight after the other, each first in turn: the",
                  "median of the pairs' ratios, the least and the largest.", "",
                  *table(["", "default", "deterministic", "ratio", "pairs"], pair_rows(folder / "pairs.tsv"))]
    if (folder / "whole.tsv").exists():
        lines += ["", "## The whole process", "",
                  "23 million words, one epoch, D 100, 2 threads: reading, vocabulary, training, writing. The median (all",
                  "rounds).", "", *table(["", "seconds", "peak MiB"], whole_rows(folder / "whole.tsv"))]
    if quality:
        lines += ["", "## Quality", "",
                  "23 million words, 5 epochs, D 100, 2 threads: Spearman's rank correlation x 100, and per cent of right answers",
                  "within the first 30,000 words. Mean (each run; word2vec.c and pWord2Vec have no seed to set).", "",
                  *table(["", "WordSim-353", "MTurk-771", "Google analogies"], quality_rows(quality))]
    lines += ["", *remarks(output)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join(lines).rstrip("\n") + "\n", encoding="utf-8")


main(*sys.argv[1:])
