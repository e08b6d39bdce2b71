#!/usr/bin/env python3
"""The course preset of the example sentiment once more in PyTorch, from the same initial weights, with
the same batches; needs torch, numpy, safetensors.

    sentiment.py INITIAL TRAIN --library FILE [--log FILE] [--test FILE] [--dropout] [--epochs N] ...

Compares the loss of every few updates with what a run without dropout told:

    sentiment train --preset course --data TRAIN --model INITIAL --length 1 --epochs 1 --lr 1e-30
    sentiment train --preset course --data TRAIN --model M --dropout 0 --dropout-ends 0 --json > LOG
    sentiment.py INITIAL TRAIN --library librnnkit.so --log LOG

or runs the whole recipe, with dropout of its own, and measures the weights of the best epoch:

    sentiment.py INITIAL TRAIN --library librnnkit.so --dropout --epochs 4 --test TEST

The library is there for its tokenizer: the ids come from the vocabulary in INITIAL.
"""
import argparse
import ctypes
import itertools
import json
import pathlib
import sys

import safetensors.torch
import torch
from torch.nn.functional import cross_entropy, dropout, embedding, linear
from torch.nn.utils.rnn import pack_padded_sequence

from repeating import Adam, Buckets, Draws, pad

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/ffi"))
import binding  # noqa: E402

UNK = 1
BETWEEN, ENDS = 0.5, 0.3  # rates of dropout: between the layers; before the first, behind the last


class Reader:
    """Reviews as ids, by the vocabulary of a model."""
    def __init__(self, library, model):
        self.api = binding.Api(library, ROOT / "include/rnnkit")
        context = self.api.make("context_create", b"cpu", b"threads=1")
        self.vocab = self.api.make("model_vocab", self.api.make("model_open", context, model.encode(), None))

    def encode(self, text, length):
        room, needed = len(text) + 1, ctypes.c_int64()
        ids = (ctypes.c_int32 * room)()
        self.api.vocab_encode(self.vocab, text, len(text), ids, room, ctypes.byref(needed))
        return list(ids[:min(needed.value, length)]) or [UNK]

    def read(self, path, length):
        """[(ids, label)]"""
        rows = []
        with open(path, "rb") as file:
            for line in file:
                label, text = line.rstrip(b"\r\n").split(b"\t", 1)
                text = text.replace(b"\0", b" ").replace(b"<br />", b"      ")
                rows.append((self.encode(text, length), int(label)))
        return rows


def split(rows, share, seed):
    """What to learn from, and what is held out: of each label the same part."""
    draws, learn, held = Draws(seed), [], []
    for label in (0, 1):
        chosen = [row for row in rows if row[1] == label]
        wanted, left = int(len(chosen) * share + 0.5), len(chosen)
        for row in chosen:
            if draws.below(left) < wanted:
                wanted -= 1
                held.append(row)
            else:
                learn.append(row)
            left -= 1
    return learn, held


class Classifier(torch.nn.Module):
    def __init__(self, weights, drops):
        super().__init__()
        self.drops = drops
        self.names = {name: torch.nn.Parameter(value.clone()) for name, value in weights.items()}
        layers = sum(name.startswith("rnn.weight_hh") for name in weights)
        hidden = weights["rnn.weight_hh_l0"].shape[1]
        self.rnn = torch.nn.LSTM(weights["embedding.weight"].shape[1], hidden, layers,
                                 dropout=BETWEEN if drops else 0)
        for name, _ in list(self.rnn.named_parameters()):
            delattr(self.rnn, name)
            setattr(self.rnn, name, self.names["rnn." + name])

    def drop(self, x):
        return dropout(x, ENDS, self.training) if self.drops else x

    def forward(self, ids, lengths):
        x = self.drop(embedding(ids, self.names["embedding.weight"], sparse=True))
        _, (ends, _) = self.rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))
        return linear(self.drop(ends[-1]), self.names["linear.weight"], self.names["linear.bias"])


def tensors(rows):
    return pad([ids for ids, _ in rows], 0), torch.tensor([len(ids) for ids, _ in rows]), torch.tensor(
        [label for _, label in rows])


@torch.inference_mode()
def measure(model, rows):
    """(mean loss, accuracy)"""
    loss = right = 0
    rows = sorted(rows, key=lambda row: len(row[0]))
    model.eval()
    for at in range(0, len(rows), 64):
        ids, lengths, labels = tensors(rows[at:at + 64])
        logits = model(ids, lengths)
        loss += cross_entropy(logits, labels, reduction="sum").item()
        right += int((logits.argmax(1) == labels).sum())
    model.train()
    return loss / len(rows), right / len(rows)


def train_epochs(model, adam, batches, epochs):
    """Yields the loss and the rows of each update."""
    for rows in itertools.chain.from_iterable(batches.epoch() for _ in range(epochs)):
        ids, lengths, labels = tensors(rows)
        loss = cross_entropy(model(ids, lengths), labels)
        loss.backward()
        adam.step()
        yield loss.item(), len(rows)


def compare(log, losses):
    """Prints both losses over each interval of the log."""
    with open(log, encoding="utf-8") as lines:
        told = [event for event in map(json.loads, lines) if event["event"] == "progress"]
    sums, worst = [0, 0], 0
    print(f"{'update':>8} {'librnnkit':>10} {'PyTorch':>10} {'difference':>11}")
    for update, (loss, rows) in enumerate(losses, 1):
        sums = [sums[0] + loss * rows, sums[1] + rows]
        if told[0]["update"] == update:
            ours, theirs = told.pop(0)["loss"], sums[0] / sums[1]
            worst, sums = max(worst, abs(theirs / ours - 1)), [0, 0]
            print(f"{update:8} {ours:10.5f} {theirs:10.5f} {theirs / ours - 1:+10.3%}", flush=True)
        if not told:
            break
    print(f"largest difference {worst:.3%}")


def learn(model, adam, batches, held, epochs):
    """Keeps the weights of the epoch with the least loss on what is held out."""
    best, kept = None, None
    for epoch in range(1, epochs + 1):
        losses = [loss * rows for loss, rows in train_epochs(model, adam, batches, 1)]
        valid, accuracy = measure(model, held)
        print(f"epoch {epoch}: training loss {sum(losses) / len(batches.items):.4f}, validation loss "
              f"{valid:.4f}, accuracy {accuracy:.4f}", flush=True)
        if best is None or valid < best:
            best, kept = valid, {name: value.detach().clone() for name, value in model.names.items()}
    with torch.no_grad():
        for name, value in kept.items():
            model.names[name].copy_(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("initial")
    parser.add_argument("data")
    parser.add_argument("--library", required=True)
    parser.add_argument("--log")
    parser.add_argument("--test")
    parser.add_argument("--dropout", action="store_true")
    for name, value in (("epochs", 4), ("length", 200), ("batch", 50), ("seed", 1), ("threads", 1)):
        parser.add_argument("--" + name, type=int, default=value)
    for name, value in (("lr", 0.001), ("clip", 5.0), ("valid", 0.1)):
        parser.add_argument("--" + name, type=float, default=value)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    reader = Reader(given.library, given.initial)
    rows, held = split(reader.read(given.data, given.length), given.valid, given.seed)
    model = Classifier(safetensors.torch.load_file(given.initial), given.dropout)
    adam = Adam(model.names, given.lr, given.clip)
    batches = Buckets(rows, given.batch, given.seed + 1, lambda row: len(row[0]))
    if given.log:
        compare(given.log, train_epochs(model, adam, batches, given.epochs))
    else:
        learn(model, adam, batches, held, given.epochs)
    if given.test:
        loss, accuracy = measure(model, reader.read(given.test, given.length))
        print(f"test: loss {loss:.4f}, accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
