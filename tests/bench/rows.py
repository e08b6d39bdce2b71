"""The rows of the benchmark on processors: lines of layers.txt and workloads.txt, and how much each
has to compute."""
import dataclasses
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
GATES = {"lstm": 4, "gru": 3, "elman": 1}


def lines(name):
    """[(name, {key: value})]"""
    text = (HERE / name).read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in text if line and line[0] != "#"]
    return [(first, dict(pair.split("=") for pair in rest)) for first, *rest in words]


def weights_of(cell, inputs, hidden, layers, directions, projection=0):
    """Weights of the products of one step of all layers, for one row."""
    count, output = 0, projection or hidden
    for layer in range(layers):
        width = inputs if layer == 0 else directions * output
        count += directions * (GATES[cell] * hidden * (width + output) + projection * hidden)
    return count


@dataclasses.dataclass
class Layer:
    """A line of layers.txt."""
    name: str
    table: str
    what: str
    cell: str
    batch: int
    steps: int
    inputs: int
    hidden: int
    lengths: str
    weights: list
    options: dict

    def words(self, threads, seconds):
        """The arguments of rnn_step."""
        options = " ".join(f"{key}={value}" for key, value in self.options.items()) or "-"
        return [self.what, self.cell, *map(str, (self.batch, self.steps, self.inputs, self.hidden)), options,
                self.lengths, str(threads), str(seconds)]

    def shape(self):
        more = "".join(f", {key}={value}" for key, value in self.options.items())
        return f"{self.batch} x {self.steps}, {self.inputs} to {self.hidden}{more}"

    def count(self):
        """Its weights."""
        return weights_of(self.cell, self.inputs, self.hidden, int(self.options.get("layers", 1)),
                          1 + int(self.options.get("bidirectional", 0)), int(self.options.get("projection", 0)))

    def flops(self):
        """Of a pass, without the padding; backward has two products for each of forward."""
        places = self.batch * self.steps
        if self.lengths == "mixed":
            places = sum(1 + row * 37 % self.steps for row in range(self.batch))
        return 2 * places * self.count() * (3 if self.what == "train" else 1)


def layers():
    rows = []
    for name, pairs in lines("layers.txt"):
        numbers = [int(pairs.pop(key)) for key in ("batch", "steps", "inputs", "hidden")]
        rows.append(Layer(name, pairs.pop("table"), pairs.pop("pass"), pairs.pop("cell"), *numbers,
                          pairs.pop("lengths", "full"), pairs.pop("weights", "f32").split(","), pairs))
    return rows


@dataclasses.dataclass
class Model:
    """A line of workloads.txt."""
    name: str
    pairs: dict

    def flops(self):
        """Of a training step."""
        numbers = {key: int(value) for key, value in self.pairs.items() if value.isdigit()}
        batch, steps, classes = numbers["batch"], numbers["steps"], numbers.get("classes", 0)
        directions = 1 + numbers.get("bidirectional", 0)
        count = weights_of("lstm", numbers["embedding"], numbers["hidden"], numbers["layers"], directions)
        places = sum(1 + row * 37 % steps for row in range(batch)) if classes else batch * steps
        targets = batch if classes or self.pairs.get("predict") == "last" else places
        return 6 * (places * count + targets * directions * numbers["hidden"] * (classes or numbers["words"]))


def models():
    return [Model(name, pairs) for name, pairs in lines("workloads.txt")]
