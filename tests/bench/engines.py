"""The libraries that are compared: how each is called, that they compute the same, and their times in
turns.

What a library gives for a row is its times, or a word that says why there are none.
"""
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import passes

HERE = pathlib.Path(__file__).resolve().parent
SAME = {"f32": 1e-4, "packed": 0, "bf16": 0.03, "int8": 0.03}  # largest difference, as a part of the largest value
LIMIT = 400  # seconds that a program may take


class Failed(Exception):
    """What a cell says in place of a figure."""


def call(command, threads, verbose=False):
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if verbose:
        environment["ONEDNN_VERBOSE"] = "1"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        raise Failed("failed") from None
    if done.returncode != 0:
        print(f"{' '.join(map(str, command))}: {done.stderr.strip()[-400:]}", file=sys.stderr)
        raise Failed("failed")
    return done.stdout


def figures(output):
    """The last line, of key=value."""
    return dict(pair.split("=", 1) for pair in output.strip().splitlines()[-1].split())


def numbers(path):
    if not path.exists():
        raise Failed("failed")
    return passes.read(path)


def require_same(ours, theirs, tolerance):
    a, b = numbers(ours), numbers(theirs)
    if len(a) != len(b):
        raise Failed("differs")
    worst = max(abs(x - y) for x, y in zip(a, b))
    if not worst <= tolerance * max(map(abs, a)):
        print(f"{theirs}: differs by {worst:g} of {max(map(abs, a)):g}", file=sys.stderr)
        raise Failed("differs")


def offers(python, module):
    try:
        return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0
    except OSError:
        return False


class Engine:
    """One library, or librnnkit with one kind of weights."""
    def __init__(self, name, program, suffix, weights="f32", refuses=None, installed=True):
        self.name, self.program, self.suffix, self.weights = name, program, suffix, weights
        self.refuses, self.installed, self.kernel = refuses or (lambda row: False), installed, ""

    def command(self, row, threads, seconds, folder):
        words = row.words(threads, seconds)
        if self.suffix == "rnnkit":
            return [*self.program, *words, self.weights, "cpu", *([folder] if seconds == 0 else [])]
        if self.suffix == "pytorch":
            return [*self.program, *words, "cpu", "full", *([folder] if seconds == 0 else [])]
        return [*self.program, *words, folder]

    def can(self, row):
        if self.refuses(row):
            raise Failed("-")
        if not self.installed:
            raise Failed("not installed")

    def check(self, row, threads, folder):
        """Computes the row once, in a folder where librnnkit did, and compares."""
        self.can(row)
        output = call(self.command(row, threads, 0, folder), threads, verbose=self.suffix == "pytorch")
        found = re.findall(r"^onednn_verbose.*exec,cpu,rnn,([^,]+)", output, re.M)
        self.kernel = ", ".join(sorted(set(found)))
        for what in ("y", "gradients") if row.what == "train" else ("y",):
            require_same(pathlib.Path(folder, what + ".f32"), pathlib.Path(folder, f"{what}.{self.suffix}"),
                         SAME[self.weights])

    def time(self, row, threads, seconds, folder):
        found = figures(call(self.command(row, threads, seconds, folder), threads))
        self.kernel = found.pop("kernel", self.kernel)
        return {key: float(value) for key, value in found.items() if key.endswith("_ms")}


def open_engines(programs, python, torch):
    program, onednn = [str(programs / "rnn_step")], programs / "onednn_step"

    def refused_by_onednn(row):
        layers = int(row.options.get("layers", 1))
        return (row.lengths != "full" or "projection" in row.options or
                layers > 1 and (row.inputs != row.hidden or "bidirectional" in row.options))

    return [Engine("librnnkit", program, "rnnkit"), Engine("packed", program, "rnnkit", "packed"),
            Engine("bf16", program, "rnnkit", "bf16"), Engine("int8", program, "rnnkit", "int8"),
            Engine("PyTorch", [torch, str(HERE / "pytorch/rnn_step.py")], "pytorch",
                   installed=offers(torch, "torch")),
            Engine("oneDNN", [str(onednn)], "onednn", refuses=refused_by_onednn, installed=onednn.exists()),
            Engine("ONNX Runtime", [python, str(HERE / "onnx/rnn_step.py")], "onnx",
                   refuses=lambda row: row.what == "train" or "projection" in row.options,
                   installed=offers(python, "onnx, onnxruntime"))]


def limits(programs, threads, sizes=()):
    """{key: figure} of so many cores at once, added up."""
    runs = [subprocess.Popen([programs / "limits", *map(str, sizes)], stdout=subprocess.PIPE, text=True)
            for _ in range(threads)]
    found = [figures(run.communicate()[0]) for run in runs]
    return {key: sum(float(one[key]) for one in found) for key in found[0]}


class Times:
    """Of one row: {library: a dictionary of figures for each round, or a word}, and the limits. `own`: what
    librnnkit is compared with, packed weights where a row has them."""
    def __init__(self, own="librnnkit"):
        self.own, self.found, self.kernels, self.limits = own, {}, {}, []

    def median(self, name, key="step_ms"):
        found = self.found.get(name, "-")
        return found if isinstance(found, str) else statistics.median(one[key] for one in found)

    def limit(self, key):
        return statistics.median(one[key] for one in self.limits)

    def ratios(self, name, key="step_ms"):
        """Of a library's time to librnnkit's, for each round; empty where either has none."""
        ours, theirs = self.found[self.own], self.found[name]
        if isinstance(ours, str) or isinstance(theirs, str):
            return []
        return [b[key] / a[key] for a, b in zip(ours, theirs)]

    def best(self, names):
        """The ratios to the fastest of the others in each round."""
        every = [ratios for ratios in map(self.ratios, names) if ratios]
        return [min(one) for one in zip(*every)]


def take_turns(names, rounds, run):
    """{name: [what run(name) gave in each round], or a word}; each round begins with another one."""
    found = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names) if names else 0
        for name in names[turn:] + names[:turn]:
            if isinstance(found[name], str):
                continue
            try:
                found[name].append(run(name))
            except Failed as failed:
                found[name] = str(failed)
    return found


def time_layer(row, engines, given, threads):
    times, chosen = Times("packed" if "packed" in row.weights else "librnnkit"), {}
    sizes = {"f32": 4 * row.count(), "bf16": 2 * row.count(), "int8": row.count()} if row.what == "step" else {}
    with tempfile.TemporaryDirectory() as folder:
        for engine in engines:
            if engine.suffix == "rnnkit" and engine.weights not in row.weights:
                continue
            try:
                if engine.name == "librnnkit":
                    call(engine.command(row, threads, 0, folder), threads)
                    for path in list(pathlib.Path(folder).glob("*.rnnkit")):
                        path.rename(path.with_suffix(".f32"))
                else:
                    engine.check(row, threads, folder)
                chosen[engine.name] = engine
            except Failed as failed:
                times.found[engine.name] = str(failed)

        def run(name):
            if name == "limits":
                times.limits.append(limits(given.programs, threads, sizes.values()))
                return None
            return chosen[name].time(row, threads, given.seconds, folder)

        times.found.update(take_turns([*chosen, "limits"], given.rounds, run))
    times.kernels = {name: engine.kernel for name, engine in chosen.items()}
    return times


def time_model(model, given, threads):
    """Training steps of a whole model: librnnkit and PyTorch."""
    words = [str(HERE / "workloads.txt"), model.name, str(threads)]
    commands = {"librnnkit": [str(given.programs / "train_step"), *words],
                "PyTorch": [given.torch, str(HERE / "pytorch/train_step.py"), *words]}
    times = Times()
    if not offers(given.torch, "torch"):
        times.found["PyTorch"] = "not installed"
    else:
        with tempfile.TemporaryDirectory() as folder:
            try:
                call([*commands["librnnkit"], "0", "cpu", "full", folder], threads)
                call([*commands["PyTorch"], "0", "--folder", folder], threads)
                require_same(pathlib.Path(folder, "losses.rnnkit"), pathlib.Path(folder, "losses.pytorch"), 1e-4)
            except Failed as failed:
                times.found["PyTorch"] = str(failed)
    names = [name for name in commands if name not in times.found] + ["limits"]

    def run(name):
        if name == "limits":
            times.limits.append(limits(given.programs, threads))
            return None
        found = figures(call([*commands[name], str(given.seconds)], threads))
        return {key: float(found[key]) for key in ("tokens_per_second", "step_ms", "peak_mib", "base_mib")}

    times.found.update(take_turns(names, given.rounds, run))
    return times
