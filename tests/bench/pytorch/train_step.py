#!/usr/bin/env python3
"""Times training steps of one workload in PyTorch, as ../train_step.c does in librnnkit; needs torch.

    train_step.py WORKLOADS NAME THREADS SECONDS [--adam fused|default] [--folder FOLDER]
                  [--device cuda [--tf32 | --bf16]]

Prints the same line of key=value. Adam is the fused one, which is faster than PyTorch's default. Of
FOLDER, where train_step was, parameters and words are taken; nothing is timed, and losses.pytorch
written there.
"""
import argparse
import pathlib
import resource
import statistics
import sys

import torch
from torch.nn.utils.rnn import pack_padded_sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import passes  # noqa: E402

BATCHES, CHECKED_STEPS = 8, 5
SIZES = {"batch": 0, "steps": 0, "embedding": 0, "hidden": 0, "layers": 0, "words": 0, "classes": 0,
         "bidirectional": 0}


def read_workload(path, name):
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words and words[0] == name:
                pairs = dict(word.split("=") for word in words[1:])
                return {"predict": "all", **pairs,
                        **{key: int(pairs.get(key, otherwise)) for key, otherwise in SIZES.items()},
                        "dropout": float(pairs.get("dropout", 0))}
    raise SystemExit(f"{name}: no such workload")


def draw_batch(w, device):
    """Ids [steps][batch] by Zipf's law, and targets: the ids behind them."""
    uniform = torch.rand(w["steps"] + 1, w["batch"], dtype=torch.float64)
    ids = (uniform * torch.log(torch.tensor(w["words"] + 1.0, dtype=torch.float64))).exp().long() - 1
    ids = ids.clamp(0, w["words"] - 1)
    return ids[:-1].contiguous().to(device), ids[1:].contiguous().to(device)


def read_batch(w, folder, place, device):
    size, shape = w["steps"] * w["batch"], (w["steps"], w["batch"])
    return [torch.tensor(passes.read(folder / name, "i")[place * size:(place + 1) * size],
                         dtype=torch.int64).reshape(shape).to(device) for name in ("ids", "targets")]


class Model(torch.nn.Module):
    def __init__(self, w):
        super().__init__()
        self.last, self.classes = w["predict"] == "last", w["classes"]
        self.lengths = 1 + torch.arange(w["batch"]) * 37 % w["steps"]
        self.embedding = torch.nn.Embedding(w["words"], w["embedding"])
        self.lstm = torch.nn.LSTM(w["embedding"], w["hidden"], w["layers"], dropout=w["dropout"],
                                  bidirectional=w["bidirectional"] == 1)
        self.linear = torch.nn.Linear(w["hidden"] * (1 + w["bidirectional"]), w["classes"] or w["words"])

    def classify(self, ids):
        """Loss of the classes, which the first words tell."""
        packed = pack_padded_sequence(self.embedding(ids), self.lengths, enforce_sorted=False)
        _, (ends, _) = self.lstm(packed)
        ends = torch.cat(tuple(ends[-self.lstm.bidirectional - 1:]), -1)
        return torch.nn.functional.cross_entropy(self.linear(ends), ids[0] % self.classes)

    def forward(self, ids, targets, state):
        if self.classes:
            return self.classify(ids), None
        output, state = self.lstm(self.embedding(ids), state)
        if self.last:
            output, targets = output[-1], targets[-1]
        logits = self.linear(output.reshape(-1, output.shape[-1]))
        return torch.nn.functional.cross_entropy(logits, targets.reshape(-1)), state


class Trainer:
    def __init__(self, w, fused, device, bf16, folder):
        self.cast = lambda: torch.autocast(device, torch.bfloat16, enabled=bf16)
        self.model = Model(w).to(device)
        self.adam = torch.optim.Adam(self.model.parameters(), lr=0.001, fused=fused or None)
        self.state, self.done, self.loss = None, 0, 0
        if folder:
            self.load(folder)
            self.batches = [read_batch(w, folder, place, device) for place in range(BATCHES)]
        else:
            self.batches = [draw_batch(w, device) for _ in range(BATCHES)]

    @torch.no_grad()
    def load(self, folder):
        values, at = torch.tensor(passes.read(folder / "weights")), 0
        for parameter in self.model.parameters():
            parameter.copy_(values[at:at + parameter.numel()].reshape(parameter.shape))
            at += parameter.numel()

    def step(self):
        self.adam.zero_grad()
        with self.cast():
            loss, state = self.model(*self.batches[self.done % BATCHES], self.state)
        if state is not None and not self.model.last:
            self.state = tuple(part.detach() for part in state)
        self.done, self.loss = self.done + 1, loss.item()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5)
        self.adam.step()
        return self.loss


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workloads")
    parser.add_argument("name")
    parser.add_argument("threads", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--adam", choices=("fused", "default"), default="fused")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--bf16", action="store_true", help="autocast")
    given = parser.parse_args()
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = given.tf32
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    base = peak_mib()
    w = read_workload(given.workloads, given.name)
    if given.folder:
        w["dropout"] = 0
    trainer = Trainer(w, given.adam == "fused", given.device, given.bf16, given.folder)
    if given.folder:
        passes.write(given.folder / "losses.pytorch", [trainer.step() for _ in range(CHECKED_STEPS)])
        return
    times = passes.measure(trainer.step, given.seconds)
    median = statistics.median(times)
    print(f"engine=pytorch workload={given.name} threads={given.threads} "
          f"tokens_per_second={w['steps'] * w['batch'] / median:.0f} step_ms={1e3 * median:.3f} "
          f"steps={len(times)} peak_mib={peak_mib():.1f} base_mib={base:.1f} loss={trainer.loss:.4f}")


if __name__ == "__main__":
    main()
