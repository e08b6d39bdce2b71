#!/usr/bin/env python3
"""Makes docs/benchmarks/word2vec.md of what word2vec_peers.sh measured.

word2vec_report.py FOLDER OUTPUT: FOLDER holds speed.tsv, whole.tsv and quality.tsv
"""
import collections
import datetime
import pathlib
import statistics
import sys

NAMES = {"ours": "librnnkit", "capped": "librnnkit, AVX2", "deterministic": "librnnkit, deterministic",
         "gensim": "gensim (corpus_file)", "theirs": "word2vec.c -Ofast"}


def rows(path):
    groups = collections.OrderedDict()
    for line in path.read_text().splitlines():
        *key, value = line.split("\t")
        if value:
            groups.setdefault(tuple(key), []).append(float(value))
    return groups


def machine():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = next(line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name"))
    return f"{model}, {text.count('processor')} cores"


def speed_table(groups):
    columns = [("100", "1"), ("100", "2"), ("300", "1"), ("300", "2")]
    yield "| thousand words/s | D 100, 1 thread | D 100, 2 threads | D 300, 1 thread | D 300, 2 threads |"
    yield "| --- | --- | --- | --- | --- |"
    for tool, name in NAMES.items():
        cells = []
        for column in columns:
            values = groups.get((tool, *column), [])
            cells.append(f"{statistics.median(values):,.0f} [{min(values):,.0f} .. {max(values):,.0f}]"
                         if values else "-")
        yield f"| {name} | " + " | ".join(cells) + " |"
    for tool in ("gensim", "theirs"):
        cells = []
        for column in columns:
            ours, other = groups.get(("ours", *column)), groups.get((tool, *column))
            cells.append(f"{statistics.median(ours) / statistics.median(other):.1f}" if ours and other else "-")
        yield f"| librnnkit / {NAMES[tool]} | " + " | ".join(cells) + " |"


def quality_table(groups):
    measures = ["EN-WS-353-ALL", "EN-MTurk-771", "analogies"]
    yield "| x 100 | WordSim-353 | MTurk-771 | Google analogies |"
    yield "| --- | --- | --- | --- |"
    for tool, name in NAMES.items():
        cells = []
        for measure in measures:
            values = [100 * v for key, vs in groups.items() if key[0] == tool and key[2] == measure for v in vs]
            if values:
                cells.append(f"{statistics.mean(values):.1f} (" + ", ".join(f"{v:.1f}" for v in values) + ")")
        if cells:
            yield f"| {name} | " + " | ".join(cells) + " |"


def main(folder, output):
    folder = pathlib.Path(folder)
    lines = ["# word2vec: speed and quality", "",
             f"Machine: {machine()}. Date: {datetime.date.today()}. Command: "
             "`tests/bench/word2vec_peers.sh DATA`.", "",
             "Text: IMDB reviews, lower-cased, punctuation dropped. Skip-gram, window 5, 5 noise words, "
             "sample 1e-4, min count 5.", "",
             "## Training alone", "",
             "5 million words, one epoch; median of the rounds [least .. most].", ""]
    lines += speed_table(rows(folder / "speed.tsv"))
    lines += ["", "## The whole process", "",
              "23 million words, one epoch, D 100, 2 threads: reading, vocabulary, training, writing.", "",
              "| | seconds | peak MiB |", "| --- | --- | --- |"]
    whole = collections.OrderedDict()
    for line in (folder / "whole.tsv").read_text().splitlines():
        tool, seconds, peak = line.split("\t")
        whole.setdefault(tool, []).append((float(seconds), float(peak) / 1024))
    for tool, values in whole.items():
        lines.append(f"| {NAMES[tool]} | {statistics.median(v[0] for v in values):.1f} | "
                     f"{statistics.median(v[1] for v in values):.0f} |")
    quality = rows(folder / "quality.tsv")
    if quality:
        lines += ["", "## Quality", "",
                  "23 million words, 5 epochs, D 100, 2 threads: Spearman's rank correlation, and share of "
                  "right answers within the first 30,000 words. Mean (each seed; word2vec.c has none).", ""]
        lines += quality_table(quality)
    pathlib.Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")


main(*sys.argv[1:])
