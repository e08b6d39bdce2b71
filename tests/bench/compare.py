#!/usr/bin/env python3
"""Runs train_step and pytorch/train_step.py in turns and reports ratios; called by run.sh.

Each round times both, in processes of their own, one directly after the other, and changes which of
them is first; a ratio is of two runs of the same round, so that what slows the machine for a while
slows both. Reported are medians over the rounds, and the least and greatest ratio.
"""
import argparse
import datetime
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORKLOADS = HERE / "workloads.txt"


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True, help="the built train_step")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--workloads", nargs="+", default=list(shapes()))
    parser.add_argument("--out", default=str(ROOT / "docs/benchmarks/training.md"))
    return parser.parse_args()


def shapes():
    """The rest of each workload's line, by its name."""
    lines = (line.split(None, 1) for line in WORKLOADS.read_text(encoding="utf-8").splitlines())
    return {line[0]: " ".join(line[1].split()) for line in lines if line and line[0][0] != "#"}


def run_one(command):
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    pairs = dict(pair.split("=", 1) for pair in done.stdout.split())
    return {key: float(pairs[key]) for key in ("tokens_per_second", "peak_mib", "base_mib")}


def run_rounds(given, name, threads):
    tail = [str(WORKLOADS), name, str(threads), str(given.seconds)]
    commands = {"rnnkit": [given.program, *tail],
                "pytorch": [sys.executable, str(HERE / "pytorch/train_step.py"), *tail]}
    rounds = []
    for number in range(given.rounds):
        order = sorted(commands, reverse=number % 2 == 1)
        rounds.append({engine: run_one(commands[engine]) for engine in order})
        speed = {engine: rounds[-1][engine]["tokens_per_second"] for engine in commands}
        print(f"{name}, {threads} threads, round {number + 1}: rnnkit {speed['rnnkit']:.0f}, "
              f"PyTorch {speed['pytorch']:.0f} tokens/s, ratio "
              f"{speed['rnnkit'] / speed['pytorch']:.2f}", flush=True)
    return rounds


def row(name, rounds):
    def median(engine, key):
        return statistics.median(one[engine][key] for one in rounds)
    ratios = [one["rnnkit"]["tokens_per_second"] / one["pytorch"]["tokens_per_second"]
              for one in rounds]
    extra = statistics.median(one["pytorch"]["peak_mib"] - one["pytorch"]["base_mib"]
                              for one in rounds)
    return (f"| {name} | {median('rnnkit', 'tokens_per_second'):,.0f} | "
            f"{median('pytorch', 'tokens_per_second'):,.0f} | **{statistics.median(ratios):.2f}** | "
            f"{min(ratios):.2f} to {max(ratios):.2f} | {median('rnnkit', 'peak_mib'):.0f} | "
            f"{median('pytorch', 'peak_mib'):.0f} | {extra:.0f} |")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def versions(program):
    import torch
    library = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return ([line for line in library.splitlines() if "not usable" not in line] +
            [f"PyTorch {torch.__version__}: {torch.backends.cpu.get_cpu_capability()}, "
             f"MKL {torch.backends.mkl.is_available()}, oneDNN {torch.backends.mkldnn.is_available()}"])


INTRODUCTION = """\
# Training speed against PyTorch

Written by `tests/bench/run.sh`. A training step is embedding, LSTM layers, linear and cross-entropy,
backward, clipping by norm, and Adam, which moves every row of the embedding, on the same shapes in
both. PyTorch runs eagerly, with its fused Adam, which is faster than its default one. A figure is
the words a second of the median step. Each round runs both directly after one another; *ratio* is
the median, over the rounds, of librnnkit's speed divided by PyTorch's, *spread* the least and the
greatest. *Peak* is the most memory that the process had; the last column is PyTorch's without what
it had after `import torch`.
"""


def page(given, tables):
    known = shapes()
    command = "tests/bench/run.sh " + shlex.join(sys.argv[3:])
    lines = [INTRODUCTION, f"- date: {datetime.date.today()}",
             f"- machine: {processor()}, {os.cpu_count()} processors, {platform.system()}",
             f"- command: `{command.strip()}`", f"- rounds: {given.rounds}", "",
             "```text", *versions(given.program), "```", "", "Workloads:", "",
             "```text", *[f"{name} {known[name]}" for name in given.workloads], "```"]
    for threads, rows in tables.items():
        lines += ["", f"## {threads} thread{'s' if threads > 1 else ''}", "",
                  "| workload | librnnkit, words/s | PyTorch, words/s | ratio | spread | "
                  "librnnkit, peak MiB | PyTorch, peak MiB | without import |",
                  "| --- | --- | --- | --- | --- | --- | --- | --- |", *rows]
    return "\n".join(lines) + "\n"


def main():
    given = arguments()
    tables = {threads: [row(name, run_rounds(given, name, threads)) for name in given.workloads]
              for threads in given.threads}
    out = pathlib.Path(given.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(given, tables), encoding="utf-8")
    print(f"written: {out}")


if __name__ == "__main__":
    main()
