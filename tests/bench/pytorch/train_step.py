#!/usr/bin/env python3
"""Times training steps of one workload in PyTorch, as ../train_step.c does in librnnkit; needs torch.

    train_step.py WORKLOADS NAME THREADS SECONDS [--adam fused|default] [--device cuda [--tf32 | --bf16]]

Prints the same line of key=value. Adam is the fused one, which is faster than PyTorch's default.
"""
import argparse
import resource
import statistics
import time

import torch

BATCHES, WARM, LEAST_STEPS = 8, 5, 5
SIZES = ("batch", "steps", "embedding", "hidden", "layers", "words")


def read_workload(path, name):
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if words and words[0] == name:
                pairs = dict(word.split("=") for word in words[1:])
                return {**pairs, **{key: int(pairs[key]) for key in SIZES},
                        "dropout": float(pairs["dropout"])}
    raise SystemExit(f"{name}: no such workload")


def draw_batch(w, device):
    """Ids [steps][batch] by Zipf's law, and targets: the ids behind them."""
    uniform = torch.rand(w["steps"] + 1, w["batch"], dtype=torch.float64)
    ids = (uniform * torch.log(torch.tensor(w["words"] + 1.0, dtype=torch.float64))).exp().long() - 1
    ids = ids.clamp(0, w["words"] - 1)
    return ids[:-1].contiguous().to(device), ids[1:].contiguous().to(device)


class Model(torch.nn.Module):
    def __init__(self, w):
        super().__init__()
        self.last = w["predict"] == "last"
        self.embedding = torch.nn.Embedding(w["words"], w["embedding"])
        self.lstm = torch.nn.LSTM(w["embedding"], w["hidden"], w["layers"], dropout=w["dropout"])
        self.linear = torch.nn.Linear(w["hidden"], w["words"])

    def forward(self, ids, targets, state):
        output, state = self.lstm(self.embedding(ids), state)
        if self.last:
            output, targets = output[-1], targets[-1]
        logits = self.linear(output.reshape(-1, output.shape[-1]))
        return torch.nn.functional.cross_entropy(logits, targets.reshape(-1)), state


class Trainer:
    def __init__(self, w, fused, device, bf16):
        self.cast = lambda: torch.autocast(device, torch.bfloat16, enabled=bf16)
        self.model = Model(w).to(device)
        self.adam = torch.optim.Adam(self.model.parameters(), lr=0.001, fused=fused or None)
        self.batches = [draw_batch(w, device) for _ in range(BATCHES)]
        self.state = None

    def step(self, number):
        self.adam.zero_grad()
        with self.cast():
            loss, state = self.model(*self.batches[number % BATCHES], self.state)
        if not self.model.last:
            self.state = tuple(part.detach() for part in state)
        value = loss.item()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5)
        self.adam.step()
        return value


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
    parser.add_argument("--tf32", action="store_true")
    parser.add_argument("--bf16", action="store_true", help="autocast")
    given = parser.parse_args()
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = given.tf32
    torch.set_num_threads(given.threads)
    torch.manual_seed(1)
    base = peak_mib()
    w = read_workload(given.workloads, given.name)
    trainer = Trainer(w, given.adam == "fused", given.device, given.bf16)
    for number in range(WARM):
        trainer.step(number)
    times, start = [], time.perf_counter()
    now = start
    while len(times) < LEAST_STEPS or now - start < given.seconds:
        before = now
        loss = trainer.step(WARM + len(times))
        now = time.perf_counter()
        times.append(now - before)
    median = statistics.median(times)
    print(f"engine=pytorch workload={given.name} threads={given.threads} "
          f"tokens_per_second={w['steps'] * w['batch'] / median:.0f} step_ms={1e3 * median:.3f} "
          f"steps={len(times)} peak_mib={peak_mib():.1f} base_mib={base:.1f} loss={loss:.4f}")


if __name__ == "__main__":
    main()
