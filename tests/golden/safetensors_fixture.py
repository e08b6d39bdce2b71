#!/usr/bin/env python3
"""Makes the fixtures of tests/unit/test_safetensors.c; needs safetensors and torch.

    safetensors_fixture.py FOLDER

from_python.safetensors  written by the safetensors package: every type that is read, with what
                         torch makes of it ("<name>.as_f32", "<name>.as_f64" beside it),
                         types that are only listed, a scalar, an empty array, texts.
from_rnnkit.safetensors  the bytes that our writer must give for the content of write_sample() in
                         the test, put together here by hand; the package must read them.
"""
import json
import struct
import sys

import torch
from safetensors import deserialize
from safetensors.torch import save_file


def from_python(path):
    half = torch.tensor([0x0000, 0x8000, 0x0001, 0x03FF, 0x8400, 0x3C00, 0xC500, 0x7BFF, 0x7C00,
                         0xFC00, 0x3555], dtype=torch.int32).to(torch.int16).view(torch.float16)
    brain = torch.tensor([0x0000, 0x8000, 0x0001, 0x3F80, 0xC0A0, 0x7F7F, 0x7F80, 0xFF80],
                         dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
    single = torch.tensor([[0.0, -0.0, 1.5], [3.4028234663852886e38, 1e-45, -2.25]])
    double = torch.tensor([0.1, -1e300, 3.141592653589793, 5e-324, 1 + 2.0**-30], dtype=torch.float64)
    tensors = {"half": half, "brain": brain, "single": single, "double": double}
    for name, tensor in list(tensors.items()):
        tensors[name + ".as_f32"] = tensor.to(torch.float32, copy=True)
        tensors[name + ".as_f64"] = tensor.to(torch.float64, copy=True)
    tensors["integers"] = torch.tensor([-1, 2**62, -2**63], dtype=torch.int64)
    tensors["flags"] = torch.tensor([True, False, True])
    tensors["bytes"] = torch.arange(5, dtype=torch.uint8)
    tensors["scalar"] = torch.tensor(2.5)
    tensors["empty"] = torch.zeros(0, 3)
    tensors["deep"] = torch.zeros(1, 2, 1, 2, 1)
    tensors["näme \"quoted\"\n"] = torch.ones(1)
    save_file(tensors, path, metadata={"format": "pt", "grüße": "line\nbreak \"and\" \\ tab\t\u0001"})


def from_rnnkit(path):
    header = {
        "__metadata__": {"a": "first", "b \"q\"\\": "line\nbreak\ttab \u00e9\u4e2d", "format": "sample"},
        "counts": {"dtype": "I64", "shape": [2], "data_offsets": [0, 16]},
        "exact": {"dtype": "F64", "shape": [], "data_offsets": [16, 24]},
        "weights": {"dtype": "F32", "shape": [2, 3], "data_offsets": [24, 48]},
        "none": {"dtype": "F32", "shape": [0], "data_offsets": [48, 48]},
        "raw": {"dtype": "U8", "shape": [3], "data_offsets": [48, 51]},
    }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).replace("\\t", "\\u0009")
    text = text.encode()
    text += b" " * (-len(text) % 8)
    data = struct.pack("<qqd6f3B", -5, 2**60 + 1, 0.1, *[i / 4 - 0.5 for i in range(6)], 1, 2, 255)
    whole = struct.pack("<Q", len(text)) + text + data
    names = sorted(name for name, _ in deserialize(whole))
    assert names == ["counts", "exact", "none", "raw", "weights"], names
    with open(path, "wb") as file:
        file.write(whole)


if __name__ == "__main__":
    from_python(sys.argv[1] + "/from_python.safetensors")
    from_rnnkit(sys.argv[1] + "/from_rnnkit.safetensors")
