#!/usr/bin/env python3
"""Makes the fixtures of tests/api/test_model_file.c; needs torch and safetensors.

    state_dict_fixture.py FOLDER

state_dict.safetensors       the state_dict of a PyTorch language model: embedding, two-layer LSTM,
                             linear. Element i of parameter k is ((7 i + k) mod 23) / 16 - 0.5.
state_dict_f16.safetensors   the same as float16, _bf16 as bfloat16, _f64 as float64
"""
import sys

import torch
from safetensors.torch import save_file


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(7, 4)
        self.lstm = torch.nn.LSTM(4, 5, num_layers=2)
        self.linear = torch.nn.Linear(5, 7)


if __name__ == "__main__":
    model = Model()
    with torch.no_grad():
        for k, parameter in enumerate(model.parameters()):
            i = torch.arange(parameter.numel())
            parameter.copy_((((7 * i + k) % 23) / 16 - 0.5).reshape(parameter.shape))
    for suffix, dtype in (("", torch.float32), ("_f16", torch.float16), ("_bf16", torch.bfloat16),
                          ("_f64", torch.float64)):
        state = {name: value.to(dtype) for name, value in model.state_dict().items()}
        save_file(state, f"{sys.argv[1]}/state_dict{suffix}.safetensors")
