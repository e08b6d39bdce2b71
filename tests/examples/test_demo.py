#!/usr/bin/env python3
"""examples/demo.sh, demo_word2vec.sh and demo_translation.sh on a reader's own text, in a copy of the tree: build,
train, show; a second call goes straight to training. (tests/fresh.sh runs them without FILE, on a
machine that has nothing.)

test_demo.py PROGRAM SOURCE
"""
import os
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
    def demo(self, *words, code=0, name="demo.sh", environment=None):
        done = subprocess.run([self.folder / "tree/examples" / name, *words], cwd=self.folder, timeout=SECONDS,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env=None if environment is None else {**os.environ, **environment})
        self.assertEqual(done.returncode, code, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    def setUp(self):
        super().setUp()
        tree = self.folder / "tree"
        for name in ("cmake", "examples", "include", "lib", "src"):
            shutil.copytree(SOURCE / name, tree / name)
        shutil.copy(SOURCE / "CMakeLists.txt", tree)

        self.missing = missing_packages()

    def stand_in(self, name, text):
        """A command that is found before that of the system."""
        folder = self.folder / "commands"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("#!/bin/sh\n" + text, encoding="utf-8")
        (folder / name).chmod(0o755)
        return str(folder)

    def translate_verses(self):
        """demo_translation.sh without files, on two Bibles of 100 verses: two are empty in one, one is long."""
        self.stand_in("dpkg-query", "echo install ok installed\n")
        path = self.stand_in("diatheke", """
for i in $(seq 100); do
    case $2-$i in
    spa*-3 | eng*-7) echo "Genesis 1:$i:" ;;
    spa*-9) echo "Genesis 1:$i: $(seq -s ' ' 30)" ;;
    spa*) echo "Genesis 1:$i: el hombre numero $i va ." ;;
    *) echo "Genesis 1:$i: the man number $i goes ." ;;
    esac
done
""")
        output, _ = self.demo(name="demo_translation.sh",
                              environment={"PATH": path + os.pathsep + os.environ["PATH"], "EPOCHS": "1"})
        self.assertIn("== how good it is on verses", output)
        texts = [(self.folder / "tree/build/demo" / name).read_text(encoding="utf-8").splitlines()
                 for name in ("verses.es", "verses.en", "verses.test.es", "verses.test.en")]
        self.assertEqual([len(lines) for lines in texts], [94, 94, 3, 3])
        self.assertTrue(all(lines and all(lines) for lines in texts))

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
        self.translate_verses()

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
