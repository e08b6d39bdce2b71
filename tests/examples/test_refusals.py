#!/usr/bin/env python3
"""script_generation: bad input ends with one line that says what is wrong, exit code 1, and nothing
written.

test_refusals.py PROGRAM
"""
import os
import resource

import program


class Case(program.Case):
    def refuse(self, *words, **more):
        """The message; no file may have come, gone or changed."""
        before = {name: self.read(name) for name in self.files() if os.path.isfile(self.path(name))}
        run = self.run_program(*words, code=1, **more)
        self.assertEqual(before, {name: self.read(name) for name in before})
        self.assertEqual(self.files(), sorted(set(self.files()) & (set(before) | self.folders)))
        self.assertEqual(run.errors.count("\n"), 1, run.errors)
        self.assertTrue(run.errors.startswith("script_generation: "), run.errors)
        return run.errors

    folders = set()

    def refuse_training(self, *options, corpus=None, **more):
        return self.refuse(*self.train_words("m", *options, corpus=corpus), **more)


class Words(Case):
    def test_options(self):
        for words, message in (
                (["--hiden", "3"], "train has no option --hiden; did you mean --hidden?"),
                (["--learning-banana"], "train has no option --learning-banana"),
                (["--prime", "x"], "train has no option --prime"),
                (["--hidden"], "--hidden needs a value"),
                (["--hidden", "many"], "--hidden: 'many' is not a whole number"),
                (["--hidden", "0"], "--hidden: 0 is outside 1 to "),
                (["--hidden", "99999999999999999999"], "--hidden: 99999999999999999999 is outside"),
                (["--dropout", "1.5"], "--dropout: 1.5 is outside 0 to 0.99"),
                (["--lr", "nan"], "--lr: 'nan' is not a number"),
                (["--unit", "wrod"], "--unit: 'wrod' is not one of word|char|byte"),
                (["extra"], None),
                (["--optimizer-options", "momentun=1"], "did you mean 'momentum'?"),
                (["--schedule-options", "warmup=100000"], "warmup"),
                (["--tie-weights", "--hidden", "20"], "--tie-weights: --embedding 24 and --hidden 20"),
                (["--device", "cdua"], "cdua")):
            with self.subTest(words=words):
                errors = self.refuse_training(*words)
                if message is not None:
                    self.assertIn(message, errors)

    def test_commands(self):
        self.assertIn("no command 'trian'; did you mean train?", self.refuse("trian"))
        self.assertIn("train, generate and evaluate", self.refuse("xyz"))
        self.assertIn("train needs --corpus", self.refuse("train"))
        self.assertIn("generate needs --model", self.refuse("generate"))
        self.assertIn("unexpected word 'x'", self.refuse("generate", "x"))
        self.assertEqual(self.run_program(code=1).text, "")


class Corpora(Case):
    def test_missing(self):
        self.assertIn("nowhere.txt: No such file", self.refuse_training(corpus=self.path("nowhere.txt")))

    def test_a_folder(self):
        self.assertIn("Is a directory", self.refuse_training(corpus=str(self.folder)))

    def test_empty(self):
        empty = self.write("empty.txt", b"")
        self.assertIn("--corpus: there is not a word in " + empty, self.refuse_training(corpus=empty))
        self.assertIn("not a word in -", self.refuse_training(corpus="-", input=b""))
        blank = self.write("blank.txt", b"  \t ")
        self.assertIn("not a word in " + blank, self.refuse_training(corpus=blank))

    def test_shorter_than_a_batch(self):
        short = self.write("short.txt", b"a: b c d e f g h.\n")
        self.assertIn("try a smaller --batch", self.refuse_training("--valid", "0", "--batch", "64", corpus=short))
        self.assertIn("too short", self.refuse_training("--valid", "0", "--windows", "sliding", "--steps", "50",
                                                        corpus=short))
        self.assertIn("--valid", self.refuse_training("--valid", "0.01", corpus=short))

    def test_not_utf8(self):
        text = self.read("script.txt")
        broken = self.write("broken.txt", text[:1000] + b"\xff" + text[1000:])
        errors = self.refuse_training(corpus=broken)
        self.assertIn("broken.txt", errors)
        self.assertIn("1000", errors)
        self.assertIn("--invalid", errors)
        self.train("m", "--invalid", "replace", corpus=broken)
        self.train("m", "--invalid", "skip", corpus=broken)

    def test_ends_within_a_character(self):
        self.refuse_training(corpus=self.write("cut.txt", self.read("script.txt") + b"\xe2\x82"))


class Models(Case):
    def setUp(self):
        super().setUp()
        self.train("m")
        self.model = self.read("m")

    def refuse_model(self, content):
        self.write("bad", content)
        for words in (["generate"], ["evaluate", "--corpus", self.corpus]):
            self.assertIn("bad", self.refuse(*words, "--model", self.path("bad")))

    def test_truncated(self):
        for length in (0, 1, 7, 8, 9, 100, len(self.model) // 2, len(self.model) - 1):
            with self.subTest(length=length):
                self.refuse_model(self.model[:length])

    def test_bit_flipped(self):
        length = len(self.model)
        for place in (0, 7, 8, 30, 500, length // 2, length * 3 // 4, length - 1):
            with self.subTest(place=place):
                self.refuse_model(self.model[:place] + bytes([self.model[place] ^ 4]) + self.model[place + 1:])

    def test_not_a_model(self):
        self.refuse_model(self.read("script.txt"))
        self.refuse_model(self.model + b"x")

    def test_missing(self):
        self.assertIn("No such file", self.refuse("generate", "--model", self.path("nowhere")))


class Outputs(Case):
    def test_places_that_cannot_be(self):
        self.assertIn("No such file", self.refuse_training("--model", self.path("no/m")))
        self.assertIn("not a regular file", self.refuse_training("--model", "/dev/full"))
        self.assertIn("same file", self.refuse_training("--model", self.corpus))
        self.assertIn("same file", self.refuse_training("--plot", self.path("m")))
        self.assertIn("No such file", self.refuse_training("--checkpoint", self.path("no/run")))

    @staticmethod
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    def test_no_room_for_the_model(self):
        """As on a full disk; an older model stays."""
        self.write("m", b"an older model")
        self.assertIn("too large", self.refuse_training(preexec_fn=self.small_files))

    def test_no_room_for_the_text(self):
        self.train("m")
        with open("/dev/full", "wb") as full:
            process = program.subprocess.Popen(
                [self.program, "generate", "--model", self.path("m")], stdout=full, stderr=program.subprocess.PIPE)
            _, errors = process.communicate(timeout=program.SECONDS)
        self.assertEqual(process.returncode, 1)
        self.assertIn("standard output: No space left", errors.decode())

    def test_a_run_that_diverges(self):
        ruinous = ["--optimizer", "sgd", "--lr", "1000", "--clip", "0", "--optimizer-options", "weight_decay=1000"]
        self.assertRegex(self.refuse_training(*ruinous), r"diverged at update \d+: the loss is not finite; .*/m was not written")


if __name__ == "__main__":
    program.main()
