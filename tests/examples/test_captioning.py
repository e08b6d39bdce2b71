#!/usr/bin/env python3
"""captioning: generate, train, caption, evaluate, as a person uses them and as one breaks them.

test_captioning.py PROGRAM
"""
import base64
import json
import math
import struct
import xml.etree.ElementTree
import zlib

import program
import repeating
import resuming

QUICK = ["--embedding", "24", "--hidden", "48", "--memory", "32", "--epochs", "2", "--batch", "16", "--device", "cpu",
         "--threads", "1"]
SVG = "{http://www.w3.org/2000/svg}"


def safetensors(arrays, **texts):
    """The bytes of a file with F32 arrays {name: (shape, values)}."""
    header, data = {"__metadata__": texts}, b""
    for name, (shape, values) in arrays.items():
        values = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def gallery(shape=(3, 4, 2), names="a\nb\nc", name="features", value=0.5):
    count = math.prod(shape)
    return safetensors({name: (list(shape), [value * (i % 7) for i in range(count)])}, names=names)


def png():
    """One grey pixel."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b""))


class Case(program.Case):
    def setUp(self):
        super().setUp()
        self.model = self.path("m")
        self.features, self.captions = self.path("f"), self.path("c.tsv")

    def generate(self, *options, count=60, features=None, captions=None):
        return self.run_program("generate", "--features", features or self.features, "--captions",
                                captions or self.captions, "--count", count, "--json", *options)

    def train(self, *options, **more):
        return self.run_program("train", "--features", self.features, "--captions", self.captions, "--model",
                                self.model, "--json", *QUICK, *options, **more)

    def caption(self, *options, **more):
        return self.run_program("caption", "--features", self.features, "--model", self.model, "--threads", "1",
                                *options, **more)

    def evaluate(self, *options, **more):
        return self.run_program("evaluate", "--features", self.features, "--captions", self.captions, "--model",
                                self.model, "--threads", "1", "--json", *options, **more)

    def refuse(self, *words, **more):
        before = {name: self.read(name) for name in self.files() if (self.folder / name).is_file()}
        errors = self.run_program(*words, code=1, **more).errors
        names = [name for name in self.files() if (self.folder / name).is_file()]
        self.assertEqual(before, {name: self.read(name) for name in names})
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertTrue(errors.startswith("captioning: "), errors)
        return errors

    def known(self):
        return dict(line.split("\t") for line in (self.folder / "c.tsv").read_text().splitlines())


class Use(Case):
    def test_it_learns(self):
        """Held-out pictures, and then fresh ones, get exactly the right caption."""
        self.generate(count=1200)
        run = self.train("--embedding", "32", "--hidden", "96", "--memory", "64", "--epochs", "16", "--patience", "16",
                         "--lr", "0.006")
        self.assertGreater(run.event("done")["valid_exact"], 0.5)
        self.generate("--seed", "2", count=200)
        done = self.evaluate().event("done")
        self.assertGreater(done["exact"], 0.5)
        self.assertEqual((done["pictures"], done["captions"]), (200, 200))
        self.assertLess(done["perplexity"], 1.2)
        self.it_looks_at_what_it_names()

    def it_looks_at_what_it_names(self):
        """Of two shapes beside each other, the first one's name is read off the left, the other's off the right."""
        known = self.known()
        written = dict(line.split("\t") for line in self.caption("--beam", "1").text.splitlines())
        names = [name for name, text in known.items() if " left of " in text and written[name] == text][:8]
        self.assertEqual(len(names), 8)
        self.caption(*names, "--plot", self.path("p.svg"), "--beam", "1")
        root = xml.etree.ElementTree.parse(self.path("p.svg")).getroot()
        middles = []
        for tile in root.iter(SVG + "g"):
            word = tile.find(SVG + "text[@class='word']")
            if word is None or word.text not in ("square", "triangle", "star", "circle"):
                continue
            weights = [float(rect.get("fill-opacity")) for rect in tile.iter(SVG + "rect") if rect.get("fill-opacity")]
            self.assertEqual(len(weights), 64)
            middles.append(sum(w * (i % 8) for i, w in enumerate(weights)) / sum(weights))
        self.assertEqual(len(middles), 16)
        self.assertGreater(sum(a < b for a, b in zip(middles[::2], middles[1::2])), 5)

    def test_generated_files(self):
        (self.folder / "pics").mkdir()
        done = self.generate("--pictures", self.path("pics"), count=40).event("done")
        self.assertEqual((done["pictures"], done["positions"], done["width"]), (40, 64, 64))
        whole = self.read("f")
        header = json.loads(whole[8:8 + struct.unpack("<Q", whole[:8])[0]])
        self.assertEqual(header["features"]["shape"], [40, 8, 8, 64])
        names = header["__metadata__"]["names"].split("\n")
        self.assertEqual(names, list(self.known()))
        self.assertEqual(sorted(path.stem for path in (self.folder / "pics").iterdir()), names)
        for name, text in self.known().items():
            picture = xml.etree.ElementTree.parse(self.path(f"pics/{name}.svg")).getroot()
            shapes = [part for part in picture if part.tag in (SVG + "circle", SVG + "path")]
            self.assertEqual(len(shapes), text.count("a "), text)
        first = self.read("c.tsv")
        self.generate(count=40)
        self.assertEqual((whole, first), (self.read("f"), self.read("c.tsv")))
        self.generate("--seed", "2", count=40)
        self.assertNotEqual(first, self.read("c.tsv"))

    def test_captions_and_where_it_looked(self):
        (self.folder / "pics").mkdir()
        self.generate("--pictures", self.path("pics"))
        self.train()
        names = list(self.known())
        lines = self.caption().text.splitlines()
        self.assertEqual([line.split("\t")[0] for line in lines], names)
        two = self.caption(names[5], names[2], "--json").events
        self.assertEqual([event["name"] for event in two], [names[5], names[2]])
        # alone or among others, the same
        self.assertEqual([f"{event['name']}\t{event['caption']}" for event in two], [lines[5], lines[2]])
        (self.folder / "pics" / f"{names[2]}.svg").unlink()
        (self.folder / "pics" / f"{names[2]}.png").write_bytes(png())
        self.caption(names[5], names[2], "--plot", self.path("p.svg"), "--pictures", self.path("pics"))
        root = xml.etree.ElementTree.parse(self.path("p.svg")).getroot()
        words = [text.text for text in root.iter(SVG + "text") if text.get("class") == "word"]
        self.assertEqual("".join(words), "".join(event["caption"].replace(" ", "") for event in two))
        images = [image.get("{http://www.w3.org/1999/xlink}href") for image in root.iter(SVG + "image")]
        self.assertEqual([image.split(",")[0] for image in images],
                         ["data:image/svg+xml;base64", "data:image/png;base64"])
        self.assertEqual(base64.b64decode(images[1].split(",")[1]), png())
        self.caption(names[0], "--plot", self.path("p.svg"))
        self.assertNotIn(b"<image", self.read("p.svg"))

    def test_every_form_of_data_gives_the_same(self):
        self.generate()
        expected = self.train().event("done")["valid_loss"]
        text = self.read("c.tsv")
        for other in (text.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + text, text[:-1], text.replace(b"\t", b"#0\t"),
                      text.replace(b"a ", b"A "), text.replace(b"\n", b"\n\n")):
            self.write("c.tsv", other)
            self.assertEqual(self.train().event("done")["valid_loss"], expected)
        self.captions = "-"
        self.assertEqual(self.train(input=text).event("done")["valid_loss"], expected)

    def test_several_captions_and_none(self):
        self.generate(count=40)
        lines = (self.folder / "c.tsv").read_text().splitlines()
        self.write("c.tsv", "".join(f"{line}\n{line.replace(chr(9) + 'a ', chr(9) + 'one ')}\n"
                                    for line in lines[:30]).encode())
        run = self.train()
        start = run.event("start")
        self.assertEqual((start["captions"], start["train_pictures"], start["valid_pictures"]), (60, 27, 3))
        self.assertEqual((self.evaluate().event("done")["pictures"], self.evaluate().event("done")["captions"]),
                         (30, 60))

    def test_features_of_three_dimensions(self):
        self.write("f", gallery((3, 4, 2)))
        self.write("c.tsv", b"a\tone two\nb\ttwo one\nc\tone one\n")
        self.train()
        self.caption("a", "--plot", self.path("p.svg"))
        self.write("f", gallery((3, 5, 2)))
        self.train()
        self.caption("a", "--plot", self.path("p.svg"))  # five places are a row

    def test_weights_in_fewer_bits(self):
        self.generate()
        self.train()
        losses = [self.evaluate("--weights", weights).event("done")["loss"] for weights in ("f32", "bf16", "int8")]
        self.assertEqual(len(set(losses)), 3)
        for loss in losses[1:]:
            self.assertAlmostEqual(loss, losses[0], delta=0.05 * losses[0])
        self.assertEqual(len(self.caption("--weights", "int8").text.splitlines()), 60)

    def test_wrong_captions_are_told(self):
        self.generate()
        self.train()
        name = next(iter(self.known()))
        self.write("c.tsv", f"{name}\tno such words at all\n".encode())
        run = self.evaluate("--wrong", "5")
        self.assertEqual((run.event("done")["exact"], run.event("wrong")["name"]), (0, name))
        self.assertEqual(run.event("wrong")["known"], "no such words at all")

    def test_lines_for_people_and_picture(self):
        self.generate()
        run = self.run_program("train", "--features", self.features, "--captions", self.captions, "--model",
                               self.model, *QUICK, "--plot", self.path("p.svg"))
        for part in ("54 to learn from, 6 held out; 64 places of 64 numbers", "parameters", "epoch 2/2",
                     "captions that are right", "to repeat: "):
            self.assertIn(part, run.text)
        text = "".join(xml.etree.ElementTree.parse(self.path("p.svg")).getroot().itertext())
        self.assertIn("nats per word", text)
        text = self.run_program("evaluate", "--features", self.features, "--captions", self.captions, "--model",
                                self.model).text
        self.assertIn("perplexity", text)


class Repeat(repeating.Repeating, Case):
    REPEATED = ("--dropout", "0")

    def prepare(self):
        self.generate()


class Resume(resuming.Resuming, Case):
    OFTEN = []

    def setUp(self):
        super().setUp()
        self.generate(count=200)

    def words(self, model):
        return ["train", "--features", self.features, "--captions", self.captions, "--model", self.path(model), "--json",
                *QUICK, "--epochs", "8", "--patience", "8"]

    def other_data(self):
        self.generate("--seed", "5", features=self.path("f5"), captions=self.path("c5"), count=200)
        return ["--features", self.path("f5"), "--captions", self.path("c5")]


class Refusals(Case):
    def test_features(self):
        self.write("c.tsv", b"a\tone\nb\ttwo\nc\tthree\n")
        whole = gallery()
        train = ["train", "--features", self.path("bad"), "--captions", self.captions, "--model", self.model, *QUICK]
        for damaged, message in (
                (whole[:-1], "bytes"), (whole[:20], "cut off"), (b"", "too few"), (b"\xff" * 99, "not a safetensors"),
                (gallery(name="feature"), 'has no array "features"'),
                (gallery((3, 8)), "shape [3, 8], expected [pictures][positions][width]"),
                (gallery((3, 1, 2, 2, 2)), "shape [3, 1, 2, 2, 2]"),
                (gallery((0, 4, 2), ""), "shape [0, 4, 2]"),
                (gallery(names="a\nb"), "features of 3 pictures, but 2 names"),
                (gallery(names="a\nb\nc\nd"), "features of 3 pictures, but 4 names"),
                (gallery(names="a\n\nc"), "the name of picture 2 is empty"),
                (gallery(names="a\nb\na"), "two pictures are called 'a'"),
                (safetensors({"features": ([3, 4, 2], [0.0] * 24)}), 'no text "names"'),
                (gallery(value=float("nan")), "picture 'a' has a feature that is no finite number"),
                (gallery(value=float("inf")), "no finite number"),
                (whole.replace(b'"F32"', b'"I32"'), "dtype I32")):
            with self.subTest(message=message):
                self.write("bad", damaged)
                self.assertIn(message, self.refuse(*train))

    def test_captions(self):
        self.write("f", gallery())
        good = b"a\tone\nb\ttwo\nc\tthree\n"
        train = ["train", "--features", self.features, "--captions", self.path("bad"), "--model", self.model, *QUICK]
        for text, message in (
                (b"", "there is no caption in it"), (b"\n\r\n", "there is no caption in it"),
                (good + b"d\tfour\n", "line 4: " + self.features + " has no picture 'd'"),
                (good + b"a#\tfour\n", "has no picture 'a#'"), (good + b"a#x\tfour\n", "has no picture 'a#x'"),
                (good + b"no tab\n", "line 4: expected name<TAB>caption"), (good + b"a\t \n", "the caption is empty"),
                (good + b"a\tx\0y\n", "line 4 has a NUL byte"), (b"a\tone\n", "too few")):
            with self.subTest(message=message):
                self.write("bad", text)
                self.assertIn(message, self.refuse(*train))

    def test_words(self):
        self.generate()
        train = ["train", "--features", self.features, "--captions", self.captions, "--model", self.model]
        (self.folder / "folder").mkdir()
        for words, message in (
                ([*train, "--hiden", "3"], "did you mean --hidden?"), ([*train, "--hidden", "0"], "outside 1 to"),
                (["train", "--features", self.features, "--model", self.model], "needs --captions"),
                ([*train[:2], self.path("no"), *train[3:]], "No such file"),
                ([*train[:-1], self.features], "same file"), ([*train[:-1], self.captions], "same file"),
                ([*train, "--plot", self.model], "same file"), ([*train, "--plot", self.captions], "same file"),
                ([*train[:-1], self.path("no/m")], "No such file"),
                (["generate", "--features", self.captions, "--captions", self.captions], "same file"),
                (["generate", "--features", self.path("a"), "--captions", self.path("b"), "--count", "2", "--pictures",
                  self.path("no")], "No such file"),
                (["tarin"], "did you mean train?")):
            with self.subTest(words=words):
                self.assertIn(message, self.refuse(*words))

    def test_models_and_pictures(self):
        self.generate()
        self.train()
        whole, names = self.read("m"), list(self.known())
        caption = ["caption", "--features", self.features, "--model"]
        for damaged in (whole[:1000], whole[:-1], whole[:9000] + bytes([whole[9000] ^ 16]) + whole[9001:], b""):
            self.refuse(*caption, self.write("bad", damaged), names[0])
        self.assertIn("another program", self.refuse(*caption, self.write("bad", whole.replace(b"output", b"outpux"))))
        self.write("g", gallery())
        for words in (["caption"], ["evaluate", "--captions", self.captions]):
            self.assertIn("4 positions of 2 numbers, but " + self.model + " was trained with 64 of 64",
                          self.refuse(*words, "--features", self.path("g"), "--model", self.model))
        plot = [*caption, self.model, "--plot", self.path("p.svg")]
        self.assertIn("no picture 'x'", self.refuse(*caption, self.model, "x"))
        self.assertIn("12 pictures at most, not 60", self.refuse(*plot))
        self.assertIn("same file", self.refuse(*plot[:-1], self.model, names[0]))
        self.assertIn("give --plot too", self.refuse(*caption, self.model, names[0], "--pictures", "x"))
        self.assertIn("has no file", self.refuse(*plot, names[0], "--pictures", self.path("")))
        self.write(names[0] + ".png", b"no picture")
        self.assertIn("is no SVG, PNG", self.refuse(*plot, names[0], "--pictures", self.path("")))


if __name__ == "__main__":
    program.main()
