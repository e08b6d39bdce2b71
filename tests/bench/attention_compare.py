#!/usr/bin/env python3
"""Runs attention_step.c and pytorch/attention_step.py in turn and prints the ratios of their times.

    attention_compare.py --program FILE [--rounds N] [--seconds S] [--threads N] [--compile]

A ratio above 1 says how many times faster librnnkit is. It is that of the medians over the rounds;
lowest and highest ratio of a round are given with it. To decode, librnnkit's model is opened with
weights=packed, which gives the same bits as weights=f32.
"""
import argparse
import os
import statistics
import subprocess
import sys

# what, batch, source, target, width, words
WORK = (("attend", 64, 50, 1, 1024, 100), ("attend", 64, 50, 50, 1024, 100),
        ("attend", 64, 14, 14, 512, 100), ("train", 64, 14, 14, 512, 8000),
        ("train", 64, 50, 50, 1024, 8000), ("decode", 1, 14, 14, 512, 8000))


def time_of(command):
    line = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(dict(word.split("=") for word in line.split())["step_ms"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pytorch/attention_step.py")
    print("decode: beam of 5, librnnkit's model opened with weights=packed", flush=True)
    print(f"{'what':8}{'B':>4}{'S':>4}{'T':>4}{'width':>6}{'words':>6}"
          f"{'librnnkit ms':>14}{'PyTorch ms':>12}{'times':>7}  range", flush=True)
    for what, *sizes in WORK:
        words = [what, *map(str, sizes), str(given.threads), str(given.seconds)]
        other = [sys.executable, script, *words, *(["--compile"] if given.compile else [])]
        pairs = [(time_of([given.program, *words]), time_of(other)) for _ in range(given.rounds)]
        own, peer = (statistics.median(times) for times in zip(*pairs))
        ratios = [b / a for a, b in pairs]
        print(f"{what:8}" + "".join(f"{size:>{4 if i < 3 else 6}}" for i, size in enumerate(sizes)) +
              f"{own:14.3f}{peer:12.3f}{peer / own:7.2f}  {min(ratios):.2f} .. {max(ratios):.2f}",
              flush=True)


if __name__ == "__main__":
    main()
