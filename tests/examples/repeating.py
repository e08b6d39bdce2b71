"""Same seed, same bits, and the printed command repeats the run: what every training program is asked.

A test class has this beside its program.Case, whose train(*options) trains model "m".
"""


class Repeating:
    REPEATED = ()  # options that the printed command must have in it

    def prepare(self):
        """Makes what is trained on, where that does not lie there."""

    def test_same_seed_same_bits(self):
        self.prepare()
        self.train("--seed", "3")
        first = self.read("m")
        self.train("--seed", "3", "--threads", "2")
        self.assertEqual(first, self.read("m"))
        self.train("--seed", "4")
        self.assertNotEqual(first, self.read("m"))

    def test_the_printed_command_repeats_the_run(self):
        self.prepare()
        done = self.train(*self.REPEATED).event("done")
        first = self.read("m")
        (self.folder / "m").unlink()
        self.assertEqual(self.run_shell(done["command"]).event("done")["command"], done["command"])
        self.assertEqual(first, self.read("m"))
