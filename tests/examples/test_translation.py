#!/usr/bin/env python3
"""translation: train, translate, evaluate, as a person uses them and as one breaks them.

test_translation.py PROGRAM
"""
import json
import os
import random
import resource
import subprocess
import xml.etree.ElementTree

import program
import resuming

QUICK = ["--embedding", "24", "--hidden", "32", "--epochs", "15", "--lr", "0.01", "--batch", "16", "--dropout", "0.1",
         "--min-count", "1", "--device", "cpu", "--threads", "1"]
NOUNS = {"mann": "man", "hund": "dog", "katze": "cat", "frau": "woman", "vogel": "bird"}
ADJECTIVES = {"alte": "old", "junge": "young", "rote": "red", "kleine": "small"}
VERBS = {"sieht": "sees", "mag": "likes", "sucht": "seeks"}


def made_up(count=400, seed=1):
    """Pairs of a language where the verb comes last, and of one where it does not."""
    draw = random.Random(seed)
    for _ in range(count):
        adjective, noun, verb, other = (draw.choice(list(words)) for words in (ADJECTIVES, NOUNS, VERBS, NOUNS))
        if draw.random() < 0.3:
            yield f"{noun} {other} {verb} .", f"{NOUNS[noun]} {VERBS[verb]} {NOUNS[other]} ."
        else:
            yield (f"der {adjective} {noun} , {other} {verb} .",
                   f"the {ADJECTIVES[adjective]} {NOUNS[noun]} {VERBS[verb]} {NOUNS[other]} .")


def sides(**more):
    """The two files."""
    return tuple("".join(line + "\n" for line in lines).encode() for lines in zip(*made_up(**more)))


class Case(program.Case):
    def setUp(self):
        super().setUp()
        texts = sides()
        self.source, self.target = self.write("train.de", texts[0]), self.write("train.en", texts[1])
        self.model = self.path("m")

    def train_words(self, model, *options, corpus=None):
        source, target = corpus or (self.source, self.target)
        return ["train", "--source", source, "--target", target, "--model", self.path(model), "--json", *QUICK,
                *options]

    def translate(self, *words, **more):
        return self.run_program("translate", "--model", self.model, *words, **more)

    def evaluate(self, *options, corpus=None, **more):
        source, target = corpus or (self.source, self.target)
        return self.run_program("evaluate", "--model", self.model, "--source", source, "--target", target, "--json",
                                *options, **more)

    def refuse(self, *words, **more):
        """The message; no file may have come, gone or changed."""
        before = {name: self.read(name) for name in self.files()}
        errors = self.run_program(*words, code=1, **more).errors
        self.assertEqual(before, {name: self.read(name) for name in self.files()})
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertTrue(errors.startswith("translation: "), errors)
        return errors

    def refuse_training(self, *options, corpus=None, **more):
        return self.refuse(*self.train_words("m", *options, corpus=corpus), **more)


class Use(Case):
    PRESETS = ("bahdanau", "luong-dot", "luong-general", "luong-concat")

    def test_every_preset_learns(self):
        fresh = self.write("fresh.de", sides(seed=2)[0]), self.write("fresh.en", sides(seed=2)[1])
        for preset in self.PRESETS:
            with self.subTest(preset=preset):
                run = self.train("m", "--preset", preset)
                self.assertLess(run.event("done")["valid_loss"], 0.5)
                done = self.evaluate(corpus=fresh).event("done")
                self.assertGreater(done["bleu"], 90)
                self.assertLess(done["perplexity"], 1.7)
                self.assertEqual(done["pairs"], 400)

    def test_other_networks(self):
        for options in (["--cell", "lstm", "--layers", "2"], ["--no-tie-weights", "--score", "scaled_dot"],
                        ["--preset", "luong-concat", "--scheduled-sampling", "0.5"], ["--label-smoothing", "0"],
                        ["--preset", "luong-general", "--window", "2"]):
            with self.subTest(options=options):
                self.assertLess(self.train("m", *options).event("done")["valid_loss"], 1)
                self.assertGreater(self.evaluate("--beam", "2").event("done")["bleu"], 50)

    def test_translate(self):
        self.train("m")
        words = "der alte hund , katze sucht ."
        alone = self.translate(words).text
        self.assertEqual(alone, "the old dog seeks cat .\n")
        self.assertEqual(self.translate(*words.split()).text, alone)
        self.assertEqual(self.translate("Der ALTE Hund , Katze sucht .").text, alone)
        self.assertEqual(self.translate("Der alte Hund, Katze sucht.").text, alone)
        lines = f"{words}\r\n\n  \nfrau mann mag .".encode()
        for form in ([], ["-"]):
            self.assertEqual(self.translate(*form, input=lines).text, alone + "\n\nwoman likes man .\n")
        events = self.translate("--json", input=lines).events
        self.assertEqual([event["line"] for event in events], [1, 2, 3, 4])
        self.assertEqual(events[0]["text"] + "\n", alone)

    def test_n_best(self):
        self.train("m")
        rows = [line.split("\t") for line in self.translate("--n-best", "3", "frau mann mag .").text.splitlines()]
        self.assertEqual([row[:2] for row in rows], [["1", "1"], ["1", "2"], ["1", "3"]])
        scores = [float(row[2]) for row in rows]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(len({row[3] for row in rows}), 3)

    def test_unknown_words(self):
        """A word that is not known is copied from where the model looked."""
        source, target = sides()
        rare = [(b"mann xylophon%d sieht .\n" % i, b"man sees xylophone%d .\n" % i) for i in range(60)]
        corpus = (self.write("u.de", source + b"".join(pair[0] for pair in rare)),
                  self.write("u.en", target + b"".join(pair[1] for pair in rare)))
        self.train("m", "--min-count", "2", "--label-smoothing", "0", corpus=corpus)
        self.assertEqual(self.translate("--replace-unknown", "mann Trompete sieht .").text, "man sees trompete .\n")
        self.assertNotIn("<unk>", self.translate("mann Trompete sieht .").text)

    def test_attention(self):
        self.train("m", "--preset", "luong-general")
        lines = b"der alte hund , katze sucht .\n\nfrau mann mag .\n"
        self.translate("--attention-svg", self.path("look.svg"), input=lines)
        self.assertEqual([name for name in self.files() if name.startswith("look")], ["look-3.svg", "look.svg"])
        picture = xml.etree.ElementTree.parse(self.path("look.svg")).getroot()
        texts = list(picture.itertext())
        for word in "der alte hund , katze sucht . the old dog seeks cat".split():
            self.assertIn(word, texts)
        shares = [int(text) for text in texts if text.isdigit()]
        self.assertGreater(max(shares), 50)
        cells = [rect for rect in picture.iter("{http://www.w3.org/2000/svg}rect") if rect.get("fill")[:3] == "rgb"]
        self.assertEqual(len(cells), 7 * 6)

    def test_words_are_no_markup(self):
        corpus = (self.write("x.de", self.read("train.de").replace(b"hund", b"<&hund>")),
                  self.write("x.en", self.read("train.en").replace(b"dog", b"\xff<&dog\x01>")))
        self.train("m", corpus=corpus)
        self.translate("--attention-svg", self.path("x.svg"), "<&hund> frau mag .")
        self.assertIn("<&hund>", list(xml.etree.ElementTree.parse(self.path("x.svg")).getroot().itertext()))

    def test_marks_are_put_back(self):
        """Text that is not tokenised: marks become words, and stand where they stood."""
        plain = tuple(self.write("p" + name[-3:], self.read(name).replace(b" .", b".").replace(b" ,", b","))
                      for name in ("train.de", "train.en"))
        self.train("m", corpus=plain)
        self.assertEqual(self.translate("Der alte Hund, Katze sucht.").text, "the old dog seeks cat.\n")
        self.train("m", "--punctuation", "keep", corpus=plain)
        self.assertGreater(self.evaluate(corpus=plain).event("done")["bleu"], 50)
        self.train("m", "--no-lowercase", corpus=plain)
        self.assertNotEqual(self.translate("DER ALTE HUND, katze sucht.").text, "the old dog seeks cat.\n")

    def test_given_pairs_to_measure_on(self):
        held = sides(count=50, seed=3)
        words = ["--valid-source", self.write("v.de", held[0]), "--valid-target", self.write("v.en", held[1])]
        start = self.train("m", *words).event("start")
        self.assertEqual((start["train_pairs"], start["valid_pairs"]), (400, 50))
        start = self.train("m", "--valid", "0.1").event("start")
        self.assertEqual((start["train_pairs"], start["valid_pairs"]), (360, 40))

    def test_evaluate(self):
        self.train("m")
        events = [self.evaluate("--beam", beam, "--output", self.path("out")).event("done") for beam in ("1", "5")]
        self.assertEqual([event["beam"] for event in events], [1, 5])
        self.assertEqual(len(self.read("out").splitlines()), 400)
        text = self.run_program("evaluate", "--model", self.model, "--source", self.source, "--target", self.target).text
        self.assertIn(f"BLEU {events[1]['bleu']:.2f} with beam 5 on 400 pairs", text)
        loss = events[0]["loss"]
        self.assertEqual(loss, events[1]["loss"])
        self.assertEqual(self.evaluate("--threads", "2").event("done")["loss"], loss)

    def test_same_seed_same_model(self):
        for name in "ab":
            self.train(name, "--seed", "7", "--scheduled-sampling", "0.2")
        self.assertEqual(self.read("a"), self.read("b"))
        self.train("b", "--seed", "8", "--scheduled-sampling", "0.2")
        self.assertNotEqual(self.read("a"), self.read("b"))

    def test_plot_and_command(self):
        run = self.train("m", "--plot", self.path("loss.svg"))
        model = self.read("m")
        xml.etree.ElementTree.parse(self.path("loss.svg"))
        self.run_shell(run.event("done")["command"])
        self.assertEqual(model, self.read("m"))

    def test_patience(self):
        done = self.train("m", "--patience", "1", "--epochs", "100", "--lr", "0.05").event("done")
        self.assertLess(done["updates"], 100 * 24)


class Resume(resuming.Resuming, Case):
    TIMES = (*resuming.Resuming.TIMES, "words_per_second")
    OFTEN = []

    def words(self, model):
        return self.train_words(model, "--epochs", "8", "--layers", "2", "--scheduled-sampling", "0.3")

    def other_data(self):
        return ["--target", self.write("other.en", self.read("train.en").replace(b"old", b"very old"))]

    def test_a_checkpoint_translates(self):
        self.run_program(*self.words("m"), "--checkpoint", self.path("run"))
        self.assertEqual(len(self.translate("--model", self.path("run"), "frau mann mag .").text.splitlines()), 1)

    def test_the_best_model_is_gone(self):
        words = [*self.words("m"), "--checkpoint", self.path("run")]
        self.run_program(*words)
        os.unlink(self.model)
        self.assertIn("is gone", self.refuse(*words, "--resume"))


class Texts(Case):
    def refuse_texts(self, source, target, *options):
        return self.refuse_training(*options, corpus=(self.write("a.de", source), self.write("a.en", target)))

    def test_lines_without_partner(self):
        source, target = sides()
        shorter = b"".join(target.splitlines(keepends=True)[:-3])
        errors = self.refuse_texts(source, shorter)
        self.assertIn("a.de: line 398 has no partner", errors)
        self.assertIn("a.en has only 397 lines", errors)
        self.assertIn("a.en: line 401 has no partner", self.refuse_texts(source, target + b"one more\n"))
        self.train("m")
        self.assertIn("line 398 has no partner", self.refuse(
            "evaluate", "--model", self.model, "--source", self.source, "--target", self.write("b.en", shorter)))

    def test_empty_lines(self):
        source, target = (text.splitlines(keepends=True) for text in sides())
        both = [b"".join(lines[:6] + [b" \n"] + lines[6:]) for lines in (source, target)]
        self.assertIn("a.de: line 7 is empty, but that of", self.refuse_texts(both[0], b"".join(target[:6] + target[5:])))
        self.assertIn("a.en: line 7 is empty, but that of", self.refuse_texts(b"".join(source[:6] + source[5:]), both[1]))
        corpus = self.write("c.de", both[0]), self.write("c.en", both[1])
        start = self.train("m", corpus=corpus).event("start")
        self.assertEqual(start["train_pairs"] + start["valid_pairs"], 400)
        self.evaluate("--output", self.path("out"), corpus=corpus)
        self.assertEqual(self.read("out").split(b"\n")[6], b"")

    def test_no_text(self):
        self.assertIn("a.de: there is no sentence in it", self.refuse_texts(b"", b""))
        self.assertIn("a.en: there is no sentence in it", self.refuse_texts(b"a\n", b""))
        self.refuse_texts(b"\n \n", b"\n\n")
        self.assertIn("one pair is too few", self.refuse_texts(b"a\n", b"b\n"))
        self.assertIn("nowhere: No such file", self.refuse_training(corpus=(self.path("nowhere"), self.target)))
        self.assertIn("Is a directory", self.refuse_training(corpus=(self.source, str(self.folder))))
        self.assertIn("both be standard input", self.refuse_training(corpus=("-", "-")))
        self.assertIn("go together", self.refuse_training("--valid-source", self.source))

    def test_one_side_from_standard_input(self):
        first = self.train("m").event("done")["valid_loss"]
        run = self.train("m", corpus=("-", self.target), input=self.read("train.de"))
        self.assertEqual(run.event("done")["valid_loss"], first)

    def test_long_sentences(self):
        source, target = sides()
        corpus = self.write("l.de", source + b"der " * 60 + b"\n"), self.write("l.en", target + b"the\n")
        self.assertEqual(self.train("m", corpus=corpus).event("start")["too_long"], 1)
        self.assertIn("longer than --max-length", self.refuse_training("--max-length", "1"))
        run = self.translate(input=b"frau mann mag .\n" + b"der " * 70 + b"\n")
        self.assertEqual(len(run.text.splitlines()), 2)
        self.assertIn("line 2 has 70 words, more than the 50", run.errors)
        errors = self.refuse("translate", "--model", self.model, input=b"der " * 5000)
        self.assertIn("line 1 has 5000 words; a sentence has at most 4095", errors)
        corpus = self.write("h.de", source + b"der " * 5000 + b"\n"), corpus[1]
        self.assertIn("1 pairs have a sentence of more than 4095 words", self.refuse(
            "evaluate", "--model", self.model, "--source", corpus[0], "--target", corpus[1]))

    def test_odd_bytes(self):
        source, target = sides()
        corpus = self.write("o.de", b"\xef\xbb\xbf" + source + b"a\x00b \xff\xfe\n"), self.write("o.en", target + b"\x80\n")
        self.train("m", corpus=corpus)
        self.assertEqual(len(self.translate(input=b"a\x00b \xff\n\xe6\xbc\xa2\xe5\xad\x97\n").text.splitlines()), 2)


class Words(Case):
    def test_options(self):
        for words, message in (
                (["--hiden", "3"], "train has no option --hiden; did you mean --hidden?"),
                (["--beam", "3"], "train has no option --beam"),
                (["--hidden", "33"], "--hidden 33 is not even"),
                (["--preset", "luong"], "--preset: 'luong' is not one of bahdanau|luong-dot|"),
                (["--score", "cosine"], "--score: 'cosine' is not one of"),
                (["--window", "-1"], "--window: -1 is outside 0 to"),
                (["--dropout", "1"], "--dropout: 1 is outside 0 to 0.99"),
                (["--max-length", "5000"], "--max-length: 5000 is outside 1 to 4095"),
                (["extra"], "unexpected word 'extra'"),
                (["--device", "cdua"], "cdua")):
            with self.subTest(words=words):
                self.assertIn(message, self.refuse_training(*words))
        self.train("m")
        for words, message in ((["--n-best", "6"], "--n-best 6 is more than --beam 5"),
                               (["--beam", "0"], "--beam: 0 is outside 1"),
                               (["--epochs", "3", "x"], "translate has no option --epochs")):
            self.assertIn(message, self.refuse("translate", "--model", self.model, *words))

    def test_commands(self):
        self.assertIn("did you mean translate?", self.refuse("transalte"))
        self.assertIn("train needs --source", self.refuse("train"))
        self.assertIn("translate needs --model", self.refuse("translate", "x"))
        for name in ("train", "translate", "evaluate"):
            self.assertIn("--device", self.run_program(name, "--help").text)


class Models(Case):
    def setUp(self):
        super().setUp()
        self.train("m", "--epochs", "1")
        self.whole = self.read("m")

    def refuse_model(self, content):
        bad = self.write("bad", content)
        for words in (["translate", "x"], ["evaluate", "--source", self.source, "--target", self.target]):
            self.assertIn("bad", self.refuse(*words, "--model", bad))

    def test_truncated(self):
        for length in (0, 1, 8, 100, len(self.whole) // 2, len(self.whole) - 1):
            with self.subTest(length=length):
                self.refuse_model(self.whole[:length])

    def test_bit_flipped(self):
        length = len(self.whole)
        for place in (0, 7, 8, 500, length // 2, length - 1):
            with self.subTest(place=place):
                self.refuse_model(self.whole[:place] + bytes([self.whole[place] ^ 4]) + self.whole[place + 1:])

    def test_of_another_program(self):
        """Whole, but something that translation wrote is missing or does not fit."""
        size = int.from_bytes(self.whole[:8], "little")
        header = json.loads(self.whole[8:8 + size])
        for key, value in (("entry.translation.longest", None), ("entry.translation.longest", "0"),
                           ("entry.translation.longest", "99999999999999999999"),
                           ("entry.translation.source_vocab", "<pad> 0\n<unk> 0\n<bos> 0\n<eos> 0\n"),
                           ("entry.translation.source_vocab", "nonsense"), ("rnnkit.vocab", None)):
            changed = json.loads(json.dumps(header))
            del changed["__metadata__"]["rnnkit.checksum"]
            if value is None:
                del changed["__metadata__"][key]
            else:
                changed["__metadata__"][key] = value
            text = json.dumps(changed).encode()
            with self.subTest(key=key, value=value):
                self.refuse_model(len(text).to_bytes(8, "little") + text + self.whole[8 + size:])

    def test_missing(self):
        self.assertIn("No such file", self.refuse("translate", "--model", self.path("nowhere"), "x"))
        self.refuse_model(self.read("train.de"))


class Outputs(Case):
    def test_places_that_cannot_be(self):
        self.assertIn("No such file", self.refuse_training("--model", self.path("no/m")))
        self.assertIn("not a regular file", self.refuse_training("--model", "/dev/full"))
        self.assertIn("same file", self.refuse_training("--model", self.target))
        self.assertIn("same file", self.refuse_training("--plot", self.path("m")))
        self.assertIn("No such file", self.refuse_training("--checkpoint", self.path("no/run")))
        self.train("m", "--epochs", "1")
        self.assertIn("same file", self.refuse("translate", "--model", self.model, "--attention-svg", self.model, "x"))
        self.assertIn("same file", self.refuse("evaluate", "--model", self.model, "--source", self.source, "--target",
                                               self.target, "--output", self.target))

    @staticmethod
    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    def test_no_room(self):
        """As on a full disk; an older file stays."""
        self.write("m", b"an older model")
        self.assertIn("too large", self.refuse_training(preexec_fn=self.small_files))
        self.train("m", "--epochs", "1")
        self.write("look.svg", b"an older picture")
        errors = self.run_program("translate", "--model", self.model, "--attention-svg", self.path("look.svg"),
                                  "der alte hund , katze sucht .", code=1, preexec_fn=self.small_files).errors
        self.assertIn("look.svg: File too large", errors)
        self.assertEqual(self.read("look.svg"), b"an older picture")
        with open("/dev/full", "wb") as full:
            process = subprocess.Popen([self.program, "translate", "--model", self.model, "frau mann mag ."],
                                       stdout=full, stderr=subprocess.PIPE)
            _, errors = process.communicate(timeout=program.SECONDS)
        self.assertEqual(process.returncode, 1)
        self.assertIn("standard output: No space left", errors.decode())


if __name__ == "__main__":
    program.main()
