#!/usr/bin/env python3
"""Trains the script generator of a course in PyTorch, to be held against librnnkit; needs torch, numpy.

    course.py IDS WORDS [--updates N] [--every N] [--threads N] [--seed N] [--clip NORM] ...

IDS is what export_ids wrote, WORDS the size of the vocabulary. The recipe: windows of 10 words in an
order shuffled for each epoch, batches of 256, from a zero state; embedding of 200, two LSTM layers
of 256 with dropout 0.5 between them, linear; the loss is that of the word behind each window; Adam
with rate 0.001. Prints, every N updates, the mean loss of those updates and the words a second.
"""
import argparse
import time

import numpy
import torch
from torch.nn.functional import cross_entropy


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("ids")
    parser.add_argument("words", type=int)
    for name, value in (("updates", 2000), ("every", 100), ("threads", 1), ("seed", 1),
                        ("steps", 10), ("batch", 256), ("embedding", 200), ("hidden", 256),
                        ("layers", 2)):
        parser.add_argument("--" + name, type=int, default=value)
    for name, value in (("dropout", 0.5), ("lr", 0.001), ("clip", 0.0), ("valid", 0.0)):
        parser.add_argument("--" + name, type=float, default=value)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


class ScriptGenerator(torch.nn.Module):
    def __init__(self, given):
        super().__init__()
        self.embedding = torch.nn.Embedding(given.words, given.embedding)
        self.lstm = torch.nn.LSTM(given.embedding, given.hidden, given.layers,
                                  dropout=given.dropout, batch_first=True)
        self.linear = torch.nn.Linear(given.hidden, given.words)

    def forward(self, windows):
        output, _ = self.lstm(self.embedding(windows))
        return self.linear(output[:, -1])


def batches(ids, given):
    """Windows and the words behind them, epoch after epoch; a last smaller batch is left out."""
    windows = ids.unfold(0, given.steps + 1, 1)
    while True:
        order = torch.randperm(len(windows)).to(ids.device)
        for first in range(0, len(order) - given.batch + 1, given.batch):
            rows = windows[order[first:first + given.batch]]
            yield rows[:, :-1], rows[:, -1]


def main():
    given = arguments()
    torch.set_num_threads(given.threads)
    torch.manual_seed(given.seed)
    ids = torch.from_numpy(numpy.fromfile(given.ids, dtype=numpy.int32).astype(numpy.int64))
    ids = ids[:len(ids) - int(given.valid * len(ids))].to(given.device)
    model = ScriptGenerator(given).to(given.device)
    adam = torch.optim.Adam(model.parameters(), lr=given.lr)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"torch {torch.__version__}, {parameters} parameters, {len(ids)} words, {given}", flush=True)
    losses, start = [], time.perf_counter()
    for update, (windows, targets) in zip(range(1, given.updates + 1), batches(ids, given)):
        adam.zero_grad()
        loss = cross_entropy(model(windows), targets)
        loss.backward()
        if given.clip > 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), given.clip)
        adam.step()
        losses.append(loss.item())
        if update % given.every == 0:
            mean, seconds = sum(losses) / len(losses), time.perf_counter() - start
            words = given.every * given.batch * given.steps
            print(f"update={update} loss={mean:.4f} words_per_second={words / seconds:.0f}",
                  flush=True)
            losses, start = [], time.perf_counter()


if __name__ == "__main__":
    main()
