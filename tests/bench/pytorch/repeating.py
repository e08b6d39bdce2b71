"""What the examples' training does, once more in Python, so that PyTorch can repeat a run: their
random numbers, the order of their batches, their optimiser; needs torch."""
import math

import torch

POOL = 50  # batches


class Draws:
    """SplitMix64, as in examples/common/random.c."""
    def __init__(self, seed):
        self.state = seed

    def below(self, count):
        mask = 2**64 - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        z = (self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        return (z ^ (z >> 31)) % count

    def shuffle(self, items):
        for i in range(len(items), 1, -1):
            other = self.below(i)
            items[i - 1], items[other] = items[other], items[i - 1]


class Buckets:
    """Batches of items of similar length, as examples/common/buckets.c makes them."""
    def __init__(self, items, size, seed, length):
        self.items, self.size, self.draws, self.length = items, size, Draws(seed), length
        self.order = list(range(len(items)))
        self.count = (len(items) + size - 1) // size

    def epoch(self):
        """The batches of the next epoch."""
        pool = POOL * self.size
        self.draws.shuffle(self.order)
        for at in range(0, len(self.order), pool):
            self.order[at:at + pool] = sorted(self.order[at:at + pool],
                                              key=lambda i: self.length(self.items[i]))
        starts = list(range(0, len(self.order), self.size))
        self.draws.shuffle(starts)
        for start in starts:
            yield [self.items[i] for i in self.order[start:start + self.size]]


def pad(rows, fill):
    """[steps][rows]"""
    steps = max(map(len, rows))
    return torch.tensor([row + [fill] * (steps - len(row)) for row in rows]).T


class Adam:
    """Adam after clipping by norm; where a gradient is sparse only the rows that were read move."""
    def __init__(self, parameters, rate, clip):
        self.parameters, self.rate, self.clip, self.steps = parameters, rate, clip, 0
        self.moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}

    @torch.no_grad()
    def step(self, share=0):
        """share: how far the training is, by which the rate falls along a cosine; 0: it does not."""
        gradients = {}
        for name, parameter in self.parameters.items():
            sparse = parameter.grad.coalesce() if parameter.grad.is_sparse else None
            gradients[name] = (slice(None), parameter.grad) if sparse is None else (sparse.indices()[0], sparse.values())
            parameter.grad = None
        norm = torch.sqrt(sum((gradient**2).sum() for _, gradient in gradients.values()))
        scale = self.clip / (norm + 1e-6) if 0 < self.clip < norm else 1
        rate = self.rate * (1 + math.cos(math.pi * share)) / 2
        self.steps += 1
        for name, (rows, gradient) in gradients.items():
            first, second = self.moments[name]
            gradient = gradient * scale
            first[rows] = 0.9 * first[rows] + 0.1 * gradient
            second[rows] = 0.999 * second[rows] + 0.001 * gradient**2
            self.parameters[name][rows] -= (rate / (1 - 0.9**self.steps)) * first[rows] / (
                torch.sqrt(second[rows] / (1 - 0.999**self.steps)) + 1e-8)
