#!/usr/bin/env python3
"""Recurrent layers against PyTorch: rnn_step and pytorch/rnn_step.py in turns, and the ratio.

    rnn_compare.py --program rnn_step [--threads N] [--rounds N] [--seconds S]

One line a workload: median of the rounds' times of both, and of their ratios with the extremes; above
1, rnnkit is faster. Run with a Python that has torch.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys

WORKLOADS = [  # what, cell, batch, steps, inputs, hidden, options, lengths
    ("train", "lstm", 64, 35, 256, 256, "-", "full"),
    ("train", "lstm", 32, 50, 512, 512, "-", "full"),
    ("train", "gru", 64, 35, 256, 256, "-", "full"),
    ("train", "gru", 32, 50, 512, 512, "-", "full"),
    ("train", "gru", 32, 100, 64, 64, "-", "full"),
    ("train", "elman", 64, 35, 256, 256, "-", "full"),
    ("train", "lstm", 64, 100, 128, 128, "bidirectional=1", "mixed"),
    ("train", "gru", 64, 100, 128, 128, "bidirectional=1", "mixed"),
    ("train", "lstm", 32, 50, 256, 256, "projection=128", "full"),
    ("run", "lstm", 64, 35, 256, 256, "-", "full"),
    ("run", "gru", 64, 35, 256, 256, "-", "full"),
]
HERE = pathlib.Path(__file__).parent


def milliseconds(command):
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(re.search(r"step_ms=([\d.]+)", done.stdout)[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1)
    given = parser.parse_args()
    peer = [sys.executable, str(HERE / "pytorch/rnn_step.py")]
    for workload in WORKLOADS:
        words = [*map(str, workload), str(given.threads), str(given.seconds)]
        ours, theirs = [], []
        for _ in range(given.rounds):
            ours.append(milliseconds([given.program, *words]))
            theirs.append(milliseconds([*peer, *words]))
        ratios = [b / a for a, b in zip(ours, theirs)]
        print(f"{' '.join(map(str, workload))}: rnnkit {statistics.median(ours):.2f} ms, PyTorch "
              f"{statistics.median(theirs):.2f} ms, ratio {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


if __name__ == "__main__":
    main()
