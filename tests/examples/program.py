"""Runs script_generation as a person does, on a script that is made up here.

Each test has a folder of its own, whose name has a space, with script.txt in it. Small networks and
one part of the text, so that a run takes a second or so.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

SMALL = ["--embedding", "24", "--hidden", "24", "--batch", "8", "--steps", "12", "--epochs", "3",
         "--device", "cpu", "--threads", "1"]
SECONDS = 100
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # beside other tests, waiting threads would take their time


def script(lines=300, seed=1):
    """Dialogue of a simple grammar: predictable enough to be learned in seconds."""
    draw = random.Random(seed)
    people = ["jerry", "george", "elaine", "kramer"]
    verbs = {"see": "the car", "want": "a cup of coffee", "know": "what happened", "like": "soup"}
    text = []
    for _ in range(lines):
        verb = draw.choice(list(verbs))
        answer = draw.choice(["yes, i do.", "no! (leaves)", 'he said "maybe"; well - maybe.'])
        text.append(f"{draw.choice(people)}: do you {verb} {verbs[verb]}, {draw.choice(people)}?\n")
        text.append(f"{draw.choice(people)}: {answer} i {verb} {verbs[verb]}.\n")
    return "".join(text)


class Result:
    def __init__(self, code, output, errors):
        self.code, self.output, self.errors = code, output, errors

    @property
    def text(self):
        return self.output.decode()

    @property
    def events(self):
        return [json.loads(line) for line in self.text.splitlines()]

    def event(self, name):
        """The last event of that name."""
        return [event for event in self.events if event["event"] == name][-1]


class Case(unittest.TestCase):
    program = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="a folder ")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.corpus = self.write("script.txt", script().encode())

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, content):
        (self.folder / name).write_bytes(content)
        return self.path(name)

    def read(self, name):
        return (self.folder / name).read_bytes()

    def start(self, *words, **more):
        return subprocess.Popen([self.program, *map(str, words)], cwd=self.folder,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)

    def finish(self, process, code=0, input=None):
        output, errors = process.communicate(input, SECONDS)
        self.assertEqual(process.returncode, code, errors.decode(errors="replace"))
        return Result(process.returncode, output, errors.decode())

    def run_program(self, *words, code=0, input=None, **more):
        more["stdin"] = subprocess.DEVNULL if input is None else subprocess.PIPE
        return self.finish(self.start(*words, **more), code, input)

    def train_words(self, model, *options, corpus=None):
        corpora = [corpus or self.corpus] if isinstance(corpus or "", str) else corpus
        return ["train", "--corpus", *corpora, "--model", self.path(model), "--json", *SMALL,
                *options]

    def train(self, model, *options, corpus=None, **more):
        """Trains a small network; later options overrule SMALL."""
        return self.run_program(*self.train_words(model, *options, corpus=corpus), **more)

    def run_shell(self, command, code=0):
        """Runs a command that the program printed."""
        process = subprocess.Popen(["sh", "-c", command], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return self.finish(process, code)

    def files(self):
        return sorted(os.listdir(self.folder))


def main():
    """test_NAME.py PROGRAM [unittest's arguments]"""
    Case.program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
