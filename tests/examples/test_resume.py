#!/usr/bin/env python3
"""script_generation: stopped and resumed equals never stopped, bit for bit; a checkpoint is whole.

test_resume.py PROGRAM
"""
import json
import os
import signal
import time

import program

TIMES = ("seconds", "tokens_per_second", "command", "model")


class Resume(program.Case):
    RUN = ["--hidden", "40", "--embedding", "40", "--epochs", "6", "--layers", "2", "--dropout", "0.2",
           "--seed", "9"]

    def interrupt(self, words, event, number=signal.SIGINT):
        """Starts a run and stops it at the first such event; the printed command for going on."""
        process = self.start(*words)
        lines = []
        while not lines or json.loads(lines[-1])["event"] != event:
            lines.append(process.stdout.readline())
        process.send_signal(number)
        stopped = self.finish(process, 128 + number).event("interrupted")
        self.assertLess(stopped["update"], stopped["updates"])
        self.assertTrue(os.path.exists(stopped["checkpoint"]))
        return stopped

    def same_figures(self, first, second):
        for name in set(first) - set(TIMES):
            self.assertEqual(first[name], second[name], name)

    def check_interrupted(self, *options):
        whole = self.train("whole", *self.RUN, *options).event("done")
        stopped = self.interrupt(self.train_words("parts", *self.RUN, *options), "start")
        again = self.interrupt(self.train_words("parts", "--resume", *self.RUN, *options), "epoch",
                               signal.SIGTERM)
        self.assertGreater(again["update"], stopped["update"])
        parts = self.run_shell(again["command"]).event("done")
        self.assertEqual(self.read("whole"), self.read("parts"))
        self.same_figures(whole, parts)
        return parts

    def test_contiguous(self):
        parts = self.check_interrupted()
        (self.folder / "parts").unlink()
        self.run_shell(parts["command"])  # of the whole run again, without --resume
        self.assertEqual(self.read("whole"), self.read("parts"))

    def test_sliding(self):
        self.check_interrupted("--windows", "sliding", "--batch", "256", "--epochs", "3")

    def test_plateau(self):
        self.check_interrupted("--schedule", "plateau", "--schedule-options", "patience=0", "--optimizer", "sgd")

    def test_killed_with_checkpoints(self):
        self.train("whole", *self.RUN)
        words = self.train_words("parts", *self.RUN, "--checkpoint", self.path("run"))
        process = self.start(*words)
        while not os.path.exists(self.path("run")):
            time.sleep(0.01)
        process.kill()
        process.communicate()
        resumed = self.run_program(*words, "--resume")
        self.assertGreater(resumed.event("start")["update"], 0)
        self.assertEqual(self.read("whole"), self.read("parts"))

    def test_a_finished_run_says_so(self):
        words = self.train_words("m", *self.RUN, "--checkpoint", self.path("run"))
        first = self.run_program(*words).event("done")
        model = self.read("m")
        second = self.run_program(*words, "--resume").event("done")
        self.same_figures(first, second)
        self.assertIsNone(second["tokens_per_second"])
        self.assertEqual(model, self.read("m"))

    def test_more_epochs_where_the_schedule_allows(self):
        words = self.train_words("m", *self.RUN, "--checkpoint", self.path("run"))
        self.run_program(*words, "--schedule", "constant")
        self.train("whole", *self.RUN, "--schedule", "constant", "--epochs", "8")
        self.run_program(*words, "--resume", "--epochs", "8")
        self.assertEqual(self.read("whole"), self.read("m"))


class Refused(program.Case):
    def setUp(self):
        super().setUp()
        self.words = self.train_words("m", "--checkpoint", self.path("run"))
        self.run_program(*self.words)
        self.kept = self.read("run"), self.read("m"), self.files()

    def refuse(self, *options, words=None):
        errors = self.run_program(*(words or self.words), "--resume", *options, code=1).errors
        self.assertEqual((self.read("run"), self.read("m"), self.files()), self.kept)
        self.assertEqual(errors.count("\n"), 1, errors)
        return errors

    def test_another_shape(self):
        self.assertIn("--hidden was 24 in the run that is to go on; it cannot be 32 now", self.refuse("--hidden", "32"))

    def test_other_options(self):
        self.assertIn("--seed was 1", self.refuse("--seed", "2"))
        self.assertIn("--epochs was 3", self.refuse("--epochs", "4"))  # the cosine ends with the run

    def test_another_text(self):
        other = self.write("script.txt", program.script(seed=2).encode())
        self.assertIn("--corpus: this is not what the checkpoint was trained on", self.refuse(words=[*self.words[:2], other, *self.words[3:]]))

    def test_no_checkpoint(self):
        self.assertIn("No such file", self.refuse("--checkpoint", self.path("nothing")))

    def test_a_model_instead_of_a_checkpoint(self):
        self.write("copy", self.read("m"))
        self.kept = *self.kept[:2], self.files()
        self.assertIn("copy", self.refuse("--checkpoint", self.path("copy")))

    def test_the_model_is_gone(self):
        model = self.read("m")
        (self.folder / "m").unlink()
        errors = self.run_program(*self.words, "--resume", code=1).errors
        self.assertIn("--model", errors)
        self.write("m", model[:-1])
        self.assertIn("/m", self.run_program(*self.words, "--resume", code=1).errors)

    def test_a_damaged_checkpoint(self):
        whole = self.read("run")
        for damaged in (whole[:1000], whole[:-1], whole[:5000] + bytes([whole[5000] ^ 16]) + whole[5001:], b""):
            self.write("run", damaged)
            self.kept = damaged, *self.kept[1:]
            self.assertIn("run", self.refuse())


if __name__ == "__main__":
    program.main()
