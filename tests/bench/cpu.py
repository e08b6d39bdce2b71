#!/usr/bin/env python3
"""Times librnnkit beside other libraries on this machine's processors; called by run.sh.

Each round runs all of a row, in processes of their own, one directly after the other, and begins with
another one; a ratio is of two runs of the same round, so that what slows the machine for a while slows
both. Before a row is timed, the libraries' results are compared with librnnkit's.
"""
import argparse
import datetime
import math
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys

import engines
import rows

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ("PyTorch", "oneDNN", "ONNX Runtime")
# name: title, what it is for, [targets: geometric mean, and lowest row]
TABLES = {
    "train": ("Training an LSTM layer", "Forward and backward, the gradient of the input too.", (1.5, 1.15)),
    "gru": ("Training a GRU layer", "", (3, None)),
    "lengths": ("Rows of different lengths", "PyTorch is given a packed sequence.", (3, None)),
    "small": ("Small layers", "", (5, None)),
    "other": ("Other layers in training", "", None),
    "run": ("Inference over sequences", "", None),
    "step": ("Streaming", "Microseconds for one frame of one row, the state carried, one thread. Per cent are of the "
             "speed at which a core reads an array as large as the weights, measured in the same round. librnnkit's "
             "model was opened with weights=packed, which gives the same bits as f32, and for the next columns with f32, "
             "bf16 and int8; all others have f32.", (1.5, None)),
    "model": ("Training steps of whole models", "Embedding, LSTM layers, linear and cross-entropy, backward, clipping "
              "by norm, and Adam, which moves every row of the embedding; thousands of words a second, padding counted. "
              "PyTorch has its fused Adam. *Peak* is the most memory that the process had; the last column is PyTorch's without "
              "what it had after `import torch`.", None),
}


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, type=pathlib.Path, help="where they were built")
    parser.add_argument("--python", default=sys.executable, help="one that has onnx and onnxruntime")
    parser.add_argument("--torch", default=sys.executable, help="a Python that has torch")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.5, help="about so long a library runs in each round")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall",
                        help="cpu: processor time, for one thread, where other work has a part of the machine")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/benchmarks/cpu.md")
    given = parser.parse_args()
    if given.clock == "cpu" and given.threads != [1]:
        parser.error("--clock cpu is right for --threads 1 alone")
    os.environ["BENCH_CLOCK"] = given.clock
    return given


def number(value):
    return value if isinstance(value, str) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def per_cent(value):
    return f"{100 * value:.0f}%"


def spread(ratios):
    return f"{min(ratios):.2f} to {max(ratios):.2f}" if len(ratios) > 1 else ""


def ratio_cells(ratios):
    return [f"**{statistics.median(ratios):.2f}**", spread(ratios)] if ratios else ["", ""]


def peer_cells(times, scale=1.0):
    cells = []
    for name in PEERS:
        value, ratios = times.median(name), times.ratios(name)
        cells.append(value if isinstance(value, str) else number(scale * value) + (
            f" ({statistics.median(ratios):.2f})" if ratios else ""))
    return cells


def kernels(times):
    found = [times.kernels.get(name, "") for name in ("PyTorch", "oneDNN")]
    return [f"{found[0] or '-'} / {found[1] or '-'}"]


def layer_cells(row, times):
    own = times.median("librnnkit")
    share = "" if isinstance(own, str) else per_cent(1e-6 * row.flops() / own / times.limit("peak_gflops"))
    return [row.name, row.shape(), number(own), share, *peer_cells(times), *ratio_cells(times.best(PEERS)),
            *kernels(times)]


def step_cells(row, times):
    cells = [row.name]
    for name, size in (("packed", 4), ("librnnkit", 4), ("bf16", 2), ("int8", 1)):
        own = times.median(name)
        if isinstance(own, str):
            cells.append(own)
            continue
        speed = 1e-6 * size * row.count() / own
        cells.append(f"{number(1e3 * own)} ({per_cent(speed / times.limit(f'read_gbps_{size * row.count()}'))})")
    late = times.median("packed", "p99_ms")
    cells.append(late if isinstance(late, str) else number(1e3 * late))
    return [*cells, *peer_cells(times, 1e3), *ratio_cells(times.best(PEERS)), *kernels(times)]


def model_cells(model, times):
    own = times.median("librnnkit")
    share = "" if isinstance(own, str) else per_cent(1e-6 * model.flops() / own / times.limit("peak_gflops"))

    def of(name, key, scale=1.0):
        value = times.median(name, key)
        return value if isinstance(value, str) else number(scale * value)

    theirs = times.found["PyTorch"]
    without = "" if isinstance(theirs, str) else number(
        statistics.median(one["peak_mib"] - one["base_mib"] for one in theirs))
    return [model.name, of("librnnkit", "tokens_per_second", 1e-3), share, of("PyTorch", "tokens_per_second", 1e-3),
            *ratio_cells(times.ratios("PyTorch")), of("librnnkit", "peak_mib"), of("PyTorch", "peak_mib"), without]


PEER_HEADS = ["PyTorch (ratio)", "oneDNN (ratio)", "ONNX Runtime (ratio)", "to the best", "spread",
              "oneDNN's kernel in PyTorch / alone"]
HEADS = {"step": ["layer", "librnnkit (%)", "f32 as in the file (%)", "bf16 (%)", "int8 (%)", "slowest of 100", *PEER_HEADS],
         "model": ["workload", "librnnkit", "% of peak", "PyTorch", "ratio", "spread", "librnnkit, peak MiB",
                   "PyTorch, peak MiB", "without import"]}
LAYER_HEADS = ["layer", "rows x steps, widths", "librnnkit, ms", "% of peak", *PEER_HEADS]
CELLS = {"step": step_cells, "model": model_cells}


class Table:
    """One table of the page, with what it comes to."""
    def __init__(self, name, threads):
        self.name, self.threads, self.lines, self.ratios, self.peaks, self.calls = name, threads, [], [], [], []

    def take(self, row, times):
        peers = ("PyTorch",) if self.name == "model" else PEERS
        cells = CELLS.get(self.name, layer_cells)(row, times)
        self.lines.append("| " + " | ".join(cells) + " |")
        best = times.best(peers)
        self.ratios += [statistics.median(best)] if best else []
        self.peaks += [one["peak_gflops"] / self.threads for one in times.limits]
        onnx = times.found.get("ONNX Runtime")
        self.calls += [one["call_ms"] for one in onnx] if isinstance(onnx, list) else []
        print(f"{self.threads} threads: {' | '.join(cells)}", flush=True)

    def summary(self):
        if not self.ratios:
            return []
        mean = math.exp(statistics.fmean(map(math.log, self.ratios)))
        text = f"Against the best of the others: geometric mean {mean:.2f}, lowest row {min(self.ratios):.2f}."
        target = TABLES[self.name][2]
        if target:
            text += f" The aim: {target[0]}" + (f", no row under {target[1]}." if target[1] else ".")
        if self.name == "step" and self.calls:
            text += (f" A call of ONNX Runtime costs {1e3 * statistics.median(self.calls):.1f} microseconds here when "
                     "there is nothing to compute, of which Python is a part.")
        return ["", text]

    def page(self):
        title, text, _ = TABLES[self.name]
        heads = HEADS.get(self.name, LAYER_HEADS)
        return ["", f"### {title}", "", *([text, ""] if text else []), "| " + " | ".join(heads) + " |",
                "|" + " --- |" * len(heads), *self.lines, *self.summary()]


def measure(given):
    found, every = [], engines.open_engines(given.programs, given.python, given.torch)
    for threads in given.threads:
        for name in given.tables:
            if name == "step" and threads != min(given.threads):
                continue
            table = Table(name, threads)
            if name == "model":
                for model in rows.models():
                    table.take(model, engines.time_model(model, given, threads))
            else:
                for row in rows.layers():
                    if row.table == name:
                        table.take(row, engines.time_layer(row, every, given, threads))
            found.append(table)
    return found


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def told(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return []


def versions(given):
    library = [line for line in told([given.programs / "train_step"]) if "not usable" not in line]
    torch = ("import torch; print('PyTorch', torch.__version__ + ',', torch.backends.cpu.get_cpu_capability())\n"
             "for line in torch.__config__.show().splitlines():\n"
             "    if 'MKL-DNN' in line or 'Math Kernel' in line: print(line.strip(' -'))")
    onnx = "import onnxruntime; print('ONNX Runtime', onnxruntime.__version__)"
    return [*library, *told([given.torch, "-c", torch]), *told([given.programs / "onednn_step"]),
            *told([given.python, "-c", onnx])]


INTRODUCTION = """\
# Speed on processors, beside other libraries

Written by `tests/bench/run.sh`. The rows are `tests/bench/layers.txt` and `tests/bench/workloads.txt`. Times are medians of
the passes of a run, and of the rounds; in brackets, and as *to the best*, how many times longer the others take than
librnnkit: above 1, librnnkit is faster. Each round runs all libraries of a row directly after one another; *spread* has the
least and greatest ratio of a round. *Per cent of peak*: of the multiply-adds that the cores do with the vectors in use,
measured in the same round, by operations that the layer needs (padding does not count, the cells' functions neither);
products on tiles (AMX) can be above.
Before a row was timed, outputs and gradients were compared: `differs` stands where they were not the same, `-` where a
library does not offer the layer, and the kernel of oneDNN is the one that it named itself (`-`: oneDNN was not called).
oneDNN, alone, and ONNX Runtime bring the weights into an order of their own before the time runs, and so does librnnkit
in the table of streaming; else it, and always PyTorch, takes them as they are, as training needs. oneDNN and ONNX Runtime are not charged for the embedding that x comes from.
"""


def page(given, tables, began, loads):
    peaks = [peak for table in tables for peak in table.peaks]
    command = "tests/bench/run.sh " + shlex.join(sys.argv[7:])
    lines = [INTRODUCTION, f"- date: {began:%Y-%m-%d %H:%M}, {(datetime.datetime.now() - began).seconds // 60} minutes",
             f"- machine: {processor()}, {os.cpu_count()} processors, {platform.system()}",
             f"- command: `{command.strip()}`",
             f"- time: {'of the processor' if given.clock == 'cpu' else 'on the wall'}",
             f"- other work: the load was {loads[0]:.1f} before and {loads[1]:.1f} after; a core's peak was "
             f"{min(peaks):.0f} to {max(peaks):.0f} GFLOP/s, median {statistics.median(peaks):.0f}", "",
             "```text", *versions(given), "```"]
    for threads in given.threads:
        lines += ["", f"## {threads} thread{'s' if threads > 1 else ''}"]
        for table in tables:
            if table.threads == threads:
                lines += table.page()
    return "\n".join(lines) + "\n"


def main():
    given, began, load = arguments(), datetime.datetime.now(), os.getloadavg()[0]
    tables = measure(given)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(page(given, tables, began, (load, os.getloadavg()[0])), encoding="utf-8")
    print(f"written: {given.out}")


if __name__ == "__main__":
    main()
