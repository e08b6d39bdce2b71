#!/usr/bin/env python3
"""Makes lstm.safetensors for tests/golden/test_lstm.c; needs torch and safetensors.

    lstm_fixture.py FOLDER

A language model (embedding, two LSTM layers, linear, mean cross-entropy that leaves out targets of
-1), its weights under PyTorch's names, float32. PyTorch computes in float64 on these weights; what
it finds is stored as float32, the loss as float64. For each of the cases

plain     every row is full
lengths   rows of several lengths, a packed sequence; padding_idx 0; outputs behind a row's length
          are 0, and some of those places have targets all the same
no_bias   the plain case without the biases of LSTM and linear
tied      another model, weights tied.*, whose linear layer shares the embedding's table

there are, with the case's name in front: ids and targets [T][B], lengths [B], state and state_end
[layers][2][B][H] (h, c), output [T][B][H], logits [T][B][V], loss, gradient.<parameter>.
"""
import sys

import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

V, E, H, T, B, LAYERS, IGNORE = 37, 12, 17, 7, 5, 2, -1
LENGTHS = [7, 1, 4, 6, 3]


class Model(torch.nn.Module):
    def __init__(self, width, bias=True, tie=False):
        super().__init__()
        self.embedding = torch.nn.Embedding(V, width)
        self.lstm = torch.nn.LSTM(width, H, num_layers=LAYERS, bias=bias)
        self.linear = torch.nn.Linear(H, V, bias=bias)
        if tie:
            self.linear.weight = self.embedding.weight

    def forward(self, ids, lengths, state):
        x = self.embedding(ids)
        if lengths is None:
            output, state = self.lstm(x, state)
        else:
            packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
            packed, state = self.lstm(packed, state)
            output, _ = pad_packed_sequence(packed, total_length=T)
        return output, self.linear(output), state


def draw_batch():
    ids, targets = torch.randint(1, V, (T, B)), torch.randint(0, V, (T, B))
    targets[torch.rand(T, B) < 0.2] = IGNORE
    return ids, targets


def run(model, ids, targets, lengths=None):
    """All that the model gives in float64, h and c drawn for the start."""
    model.double()
    state = torch.randn(LAYERS, 2, B, H).mul(0.5).double()
    start = state[:, 0].contiguous(), state[:, 1].contiguous()
    output, logits, (h, c) = model(ids, lengths, start)
    loss = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORE)
    loss.backward()
    found = {"ids": ids, "targets": targets, "state": state, "state_end": torch.stack((h, c), 1),
             "output": output, "logits": logits}
    found.update({f"gradient.{name}": p.grad for name, p in model.named_parameters()})
    found = {name: value.float() if value.is_floating_point() else value
             for name, value in found.items()}
    found["loss"] = loss.reshape(1)
    if lengths is not None:
        found["lengths"] = lengths
    return found


def small_weights(model):
    """Weights of a size that keeps the gates off their limits; the first row for padding."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape).mul(0.5))
        model.embedding.weight[0] = 0
    return {name: value.clone() for name, value in model.state_dict().items()}


def main(folder):
    torch.manual_seed(20)
    tensors = small_weights(Model(E))
    tied = Model(H, tie=True)
    tensors.update({f"tied.{name}": value for name, value in small_weights(tied).items()
                    if name != "linear.weight"})

    def model(**options):
        made = Model(E, **options)
        made.load_state_dict({name: tensors[name] for name in made.state_dict()})
        return made

    padded = model()
    padded.embedding.padding_idx = 0
    ids, targets = draw_batch()
    lengths = torch.tensor(LENGTHS)
    ids[torch.arange(T)[:, None] >= lengths] = 0
    ids[2, 0] = 0  # in a row's middle, too
    cases = {"plain": run(model(), *draw_batch()), "lengths": run(padded, ids, targets, lengths),
             "no_bias": run(model(bias=False), *draw_batch()), "tied": run(tied, *draw_batch())}
    assert (targets[torch.arange(T)[:, None] >= lengths] != IGNORE).any()
    for case, found in cases.items():
        tensors.update({f"{case}.{name}": value.detach().contiguous()
                        for name, value in found.items()})
    save_file(tensors, folder + "/lstm.safetensors", metadata={"torch": torch.__version__})


if __name__ == "__main__":
    main(sys.argv[1])
