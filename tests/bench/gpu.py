#!/usr/bin/env python3
"""Times training steps on a GPU, librnnkit's and PyTorch's in turns; called by tests/gpu.sh.

Each round runs all of them, in processes of their own, one directly after the other. Reported are
medians over the rounds, and the ratio of librnnkit's speed to PyTorch's of the same round. PyTorch
runs twice: in fp32 as librnnkit does, and with TF32 in cuDNN and matrix products.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WORKLOADS = HERE / "workloads.txt"


def names():
    lines = WORKLOADS.read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line and line[0] != "#"]


def tokens_per_second(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    pairs = dict(pair.split("=", 1) for pair in done.stdout.split())
    return float(pairs["tokens_per_second"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, help="the built train_step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--workloads", nargs="+", default=names())
    given = parser.parse_args()
    print("| workload | librnnkit, words/s | PyTorch fp32 | PyTorch TF32 | ratio to fp32 | "
          "ratio to TF32 |\n| --- | --- | --- | --- | --- | --- |", flush=True)
    for name in given.workloads:
        tail = [str(WORKLOADS), name, "1", str(given.seconds)]
        peer = [sys.executable, str(HERE / "pytorch/train_step.py"), *tail, "--device", "cuda"]
        commands = [[given.program, *tail, "cuda"], peer, [*peer, "--tf32"]]
        rounds = [[tokens_per_second(command) for command in commands]
                  for _ in range(given.rounds)]
        ours, fp32, tf32 = (statistics.median(column) for column in zip(*rounds))
        to_fp32, to_tf32 = (statistics.median(one[0] / one[place] for one in rounds)
                            for place in (1, 2))
        print(f"| {name} | {ours:,.0f} | {fp32:,.0f} | {tf32:,.0f} | **{to_fp32:.2f}** | "
              f"{to_tf32:.2f} |", flush=True)


if __name__ == "__main__":
    main()
