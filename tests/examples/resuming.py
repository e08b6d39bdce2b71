"""Stopped and resumed equals never stopped, bit for bit: what every training program with --resume is asked.

A test class has this beside its program.Case, and says with words(model) how a run of a second or so is started.
"""
import json
import os
import signal
import time


class Resuming:
    TIMES = ("seconds", "command", "model")

    def interrupt(self, words, number=signal.SIGINT, event="start", count=1):
        """Stops a run at the count-th such event; what it says about going on."""
        process = self.start(*words)
        while count > 0:
            line = process.stdout.readline()
            self.assertTrue(line, "the run was over before it could be stopped")
            count -= json.loads(line)["event"] == event
        process.send_signal(number)
        stopped = self.finish(process, 128 + number).event("interrupted")
        self.assertLess(stopped["update"], stopped["updates"])
        self.assertTrue(os.path.exists(stopped["checkpoint"]))
        return stopped

    def same(self, first, second):
        self.assertEqual({name: value for name, value in first.items() if name not in self.TIMES},
                         {name: value for name, value in second.items() if name not in self.TIMES})

    def test_interrupted_twice(self):
        whole = self.run_program(*self.words("whole")).event("done")
        first = self.interrupt(self.words("parts"), event="epoch")
        second = self.interrupt([*self.words("parts"), "--resume"], signal.SIGTERM, "epoch", 2)
        self.assertGreater(second["update"], first["update"])
        parts = self.run_shell(second["command"]).event("done")
        self.same(whole, parts)
        self.assertEqual(self.read("whole"), self.read("parts"))
        (self.folder / "parts").unlink()
        self.run_shell(parts["command"])  # of the whole run again, without --resume
        self.assertEqual(self.read("whole"), self.read("parts"))

    def test_interrupted_at_once(self):
        whole = self.run_program(*self.words("whole")).event("done")
        stopped = self.interrupt(self.words("parts"))
        self.same(whole, self.run_shell(stopped["command"]).event("done"))
        self.assertEqual(self.read("whole"), self.read("parts"))

    def test_killed_with_checkpoints(self):
        self.run_program(*self.words("whole"))
        words = [*self.words("parts"), "--checkpoint", self.path("run"), *self.OFTEN]
        process = self.start(*words)
        while not os.path.exists(self.path("run")):
            time.sleep(0.01)
        process.kill()
        process.communicate()
        self.run_program(*words, "--resume")
        self.assertEqual(self.read("whole"), self.read("parts"))

    def test_a_finished_run_says_so(self):
        words = [*self.words("m"), "--checkpoint", self.path("run"), *self.OFTEN]
        first, model = self.run_program(*words).event("done"), self.read("m")
        second = self.run_program(*words, "--resume")
        self.same(first, second.event("done"))
        self.assertEqual(model, self.read("m"))

    def refuse_to_go_on(self, words, kept):
        errors = self.run_program(*words, "--resume", code=1).errors
        self.assertEqual({name: self.read(name) for name in ("run", "m")}, kept)
        self.assertEqual(errors.count("\n"), 1, errors)
        return errors

    def test_what_does_not_go_on(self):
        words = [*self.words("m"), "--checkpoint", self.path("run"), *self.OFTEN]
        self.run_program(*words)
        kept = {name: self.read(name) for name in ("run", "m")}
        self.assertIn("--seed was", self.refuse_to_go_on([*words, "--seed", "77"], kept))
        self.assertIn("--hidden was", self.refuse_to_go_on([*words, "--hidden", "5"], kept))
        self.assertIn("this is not what the checkpoint was trained on",
                      self.refuse_to_go_on([*words, *self.other_data()], kept))
        nothing = [*self.words("m"), "--checkpoint", self.path("nothing")]
        self.assertIn("No such file", self.refuse_to_go_on(nothing, kept))
        self.assertIn("--search", self.refuse_to_go_on([*words, "--search", "2"], kept))
        self.write("m", kept["m"][:-1])
        self.assertIn("/m", self.refuse_to_go_on(words, {**kept, "m": kept["m"][:-1]}))
        self.write("m", kept["m"])
        for damaged in (kept["run"][:1000], kept["run"][:-1], b""):
            self.write("run", damaged)
            self.assertIn("run", self.refuse_to_go_on(words, {**kept, "run": damaged}))
