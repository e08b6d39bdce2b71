#!/usr/bin/env python3
"""Makes the fixtures of tests/golden/test_course.c; needs torch and safetensors.

    course_fixture.py FOLDER

course.safetensors           the state_dict of a script generator as courses build it in PyTorch
                             (embedding, two LSTM layers with dropout, linear), as it is
course_expected.safetensors  a window of word ids, and the probabilities [steps][V] of the word
                             behind each of its beginnings, which the model gives in float64
"""
import sys

import torch
from safetensors.torch import save_file

V, E, H, LAYERS, STEPS = 41, 16, 24, 2, 10


class ScriptGenerator(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(V, E)
        self.lstm = torch.nn.LSTM(E, H, LAYERS, dropout=0.5, batch_first=True)
        self.linear = torch.nn.Linear(H, V)

    def forward(self, windows):
        output, _ = self.lstm(self.embedding(windows))
        return self.linear(output[:, -1])


if __name__ == "__main__":
    torch.manual_seed(10)
    model = ScriptGenerator().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)  # probabilities that are far from equal
    save_file(model.state_dict(), sys.argv[1] + "/course.safetensors")
    model.double()
    window = torch.randint(0, V, (STEPS,))
    with torch.no_grad():
        rows = [model(window[None, :n + 1]).softmax(-1)[0] for n in range(STEPS)]
    save_file({"ids": window, "probabilities": torch.stack(rows).float()},
              sys.argv[1] + "/course_expected.safetensors", metadata={"torch": torch.__version__})
