#!/usr/bin/env python3
"""Makes attention.safetensors for tests/golden/test_attention.c; needs torch and safetensors.

    attention_fixture.py FOLDER

For each score (additive, dot, general, concat, scaled_dot), without a mask ("additive"), with
source lengths ("additive.masked"; additive and concat then have a bias), and with a window
("additive.window"; all but additive with lengths, and concat with a bias): query [Tq][B][Dq], keys
[Ts][B][Dk], values [Ts][B][D]; the module's parameters under the case's name; context, weights;
upstream gradients d.context and d.weights; gradient.<query, keys, values, parameter>. PyTorch
computes in float64 on float32 inputs; what it finds is stored as float32.

A window is local-p of Luong et al. 2015, section 3.2: equations 9 and 10 with the softmax over the
window's positions, which are counted from 0, and S the row's own length.

The scores are written out as the papers have them, on tensors of all pairs; scaled_dot is compared
with torch's own scaled_dot_product_attention as well.
"""
import sys

import torch
from safetensors.torch import save_file

TQ, TS, B, DQ, DK, D, A = 3, 6, 4, 10, 7, 5, 9
LENGTHS = [6, 1, 4, 3]


WINDOWS = {"additive": 2, "dot": 1, "general": 2, "concat": 3, "scaled_dot": 99}


class Attention(torch.nn.Module):
    def __init__(self, score, bias, key_width, window=0):
        super().__init__()
        self.kind, self.window = score, window
        if score == "additive":
            self.query = torch.nn.Linear(DQ, A, bias=False)
            self.key = torch.nn.Linear(key_width, A, bias=bias)
        if score == "concat":
            self.concat = torch.nn.Linear(DQ + key_width, A, bias=bias)
        if score == "general":
            self.key = torch.nn.Linear(key_width, DQ, bias=False)
        if score in ("additive", "concat"):
            self.score = torch.nn.Linear(A, 1, bias=False)
        if window:
            width = A if score in ("additive", "concat") else DQ
            self.position = torch.nn.Linear(DQ, width, bias=False)
            self.center = torch.nn.Linear(width, 1, bias=False)

    def scores(self, query, keys):
        """[Tq][B][Ts]"""
        q, k = query[:, None], keys[None]  # [Tq][1][B][Dq], [1][Ts][B][Dk]
        if self.kind == "additive":
            e = self.score(torch.tanh(self.query(q) + self.key(k))).squeeze(-1)
        elif self.kind == "concat":
            pairs = torch.cat((q.expand(-1, TS, -1, -1), k.expand(TQ, -1, -1, -1)), -1)
            e = self.score(torch.tanh(self.concat(pairs))).squeeze(-1)
        elif self.kind == "general":
            e = (q * self.key(k)).sum(-1)
        else:
            e = (q * k).sum(-1)
            if self.kind == "scaled_dot":
                e = e / keys.shape[-1] ** 0.5
        return e.transpose(1, 2)

    def near(self, query, e, lengths):
        s, deviation = torch.arange(TS), self.window / 2
        length = torch.tensor(float(TS)) if lengths is None else lengths[:, None]
        p = length * torch.sigmoid(self.center(torch.tanh(self.position(query))))  # [Tq][B][1]
        e = e.masked_fill((s - p).abs() > self.window, float("-inf"))
        return e.softmax(-1) * torch.exp(-((s - p) ** 2) / (2 * deviation**2))

    def forward(self, query, keys, values, lengths):
        e = self.scores(query, keys)
        if lengths is not None:
            behind = torch.arange(TS)[None, :] >= lengths[:, None]  # [B][Ts]
            e = e.masked_fill(behind, float("-inf"))
        weights = e.softmax(-1) if self.window == 0 else self.near(query, e, lengths)
        return torch.einsum("tbs,sbd->tbd", weights, values), weights


def check_scaled_dot(query, keys, values, lengths, context):
    first = [x.transpose(0, 1) for x in (query, keys, values)]
    mask = None if lengths is None else (torch.arange(TS) < lengths[:, None])[:, None]
    other = torch.nn.functional.scaled_dot_product_attention(*first, attn_mask=mask)
    assert torch.allclose(other.transpose(0, 1), context, atol=1e-12)


def run(score, masked, bias, window=0):
    same = score in ("dot", "scaled_dot")
    module = Attention(score, bias, DQ if same else DK, window)
    inputs = {"query": torch.randn(TQ, B, DQ), "keys": torch.randn(TS, B, DQ if same else DK),
              "values": torch.randn(TS, B, D)}
    found = {name: value.clone() for name, value in inputs.items()}
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape).mul(0.7))
    found.update({name: value.clone() for name, value in module.state_dict().items()})
    module.double()
    inputs = {name: value.double().requires_grad_() for name, value in inputs.items()}
    lengths = torch.tensor(LENGTHS) if masked else None
    context, weights = module(**inputs, lengths=lengths)
    if score == "scaled_dot" and window == 0:
        check_scaled_dot(**inputs, lengths=lengths, context=context)
    found["d.context"], found["d.weights"] = torch.randn(context.shape), torch.randn(weights.shape)
    ((context * found["d.context"]).sum() + (weights * found["d.weights"]).sum()).backward()
    found.update({"context": context, "weights": weights})
    found.update({f"gradient.{name}": value.grad for name, value in inputs.items()})
    found.update({f"gradient.{name}": p.grad for name, p in module.named_parameters()})
    return {name: value.detach().float().contiguous() for name, value in found.items()}


def main(folder):
    torch.manual_seed(6)
    tensors = {"lengths": torch.tensor(LENGTHS)}
    for score in ("additive", "dot", "general", "concat", "scaled_dot"):
        for masked in (False, True):
            case = score + (".masked" if masked else "")
            tensors.update({f"{case}.{name}": x for name, x in run(score, masked, masked).items()})
    for score, window in WINDOWS.items():
        found = run(score, score != "additive", score == "concat", window)
        tensors.update({f"{score}.window.{name}": x for name, x in found.items()})
    save_file(tensors, folder + "/attention.safetensors", metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
