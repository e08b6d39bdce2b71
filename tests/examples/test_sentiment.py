#!/usr/bin/env python3
"""sentiment: train, predict, evaluate, as a person uses them and as one breaks them.

test_sentiment.py PROGRAM
"""
import json
import random
import signal
import struct
import xml.etree.ElementTree

import program
import repeating
import resuming

QUICK = ["--embedding", "16", "--hidden", "16", "--epochs", "8", "--patience", "8", "--lr", "0.02", "--batch", "8",
         "--pretrain", "1", "--dropout-ends", "0.1", "--min-count", "1", "--valid", "0.2", "--device", "cpu",
         "--threads", "1"]
GOOD = ["wonderful", "a joy", "moving", "i loved it", "great fun"]
BAD = ["dreadful", "a bore", "clumsy", "i hated it", "no fun"]


def made_up(count=240, seed=1):
    """(label, text): some filler, and words that tell."""
    draw = random.Random(seed)
    filler = "the film with its plot and actors was on for two hours , they said .".split()
    found = []
    for i in range(count):
        words = [draw.choice(filler) for _ in range(draw.randint(3, 30))]
        words.insert(draw.randrange(len(words)), draw.choice(GOOD if i % 2 else BAD))
        found.append((i % 2, " ".join(words)))
    return found


def lines(form, count=240, **more):
    return "".join(form.format(label, text) for label, text in made_up(count, **more)).encode()


class Case(program.Case):
    def setUp(self):
        super().setUp()
        self.data = self.write("reviews.tsv", lines("{}\t{}\n"))
        self.model = self.path("m")

    def train(self, *options, data=None, **more):
        return self.run_program("train", "--data", data or self.data, "--model", self.model, "--json", *QUICK,
                                *options, **more)

    def evaluate(self, *options, data=None, **more):
        return self.run_program("evaluate", "--data", data or self.data, "--model", self.model, "--json", *options,
                                **more)

    def tree(self, folder, form="{}"):
        for i, (label, text) in enumerate(made_up()):
            path = self.folder / folder / form.format("train" if i < 180 else "test") / ("pos" if label else "neg")
            path.mkdir(parents=True, exist_ok=True)
            (path / f"{i}_7.txt").write_text(text)
        return self.path(folder)

    def refuse(self, *words, **more):
        before = {name: self.read(name) for name in self.files() if (self.folder / name).is_file()}
        errors = self.run_program(*words, code=1, **more).errors
        names = [name for name in self.files() if (self.folder / name).is_file()]
        self.assertEqual(before, {name: self.read(name) for name in names})
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertTrue(errors.startswith("sentiment: "), errors)
        return errors

    def refuse_text(self, text, *options):
        return self.refuse("train", "--data", self.write("bad.tsv", text), "--model", self.model, *QUICK, *options)


class Use(Case):
    def test_it_learns(self):
        run = self.train()
        self.assertGreater(run.event("done")["valid_accuracy"], 0.9)
        fresh = self.write("fresh.tsv", lines("{}\t{}\n", seed=2))
        done = self.evaluate(data=fresh).event("done")
        self.assertGreater(done["accuracy"], 0.9)
        table = [done[key] for key in ("true_positive", "false_positive", "true_negative", "false_negative")]
        self.assertEqual(sum(table), done["reviews"])
        self.assertEqual((table[0] + table[2]) / 240, done["accuracy"])

    def test_every_form_of_data_gives_the_same(self):
        expected = self.train().event("done")["valid_accuracy"]
        for name, text in (("crlf", lines("{}\t{}\r\n")), ("marked", lines("__label__{} {}\n")),
                           ("bom", b"\xef\xbb\xbf" + lines("{}\t{}\n")), ("open", lines("{}\t{}\n")[:-1]),
                           ("words", lines("{}\t{}\n").replace(b"0\t", b"neg\t").replace(b"1\t", b"pos\t"))):
            run = self.train(data=self.write(name, text))
            self.assertEqual(run.event("done")["valid_accuracy"], expected, name)
        self.assertEqual(run.event("start")["positive"], "pos")
        run = self.train(data="-", input=lines("{}\t{}\n"))
        self.assertEqual(run.event("done")["valid_accuracy"], expected)

    def test_a_tree(self):
        self.assertEqual(self.train(data=self.tree("imdb", "{}")).event("start")["reviews"], 180)
        done = self.evaluate(data=self.path("imdb")).event("done")
        self.assertEqual((done["reviews"], done["positive"]), (60, "pos"))
        self.assertGreater(done["accuracy"], 0.9)
        self.assertEqual(self.evaluate(data=self.tree("plain", ".")).event("done")["reviews"], 240)

    def test_predict(self):
        self.train()
        predict = ["predict", "--model", self.model]
        good = float(self.run_program(*predict, "the film was wonderful").text.split()[0])
        bad = float(self.run_program(*predict, "the", "film", "was", "dreadful").text.split()[0])
        self.assertGreater(good, bad + 0.5)
        text = "the film was wonderful\nthe film was dreadful\r\n"
        both = self.run_program(*predict, "-", input=text.encode()).text.splitlines()
        self.assertEqual([line.split()[1] for line in both], ["1", "0"])
        self.assertEqual([float(line.split()[0]) for line in both], [good, bad])
        events = self.run_program(*predict, "--json", input=text.encode()).events
        self.assertEqual([event["label"] for event in events], ["1", "0"])

    def test_smaller_weights_lose_little(self):
        """Accuracy and loss with weights in bf16 and int8, beside f32."""
        self.train("--hidden", "24", "--bidirectional")
        fresh = self.write("fresh.tsv", lines("{}\t{}\n", seed=3, count=400))
        exact = self.evaluate(data=fresh).event("done")
        for weights in ("bf16", "int8"):
            done = self.evaluate("--weights", weights, "--device", "cpu", data=fresh).event("done")
            print(f"{weights}: accuracy {done['accuracy']:.4f}, loss {done['loss']:.5f}; "
                  f"f32: {exact['accuracy']:.4f}, {exact['loss']:.5f}")
            self.assertLessEqual(abs(done["accuracy"] - exact["accuracy"]), 0.01)
            self.assertLess(abs(done["loss"] - exact["loss"]), 0.01)
            self.assertNotEqual(done["loss"], exact["loss"])
            said = self.run_program("predict", "--model", self.model, "--weights", weights, "--device", "cpu",
                                    "the film was wonderful").text
            self.assertEqual(said.split()[1], "1")

    def test_odd_reviews(self):
        """Nothing, far too much, NUL bytes, no UTF-8: each is a review."""
        odd = b"1\t\n0\t" + b"dreadful " * 20000 + b"\n1\tgreat\x00fun\xff<br />i loved it\n"
        self.train(data=self.write("odd.tsv", lines("{}\t{}\n") + odd))
        reviews = [b"", b"dreadful " * 20000, b"great\x00fun\xff", "ünïcödé 漢字".encode()]
        run = self.run_program("predict", "--model", self.model, input=b"\n".join(reviews) + b"\n")
        self.assertEqual(len(run.text.splitlines()), 4)
        self.assertEqual(run.text.splitlines()[1].split()[1], "0")
        self.assertEqual(self.evaluate(data=self.path("odd.tsv")).event("done")["reviews"], 243)

    def test_padding_and_neighbours_change_nothing(self):
        """A review's probability is the same alone and among others."""
        texts = [text for _, text in made_up(40, seed=3)]
        together = self.write("some.tsv", "".join(f"{i % 2}\t{text}\n" for i, text in enumerate(texts)).encode())
        for encoder in ("recurrent", "transformer"):
            self.train("--encoder", encoder, "--epochs", "2")
            wrong = self.evaluate("--wrong", "40", data=together).events
            for event in wrong[:5]:
                if event["event"] == "wrong":
                    alone = self.run_program("predict", "--model", self.model, "--json", event["text"]).event("review")
                    self.assertEqual(alone["probability"], event["probability"])

    def test_wrong_reviews_are_told(self):
        self.train()
        data = self.write("lies.tsv", b"0\ti loved it , wonderful\n1\tdreadful , a bore\n1\ta joy\n")
        run = self.evaluate("--wrong", "5", data=data)
        self.assertEqual(sorted(event["label"] for event in run.events if event["event"] == "wrong"), ["0", "1"])
        text = self.run_program("evaluate", "--data", data, "--model", self.model, "--wrong", "1").text
        for part in ("accuracy 0.3333", "truth", "predicted", "to be 1:"):
            self.assertIn(part, text)

    def test_vectors(self):
        vectors = self.write("v.txt", b"2 16\nwonderful" + b" 0.5" * 16 + b"\ndreadful" + b" -0.5" * 16 + b"\n")
        self.assertEqual(self.train("--vectors", vectors).event("vectors")["words"], 2)
        self.assertIn("--embedding 16 fits them", self.refuse(
            "train", "--data", self.data, "--model", self.model, *QUICK, "--vectors", vectors, "--embedding", "8"))

    def test_every_network(self):
        for options in (["--cell", "gru"], ["--cell", "rnn", "--pooling", "max"], ["--bidirectional"], ["--pooling", "mean"],
                        ["--bidirectional", "--pooling", "max"], ["--layers", "2", "--dropout", "0.1"], ["--pretrain", "0"],
                        ["--encoder", "transformer"],
                        ["--encoder", "transformer", "--layers", "2", "--heads", "2", "--lr", "0.01", "--dropout", "0"]):
            with self.subTest(options=options):
                done = self.train(*options).event("done")
                self.assertGreater(done["valid_accuracy"], 0.8)
                again = self.evaluate().event("done")
                self.assertGreater(again["accuracy"], 0.8)

    def test_the_course(self):
        """The preset's defaults are in the model: two layers, 400 and 256 wide."""
        few = self.write("few.tsv", lines("{}\t{}\n", count=12))
        self.run_program("train", "--data", few, "--model", self.model, "--preset", "course", "--epochs", "1",
                         "--threads", "1")
        whole = self.read("m")
        tensors = json.loads(whole[8:8 + struct.unpack("<Q", whole[:8])[0]])
        self.assertEqual(tensors["rnn.weight_ih_l0"]["shape"], [1024, 400])
        self.assertIn("rnn.weight_hh_l1", tensors)

    def test_lines_for_people_and_picture(self):
        run = self.run_program("train", "--data", self.data, "--model", self.model, *QUICK, "--plot", self.path("p.svg"))
        for part in ("192 to learn from, 48 held out", "parameters", "epoch 8/8", "validation accuracy", "to repeat: "):
            self.assertIn(part, run.text)
        self.assertIn("validation", "".join(xml.etree.ElementTree.parse(self.path("p.svg")).getroot().itertext()))

    def test_a_search(self):
        """The first trial has the options as they are; the winner's command gives the model again."""
        plain = self.train(*["--epochs", "2"]).event("done")["valid_loss"]
        run = self.train(*["--epochs", "2"], "--search", "6", "--lr", "0.01")
        trials = [event for event in run.events if event["event"] == "trial"]
        self.assertEqual([trial["trial"] for trial in trials], [1, 2, 3, 4, 5, 6])
        self.assertEqual({trial["lr"] for trial in trials}, {0.01})
        self.assertGreater(len({trial["layers"] for trial in trials}), 1)
        self.assertEqual({trial["hidden"] for trial in trials}, {16})
        done, first = run.event("done"), self.read("m")
        self.assertEqual(done["valid_loss"], min(trial["valid_loss"] for trial in trials))
        self.assertNotIn("--search", done["command"])
        (self.folder / "m").unlink()
        self.assertEqual(self.run_shell(done["command"]).event("done")["valid_loss"], done["valid_loss"])
        self.assertEqual(first, self.read("m"))
        run = self.train(*["--epochs", "2"], "--search", "1")
        self.assertEqual(run.event("done")["valid_loss"], plain)
        run = self.train(*["--epochs", "2"], "--search", "1000", "--search-minutes", "0.0001")
        self.assertLess(run.event("done")["trials"], 100)


class Repeat(repeating.Repeating, Case):
    REPEATED = ("--layers", "2")


class Resume(resuming.Resuming, Case):
    OFTEN = []

    def words(self, model):
        return ["train", "--data", self.data, "--model", self.path(model), "--json", *QUICK, "--hidden", "48",
                "--epochs", "12", "--patience", "12", "--layers", "2", "--dropout", "0.2"]

    def other_data(self):
        return ["--data", self.write("other.tsv", lines("{}\t{}\n", seed=5))]

    def test_interrupted_at_once(self):
        """While word vectors are learned there is nothing to go on from."""
        process = self.start(*self.words("m"), "--pretrain", "1000")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        self.assertIn("interrupted before the first update", self.finish(process, 130).errors)
        self.assertEqual(self.files(), ["reviews.tsv", "script.txt"])

    def test_the_course_goes_on(self):
        few = ["train", "--data", self.write("few.tsv", lines("{}\t{}\n", count=40)), "--preset", "course", "--json",
               "--embedding", "16", "--hidden", "16", "--batch", "4", "--threads", "1", "--device", "cpu"]
        self.run_program(*few, "--model", self.path("whole"), "--epochs", "3")
        words = [*few, "--model", self.path("parts"), "--checkpoint", self.path("run")]
        self.run_program(*words, "--epochs", "2")
        done = self.run_program(*words, "--epochs", "3", "--resume").event("done")
        self.assertEqual(done["updates"], 27)
        self.assertIn("--preset course", done["command"])
        self.assertNotIn("--dropout", done["command"])


class Refusals(Case):
    def test_bad_data(self):
        good = lines("{}\t{}\n")
        for text, message in ((b"", "there is no review in it"), (b"\n\r\n", "there is no review in it"),
                              (b"1\tfine\n" * 20, "all 20 reviews have the label '1'"),
                              (good + b"2\tso so\n", "line 241 has a third label '2' beside '0' and '1'"),
                              (good + b"no tab here\n", "line 241 has no tab"), (good + b"\ttext\n", "line 241 has no label"),
                              (good + b"a" * 70 + b"\ttext\n", "is no label"),
                              (lines("__label__{} {}\n") + b"1\ttext\n", "line 241 does not begin with __label__"),
                              (b"0\ta\n1\tb\n", "too few")):
            with self.subTest(message=message):
                self.assertIn(message, self.refuse_text(text))

    def test_words(self):
        train = ["train", "--data", self.data, "--model", self.model]
        (self.folder / "empty").mkdir()
        for words, message in (
                ([*train, "--hiden", "3"], "did you mean --hidden?"),
                ([*train, "--hidden", "0"], "outside 1 to"),
                ([*train, "--preset", "curse"], "not one of best|course"),
                ([*train, "--encoder", "transformer", "--heads", "3"], "--embedding 128 is no multiple of --heads 3"),
                (["train", "--data", self.path("no"), "--model", self.model], "No such file"),
                (["train", "--data", self.path("empty"), "--model", self.model], "has pos and neg in it"),
                (["train", "--data", self.data, "--model", self.data], "same file"),
                ([*train, "--vectors", self.path("no")], "No such file"),
                (["train", "--model", self.model], "needs --data"),
                (["predict", "--modle", self.model], "did you mean --model?"),
                (["predict", "--model", self.path("no"), "fine"], "No such file"),
                (["predcit"], "did you mean predict?")):
            with self.subTest(words=words):
                self.assertIn(message, self.refuse(*words))

    def test_models(self):
        self.train()
        whole = self.read("m")
        other = self.write("other.tsv", b"bad\tx\ngood\ty\n")
        self.assertIn("does not know the label 'bad', only '0' and '1'", self.refuse(
            "evaluate", "--data", other, "--model", self.model))
        for damaged in (whole[:1000], whole[:-1], whole[:5000] + bytes([whole[5000] ^ 16]) + whole[5001:], b""):
            self.refuse("predict", "--model", self.write("bad", damaged), "fine")
        header = struct.unpack("<Q", whole[:8])[0]
        for key in (b"entry.sentiment.length", b"entry.sentiment.positive", b"entry.sentiment.pooling"):
            self.assertIn(key, whole[:8 + header])
            self.refuse("predict", "--model", self.write("bad", whole.replace(key, key[:-1] + b"X")), "fine")


if __name__ == "__main__":
    program.main()
