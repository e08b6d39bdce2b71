#!/usr/bin/env python3
"""What ../rnn_step.c times, in PyTorch: same sizes, ids, lengths (a packed sequence) and arguments.

    rnn_step.py train|run|step CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS SECONDS
                [DEVICE [PRECISION [FOLDER]]]

Of OPTIONS, layers, bidirectional and projection are understood; PRECISION is full or tf32. Of FOLDER,
where rnn_step was, the weights are taken, and x for single steps and for the pass whose results are
written there: y.pytorch and gradients.pytorch. With SECONDS 0 nothing is timed.
"""
import pathlib
import sys

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import passes  # noqa: E402

KINDS = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
NAMES = {"layers": "num_layers", "bidirectional": "bidirectional", "projection": "proj_size"}
WORDS = 100


def numbers(tensors):
    return torch.cat([tensor.detach().cpu().flatten() for tensor in tensors]).tolist()


class Layer:
    def __init__(self, what, cell, batch, steps, inputs, hidden, options, lengths, device):
        given = dict(pair.split("=") for pair in options.split()) if options != "-" else {}
        given = {NAMES[key]: int(value) for key, value in given.items()}
        given["bidirectional"] = bool(given.get("bidirectional", 0))
        self.what, self.steps, self.device, self.state = what, steps, device, None
        self.embedding = torch.nn.Embedding(WORDS, inputs).to(device)
        self.rnn = KINDS[cell](inputs, hidden, **given).to(device).train(what == "train")
        self.ids = (torch.arange(steps * batch) * 7 % WORDS).reshape(steps, batch).to(device)
        self.counts = 1 + torch.arange(batch) * 37 % steps if lengths == "mixed" else None
        self.frames = torch.zeros(steps, batch, inputs)

    def load(self, folder):
        """The weights, and x: of the pass that is checked, and of single steps."""
        values, at = torch.tensor(passes.read(folder / "weights")), 0
        with torch.no_grad():
            for parameter in self.rnn.parameters():
                parameter.copy_(values[at:at + parameter.numel()].reshape(parameter.shape))
                at += parameter.numel()
        self.frames = torch.tensor(passes.read(folder / "x")).reshape(self.frames.shape)

    def forward(self, x):
        if self.counts is None:
            return self.rnn(x)[0]
        packed = pack_padded_sequence(x, self.counts, enforce_sorted=False)
        return pad_packed_sequence(self.rnn(packed)[0], total_length=self.steps)[0]

    def learn(self, x):
        y = self.forward(x)
        pooled = y.sum(0) / (self.counts[:, None].to(self.device) if self.counts is not None else self.steps)
        loss = (pooled * pooled).mean()
        loss.item()
        loss.backward()
        return y

    @torch.inference_mode()
    def follow(self):
        """One frame after the other, with the state carried."""
        outputs = []
        for frame in self.frames:
            y, self.state = self.rnn(frame[None], self.state)
            outputs.append(y)
        return outputs

    def once(self):
        if self.what == "step":
            self.follow()
        elif self.what == "run":
            with torch.inference_mode():
                self.forward(self.embedding(self.ids))
        else:
            self.embedding.zero_grad()
            self.rnn.zero_grad()
            self.learn(self.embedding(self.ids))

    def save(self, folder):
        if self.what == "step":
            passes.write(folder / "y.pytorch", numbers(self.follow()))
            return
        with torch.set_grad_enabled(self.what == "train"):
            x = self.frames.to(self.device)
            y = self.learn(x) if self.what == "train" else self.forward(x)
        passes.write(folder / "y.pytorch", numbers([y]))
        if self.what == "train":
            passes.write(folder / "gradients.pytorch", numbers(p.grad for p in self.rnn.parameters()))


def main(what, cell, batch, steps, inputs, hidden, options, lengths, threads, seconds, device="cpu",
         precision="full", folder=None):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    layer = Layer(what, cell, batch, steps, inputs, hidden, options, lengths, device)
    if folder:
        layer.load(pathlib.Path(folder))
        layer.save(pathlib.Path(folder))
    if seconds > 0:
        passes.report("pytorch", passes.measure(layer.once, seconds), 1e3 / (steps if what == "step" else 1))


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:2], *map(int, words[2:6]), *words[6:8], int(words[8]), float(words[9]), *words[10:])
