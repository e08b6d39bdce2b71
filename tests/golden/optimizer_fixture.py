#!/usr/bin/env python3
"""Makes optimizer.safetensors for tests/golden/test_optimizer.c; needs torch and safetensors.

    optimizer_fixture.py FOLDER

Trajectories: a parameter [N] is given, STEPS times, a gradient [N]; `start` [N], `gradients`
[STEPS][N], and for each optimiser rule.<name> [STEPS][N], the parameter after each update, computed
in float64. The metadata says under the same key what librnnkit has to be asked for: the rule, then
its options.

Schedules: schedule.<name> [UPDATES], the learning rate that each update used (float64), with peak
PEAK; in the metadata: shape, steps, options. A plateau schedule is told losses[i] after update i.

The metadata's order differs from run to run.
"""
import sys

import torch
from safetensors.torch import save_file
from torch import optim
from torch.optim import lr_scheduler as schedules

N, STEPS, UPDATES, PEAK = 24, 5, 30, 0.2

RULES = {
    "sgd": ("sgd", optim.SGD, {}),
    "sgd_decay": ("sgd lr=0.1 weight_decay=0.5", optim.SGD, {"lr": 0.1, "weight_decay": 0.5}),
    "momentum": ("sgd lr=0.1 momentum=0.9 weight_decay=0.5", optim.SGD,
                 {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.5}),
    "nesterov": ("sgd lr=0.1 momentum=0.9 nesterov=1 weight_decay=0.5", optim.SGD,
                 {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.5}),
    "adam": ("adam", optim.Adam, {}),
    "adam_options": ("adam lr=0.1 beta1=0.8 beta2=0.95 epsilon=0.001 weight_decay=0.5", optim.Adam,
                     {"lr": 0.1, "betas": (0.8, 0.95), "eps": 0.001, "weight_decay": 0.5}),
    "adamw": ("adamw", optim.AdamW, {}),
    "adamw_options": ("adamw lr=0.1 beta1=0.8 beta2=0.95 epsilon=0.001 weight_decay=0.5",
                      optim.AdamW,
                      {"lr": 0.1, "betas": (0.8, 0.95), "eps": 0.001, "weight_decay": 0.5}),
    "rmsprop": ("rmsprop", optim.RMSprop, {}),
    "rmsprop_options": ("rmsprop lr=0.05 alpha=0.9 epsilon=0.001 momentum=0.9 weight_decay=0.5",
                        optim.RMSprop, {"lr": 0.05, "alpha": 0.9, "eps": 0.001, "momentum": 0.9,
                                        "weight_decay": 0.5}),
    "adagrad": ("adagrad", optim.Adagrad, {}),
    "adagrad_options": ("adagrad lr=0.1 epsilon=0.001 weight_decay=0.5", optim.Adagrad,
                        {"lr": 0.1, "eps": 0.001, "weight_decay": 0.5}),
    "clip_norm": ("sgd lr=0.1 momentum=0.9 clip_norm=3", optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    "clip_value": ("sgd lr=0.1 momentum=0.9 clip_value=0.5", optim.SGD,
                   {"lr": 0.1, "momentum": 0.9}),
}

SCHEDULES = {
    "constant": ("constant 30", lambda o: schedules.ConstantLR(o, factor=1.0)),
    "step": ("step 30 every=7 factor=0.5", lambda o: schedules.StepLR(o, 7, gamma=0.5)),
    "linear": ("linear 20 floor=0.02",
               lambda o: schedules.LinearLR(o, 1.0, 0.02 / PEAK, total_iters=20)),
    "cosine": ("cosine 30 floor=0.01",
               lambda o: schedules.CosineAnnealingLR(o, T_max=30, eta_min=0.01)),
    "plateau": ("plateau 30 factor=0.3 patience=2 threshold=0.01 floor=0.01",
                lambda o: schedules.ReduceLROnPlateau(o, factor=0.3, patience=2, threshold=0.01,
                                                      min_lr=0.01)),
    "warmup_cosine": ("cosine 30 warmup=6 floor=0.01",
                      lambda o: warm_up(o, 6, schedules.CosineAnnealingLR(o, 24, eta_min=0.01))),
    "warmup_step": ("step 30 warmup=4 every=5 factor=0.5",
                    lambda o: warm_up(o, 4, schedules.StepLR(o, 5, gamma=0.5))),
}


def warm_up(optimizer, updates, then):
    """The rate of update n is peak (n + 1) / updates, then what `then` says, from its start."""
    rise = schedules.LinearLR(optimizer, 1 / updates, 1.0, total_iters=updates - 1)
    return schedules.SequentialLR(optimizer, [rise, then], milestones=[updates])


def clip(name, parameter):
    if name == "clip_norm":
        torch.nn.utils.clip_grad_norm_([parameter], 3)
    if name == "clip_value":
        torch.nn.utils.clip_grad_value_([parameter], 0.5)


def trajectory(name, start, gradients):
    _, rule, options = RULES[name]
    parameter = torch.nn.Parameter(start.double())
    optimizer = rule([parameter], **options)
    places = []
    for gradient in gradients:
        parameter.grad = gradient.double()
        clip(name, parameter)
        optimizer.step()
        places.append(parameter.detach().clone())
    return torch.stack(places).float()


def rates(name, losses):
    parameter = torch.nn.Parameter(torch.zeros(1))
    parameter.grad = torch.zeros(1)
    optimizer = optim.SGD([parameter], lr=PEAK)
    schedule = SCHEDULES[name][1](optimizer)
    used = []
    for loss in losses:
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step(*([loss.item()] if name == "plateau" else []))
    return torch.tensor(used, dtype=torch.float64)


def main(folder):
    torch.manual_seed(30)
    start, gradients = 0.05 * torch.randn(N), torch.randn(STEPS, N)
    gradients[:, :N // 4] *= 0.001  # where epsilon counts
    losses = 1 + 3 * torch.exp(-torch.arange(UPDATES) / 4.0) + 0.05 * torch.randn(UPDATES)
    tensors = {"start": start, "gradients": gradients, "losses": losses.double()}
    texts = {"torch": torch.__version__}
    for name in RULES:
        tensors["rule." + name] = trajectory(name, start, gradients)
        texts["rule." + name] = RULES[name][0]
    for name in SCHEDULES:
        tensors["schedule." + name] = rates(name, losses.double())
        texts["schedule." + name] = SCHEDULES[name][0]
    save_file(tensors, folder + "/optimizer.safetensors", metadata=texts)


if __name__ == "__main__":
    main(sys.argv[1])
