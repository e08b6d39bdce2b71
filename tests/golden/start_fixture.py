#!/usr/bin/env python3
"""Makes start.safetensors for tests/golden/test_rnn.c out of rnn.safetensors; needs torch and
safetensors.

    start_fixture.py FOLDER

The cases of rnn_fixture.py with gradients into the first state and out of the last one: the loss is
sum(dy * output) + sum(dend * state_end), dend being drawn here. A case's tensors, its name in front:
dend, dstate = gradient of the first state, both laid out as state_end, dx, and gradient.<name>.
PyTorch computes in float64 on the float32 values of rnn.safetensors.
"""
import sys

import torch
from safetensors.torch import load_file, save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import rnn_fixture as rnn


def split(flat, cell, parts, width):
    """h and c [parts][B][...] of a state as the library keeps it."""
    sizes = [rnn.B * width, rnn.B * rnn.HIDDEN] if cell == "lstm" else [rnn.B * width]
    pieces = flat.split(sizes * parts)
    h = torch.stack([p.reshape(rnn.B, width) for p in pieces[::len(sizes)]])
    c = torch.stack([p.reshape(rnn.B, rnn.HIDDEN) for p in pieces[1::2]]) if cell == "lstm" else None
    return h, c


def run(name, given):
    cell, size = name.split("_")[:2]
    layers, directions = (int(n) for n in size.split("x"))
    projection = rnn.PROJECTION if "_p_" in name else 0
    model = rnn.make(cell, layers, directions, projection, "nobias" not in name)
    model.load_state_dict({key[len("parameter."):]: value for key, value in given.items()
                           if key.startswith("parameter.")})
    model.double()
    parts, width = layers * directions, projection or rnn.HIDDEN
    start = given["state"].double().requires_grad_()
    x = given["x"].double().requires_grad_()
    h, c = split(start, cell, parts, width)
    state = (h, c) if cell == "lstm" else h
    if "lengths" in given:
        packed = pack_padded_sequence(x, given["lengths"], enforce_sorted=False)
        packed, end = model(packed, state)
        output, _ = pad_packed_sequence(packed, total_length=rnn.T)
    else:
        output, end = model(x, state)
    end = rnn.flat(*end) if cell == "lstm" else rnn.flat(end, None)
    dend = torch.randn(end.shape)
    ((output * given["dy"].double()).sum() + (end * dend.double()).sum()).backward()
    found = {"dend": dend, "dstate": start.grad, "dx": x.grad}
    found.update({f"gradient.{key}": p.grad for key, p in model.named_parameters()})
    return {key: value.float() for key, value in found.items()}


def main(folder):
    torch.manual_seed(47)
    tensors, cases = {}, {}
    for key, value in load_file(folder + "/rnn.safetensors").items():
        name, what = key.split(".", 1)
        cases.setdefault(name, {})[what] = value
    for name in sorted(cases):
        if "short" in name:
            continue
        tensors.update({f"{name}.{what}": value.contiguous() for what, value in run(name, cases[name]).items()})
    save_file(tensors, folder + "/start.safetensors", metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
