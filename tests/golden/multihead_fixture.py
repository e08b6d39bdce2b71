#!/usr/bin/env python3
"""Makes multihead.safetensors for tests/golden/test_multihead.c; needs torch and safetensors.

    multihead_fixture.py FOLDER

Cases attend, attend.lengths, attend.causal, attend.no_bias: nn.MultiheadAttention; block,
block.lengths: nn.TransformerEncoderLayer without dropout. Each with a linear layer behind it:
x [T][B][W], the parameters under <case>.layer. and <case>.linear., targets [T][B] (-1 behind a row's
length), out and weights [heads][T][B][T] (attend alone), 0 behind a row's length, loss (mean
cross-entropy), gradient.<x, parameter>. PyTorch computes in float64 on float32 inputs; what it finds
is stored as float32, the loss as float64.
"""
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

T, B, W, HEADS, F, V = 6, 4, 12, 3, 20, 9
LENGTHS = [6, 1, 4, 3]
CASES = {"attend": {}, "attend.lengths": {"masked": True}, "attend.causal": {"causal": True},
         "attend.no_bias": {"bias": False}, "block": {"block": True},
         "block.lengths": {"block": True, "masked": True}}


def run(block=False, masked=False, causal=False, bias=True):
    layer = (torch.nn.TransformerEncoderLayer(W, HEADS, F, dropout=0) if block
             else torch.nn.MultiheadAttention(W, HEADS, bias=bias))
    linear = torch.nn.Linear(W, V)
    with torch.no_grad():
        for parameter in [*layer.parameters(), *linear.parameters()]:
            parameter.copy_(torch.randn(parameter.shape).mul(0.5))
    behind = torch.arange(T)[:, None] >= torch.tensor(LENGTHS)  # [T][B]
    if not masked:
        behind = torch.zeros_like(behind)
    x, targets = torch.randn(T, B, W), torch.randint(0, V, (T, B)).masked_fill(behind, -1)
    named = {**{f"layer.{n}": p for n, p in layer.named_parameters()},
             **{f"linear.{n}": p for n, p in linear.named_parameters()}}
    found = {**{n: p.detach().clone() for n, p in named.items()}, "x": x, "targets": targets}
    layer.double()
    linear.double()
    x = x.double().requires_grad_()
    padding = behind.T if masked else None
    if block:
        out = layer(x, src_key_padding_mask=padding)
    else:
        mask = torch.ones(T, T, dtype=torch.bool).triu(1) if causal else None
        out, weights = layer(x, x, x, key_padding_mask=padding, attn_mask=mask,
                             average_attn_weights=False)
        weights = weights.permute(1, 2, 0, 3)  # from [B][heads][T][T]
        found["weights"] = weights.masked_fill(behind[None, :, :, None], 0)
    loss = cross_entropy(linear(out).flatten(0, 1), targets.flatten(), ignore_index=-1)
    loss.backward()
    found["out"] = out.masked_fill(behind[:, :, None], 0)
    found.update({f"gradient.{name}": value.grad for name, value in {"x": x, **named}.items()})
    found = {name: value.detach().float().contiguous() if value.is_floating_point() else value
             for name, value in found.items()}
    return {**found, "loss": loss.detach().reshape(1)}


def main(folder):
    torch.manual_seed(8)
    tensors = {"lengths": torch.tensor(LENGTHS)}
    for case, options in CASES.items():
        tensors.update({f"{case}.{name}": x for name, x in run(**options).items()})
    save_file(tensors, folder + "/multihead.safetensors", metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
