#!/usr/bin/env python3
"""Makes rnn.safetensors for tests/golden/test_rnn.c; needs torch and safetensors.

    rnn_fixture.py FOLDER

nn.RNN (tanh, relu), nn.GRU and nn.LSTM, with one and two directions, one and two layers, an LSTM's
projection or none, biases or none, and three patterns of lengths (none; mixed, as a packed sequence;
mixed with every row shorter than the steps). PyTorch computes in float64 on float32 weights; what it
finds is stored as float32. A case's tensors, its name in front:

x [T][B][I], dy [T][B][D H], lengths [B] where there are any, state and state_end (for each layer and
direction h [B][P], then for an LSTM c [B][H], one behind the other), output [T][B][D P],
dx = gradient of x, parameter.<name> and gradient.<name>; the loss is sum(dy * output).

Case names: <cell>_<layers>x<directions>[_p][_nobias]_<pattern>.
"""
import sys

import torch
from safetensors.torch import save_file
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

T, B, INPUTS, HIDDEN, PROJECTION = 6, 5, 4, 5, 3
LENGTHS = {"full": None, "mixed": [2, 6, 1, 4, 6], "short": [3, 1, 4, 2, 3]}


def make(cell, layers, directions, projection, bias):
    arguments = dict(num_layers=layers, bidirectional=directions == 2, bias=bias)
    if cell == "lstm":
        return torch.nn.LSTM(INPUTS, HIDDEN, proj_size=projection, **arguments)
    if cell == "gru":
        return torch.nn.GRU(INPUTS, HIDDEN, **arguments)
    return torch.nn.RNN(INPUTS, HIDDEN, nonlinearity=cell, **arguments)


def flat(h, c):
    """State as the library keeps it: part by part, h and then c."""
    pieces = []
    for part in range(h.shape[0]):
        pieces.append(h[part].reshape(-1))
        if c is not None:
            pieces.append(c[part].reshape(-1))
    return torch.cat(pieces)


def run(cell, layers, directions, projection, bias, lengths):
    model = make(cell, layers, directions, projection, bias)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape).mul(0.5))
    width, parts = projection or HIDDEN, layers * directions
    x, dy = torch.randn(T, B, INPUTS), torch.randn(T, B, directions * width)
    h, c = torch.randn(parts, B, width).mul(0.5), torch.randn(parts, B, HIDDEN).mul(0.5)
    found = {"x": x, "dy": dy, "state": flat(h, c if cell == "lstm" else None)}
    found.update({f"parameter.{name}": p.detach().clone() for name, p in model.named_parameters()})
    model.double()
    given = x.double().requires_grad_()
    state = (h.double(), c.double()) if cell == "lstm" else h.double()
    if lengths is None:
        output, end = model(given, state)
    else:
        found["lengths"] = torch.tensor(lengths)
        packed = pack_padded_sequence(given, torch.tensor(lengths), enforce_sorted=False)
        packed, end = model(packed, state)
        output, _ = pad_packed_sequence(packed, total_length=T)
    (output * dy.double()).sum().backward()
    found["output"], found["dx"] = output, given.grad
    found["state_end"] = flat(*end) if cell == "lstm" else flat(end, None)
    found.update({f"gradient.{name}": p.grad for name, p in model.named_parameters()})
    return {name: value.detach().float() if value.is_floating_point() else value
            for name, value in found.items()}


def main(folder):
    torch.manual_seed(31)
    tensors = {}
    for cell in ("tanh", "relu", "gru", "lstm"):
        for layers, directions in ((1, 1), (2, 1), (1, 2), (2, 2)):
            for pattern, lengths in LENGTHS.items():
                for projection in (0, PROJECTION) if cell == "lstm" else (0,):
                    bias = not (pattern == "mixed" and layers != directions)
                    name = (f"{cell}_{layers}x{directions}{'_p' if projection else ''}"
                            f"{'' if bias else '_nobias'}_{pattern}")
                    found = run(cell, layers, directions, projection, bias, lengths)
                    tensors.update({f"{name}.{what}": value.contiguous()
                                    for what, value in found.items()})
    save_file(tensors, folder + "/rnn.safetensors", metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
