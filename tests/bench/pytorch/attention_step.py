#!/usr/bin/env python3
"""Times in PyTorch what ../attention_step.c times in librnnkit; needs torch.

    attention_step.py attend|train|decode BATCH SOURCE TARGET WIDTH WORDS THREADS SECONDS [--compile] [--bfloat16]

attend is done twice: query by query, as a decoder must, and all pairs at once; the faster counts.
With --compile the model is compiled first; with --bfloat16 decode has weights and states in
bfloat16, log probabilities in float. Prints the same line of key=value.
"""
import argparse
import statistics
import time

import torch
from torch.nn.functional import cross_entropy

WARM, LEAST, BEAM, QUERY = 5, 5, 5, 64
BOS, EOS = 2, 3


class Additive(torch.nn.Module):
    def __init__(self, query_width, key_width, width):
        super().__init__()
        self.query = torch.nn.Linear(query_width, width, bias=False)
        self.key = torch.nn.Linear(key_width, width, bias=False)
        self.score = torch.nn.Linear(width, 1, bias=False)

    def one(self, query, keys, values):
        """query [B][Q]; keys, values [B][S][...]"""
        e = self.score(torch.tanh(self.query(query)[:, None] + keys)).squeeze(-1)
        weights = e.softmax(-1)
        return torch.bmm(weights[:, None], values).squeeze(1)

    def all(self, query, keys, values):
        """query [B][T][Q]"""
        e = self.score(torch.tanh(self.query(query)[:, :, None] + keys[:, None])).squeeze(-1)
        return torch.bmm(e.softmax(-1), values)


class Attend:
    def __init__(self, w, whole, compiled):
        self.attention, self.whole = Additive(QUERY, w.width, w.width), whole
        self.source = torch.randn(w.batch, w.source, w.width).mul(0.1).requires_grad_()
        self.query = torch.randn(w.target, w.batch, QUERY).mul(0.1).requires_grad_()
        self.output = torch.nn.Linear(w.width, 2)
        self.targets = torch.zeros(w.target * w.batch, dtype=torch.long)
        self.look = torch.compile(self.contexts) if compiled else self.contexts

    def contexts(self, query, source):
        if self.whole:
            return self.attention.all(query.transpose(0, 1), source, source).transpose(0, 1)
        return torch.stack([self.attention.one(q, source, source) for q in query])

    def step(self):
        context = self.look(self.query, self.source)
        loss = cross_entropy(self.output(context.flatten(0, 1)), self.targets)
        loss.backward()
        for x in [self.query, self.source, *self.attention.parameters(), *self.output.parameters()]:
            x.grad = None


class Writer(torch.nn.Module):
    def __init__(self, w):
        super().__init__()
        width = w.width // 2
        self.read = torch.nn.Embedding(w.words, width)
        self.written = torch.nn.Embedding(w.words, width)
        self.encoder = torch.nn.LSTM(width, w.width, batch_first=True)
        self.cell = torch.nn.LSTMCell(width + w.width, w.width)
        self.attention = Additive(w.width, w.width, w.width)
        self.combine = torch.nn.Linear(2 * w.width + width, w.width)
        self.output = torch.nn.Linear(w.width, w.words)

    def encode(self, ids):
        memory, _ = self.encoder(self.read(ids))
        return memory, self.attention.key(memory)

    def step(self, x, h, c, memory, keys):
        context = self.attention.one(h, keys, memory)
        h, c = self.cell(torch.cat((x, context), -1), (h, c))
        return torch.tanh(self.combine(torch.cat((context, h, x), -1))), h, c

    def forward(self, source, inputs, targets):
        memory, keys = self.encode(source)
        h = c = memory.new_zeros(source.shape[0], memory.shape[-1])
        outs = []
        for x in self.written(inputs):
            out, h, c = self.step(x, h, c, memory, keys)
            outs.append(out)
        return cross_entropy(self.output(torch.stack(outs).flatten(0, 1)), targets.flatten())


class Train:
    def __init__(self, w, compiled):
        self.model = Writer(w)
        self.run = torch.compile(self.model) if compiled else self.model
        self.adam = torch.optim.Adam(self.model.parameters(), lr=0.001, fused=True)
        self.source = torch.randint(4, w.words, (w.batch, w.source))
        self.inputs = torch.randint(4, w.words, (w.target, w.batch))
        self.targets = torch.randint(4, w.words, (w.target, w.batch))

    def step(self):
        self.adam.zero_grad()
        loss = self.run(self.source, self.inputs, self.targets)
        loss.item()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5)
        self.adam.step()


class Decode:
    """A beam search as course notebooks write it, the hypotheses of one sentence as a batch."""

    def __init__(self, w, compiled):
        self.model = Writer(w).eval().to(torch.bfloat16 if w.bfloat16 else torch.float32)
        self.one = torch.compile(self.model.step) if compiled else self.model.step
        self.source, self.length = torch.randint(4, w.words, (w.batch, w.source)), w.target

    @torch.no_grad()
    def step(self):
        memory, keys = self.model.encode(self.source)
        memory, keys = (x.repeat_interleave(BEAM, 0) for x in (memory, keys))
        batch, words = self.source.shape[0], self.model.output.out_features
        h = c = memory.new_zeros(batch * BEAM, memory.shape[-1])
        ids = torch.full((batch * BEAM,), BOS)
        scores = torch.full((batch, BEAM), float("-inf"))
        scores[:, 0] = 0
        history = []
        for _ in range(self.length):
            out, h, c = self.one(self.model.written(ids), h, c, memory, keys)
            log_p = self.model.output(out).float().log_softmax(-1)
            log_p[:, :EOS + 1] = float("-inf")
            total = scores[:, :, None] + log_p.view(batch, BEAM, words)
            scores, best = total.view(batch, -1).topk(BEAM)
            rows = (best // words + torch.arange(batch)[:, None] * BEAM).flatten()
            ids = (best % words).flatten()
            h, c = h[rows], c[rows]
            history.append((rows, ids))
        return history


def measure(step, seconds):
    for _ in range(WARM):
        step()
    times, start = [], time.perf_counter()
    now = start
    while len(times) < LEAST or now - start < seconds:
        before = now
        step()
        now = time.perf_counter()
        times.append(now - before)
    return statistics.median(times), len(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("attend", "train", "decode"))
    for name in ("batch", "source", "target", "width", "words", "threads"):
        parser.add_argument(name, type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--bfloat16", action="store_true")
    w = parser.parse_args()
    torch.set_num_threads(w.threads)
    torch.manual_seed(1)
    if w.what == "attend":
        made = [Attend(w, whole, w.compile) for whole in (False, True)]
        median, count = min(measure(a.step, w.seconds / 2) for a in made)
    else:
        made = (Train if w.what == "train" else Decode)(w, w.compile)
        median, count = measure(made.step, w.seconds)
    engine = "compiled" if w.compile else "pytorch"
    print(f"engine={engine} what={w.what} step_ms={1e3 * median:.3f} steps={count}")


if __name__ == "__main__":
    main()
