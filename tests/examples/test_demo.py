#!/usr/bin/env python3
"""examples/demo.sh, demo_word2vec.sh and demo_translation.sh on a reader's own text, in a copy of the tree: build,
train, show; a second call goes straight to training. (tests/fresh.sh runs them without FILE, on a
machine that has nothing.)

test_demo.py PROGRAM SOURCE
"""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import program

SECONDS = 500


def missing_packages():
    """What the demo would install, which a test must not do."""
    names = re.search(r"^packages=\((.*?)\)", (SOURCE / "examples/demo_build.sh").read_text(encoding="utf-8"),
                      re.DOTALL | re.MULTILINE)[1].split()
    if shutil.which("dpkg-query") is None:
        return names
    states = [subprocess.run(["dpkg-query", "-W", "-f", "${Status}", name], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=False).stdout for name in names]
    return [name for name, state in zip(names, states) if not state.endswith(b" installed")]


class Demo(program.Case):
    def demo(self, *words, code=0, name="demo.sh"):
        done = subprocess.run([self.folder / "tree/examples" / name, *words], cwd=self.folder, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def setUp(self):
        super().setUp()
        tree = self.folder / "tree"
        for name in ("cmake", "examples", "include", "lib", "src"):
            shutil.copytree(SOURCE / name, tree / name)
        shutil.copy(SOURCE / "CMakeLists.txt", tree)

        self.missing = missing_packages()

    def test_own_text(self):
        if self.missing:
            self.skipTest("not installed: " + " ".join(self.missing))
        for call in (1, 2):
            output, _ = self.demo("script.txt")
            self.assertEqual("== building" in output, call == 1)
            self.assertRegex(output, r"validation loss \d.*perplexity \d")
            passage = output.split("== what it writes\n")[1].split("\n\n== more")[0]
            self.assertGreater(len(passage.split()), 50)
            self.assertTrue((self.folder / "tree/build/demo/script.safetensors").exists())
        output, _ = self.demo("script.txt", name="demo_word2vec.sh")
        self.assertNotIn("== building", output)
        self.assertRegex(output, r"words in .* s, .* words/s, loss \d")
        picture = xml.etree.ElementTree.parse(self.folder / "tree/build/demo/script.svg").getroot()
        self.assertIn("jerry", list(picture.itertext()))
        self.write("a.de", b"ein hund schl\xc3\xa4ft .\nein mann geht .\n" * 40)
        self.write("a.en", b"a dog sleeps .\na man walks .\n" * 40)
        output, _ = self.demo("a.de", "a.en", name="demo_translation.sh")
        self.assertNotIn("== building", output)
        self.assertRegex(output, r"(?m)^   ein hund schl\u00e4ft \.\n-> a ")
        picture = xml.etree.ElementTree.parse(self.folder / "tree/build/demo/a.svg").getroot()
        self.assertIn("hund", list(picture.itertext()))

    def test_wrong_words(self):
        for name in ("demo.sh", "demo_word2vec.sh"):
            self.assertIn("cannot read nowhere.txt", self.demo("nowhere.txt", code=1, name=name)[1])
            self.assertIn(f"{name} FILE", self.demo("a", "b", code=1, name=name)[1])
            self.assertIn(f"{name} FILE", self.demo("--help", name=name)[0])
        name = "demo_translation.sh"
        self.assertIn("cannot read nowhere.txt", self.demo("script.txt", "nowhere.txt", code=1, name=name)[1])
        for words in (["script.txt"], ["a", "b", "c"], ["--hlep"]):
            self.assertIn(f"{name} SOURCE TARGET", self.demo(*words, code=1, name=name)[1])
        self.assertIn(f"{name} SOURCE TARGET", self.demo("--help", name=name)[0])
        self.assertFalse((self.folder / "tree/build").exists())


if __name__ == "__main__":
    SOURCE = pathlib.Path(sys.argv.pop(2)).resolve()
    program.main()
