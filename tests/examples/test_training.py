#!/usr/bin/env python3
"""script_generation: train, generate, evaluate, as a person uses them.

test_training.py PROGRAM
"""
import json
import math
import re
import struct
import xml.etree.ElementTree

import program


def header(model):
    """The tensors of a safetensors file, by name."""
    (length,) = struct.unpack("<Q", model[:8])
    return json.loads(model[8:8 + length])


class Train(program.Case):
    def test_events_and_their_fields(self):
        run = self.train("m", "--seed", "7")
        names = [event["event"] for event in run.events]
        self.assertEqual(names[0], "start")
        self.assertEqual(names[-1], "done")
        self.assertIn("progress", names)
        self.assertEqual(names.count("epoch"), 3)
        self.assertEqual(run.errors, "")
        start, done = run.event("start"), run.event("done")
        self.assertEqual(start["tokens"], start["train_tokens"] + start["valid_tokens"])
        self.assertEqual(start["seed"], 7)
        shapes = [entry["shape"] for name, entry in header(self.read("m")).items() if name != "__metadata__"]
        self.assertEqual(start["parameters"], sum(math.prod(shape) for shape in shapes))
        for name in ("loss", "perplexity", "learning_rate", "tokens_per_second", "seconds_left"):
            self.assertIsInstance(run.event("progress")[name], (int, float), name)
        self.assertEqual(done["seed"], 7)
        self.assertEqual(done["model"], self.path("m"))
        self.assertGreater(done["tokens_per_second"], 0)
        self.assertGreater(done["seconds"], 0)
        self.assertAlmostEqual(done["valid_perplexity"], math.exp(done["valid_loss"]), places=9)

    def test_it_learns(self):
        run = self.train("m", "--epochs", "12", "--lr", "0.01")
        losses = [event["valid_loss"] for event in run.events if event["event"] == "epoch"]
        self.assertEqual(run.event("done")["valid_loss"], min(losses))
        self.assertLess(min(losses), losses[0] / 2)
        self.assertLess(run.event("done")["valid_perplexity"], 5)  # of 30 words or so

    def test_lines_for_people(self):
        run = self.run_program("train", "--corpus", self.corpus, "--model", self.path("m"), *program.SMALL)
        for part in ("parameters", "tokens", "vocabulary", "100% epoch 3/3 loss", "perplexity", "lr",
                     "tokens/s", "left", "validation loss", "to repeat: "):
            self.assertIn(part, run.text)

    def test_same_seed_same_bits(self):
        options = ["--layers", "2", "--dropout", "0.3", "--seed", "5"]
        self.train("one", *options, "--threads", "1")
        self.train("again", *options, "--threads", "1")
        self.train("two", *options, "--threads", "2")
        self.train("other", *options[:-1], "6")
        self.assertEqual(self.read("one"), self.read("again"))
        self.assertEqual(self.read("one"), self.read("two"))
        self.assertNotEqual(self.read("one"), self.read("other"))

    def test_the_printed_command_repeats_the_run(self):
        corpora = [self.write("it's 1.txt", b"a: b c d, e.\n" * 50), self.corpus]
        done = self.train("m", "--schedule-options", "warmup=5 floor=1e-4", "--no-lowercase",
                          "--minutes", "0.02", corpus=corpora).event("done")
        first = self.read("m")
        (self.folder / "m").unlink()
        again = self.run_shell(done["command"]).event("done")
        self.assertEqual(first, self.read("m"))
        self.assertEqual(done["command"], again["command"])

    def test_every_way_to_train(self):
        for options in (["--unit", "char"], ["--unit", "byte"], ["--windows", "sliding", "--updates", "20"],
                        ["--hidden", "20"], ["--no-tie-weights"], ["--no-tie-weights", "--no-sparse"],
                        ["--valid", "0"], ["--min-count", "3"], ["--clip", "0"],
                        *(["--optimizer", rule] for rule in ("sgd", "adamw", "rmsprop", "adagrad")),
                        *(["--schedule", shape] for shape in ("constant", "linear", "step", "plateau")),
                        ["--optimizer", "sgd", "--optimizer-options", "momentum=0.9 nesterov=1"]):
            with self.subTest(options=options):
                run = self.train("m", "--epochs", "2", *options)
                epochs = [event for event in run.events if event["event"] == "epoch"]
                self.assertTrue(math.isfinite(run.event("done")["train_loss"]))
                if "--updates" not in options:
                    self.assertLess(epochs[1]["train_loss"], epochs[0]["train_loss"])
                characters = options[-1] in ("char", "byte")
                self.assertEqual("bits_per_character" in run.event("done"), characters)

    def test_sliding_windows_are_the_course(self):
        run = self.train("m", "--windows", "sliding", "--updates", "3")
        recorded = header(self.read("m"))["__metadata__"]["entry.script_generation.options"]
        for line in ("dropout=0.5", "dropout-ends=0", "layers=2", "clip=0", "schedule=constant",
                     "tie-weights=no", "sparse=no", "lr=0.001"):
            self.assertIn(line + "\n", recorded)
        self.assertIn("lstm.weight_hh_l1", header(self.read("m")))
        self.assertFalse(run.event("start")["tied"])

    def test_standard_input(self):
        self.train("file")
        self.train("stream", corpus="-", input=self.read("script.txt"))
        self.assertEqual(self.read("file"), self.read("stream"))

    def test_plot(self):
        self.train("m", "--plot", self.path("loss.svg"))
        picture = xml.etree.ElementTree.parse(self.path("loss.svg")).getroot()
        curves = [path for path in picture.iter() if path.get("class") == "curve"]
        self.assertEqual(len(curves), 4)  # two curves and their legend
        self.assertIn("validation, last", "".join(picture.itertext()))

    def test_names_are_those_of_pytorch(self):
        self.train("m", "--layers", "2", "--no-tie-weights")
        tensors = header(self.read("m"))
        parts = [f"lstm.{what}_l{layer}" for layer in (0, 1)
                 for what in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        self.assertEqual(set(tensors) - {"__metadata__"},
                         {"embedding.weight", "linear.weight", "linear.bias", *parts})
        self.assertEqual(tensors["lstm.weight_ih_l0"]["shape"], [96, 24])


class Generate(program.Case):
    def setUp(self):
        super().setUp()
        self.train("m", "--epochs", "12", "--lr", "0.01")

    def generate(self, *options, **more):
        return self.run_program("generate", "--model", self.path("m"), "--device", "cpu", *options, **more)

    def test_text_is_readable(self):
        text = self.generate("--prime", "jerry:", "--seed", "1").text
        self.assertTrue(text.startswith("jerry:"))
        self.assertNotIn("||", text)
        self.assertNotIn("<unk>", text)
        self.assertGreater(text.count("\n"), 5)
        self.assertRegex(text, r"\w[.,?!]")
        self.assertIsNone(re.search(r" [.,?!;]", text))

    def test_same_seed_same_text(self):
        first = self.generate("--seed", "3")
        self.assertEqual(first.output, self.generate("--seed", "3", "--threads", "2").output)
        self.assertNotEqual(first.output, self.generate("--seed", "4").output)
        self.assertIn("seed 3", first.errors)
        drawn = self.generate()
        self.assertEqual(drawn.output, self.generate("--seed", drawn.errors.split()[1]).output)

    def test_greedy_does_not_depend_on_the_seed(self):
        one = self.generate("--temperature", "0", "--seed", "1")
        self.assertEqual(one.output, self.generate("--temperature", "0", "--seed", "2").output)
        self.assertEqual(one.output, self.generate("--top-k", "1", "--seed", "3").output)

    def test_stop_and_length(self):
        whole = self.generate("--seed", "1", "--length", "80").text
        stopped = self.generate("--seed", "1", "--length", "80", "--stop", "nowhere", "elaine").text
        self.assertIn("elaine", whole)
        self.assertEqual(stopped.rstrip("\n"), whole.split("elaine")[0].rstrip("\n"))
        line = self.generate("--prime", "jerry:", "--stop", "\\n").text
        self.assertEqual(line.count("\n"), 1)

    def test_json_holds_the_same_text(self):
        run = self.generate("--seed", "1", "--json", "--length", "40")
        text = "".join(event["text"] for event in run.events if event["event"] == "text")
        self.assertEqual(text.rstrip("\n"), self.generate("--seed", "1", "--length", "40").text.rstrip("\n"))
        self.assertEqual(run.event("done")["tokens"], 40)
        self.assertEqual(run.event("done")["seed"], 1)

    def test_unknown_words_of_the_prime_are_told(self):
        run = self.generate("--prime", "newman: hello")
        self.assertIn("does not know", run.errors)
        self.assertTrue(run.text.startswith("newman: hello"))

    def test_other_options_change_the_text(self):
        plain = self.generate("--seed", "1").output
        for options in (["--temperature", "2"], ["--top-p", "0.2"], ["--repetition-penalty", "3"]):
            self.assertNotEqual(plain, self.generate("--seed", "1", *options).output, options)


class Evaluate(program.Case):
    def test_it_finds_the_loss_of_training_again(self):
        for windows in ("contiguous", "sliding"):
            done = self.train("m", "--windows", windows, "--updates", "30").event("done")
            run = self.run_program("evaluate", "--model", self.path("m"), "--corpus", self.corpus,
                                   "--last", "0.1", "--json", "--device", "cpu")
            self.assertEqual(run.event("done")["loss"], done["valid_loss"])
            text = self.run_program("evaluate", "--model", self.path("m"), "--corpus", self.corpus).text
            self.assertRegex(text, r"loss \d\.\d{4}, perplexity")


    def test_smaller_weights_lose_little(self):
        """Perplexity with weights in bf16 and int8, beside f32; and text is written with them."""
        self.train("m", "--epochs", "4", "--layers", "2")
        words = ["--model", self.path("m"), "--device", "cpu"]
        evaluate = ["evaluate", "--corpus", self.corpus, "--last", "0.2", "--json", *words]
        exact = self.run_program(*evaluate).event("done")["perplexity"]
        for weights in ("bf16", "int8"):
            found = self.run_program(*evaluate, "--weights", weights).event("done")["perplexity"]
            print(f"{weights}: perplexity {found:.4f}; f32: {exact:.4f}")
            self.assertLess(abs(found / exact - 1), 0.01)
            self.assertNotEqual(found, exact)
            text = self.run_program("generate", *words, "--weights", weights, "--seed", "1", "--length", "30").text
            self.assertGreater(len(text.split()), 10)


class Help(program.Case):
    OPTIONS = {
        "train": "corpus model epochs batch steps embedding hidden layers dropout lr clip optimizer schedule "
                 "tie-weights unit windows valid seed threads device checkpoint resume plot json",
        "generate": "model prime length temperature top-k top-p seed stop",
        "evaluate": "model corpus"}

    def test_every_option_stands_with_its_default(self):
        for command, options in self.OPTIONS.items():
            entries = {entry.split()[0]: " ".join(entry.split())
                       for entry in self.run_program(command, "--help").text.split("\n  --")[1:]}
            for option in options.split():
                self.assertRegex(entries[option], r"\((default: .+|must be given)\)")
        text = " ".join(self.run_program("train", "--help").text.split())
        for part in ("--layers N LSTM layers (default: 1, with sliding windows 2)",
                     "--model FILE the result: the weights of the epoch with the best validation loss (must be given)",
                     "--optimizer-options takes", "momentum"):
            self.assertIn(part, text)

    def test_version(self):
        self.assertIn("librnnkit", self.run_program("--version").text)


if __name__ == "__main__":
    program.main()
