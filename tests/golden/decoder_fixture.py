#!/usr/bin/env python3
"""Makes decoder.safetensors for tests/golden/test_decoder.c; needs torch and safetensors.

    decoder_fixture.py FOLDER

For each case of CASES: x [T][B][E], memory [S][B][M], start [B][P] where the case has one, lengths
where it is masked; the decoder's parameters and those of a linear layer behind it; targets [T][B];
out, weights, loss (mean cross-entropy), gradient.<x, memory, start, parameter>. PyTorch computes in
float64 on float32 inputs; what it finds is stored as float32, the loss as float64.
"""
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

import attention_fixture

T, B, S, E, H, M, O, P, A, V = 5, 4, 6, 7, 10, 8, 9, 3, 11, 13
LENGTHS = [6, 1, 4, 3]
# name: style, feeding, score, bias of the attention, layers, start vector, lengths (, GRU cells
# (, window))
CASES = {
    "bahdanau": ("bahdanau", False, "additive", False, 1, False, False),
    "bahdanau.deep": ("bahdanau", False, "general", False, 2, True, True),
    "bahdanau.concat": ("bahdanau", False, "concat", True, 1, True, True),
    "luong": ("luong", False, "dot", False, 1, False, True),
    "luong.feeding": ("luong", True, "general", False, 1, True, True),
    "luong.deep": ("luong", True, "concat", True, 2, True, True),
    "luong.additive": ("luong", True, "additive", True, 1, False, False),
    "luong.scaled": ("luong", False, "scaled_dot", False, 2, True, False),
    "bahdanau.gru": ("bahdanau", False, "additive", False, 2, True, True, True),
    "luong.gru": ("luong", True, "general", False, 2, True, True, True),
    "bahdanau.window": ("bahdanau", False, "additive", False, 1, True, True, False, 1),
    "luong.window": ("luong", True, "general", False, 2, True, True, True, 2),
}


class Decoder(torch.nn.Module):
    def __init__(self, style, feeding, score, bias, layers, start, memory, gru, window):
        super().__init__()
        self.style, self.feeding, self.layers, self.gru = style, feeding, layers, gru
        fed = memory if style == "bahdanau" else O if feeding else 0
        self.rnn = (torch.nn.GRU if gru else torch.nn.LSTM)(E + fed, H, num_layers=layers)
        attention_fixture.DQ, attention_fixture.A = H, A
        self.attention = attention_fixture.Attention(score, bias, memory, window)
        self.combine = torch.nn.Linear(memory + H + (E if style == "bahdanau" else 0), O)
        if start:
            self.start = torch.nn.ModuleDict({f"{part}_l{layer}": torch.nn.Linear(P, H)
                                              for layer in range(layers) for part in self.parts()})

    def parts(self):
        return "h" if self.gru else "hc"

    def first(self, start):
        if start is None:
            zeros = torch.zeros(self.layers, B, H, dtype=torch.float64)
            return tuple(zeros for _ in self.parts())
        return tuple(torch.stack([torch.tanh(self.start[f"{part}_l{layer}"](start))
                                  for layer in range(self.layers)]) for part in self.parts())

    def recur(self, x, state):
        """The top layer's h, and the state after it."""
        if self.gru:
            h, state = self.rnn(x, *state)
            return h, (state,)
        return self.rnn(x, state)

    def forward(self, x, memory, lengths, start):
        state, out = self.first(start), torch.zeros(B, O, dtype=torch.float64)
        outs, seen = [], []
        attention_fixture.TQ, attention_fixture.TS = 1, memory.shape[0]
        for step in x:
            if self.style == "bahdanau":
                context, weights = self.attention(state[0][-1:], memory, memory, lengths)
                h, state = self.recur(torch.cat((step[None], context), -1), state)
                out = torch.tanh(self.combine(torch.cat((context[0], h[0], step), -1)))
            else:
                read = torch.cat((step, out), -1) if self.feeding else step
                h, state = self.recur(read[None], state)
                context, weights = self.attention(h, memory, memory, lengths)
                out = torch.tanh(self.combine(torch.cat((context[0], h[0]), -1)))
            outs.append(out)
            seen.append(weights[0])
        return torch.stack(outs), torch.stack(seen)


def run(style, feeding, score, bias, layers, start, masked, gru=False, window=0):
    memory = H if score in ("dot", "scaled_dot") else M
    decoder = Decoder(style, feeding, score, bias, layers, start, memory, gru, window)
    linear = torch.nn.Linear(O, V)
    with torch.no_grad():
        for parameter in [*decoder.parameters(), *linear.parameters()]:
            parameter.copy_(torch.randn(parameter.shape).mul(0.5))
    inputs = {"x": torch.randn(T, B, E), "memory": torch.randn(S, B, memory)}
    if start:
        inputs["start"] = torch.randn(B, P)
    targets = torch.randint(0, V, (T, B))
    named = {**{f"decoder.{n}": p for n, p in decoder.named_parameters()},
             **{f"linear.{n}": p for n, p in linear.named_parameters()}}
    found = {**{n: p.detach().clone() for n, p in named.items()}, **inputs, "targets": targets}
    decoder.double()
    linear.double()
    inputs = {name: value.double().requires_grad_() for name, value in inputs.items()}
    out, weights = decoder(inputs["x"], inputs["memory"], torch.tensor(LENGTHS) if masked else None,
                           inputs.get("start"))
    loss = cross_entropy(linear(out).flatten(0, 1), targets.flatten())
    loss.backward()
    found.update({"out": out, "weights": weights})
    found.update({f"gradient.{name}": value.grad for name, value in {**inputs, **named}.items()})
    found = {name: value.detach().float().contiguous() if value.is_floating_point() else value
             for name, value in found.items()}
    return {**found, "loss": loss.detach().reshape(1)}


def main(folder):
    torch.manual_seed(7)
    tensors = {"lengths": torch.tensor(LENGTHS)}
    for case, options in CASES.items():
        tensors.update({f"{case}.{name}": x for name, x in run(*options).items()})
    save_file(tensors, folder + "/decoder.safetensors", metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
