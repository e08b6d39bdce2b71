#!/usr/bin/env python3
"""sketch: generate, train, draw, evaluate, as a person uses them and as one breaks them.

test_sketch.py PROGRAM
"""
import json
import math
import subprocess
import xml.etree.ElementTree

import program
import repeating
import resuming

QUICK = ["--hidden", "32", "--mixtures", "4", "--epochs", "2", "--batch", "16", "--device", "cpu", "--threads", "1"]
SVG = "{http://www.w3.org/2000/svg}"


class Case(program.Case):
    def setUp(self):
        super().setUp()
        self.data, self.model = self.path("d"), self.path("m")

    def generate(self, *options, count=80, data=None):
        return self.run_program("generate", "--data", data or self.data, "--count", count, "--json", *options)

    def train(self, *options, data=None, **more):
        return self.run_program("train", "--data", data or self.data, "--model", self.model, "--json", *QUICK,
                                *options, **more)

    def draw(self, *options, **more):
        return self.run_program("draw", "--model", self.model, "--threads", "1", *options, **more)

    def drawings(self, *options, **more):
        return [json.loads(line) for line in self.draw(*options, **more).text.splitlines()]

    def refuse(self, *words, **more):
        before = {name: self.read(name) for name in self.files() if (self.folder / name).is_file()}
        errors = self.run_program(*words, code=1, **more).errors
        names = [name for name in self.files() if (self.folder / name).is_file()]
        self.assertEqual(before, {name: self.read(name) for name in names})
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertTrue(errors.startswith("sketch: "), errors)
        return errors


class Use(Case):
    def test_it_learns(self):
        """Loss far below that of an untrained network, and polygons that close."""
        self.generate("--kind", "polygons", count=600)
        options = ["--hidden", "96", "--mixtures", "5", "--batch", "16", "--lr", "0.005", "--dropout", "0", "--stretch", "0"]
        early = self.train(*options, "--epochs", "1").event("done")["valid_loss"]
        done = self.train(*options, "--epochs", "40", "--patience", "40", "--drop-points", "0").event("done")
        self.assertGreater(early, 1)
        self.assertLess(done["valid_loss"], -1)
        self.generate("--kind", "polygons", "--seed", "2", data=self.path("other"))
        found = self.run_program("evaluate", "--data", self.path("other"), "--model", self.model, "--json")
        found = found.event("done")
        self.assertLess(found["loss"], -1)
        self.assertAlmostEqual(found["loss"], found["offset_loss"] + found["pen_loss"])
        self.assertEqual(found["drawings"], 80)
        closed = 0
        begin = ["--begin", self.path("other"), "--points", "7", "--temperature", "0.1", "--count", "1"]
        for number in range(1, 13):
            (drawing,) = self.drawings(*begin, "--drawing", number)
            ends = [sum(point[k] for point in drawing) for k in (0, 1)]
            longest = max(math.hypot(sum(p[0] for p in drawing[:i]), sum(p[1] for p in drawing[:i]))
                          for i in range(1, len(drawing) + 1))
            closed += math.hypot(*ends) < 0.3 * longest
        self.assertGreater(closed, 7)

    def test_generated_drawings(self):
        self.assertEqual(self.generate().event("done")["drawings"], 80)
        for line in (self.folder / "d").read_text().splitlines():
            drawing = json.loads(line)
            self.assertEqual([point[2] for point in drawing], [0] * (len(drawing) - 1) + [1])
            self.assertTrue(all(point[0] == int(point[0]) for point in drawing))
        whole = self.read("d")
        self.generate()
        self.assertEqual(whole, self.read("d"))
        self.generate("--kind", "spirals", count=5)
        self.assertTrue(all(len(json.loads(line)) >= 28 for line in self.read("d").splitlines()))

    def test_draw(self):
        self.generate()
        self.train()
        drawings = self.drawings("--count", "5", "--length", "30", "--temperature", "1")
        self.assertEqual(len(drawings), 5)
        self.assertTrue(all(1 <= len(drawing) <= 30 for drawing in drawings))
        self.assertEqual(len({json.dumps(drawing) for drawing in drawings}), 5)
        # what was drawn can be read again, and each does not depend on how many there are
        self.write("drawn", self.draw("--count", "5", "--length", "30", "--temperature", "1").output)
        self.run_program("evaluate", "--data", self.path("drawn"), "--model", self.model)
        self.assertEqual(self.drawings("--count", "2", "--length", "30", "--temperature", "1"), drawings[:2])
        self.assertNotEqual(self.drawings("--count", "2", "--length", "30", "--seed", "2"), drawings[:2])
        self.assertEqual(*self.drawings("--count", "2", "--length", "30", "--temperature", "0", "--pen-temperature", "0"))

    def test_go_on_with_a_drawing(self):
        self.generate()
        self.train()
        third = json.loads(self.read("d").splitlines()[2])
        begin = ["--begin", self.data, "--drawing", "3", "--count", "2", "--length", "60"]
        for drawing in self.drawings(*begin, "--points", "7"):
            self.assertEqual(drawing[:7], third[:7])
            self.assertGreater(len(drawing), 6)
        for event in self.draw(*begin, "--json").events:
            self.assertEqual(event["given"], len(third))
            self.assertEqual(json.loads(event["drawing"])[:len(third)], third)
            self.assertEqual(event["points"], len(json.loads(event["drawing"])))
        begin[1] = "-"
        first = self.drawings(*begin, "--points", "7", input=self.read("d"))
        self.assertEqual(first[0][:7], third[:7])

    def test_pictures(self):
        self.generate()
        self.train("--plot", self.path("loss.svg"))
        self.assertIn("nats per point", "".join(xml.etree.ElementTree.parse(self.path("loss.svg")).getroot().itertext()))
        self.draw("--count", "5", "--plot", self.path("p.svg"))
        root = xml.etree.ElementTree.parse(self.path("p.svg")).getroot()
        self.assertEqual(len(root.findall(f"{SVG}g/{SVG}g")), 5)
        self.assertNotIn("given", "".join(root.itertext()))
        self.draw("--count", "1", "--begin", self.data, "--points", "4", "--plot", self.path("p.svg"))
        root = xml.etree.ElementTree.parse(self.path("p.svg")).getroot()
        (square,) = root.findall(f"{SVG}g/{SVG}g[@transform]")
        given, drawn = square.findall(f"{SVG}path")
        self.assertEqual(given.get("d").count("L") + given.get("d").count("M"), 4)
        # what was drawn begins where the given part ends
        self.assertEqual(drawn.get("d").split("L")[0].strip("M"), given.get("d").split("L")[-1])
        self.assertIn("what the network drew", "".join(root.itertext()))

    def test_every_form_of_data_gives_the_same(self):
        self.generate()
        expected = self.train().event("done")["valid_loss"]
        text = self.read("d")
        for other in (text.replace(b"\n", b"\r\n"), text[:-1], text.replace(b"\n", b"\n\n"), b"\xef\xbb\xbf" + text,
                      text.replace(b",", b" , "), text.replace(b",0]", b",0.0]").replace(b",1]", b",1e0]")):
            self.assertEqual(self.train(data=self.write("other", other)).event("done")["valid_loss"], expected)
        self.assertEqual(self.train(data="-", input=text).event("done")["valid_loss"], expected)

    def test_scale_is_the_drawings_own(self):
        """Drawings ten times as large are the same to the network."""
        self.generate()
        large = "".join(json.dumps([[10 * p[0], 10 * p[1], p[2]] for p in json.loads(line)]) + "\n"
                        for line in self.read("d").splitlines())
        small = self.train()
        other = self.train(data=self.write("large", large.encode()))
        self.assertAlmostEqual(other.event("start")["scale"], 10 * small.event("start")["scale"], places=4)
        self.assertAlmostEqual(other.event("done")["valid_loss"], small.event("done")["valid_loss"], places=2)
        found = self.run_program("evaluate", "--data", self.path("large"), "--model", self.model, "--json")
        self.assertEqual(found.event("done")["scale"], other.event("start")["scale"])

    def test_valid_data_and_length(self):
        self.generate()
        self.generate("--seed", "2", data=self.path("v"), count=7)
        start = self.train("--valid-data", self.path("v")).event("start")
        self.assertEqual((start["train_drawings"], start["valid_drawings"]), (80, 7))
        self.assertEqual(self.train("--length", "5").event("start")["train_points"], 76 * 5)

    def test_a_full_disk(self):
        self.generate()
        with open("/dev/full", "wb") as full:
            for words in (["train", "--data", self.data, "--model", self.model, *QUICK, "--epochs", "100000"],
                          ["generate", "--data", self.path("other")]):
                done = subprocess.run([self.program, *words], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn(b"No space left", done.stderr)

    def test_weights_in_fewer_bits(self):
        self.generate()
        self.train()
        evaluate = ["evaluate", "--data", self.data, "--model", self.model, "--json", "--weights"]
        losses = [self.run_program(*evaluate, weights).event("done")["loss"] for weights in ("f32", "bf16", "int8")]
        self.assertEqual(len(set(losses)), 3)
        for loss in losses[1:]:
            self.assertAlmostEqual(loss, losses[0], delta=0.1)
        self.assertEqual(len(self.drawings("--weights", "int8", "--count", "3", "--length", "9")), 3)

    def test_lines_for_people(self):
        self.generate()
        run = self.run_program("train", "--data", self.data, "--model", self.model, *QUICK)
        for part in ("76 to learn from, 4 held out", "4 Gaussians", "epoch 2/2", "nats per point", "to repeat: "):
            self.assertIn(part, run.text)
        text = self.run_program("evaluate", "--data", self.data, "--model", self.model).text
        self.assertIn("80 drawings", text)


class Repeat(repeating.Repeating, Case):
    REPEATED = ("--layers", "2")

    def prepare(self):
        self.generate()


class Resume(resuming.Resuming, Case):
    OFTEN = []

    def setUp(self):
        super().setUp()
        self.generate(count=240)

    def words(self, model):
        return ["train", "--data", self.data, "--model", self.path(model), "--json", *QUICK, "--hidden", "64", "--epochs",
                "10", "--patience", "10", "--layers", "2", "--dropout", "0.2"]

    def other_data(self):
        self.generate("--seed", "5", data=self.path("other"))
        return ["--data", self.path("other")]


class Refusals(Case):
    def test_drawings(self):
        good = b"[[1,2,0],[3,4,1]]\n"
        for text, message in (
                (b"", "there is no drawing in it"), (b"\n \r\n", "there is no drawing in it"),
                (b"[]", "line 1, column 2: expected [dx, dy, lifted]"),
                (b"[[1,2,0]", "line 1, column 9: expected a comma, or ]"), (b"[[1,2]]", "column 6: expected a comma"),
                (b"[[1,2,0,3]]", "column 8: expected ]"), (b"[[1,2,2]]", "expected 0 or 1"),
                (b"[[1,2,0.5]]", "expected 0 or 1"), (b"[[1,nan,0]]", "column 5: expected a number"),
                (b"[[1,inf,0]]", "column 5: expected a number"), (b"[[1,0x10,0]]", "column 5: expected a"),
                (b"[[1,1e9,0]]", "from -1000000 to 1000000"), (b"[[1,1e999,0]]", "from -1000000"),
                (b"[[1,-,0]]", "expected a number"), (b"[[1,+1,0]]", "expected a number"), (b"[[1,,0]]", "a number"),
                (b'[["1",2,0]]', "column 3: expected a number"), (b"[[1,2,0]] x", "the end of the line"),
                (b"[[1,2,0],]", "expected [dx, dy, lifted]"), (b"{}", "column 1: expected [, a drawing"),
                (b"[[1,2,0]\0]", "has a NUL byte"), (b"[" * 5000, "expected a number"),
                (b"\xff\xfe[[1,2,0]]", "line 3, column 1")):
            with self.subTest(text=text[:20]):
                path = self.write("bad", text if b"no drawing" in message.encode() else good + b"\n" + text)
                errors = self.refuse("train", "--data", path, "--model", self.model, *QUICK)
                self.assertIn(message.replace("line 1", "line 3"), errors)
        self.assertIn("too few", self.refuse("train", "--data", self.write("one", good), "--model", self.model))

    def test_words(self):
        self.generate()
        train = ["train", "--data", self.data, "--model", self.model]
        for words, message in (
                ([*train, "--hiden", "3"], "did you mean --hidden?"), ([*train, "--mixtures", "257"], "outside 1 to"),
                (["train", "--model", self.model], "needs --data"),
                (["train", "--data", self.path("no"), "--model", self.model], "No such file"),
                (["train", "--data", self.data, "--model", self.data], "same file"),
                ([*train, "--valid-data", self.path("no")], "No such file"),
                ([*train, "--valid-data", self.data, "--plot", self.data], "same file"),
                ([*train, "--plot", self.model], "same file"),
                (["generate", "--data", self.path("no/d")], "No such file"),
                (["generate", "--data", self.data, "--kind", "sheep"], "not one of both|spirals|polygons"),
                (["darw"], "did you mean draw?")):
            with self.subTest(words=words):
                self.assertIn(message, self.refuse(*words))

    def test_models_and_beginnings(self):
        self.generate()
        self.train()
        whole = self.read("m")
        for damaged in (whole[:1000], whole[:-1], whole[:9000] + bytes([whole[9000] ^ 16]) + whole[9001:], b""):
            self.refuse("draw", "--model", self.write("bad", damaged))
        draw = ["draw", "--model", self.model]
        count = len(json.loads(self.read("d").splitlines()[0]))
        for words, message in (
                (["--begin", self.path("no")], "No such file"),
                (["--begin", self.data, "--drawing", "81"], "has 80 drawings"),
                (["--begin", self.data, "--points", str(count + 1)], f"the drawing has only {count}"),
                (["--begin", self.data, "--length", "3"], "leaves room for none"),
                (["--begin", self.data, "--plot", self.data], "same file"), (["--plot", self.model], "same file"),
                (["--temperature", "-1"], "outside 0 to"), (["--count", "0"], "outside 1 to")):
            with self.subTest(words=words):
                self.assertIn(message, self.refuse(*draw, *words))


if __name__ == "__main__":
    program.main()
