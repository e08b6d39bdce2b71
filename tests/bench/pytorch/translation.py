#!/usr/bin/env python3
"""The example translation's training once more in PyTorch, from the same initial weights, with the
same batches, to compare the curves of the loss; needs torch, numpy, safetensors.

    translation.py INITIAL TRAINED SOURCE TARGET [--threads N]

TRAINED is a model that `translation train` wrote after one epoch without dropout, from tokenised text
with files for validation; its options and its loss curve are read from it. INITIAL is the same but
for a learning rate that changes nothing, and has only short sentences to read:

    options="--source SOURCE --target TARGET --valid-source V --valid-target W --epochs 1 --dropout 0"
    translation train $options --model INITIAL --lr 1e-30 --max-length 8
    translation train $options --model TRAINED

One layer of GRU, without scheduled sampling. Prints both losses over each interval of the curve and
by how much PyTorch's differs.
"""
import argparse
import json
import math

import safetensors
import safetensors.torch
import torch
from torch.nn.functional import cross_entropy, embedding, linear
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from repeating import Adam, Buckets, pad

BOS, EOS, UNK, IGNORE = 2, 3, 1, -1


def metadata(path):
    with safetensors.safe_open(path, "pt") as model:
        found = model.metadata()
    return (found, dict(line.split("=", 1) for line in found["entry.translation.options"].splitlines()),
            {layer["name"]: layer for layer in json.loads(found["rnnkit.layers"])})


def read_pairs(paths, vocabularies, longest):
    """Ids of both sides, as pairs_encode gives them for tokenised text."""
    sides = []
    for path, text in zip(paths, vocabularies):
        ids = {line.rsplit(" ", 1)[0]: number for number, line in enumerate(text.splitlines())}
        with open(path, encoding="utf-8") as lines:
            sides.append([[ids.get(word, UNK) for word in line.lower().split()] for line in lines])
    return [pair for pair in zip(*sides) if 0 < len(pair[0]) <= longest and 0 < len(pair[1]) <= longest]


class Translator(torch.nn.Module):
    """Parameters under the names of the file."""
    def __init__(self, weights, layers):
        super().__init__()
        self.names = {}
        for name, value in weights.items():
            self.names[name] = torch.nn.Parameter(value.clone())
            self.register_parameter(name.replace(".", "__"), self.names[name])
        options = dict(item.split("=") for item in layers["decoder"]["options"].split())
        self.luong, self.score = options.get("style") == "luong", options.get("score", "additive")
        inputs, hidden = layers["encoder"]["sizes"]
        self.encoder = torch.nn.GRU(inputs, hidden, bidirectional=True)
        for name, _ in list(self.encoder.named_parameters()):
            delattr(self.encoder, name)
            setattr(self.encoder, name, self.names["encoder." + name])

    def layer(self, name, x):
        return linear(x, self.names[name + ".weight"], self.names.get(name + ".bias"))

    def keys(self, memory):
        if self.score in ("additive", "general"):
            return self.layer("decoder.attention.key", memory)
        return memory

    def scores(self, query, keys):
        """[positions][rows]"""
        if self.score == "additive":
            return self.layer("decoder.attention.score", torch.tanh(
                self.layer("decoder.attention.query", query) + keys)).squeeze(-1)
        if self.score == "concat":
            both = torch.cat([query.expand(len(keys), -1, -1), keys], -1)
            return self.layer("decoder.attention.score", torch.tanh(
                self.layer("decoder.attention.concat", both))).squeeze(-1)
        scores = (query * keys).sum(-1)
        return scores / math.sqrt(keys.shape[-1]) if self.score == "scaled_dot" else scores

    def forward(self, source, lengths, read):
        read_words = embedding(source, self.names["source.weight"], sparse=True)
        packed = pack_padded_sequence(read_words, lengths, enforce_sorted=False)
        packed, ends = self.encoder(packed)
        memory = pad_packed_sequence(packed)[0]
        h = torch.tanh(self.layer("decoder.start.h_l0", torch.cat([ends[0], ends[1]], -1)))
        beyond = torch.arange(len(memory))[:, None] >= lengths
        keys = self.keys(memory)
        words = embedding(read, self.names["target.weight"])
        cell = [self.names["decoder.rnn." + name + "_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        fed = torch.zeros(words.shape[1], self.names["decoder.combine.bias"].shape[0])
        outputs = []

        def look(query):
            weights = torch.softmax(self.scores(query, keys).masked_fill(beyond, -math.inf), 0)
            return (weights.unsqueeze(-1) * memory).sum(0)

        for x in words:
            if self.luong:
                h = torch.gru_cell(torch.cat([x, fed], -1), h, *cell)
                fed = torch.tanh(self.layer("decoder.combine", torch.cat([look(h), h], -1)))
                outputs.append(fed)
            else:
                context = look(h)
                h = torch.gru_cell(torch.cat([x, context], -1), h, *cell)
                outputs.append(torch.tanh(self.layer("decoder.combine", torch.cat([context, h, x], -1))))
        weight = self.names.get("output.weight", self.names["target.weight"])
        return linear(torch.stack(outputs), weight, self.names["output.bias"])


def main():
    parser = argparse.ArgumentParser()
    for name in ("initial", "trained", "source", "target"):
        parser.add_argument(name)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    found, options, layers = metadata(given.trained)
    pairs = read_pairs((given.source, given.target), (found["entry.translation.source_vocab"], found["rnnkit.vocab"]),
                       int(options["max-length"]))
    curve = [point.split(":") for point in found["entry.translation.train_curve"].split()]
    model = Translator(safetensors.torch.load_file(given.initial), layers)
    adam = Adam(model.names, float(options["lr"]), float(options["clip"]))
    batches = Buckets(pairs, int(options["batch"]), int(options["seed"]) + 1,
                      lambda pair: (len(pair[0]), len(pair[1])))
    sums, worst, curve = [0, 0], 0, [(int(update), float(loss)) for update, loss in curve]
    print(f"{'update':>8} {'librnnkit':>10} {'PyTorch':>10} {'difference':>11}")
    for update, rows in enumerate(batches.epoch(), 1):
        source = pad([pair[0] for pair in rows], 0)
        lengths = torch.tensor([len(pair[0]) for pair in rows])
        read = pad([[BOS] + pair[1] for pair in rows], 0)
        write = pad([pair[1] + [EOS] for pair in rows], IGNORE)
        logits = model(source, lengths, read)
        loss = cross_entropy(logits.flatten(0, 1), write.flatten(), ignore_index=IGNORE,
                             label_smoothing=float(options["label-smoothing"]))
        loss.backward()
        adam.step((update - 1) / batches.count)
        words = int((write != IGNORE).sum())
        sums = [sums[0] + loss.item() * words, sums[1] + words]
        if curve and curve[0][0] == update:
            ours, theirs = curve.pop(0)[1], sums[0] / sums[1]
            worst, sums = max(worst, abs(theirs / ours - 1)), [0, 0]
            print(f"{update:8} {ours:10.5f} {theirs:10.5f} {theirs / ours - 1:+10.3%}")
        if not curve:
            break
    print(f"largest difference {worst:.3%}")


if __name__ == "__main__":
    main()
