#!/usr/bin/env python3
"""The pages say what works: their commands run, their programs compile, their links lead somewhere.

In README.md and docs/, blocks marked `sh` are run, in order, in a folder that has script.txt and, as
after examples/demo.sh, build/demo; blocks marked `c` that have a main go before that into the file
that their first line names. The library is installed, the program is in PATH. Blocks marked
`console` are shown only.

test_pages.py PROGRAM SOURCE BUILD
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import program

SECONDS = 300


def blocks(page):
    """The fenced blocks of a page: (language, text)."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def pages():
    return [SOURCE / "README.md", *sorted((SOURCE / "docs").rglob("*.md"))]


class Pages(program.Case):
    @classmethod
    def setUpClass(cls):
        cls.installed = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.installed.cleanup)
        subprocess.run(["cmake", "--install", str(BUILD), "--prefix", cls.installed.name], check=True,
                       stdout=subprocess.DEVNULL)
        (found,) = pathlib.Path(cls.installed.name).rglob("rnnkit.pc")
        library = str(found.parent.parent)
        cls.environment = {**os.environ, "PKG_CONFIG_PATH": str(found.parent), "LD_LIBRARY_PATH": library,
                           "PATH": f"{pathlib.Path(cls.program).parent}:{os.environ['PATH']}"}

    def run_page(self, page):
        (self.folder / "build").mkdir()
        (self.folder / "build/demo").symlink_to(pathlib.Path(self.program).parent.parent)
        for language, text in blocks(page):
            name = re.match(r"/\* (\w+\.c)\b", text)
            if language == "c" and "int main(" in text:
                self.assertIsNotNone(name, f"{page}: a program's first line has to name its file")
                (self.folder / name[1]).write_text(text, encoding="utf-8")
        outputs = []
        for language, text in blocks(page):
            if language != "sh":
                continue
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=self.folder, env=self.environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  timeout=SECONDS, check=False)
            self.assertEqual(done.returncode, 0, f"{page}:\n{text}\n{done.stderr.decode()}")
            outputs.append(done.stdout.decode())
        return outputs

    def test_readme(self):
        trained, written = self.run_page(SOURCE / "README.md")
        self.assertIn("validation loss", trained)
        self.assertTrue(written.startswith("jerry:") or ":" in written, written)

    def test_quick_start(self):
        (output,) = self.run_page(SOURCE / "docs/quick-start.md")
        losses = [float(loss) for loss in re.findall(r"epoch \d, loss ([\d.]+)", output)]
        self.assertEqual(len(losses), 3)
        self.assertLess(losses[2], losses[0])

    def test_attention(self):
        (output,) = self.run_page(SOURCE / "docs/attention.md")
        looked = re.findall(r"^(\d) <-(.*)$", output, re.MULTILINE)
        self.assertEqual("".join(digit for digit, _ in looked), "51413")
        for _, weights in looked:
            self.assertAlmostEqual(sum(int(w) for w in re.findall(r"(\d+)%", weights)), 100, delta=3)

    def test_script_generation(self):
        outputs = self.run_page(SOURCE / "docs/script-generation.md")
        self.assertGreater(len(outputs), 3)

    def test_time_series(self):
        _, continued, searched = self.run_page(SOURCE / "docs/time-series.md")
        self.assertIn("to repeat the best: ", searched)
        self.assertIn("row,kw\n402,", continued)

    def test_sentiment(self):
        _, searched, words, measured = self.run_page(SOURCE / "docs/sentiment.md")
        self.assertIn("to repeat the best: ", searched)
        self.assertEqual([line.split()[1] for line in words.splitlines()], ["good", "bad", "good"])
        self.assertIn("accuracy 1.0000", measured)

    def test_translation(self):
        _, written, measured = self.run_page(SOURCE / "docs/translation.md")
        self.assertEqual(written.splitlines()[:4], ["the old dog sleeps .", "a bird sees the red bird .", "",
                                                    "the young man sleeps ."])
        self.assertIn('"bleu":', measured)

    def test_word2vec(self):
        outputs = self.run_page(SOURCE / "docs/word2vec.md")
        self.assertIn("words/s, loss", outputs[0])
        self.assertEqual(len(outputs[-1].splitlines()), 5)

    def test_captioning(self):
        outputs = self.run_page(SOURCE / "docs/captioning.md")
        self.assertIn("shapes-1-00003\t", outputs[0])
        self.assertGreater(float(re.search(r"^([\d.]+) of the captions are right", outputs[0], re.MULTILINE)[1]), 0.5)

    def test_sketch(self):
        outputs = self.run_page(SOURCE / "docs/sketch.md")
        self.assertIn("1,000 drawings", outputs[0])
        self.assertLess(float(re.search(r"points: loss (\S+)", outputs[0])[1]), -1)

    def test_no_page_is_forgotten(self):
        """A page with commands has a test above."""
        run = {"README.md", "docs/attention.md", "docs/captioning.md", "docs/quick-start.md",
               "docs/script-generation.md", "docs/sentiment.md", "docs/sketch.md", "docs/time-series.md",
               "docs/translation.md", "docs/word2vec.md"}
        for page in pages():
            if any(language == "sh" for language, _ in blocks(page)):
                self.assertIn(page.relative_to(SOURCE).as_posix(), run)

    def test_promises_name_tests(self):
        rows = re.findall(r"^\| \*\*.*\| (`.+`) \|$", (SOURCE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
        names = set(re.findall(r"`(\w+)`", " ".join(rows)))
        listing = subprocess.run(["ctest", "--test-dir", str(BUILD), "-N"], stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(len(rows), 8)
        self.assertEqual(names - set(re.findall(r"Test +#\d+: (\w+)", listing.decode())), set())

    def test_links(self):
        for page in pages():
            for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page}: {target}")


if __name__ == "__main__":
    SOURCE, BUILD = pathlib.Path(sys.argv.pop(2)).resolve(), pathlib.Path(sys.argv.pop(2)).resolve()
    program.main()
