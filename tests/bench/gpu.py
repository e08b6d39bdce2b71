#!/usr/bin/env python3
"""Times librnnkit and PyTorch on a GPU in turns; called by tests/gpu.sh.

    gpu.py --programs FOLDER [--rounds N] [--seconds S] [--tables steps layers words]

Each round runs all of a row, in processes of their own, one directly after the other. Reported are
medians over the rounds, and the ratio of librnnkit's speed to PyTorch's of the same round.

steps: training steps of whole models, in fp32, with TF32, and with bf16 (PyTorch: autocast).
layers: a recurrent layer, forward and backward, in fp32.
words: word2vec on a text that is made up, on the GPU and on the CPU. There is no peer in PyTorch;
what tells whether the vectors are as good is the loss, and the share of words whose nearest word
is of another topic.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WORKLOADS = HERE / "workloads.txt"
PRECISIONS = (("fp32", "full", []), ("TF32", "tf32", ["--tf32"]), ("bf16", "bf16", ["--bf16"]))
# cell, batch, steps, inputs, hidden
LAYERS = (("lstm", 64, 50, 256, 256), ("gru", 64, 50, 256, 256), ("gru", 32, 100, 512, 512),
          ("elman", 64, 50, 256, 256), ("gru", 128, 50, 128, 128), ("lstm", 128, 50, 128, 128),
          ("lstm", 16, 100, 64, 64))
STEPS = ("words", "course", "wide", "medium", "characters")  # workloads
FAILED = []  # commands


def measure(command):
    """The figures that a program prints as key=value; None where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        FAILED.append(command)
        print(f"{' '.join(map(str, command))}: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return dict(pair.split("=", 1) for pair in done.stdout.split())


def pair(ours, peer, key, rounds):
    """Medians of both, and of the ratio of the speeds; `key` is a speed, or a time (in ms)."""
    rows = [(measure(ours), measure(peer)) for _ in range(rounds)]
    rows = [(float(a[key]), float(b[key])) for a, b in rows if a is not None and b is not None]
    if not rows:
        return None
    ratios = [b / a if key.endswith("ms") else a / b for a, b in rows]
    return (*(statistics.median(column) for column in zip(*rows)), statistics.median(ratios))


def print_row(words, figures, form):
    cells = ["failed"] * 3 if figures is None else [form.format(figures[0]), form.format(figures[1]),
                                                    f"**{figures[2]:.2f}**"]
    print("| " + " | ".join([*words, *cells]) + " |", flush=True)


def steps(given):
    print("| training step | precision | librnnkit, words/s | PyTorch, words/s | ratio |\n"
          "| --- | --- | --- | --- | --- |", flush=True)
    for name in STEPS:
        for title, precision, options in PRECISIONS:
            tail = [str(WORKLOADS), name, "1", str(given.seconds)]
            ours = [given.programs / "train_step", *tail, "cuda", precision]
            peer = [sys.executable, str(HERE / "pytorch/train_step.py"), *tail, "--device", "cuda",
                    *options]
            print_row([name, title], pair(ours, peer, "tokens_per_second", given.rounds), "{:,.0f}")


def layers(given):
    print("| layer, batch x steps, hidden | librnnkit, ms | PyTorch, ms | ratio |\n"
          "| --- | --- | --- | --- |", flush=True)
    for cell, batch, length, inputs, hidden in LAYERS:
        words = ["train", cell, *map(str, (batch, length, inputs, hidden)), "-", "full", "1",
                 str(given.seconds)]
        ours = [given.programs / "rnn_step", *words, "f32", "cuda"]
        peer = [sys.executable, str(HERE / "pytorch/rnn_step.py"), *words, "cuda"]
        print_row([f"{cell}, {batch} x {length}, {hidden}"],
                  pair(ours, peer, "step_ms", given.rounds), "{:.3f}")


def words(given):
    print("| word2vec | dimension | words/s | loss | strangers |\n| --- | --- | --- | --- | --- |",
          flush=True)
    for dimension in ("128", "300"):
        for device in ("cuda", "cpu"):
            run = measure([given.programs / "word2vec_train", device, str(given.words), dimension, "0"])
            cells = ["failed", "", ""] if run is None else [
                f"{float(run['words_per_second']):,.0f}", run["loss"], run["strangers"]]
            print("| " + " | ".join([device, dimension, *cells]) + " |", flush=True)


def main():
    tables = {"steps": steps, "layers": layers, "words": words}
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, type=pathlib.Path, help="where they were built")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--words", type=int, default=10_000_000, help="of word2vec's text")
    parser.add_argument("--tables", nargs="+", choices=tables, default=list(tables))
    given = parser.parse_args()
    for place, table in enumerate(given.tables):
        print(end="\n" if place else "")
        tables[table](given)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
