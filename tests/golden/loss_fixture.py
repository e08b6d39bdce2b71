#!/usr/bin/env python3
"""Makes loss.safetensors for tests/golden/test_loss.c; needs torch and safetensors.

    loss_fixture.py FOLDER

What torch.nn.functional gives in float64 on float32 inputs, losses kept as float64.

cross_entropy.<case>.*: x [R][I], weight, bias, targets [R] (with some -1), class_weights [V], loss,
  gradient.x, gradient.weight, gradient.bias; cases plain, weights, smooth, both, sum.
pointwise.<kind>.<case>.*: x and targets [T][B][F], weights [T B], loss, gradient.x; cases plain (mean
  over all), sum, and masked: sum of weights * loss / sum of weights over elements.
"""
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import (
    binary_cross_entropy_with_logits, cross_entropy, huber_loss, l1_loss, linear, mse_loss)

ROWS, INPUTS, CLASSES = 23, 9, 13
STEPS, BATCH, WIDTH = 5, 4, 3
POS_WEIGHT, DELTA = 2.5, 0.8


def cross_entropy_cases():
    cases = {"plain": {}, "weights": {"weighted": True}, "smooth": {"label_smoothing": 0.1},
             "both": {"weighted": True, "label_smoothing": 0.3},
             "sum": {"weighted": True, "label_smoothing": 0.3, "reduction": "sum"}}
    x, weight, bias = (torch.randn(*shape) for shape in ((ROWS, INPUTS), (CLASSES, INPUTS), (CLASSES,)))
    targets = torch.randint(0, CLASSES, (ROWS,))
    targets[torch.rand(ROWS) < 0.2] = -1
    class_weights = torch.rand(CLASSES) * 2
    class_weights[3] = 0
    found = {"x": x, "weight": weight, "bias": bias, "targets": targets, "class_weights": class_weights}
    found = {f"cross_entropy.{name}": value for name, value in found.items()}
    for case, options in cases.items():
        options = dict(options)
        inputs = [value.double().requires_grad_() for value in (x, weight, bias)]
        used = class_weights.double() if options.pop("weighted", False) else None
        loss = cross_entropy(linear(*inputs), targets, weight=used, ignore_index=-1, **options)
        loss.backward()
        found[f"cross_entropy.{case}.loss"] = loss.detach().reshape(1)
        for name, value in zip(("x", "weight", "bias"), inputs):
            found[f"cross_entropy.{case}.gradient.{name}"] = value.grad.float()
    return found


def pointwise_cases():
    kinds = {
        "binary_cross_entropy": lambda x, t: binary_cross_entropy_with_logits(
            x, t, pos_weight=torch.tensor(POS_WEIGHT).double(), reduction="none"),
        "squared_error": lambda x, t: mse_loss(x, t, reduction="none"),
        "absolute_error": lambda x, t: l1_loss(x, t, reduction="none"),
        "huber": lambda x, t: huber_loss(x, t, delta=DELTA, reduction="none")}
    shape = STEPS, BATCH, WIDTH
    x, targets = torch.randn(*shape) * 3, torch.rand(*shape)
    weights = torch.rand(STEPS, BATCH)
    weights[torch.rand(STEPS, BATCH) < 0.3] = 0
    found = {"pointwise.x": x, "pointwise.targets": targets, "pointwise.weights": weights}
    spread = weights.double()[..., None].expand(shape)
    reductions = {"plain": lambda each: each.mean(), "sum": lambda each: each.sum(),
                  "masked": lambda each: (each * spread).sum() / spread.sum()}
    for kind, function in kinds.items():
        for case, reduce in reductions.items():
            inputs = x.double().requires_grad_()
            loss = reduce(function(inputs, targets.double()))
            loss.backward()
            found[f"pointwise.{kind}.{case}.loss"] = loss.detach().reshape(1)
            found[f"pointwise.{kind}.{case}.gradient"] = inputs.grad.float()
    return found


def main(folder):
    torch.manual_seed(31)
    tensors = {**cross_entropy_cases(), **pointwise_cases()}
    tensors = {name: value.contiguous() for name, value in tensors.items()}
    save_file(tensors, folder + "/loss.safetensors", metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
