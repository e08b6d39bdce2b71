#!/usr/bin/env python3
"""What ../rnn_step.c times, in PyTorch: same sizes, ids, lengths (a packed sequence) and arguments.

    rnn_step.py train|run CELL BATCH STEPS INPUTS HIDDEN OPTIONS LENGTHS THREADS SECONDS [DEVICE [tf32]]

Of OPTIONS, layers, bidirectional and projection are understood.
"""
import statistics
import sys
import time

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

KINDS = {"elman": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
NAMES = {"layers": "num_layers", "bidirectional": "bidirectional", "projection": "proj_size"}


def main(what, cell, batch, steps, inputs, hidden, options, lengths, threads, seconds, device="cpu", tf32=""):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32 == "tf32"
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    given = dict(pair.split("=") for pair in options.split()) if options != "-" else {}
    given = {NAMES[key]: int(value) for key, value in given.items()}
    given["bidirectional"] = bool(given.get("bidirectional", 0))
    embedding = torch.nn.Embedding(100, inputs).to(device)
    rnn = KINDS[cell](inputs, hidden, **given).to(device)
    ids = (torch.arange(steps * batch) * 7 % 100).reshape(steps, batch).to(device)
    counts = 1 + torch.arange(batch) * 37 % steps if lengths == "mixed" else None

    def forward():
        x = embedding(ids)
        if counts is None:
            return rnn(x)[0]
        packed = pack_padded_sequence(x, counts, enforce_sorted=False)
        return pad_packed_sequence(rnn(packed)[0], total_length=steps)[0]

    def once():
        if what == "run":
            with torch.inference_mode():
                forward()
            return
        y = forward().sum(0) / (counts[:, None].to(device) if counts is not None else steps)
        loss = (y * y).mean()
        loss.item()
        loss.backward()
        embedding.zero_grad()
        rnn.zero_grad()

    rnn.train(what == "train")
    for _ in range(5):
        once()
    times, start = [], time.perf_counter()
    while len(times) < 5 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        once()
        times.append(time.perf_counter() - before)
    print(f"engine=pytorch step_ms={1e3 * statistics.median(times):.4f} steps={len(times)}")


if __name__ == "__main__":
    words = sys.argv[1:]
    main(*words[:2], *map(int, words[2:6]), *words[6:8], int(words[8]), float(words[9]), *words[10:])
