#!/usr/bin/env python3
"""What ../rnn_step.c times of inference, in ONNX Runtime; needs onnx, onnxruntime, numpy.

    rnn_step.py run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS SECONDS FOLDER

Of FOLDER, where rnn_step was, weights and x are taken; y.onnx is written there. Of OPTIONS, layers and
bidirectional are understood. Inputs and outputs are bound to memory before the time runs. call_ms is
what a call costs here that does nothing (the identity of one number), of which Python is a part.
"""
import pathlib
import statistics
import sys

import numpy
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import passes  # noqa: E402

GATES = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "elman": (0,)}  # ONNX's order, by PyTorch's places
OPERATIONS = {"lstm": "LSTM", "gru": "GRU", "elman": "RNN"}


class Spec:
    def __init__(self, what, cell, batch, steps, inputs, hidden, options, lengths):
        given = dict(pair.split("=") for pair in options.split()) if options != "-" else {}
        self.what, self.cell, self.batch, self.inputs, self.hidden = what, cell, batch, inputs, hidden
        self.all_steps, self.steps = steps, 1 if what == "step" else steps
        self.layers, self.directions = int(given.get("layers", 1)), 1 + int(given.get("bidirectional", 0))
        self.lengths = 1 + numpy.arange(batch) * 37 % steps if lengths == "mixed" else None
        self.states = (["h", "c"] if cell == "lstm" else ["h"]) if what == "step" else []


def read_weights(spec, folder):
    """For each layer W, R and B of all directions."""
    values, at, gates = numpy.fromfile(folder / "weights", numpy.float32), 0, GATES[spec.cell]

    def take(columns):
        nonlocal at
        size = len(gates) * spec.hidden * columns
        part = values[at:at + size].reshape(len(gates), spec.hidden, columns)[list(gates)]
        at += size
        return part.reshape(-1, columns)

    layers = []
    for layer in range(spec.layers):
        width = spec.inputs if layer == 0 else spec.directions * spec.hidden
        parts = [(take(width), take(spec.hidden), numpy.concatenate((take(1)[:, 0], take(1)[:, 0])))
                 for _ in range(spec.directions)]
        layers.append([numpy.stack(part) for part in zip(*parts)])
    return layers


def build(spec, weights):
    """The model: x [T][B][I] to y [T][B][directions * H]; of single steps, states in and out."""
    nodes, constants, at = [], [], "x"

    def constant(name, value):
        constants.append(numpy_helper.from_array(value, name))
        return name

    constant("rows", numpy.array([spec.steps, spec.batch, -1], numpy.int64))
    for layer, parts in enumerate(weights):
        names = [constant(f"{name}{layer}", part) for name, part in zip("WRB", parts)]
        lengths = "" if spec.lengths is None else "lengths"
        ends = [f"{state}{layer}" for state in spec.states]
        more = {"linear_before_reset": 1} if spec.cell == "gru" else {}
        nodes.append(helper.make_node(
            OPERATIONS[spec.cell], [at, *names, lengths, *(end + "_in" for end in ends)],
            [f"all{layer}", *(end + "_out" for end in ends)], hidden_size=spec.hidden,
            direction="bidirectional" if spec.directions == 2 else "forward", **more))
        nodes.append(helper.make_node("Transpose", [f"all{layer}"], [f"turned{layer}"], perm=[0, 2, 1, 3]))
        at = "y" if layer == spec.layers - 1 else f"y{layer}"
        nodes.append(helper.make_node("Reshape", [f"turned{layer}", "rows"], [at]))
    if spec.lengths is not None:
        constant("lengths", spec.lengths.astype(numpy.int32))

    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    state = [spec.directions, spec.batch, spec.hidden]
    every = [f"{name}{layer}" for layer in range(spec.layers) for name in spec.states]
    graph = helper.make_graph(
        nodes, "rnn",
        [value("x", [spec.steps, spec.batch, spec.inputs]), *(value(name + "_in", state) for name in every)],
        [value("y", [spec.steps, spec.batch, spec.directions * spec.hidden]),
         *(value(name + "_out", state) for name in every)], constants)
    return every, save(graph)


def save(graph):
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10).SerializeToString()


def open_session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def bind(session, inputs, outputs):
    """Values by name, of which outputs are written again by every run."""
    binding = session.io_binding()
    for name, value in inputs.items():
        binding.bind_ortvalue_input(name, value)
    for name, value in outputs.items():
        binding.bind_ortvalue_output(name, value)
    return binding


def zeros(*shape):
    return onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros(shape, numpy.float32))


def cost_of_call(threads):
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "nothing",
        *([helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])] for name in "xy"))
    session = open_session(save(graph), threads)
    binding = bind(session, {"x": zeros(1)}, {"y": zeros(1)})
    return statistics.median(passes.measure(lambda: session.run_with_iobinding(binding), 0.05))


class Runner:
    def __init__(self, spec, folder, threads):
        self.spec = spec
        every, model = build(spec, read_weights(spec, folder))
        self.session = open_session(model, threads)
        x = numpy.fromfile(folder / "x", numpy.float32).reshape(spec.all_steps, spec.batch, spec.inputs)
        self.x = onnxruntime.OrtValue.ortvalue_from_numpy(x[:spec.steps].copy())
        self.frames = x
        self.y = zeros(spec.steps, spec.batch, spec.directions * spec.hidden)
        states = [{name: zeros(spec.directions, spec.batch, spec.hidden) for name in every} for _ in range(2)]
        # of single steps, two bindings take turns: what one gives out the other takes in
        self.bindings = [bind(self.session, {"x": self.x, **{name + "_in": value for name, value in a.items()}},
                              {"y": self.y, **{name + "_out": value for name, value in b.items()}})
                         for a, b in (states, states[::-1])]

    def once(self):
        if self.spec.what == "run":
            self.session.run_with_iobinding(self.bindings[0])
            return
        for step in range(self.spec.all_steps):
            self.session.run_with_iobinding(self.bindings[step % 2])

    def save(self, path):
        with open(path, "wb") as file:
            if self.spec.what == "run":
                self.once()
                self.y.numpy().tofile(file)
                return
            for step, frame in enumerate(self.frames):
                self.x.update_inplace(frame[None].copy())
                self.session.run_with_iobinding(self.bindings[step % 2])
                self.y.numpy().tofile(file)


def main(what, cell, batch, steps, inputs, hidden, options, lengths, threads, seconds, folder):
    spec = Spec(what, cell, batch, steps, inputs, hidden, options, lengths)
    runner = Runner(spec, pathlib.Path(folder), threads)
    runner.save(pathlib.Path(folder) / "y.onnx")
    if seconds > 0:
        passes.report("onnx", passes.measure(runner.once, seconds), 1e3 / (steps if what == "step" else 1),
                      call_ms=f"{1e3 * cost_of_call(threads):.4f}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:2], *map(int, words[2:6]), *words[6:8], int(words[8]), float(words[9]), words[10])
