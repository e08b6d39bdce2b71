#!/usr/bin/env python3
"""word2vec: every command as a person uses it, on a text that is made up here; stopped and continued;
what it answers wrong words and files with.

test_word2vec.py PROGRAM
"""
import os
import random
import re
import resource
import signal
import time
import unittest
import xml.etree.ElementTree

import program

KINDS = ("cat dog cow hen pig fox", "oak elm fir ash yew lime")
SMALL = ["--dim", "16", "--threads", "1", "--sample", "0", "--json"]


def two_kinds(sentences=3000, seed=1):
    """Sentences of animals and sentences of trees."""
    draw = random.Random(seed)
    return "".join(" ".join(draw.choices(draw.choice(KINDS).split(), k=8)) + "\n" for _ in range(sentences))


class Words(program.Case):
    def setUp(self):
        super().setUp()
        self.corpus = self.write("kinds.txt", two_kinds().encode())

    def learn(self, output="v", *options, corpus=None, **more):
        corpora = [corpus or self.corpus] if isinstance(corpus or "", str) else corpus
        return self.run_program("train", "--corpus", *corpora, "--output", self.path(output), *SMALL,
                                *options, **more)

    def ask(self, command, *words, vectors="v", **more):
        return self.run_program(command, "--vectors", self.path(vectors), "--json", *words, **more)


class Train(Words):
    def test_events_and_their_fields(self):
        run = self.learn()
        self.assertEqual(run.events[0]["event"], "start")
        self.assertEqual(run.event("start")["vocabulary"], 12)
        done = run.event("done")
        self.assertEqual(run.events[-1], done)
        self.assertEqual(done["vocabulary"], 12)
        self.assertGreater(done["words_per_second"], 0)
        self.assertGreater(done["seconds"], 0)
        self.assertTrue(0 < done["loss"] < 1)
        self.assertEqual(run.errors, "")

    def test_lines_for_people(self):
        run = self.run_program("train", "--corpus", self.corpus, "--output", self.path("v"), "--epochs", "1")
        self.assertRegex(run.text, r"^12 words, 100 numbers each\n")
        self.assertRegex(run.text, r"24,000 words in [\d.]+ s, [\d,]+ words/s, loss \d\.\d{4}: ")

    def test_deterministic_for_every_number_of_threads(self):
        for threads in ("1", "2", "3"):
            self.learn("v" + threads, "--deterministic", "--threads", threads, "--seed", "4")
        self.assertEqual(self.read("v1"), self.read("v2"))
        self.assertEqual(self.read("v1"), self.read("v3"))
        self.learn("other", "--deterministic", "--seed", "5")
        self.assertNotEqual(self.read("v1"), self.read("other"))

    def test_device(self):
        self.learn("v", "--seed", "3", "--device", "reference")
        near = self.ask("nearest", "cat", "--top", "5").text
        self.assertFalse([tree for tree in KINDS[1].split() if f'"{tree}"' in near], near)
        errors = self.learn("none", "--device", "cdua", code=1).errors
        self.assertIn("cdua", errors)
        self.assertEqual(errors.count("\n"), 1, errors)

    def test_corpora_add_up_and_standard_input_is_one(self):
        lines = two_kinds().splitlines(keepends=True)
        parts = [self.write("a.txt", "".join(lines[:1000]).encode()), self.write("b.txt", "".join(lines[1000:]).encode())]
        self.learn("whole")
        self.learn("parts", corpus=parts)
        self.learn("stream", corpus="-", input=self.read("kinds.txt"))
        self.assertEqual(self.read("whole"), self.read("parts"))
        self.assertEqual(self.read("whole"), self.read("stream"))

    def test_every_way_to_train(self):
        for options in (["--cbow"], ["--cbow", "--cbow-gradient", "word2vec"], ["--fixed-window"], ["--whole-text"],
                        ["--negative", "11"], ["--window", "1"], ["--subsampling", "paper", "--sample", "1e-2"],
                        ["--lowercase", "--punctuation", "tokens"], ["--min-count", "100"]):
            with self.subTest(options=options):
                self.learn("v", *options)
                nearest = [event["word"] for event in self.ask("nearest", "cat", "--top", "3").events]
                self.assertTrue(set(nearest) <= set(KINDS[0].split()), nearest)

    def test_odd_texts(self):
        self.learn("one", "--min-count", "1", corpus=self.write("one.txt", b"word word word"))
        self.learn("bytes", "--min-count", "1", corpus=self.write("bytes.txt", b"a \xff\xfe b \xc3( \xf0\x9f a\0b\n" * 9))
        for text in (b"", b"\n\n \t\n", b"once"):
            errors = self.learn("none", corpus=self.write("none.txt", text), code=1).errors
            self.assertEqual(errors.count("\n"), 1, errors)
            self.assertNotIn("none", self.files())
        errors = self.learn("none", "--invalid", "strict", corpus=self.path("bytes.txt"), code=1).errors
        self.assertIn("bytes.txt", errors)


class Continue(Words):
    LONG = ["--epochs", "400", "--deterministic", "--state"]

    def interrupt(self, number, *options):
        process = self.start("train", "--corpus", self.corpus, "--output", self.path("part"), *SMALL, *self.LONG,
                             self.path("state"), *options)
        for line in process.stdout:
            if b"start" in line:
                break
        time.sleep(0.3)
        process.send_signal(number)
        return process

    def test_interrupted_and_continued_is_the_same(self):
        self.learn("whole", *self.LONG, self.path("whole.state"))
        output = self.finish(self.interrupt(signal.SIGINT), code=130)
        self.assertIn("interrupted", output.text)
        self.assertNotIn("part", self.files())
        self.learn("part", "--continue", self.path("state"))
        self.assertEqual(self.read("whole"), self.read("part"))

    def test_killed_leaves_the_old_state_whole(self):
        self.finish(self.interrupt(signal.SIGTERM), code=143)
        before = self.read("state")
        process = self.interrupt(signal.SIGKILL, "--continue", self.path("state"))
        process.communicate()
        self.assertEqual(self.read("state"), before)
        self.learn("part", "--continue", self.path("state"))
        self.learn("whole", *self.LONG, self.path("whole.state"))
        self.assertEqual(self.read("whole"), self.read("part"))

    def test_more_text_afterwards(self):
        self.learn("first", "--state", self.path("state"))
        more = self.write("more.txt", two_kinds(seed=2).encode())
        self.learn("second", "--continue", self.path("state"), corpus=more)
        self.assertNotEqual(self.read("first"), self.read("second"))

    def test_another_text_within_a_run_is_refused(self):
        self.finish(self.interrupt(signal.SIGINT), code=130)
        more = self.write("more.txt", two_kinds(seed=2).encode())
        errors = self.learn("second", "--continue", self.path("state"), corpus=more, code=1).errors
        self.assertIn("not that of the run", errors)


class Questions(Words):
    def setUp(self):
        super().setUp()
        self.learn()

    def test_nearest(self):
        nearest = self.ask("nearest", "cat", "--top", "5").events
        self.assertEqual({event["word"] for event in nearest}, set(KINDS[0].split()) - {"cat"})
        scores = [event["score"] for event in nearest]
        self.assertEqual(scores, sorted(scores, reverse=True))
        text = self.run_program("nearest", "--vectors", self.path("v"), "cat").text
        self.assertRegex(text.splitlines()[0], r"^  0\.\d{4}  \w+$")

    def test_line_by_line(self):
        run = self.run_program("nearest", "--vectors", self.path("v"), "--top", "1", input=b"cat\nnobody\noak\n")
        self.assertEqual(len(run.text.splitlines()), 2)
        self.assertIn("'nobody' is none of the 12 words", run.errors)

    def test_analogy_and_odd_one_out(self):
        for method in ("add", "mul"):
            (answer,) = self.ask("analogy", "cat", "dog", "oak", "--top", "1", "--method", method).events
            self.assertNotIn(answer["word"], ("cat", "dog", "oak"))
        (odd,) = self.ask("doesnt-match", "cat", "dog", "elm", "cow").events
        self.assertEqual(odd["word"], "elm")
        self.assertIn("three words", self.ask("analogy", "cat", "dog", code=1).errors)

    def test_a_smaller_copy_finds_the_same(self):
        draw = random.Random(7)
        lines = [f"w{i} " + " ".join(f"{draw.uniform(-1, 1):.4f}" for _ in range(20)) for i in range(1000)]
        self.write("many", "\n".join(lines).encode())
        for words in (["nearest", "w3"], ["analogy", "w1", "w2", "w3"], ["analogy", "w1", "w2", "w3", "--method", "mul"]):
            exact = self.ask(*words, vectors="many").text
            for scan in ("bf16", "int8"):
                self.assertEqual(self.ask(*words, "--scan", scan, vectors="many").text, exact)
        self.assertIn("--scan", self.ask("nearest", "w3", "--scan", "int4", vectors="many", code=1).errors)

    def test_an_unknown_word_gets_a_near_one(self):
        self.assertIn("did you mean 'cat'", self.ask("nearest", "catt", code=1).errors)

    def test_evaluate(self):
        pairs = self.write("pairs.txt", b"# people\ncat dog 9\ncat\toak\t1\noak,elm,9\ncat zebra 3\n")
        run = self.ask("evaluate", "--pairs", pairs).event("pairs")
        self.assertEqual((run["pairs"], run["unknown"]), (3, 1))
        self.assertGreater(run["spearman"], 0.4)
        questions = self.write("questions.txt", b": kinds\ncat dog oak elm\ncat dog zebra elm\n")
        sections = [event for event in self.ask("evaluate", "--analogies", questions).events]
        self.assertEqual([(event["name"], event["answered"]) for event in sections], [("kinds", 1), ("total", 1)])

    def test_every_format_holds_the_same(self):
        for form in ("text", "binary", "vec", "glove", "safetensors"):
            self.run_program("convert", "--vectors", self.path("v"), "--output", self.path(form), "--format", form)
            self.run_program("convert", "--vectors", self.path(form), "--output", self.path("back"), "--format", "text")
            self.assertEqual(self.read("back"), self.read("v"), form)
        self.assertRegex(self.read("v"), rb"^12 16\n")

    def test_map(self):
        self.run_program("map", "--vectors", self.path("v"), "--svg", self.path("map.svg"))
        picture = xml.etree.ElementTree.parse(self.path("map.svg")).getroot()
        labels = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
        for word in " ".join(KINDS).split():
            self.assertEqual(labels.count(word), 2)  # t-SNE and PCA


class Refused(Words):
    def test_no_room_for_the_result(self):
        """A full disk (here: a limit of file size) leaves the old file as it was."""
        for form in ("text", "binary", "safetensors"):
            old = self.write("v", b"as it was")
            errors = self.learn("v", "--dim", "2000", "--format", form, code=1, preexec_fn=lambda: (
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))).errors
            self.assertIn("v", errors)
            self.assertEqual(self.read("v"), b"as it was")
            self.assertEqual(self.files(), ["kinds.txt", "script.txt", "v"])
            os.unlink(old)

    def test_wrong_words(self):
        for words, part in ((["trian"], "did you mean train"), (["train"], "corpus"), (["train", "--windw", "3"], "--window"),
                            (["nearest", "--vectors", self.path("nowhere"), "a"], "nowhere"),
                            (["evaluate", "--vectors", self.corpus], "--pairs FILE"),
                            (["train", "--corpus", self.path("nowhere"), "--output", self.path("v")], "nowhere"),
                            (["train", "--corpus", self.corpus, "--output", "/nowhere/v"], "/nowhere")):
            errors = self.run_program(*words, code=1).errors
            self.assertIn(part, errors)

    def test_damaged_vectors(self):
        self.learn("v", "--format", "binary")
        whole = self.read("v")
        value = whole.index(b" ", 6) + 1  # of the first word
        for damaged in (b"", whole[:-2], whole[:len(whole) // 2], b"12 -16\n" + whole[6:], b"-12 16\n" + whole[6:],
                        b"99999999999 16\n" + whole[6:], b"12 99999999999\n" + whole[6:],
                        whole[:value] + b"\xff\xff\xff\xff" + whole[value + 4:]):
            self.write("damaged", damaged)
            errors = self.ask("nearest", "cat", vectors="damaged", code=1).errors
            self.assertIn("damaged", errors)
            self.assertEqual(errors.count("\n"), 1, errors)

    def test_help_names_every_option(self):
        for command in ("train", "nearest", "analogy", "doesnt-match", "evaluate", "convert", "map"):
            text = self.run_program(command, "--help").text
            self.assertTrue(re.findall(r"^  --\w+", text, re.MULTILINE), command)
        self.assertIn("librnnkit ", self.run_program("--version").text)


if __name__ == "__main__":
    program.main()
