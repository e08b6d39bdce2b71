#!/usr/bin/env python3
"""time_series: train, forecast, evaluate, as a person uses them and as one breaks them.

test_time_series.py PROGRAM
"""
import csv
import io
import math
import xml.etree.ElementTree

import program
import repeating
import resuming

QUICK = ["--epochs", "60", "--hidden", "16", "--lr", "0.02", "--device", "cpu"]


def table(rows=400, header="day,kw,wind", between=",", end="\n"):
    """A seasonal load, and wind that has nothing to do with it; a date that is no number."""
    lines = [header.replace(",", between)] if header else []
    for t in range(rows):
        kw = 50 + 10 * math.sin(t / 4) + 4 * math.sin(t / 9)
        lines.append(between.join([f"d{t}", f"{kw:.4f}", f"{math.cos(t * t):.4f}"]))
    return (end.join(lines) + end).encode()


class Case(program.Case):
    def setUp(self):
        super().setUp()
        self.data = self.write("load.csv", table())
        self.model = self.path("m")

    def train(self, *options, data=None, **more):
        return self.run_program("train", "--data", data or self.data, "--model", self.model, "--json", *QUICK,
                                *options, **more)

    def refuse(self, *words, **more):
        before = {name: self.read(name) for name in self.files()}
        errors = self.run_program(*words, code=1, **more).errors
        self.assertEqual(before, {name: self.read(name) for name in self.files()})
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertTrue(errors.startswith("time_series: "), errors)
        return errors

    def refuse_text(self, text, *options):
        path = self.write("bad.csv", text)
        return self.refuse("train", "--data", path, "--model", self.model, *options)


class Use(Case):
    def test_it_learns_and_forecasts(self):
        done = self.run_program("train", "--sine", "800", "--model", self.model, "--json", "--device", "cpu",
                                "--epochs", "400").event("done")
        self.assertLess(done["valid_ratio"], 0.1)
        far = self.run_program("evaluate", "--sine", "800", "--model", self.model, "--json").event("done")
        self.assertLess(far["far_ratio"], 0.3)
        self.assertEqual(far["ratio"], done["valid_ratio"])
        hidden = self.run_program("forecast", "--sine", "800", "--model", self.model, "--json", "--hide", "50")
        self.assertEqual(len([event for event in hidden.events if event["event"] == "forecast"]), 50)
        self.assertEqual(hidden.event("done")["compared"], 50)
        self.assertLess(hidden.event("done")["ratio"], 0.5)

    def test_smaller_weights_lose_little(self):
        self.train("--epochs", "100", "--cell", "gru")
        words = ["evaluate", "--data", self.data, "--model", self.model, "--json", "--device", "cpu"]
        exact = self.run_program(*words).event("done")["ratio"]
        for weights, least in (("bf16", 0.02), ("int8", 0.05)):
            found = self.run_program(*words, "--weights", weights).event("done")["ratio"]
            print(f"{weights}: error over the naive one {found:.8f}; f32: {exact:.8f}")
            self.assertLess(abs(found - exact), least)
            self.assertNotEqual(found, exact)

    def test_a_forecast_is_a_table(self):
        self.train("--columns", "kw", "3")
        run = self.run_program("forecast", "--data", self.data, "--model", self.model, "--steps", "7")
        rows = list(csv.reader(io.StringIO(run.text)))
        self.assertEqual(rows[0], ["row", "kw", "wind"])
        self.assertEqual([row[0] for row in rows[1:]], [str(n) for n in range(401, 408)])
        self.assertTrue(all(20 < float(row[1]) < 80 for row in rows[1:]), rows)

    def test_columns_are_found(self):
        start = self.train().event("start")
        self.assertEqual(start["columns"], 2)  # the date is passed over
        swapped = self.write("swapped.csv", b"".join(
            b",".join(reversed(line.split(b","))) + b"\n" for line in table().splitlines()))
        forecasts = [self.run_program("forecast", "--data", data, "--model", self.model, "--steps", "5").text
                     for data in (self.data, swapped)]
        self.assertEqual(forecasts[0].splitlines()[0], "row,kw,wind")
        self.assertEqual(*forecasts)

    def test_every_way_to_write_a_table(self):
        expected = self.train("--columns", "2").event("done")["valid_ratio"]
        quoted = table().replace(b"d7,", b'"d, ""7""\n",')
        for text in (table(between=";"), table(between="\t"), table(end="\r\n"), table(header=""), quoted,
                     b"\xef\xbb\xbf" + table(), table()[:-1], table() + b"\n\n"):
            path = self.write("other.csv", text)
            self.assertEqual(self.train("--columns", "2", data=path).event("done")["valid_ratio"], expected)
        self.assertEqual(self.train("--columns", "2", data="-", input=table()).event("done")["valid_ratio"], expected)

    def test_every_way_to_train(self):
        for options in (["--cell", "rnn"], ["--cell", "gru"], ["--loss", "absolute"], ["--layers", "2", "--dropout", "0.2"], ["--noise", "0"],
                        ["--batch", "1"], ["--steps", "500"], ["--valid", "0.5"], ["--clip", "0"]):
            with self.subTest(options=options):
                self.assertTrue(math.isfinite(self.train(*options).event("done")["valid_ratio"]))

    def test_pictures(self):
        self.train("--plot", self.path("train.svg"), "--columns", "kw")
        self.run_program("forecast", "--data", self.data, "--model", self.model, "--hide", "40", "--plot",
                         self.path("forecast.svg"))
        for name in ("train.svg", "forecast.svg"):
            picture = xml.etree.ElementTree.parse(self.path(name)).getroot()
            curves = [path for path in picture.iter() if path.get("class") == "curve"]
            self.assertEqual(len(curves), 4)  # two curves and their legend
            self.assertIn("kw", "".join(picture.itertext()))

    def test_a_series_that_never_changes(self):
        path = self.write("flat.csv", b"v\n" + b"3.5\n" * 100)
        self.train(data=path)
        text = self.run_program("forecast", "--data", path, "--model", self.model, "--steps", "3").text
        for line in text.splitlines()[1:]:
            self.assertAlmostEqual(float(line.split(",")[1]), 3.5, delta=0.5)

    def test_lines_for_people(self):
        run = self.run_program("train", "--data", self.data, "--model", self.model, *QUICK)
        for part in ("400 rows of 2 columns", "parameters", "naive forecast's error", "to repeat: "):
            self.assertIn(part, run.text)
        text = self.run_program("evaluate", "--data", self.data, "--model", self.model).text
        self.assertIn("RMSE", text)

    def test_help(self):
        text = self.run_program("train", "--help").text
        self.assertIn("--patience N", text)
        self.assertIn("librnnkit", self.run_program("--version").text)

    def test_a_search(self):
        """The first trial has the options as they are; the winner's command gives the model again."""
        plain = self.train(*["--columns", "kw", "--epochs", "10"]).event("done")["valid_ratio"]
        run = self.train(*["--columns", "kw", "--epochs", "10"], "--search", "6", "--lr", "0.01")
        trials = [event for event in run.events if event["event"] == "trial"]
        self.assertEqual([trial["trial"] for trial in trials], [1, 2, 3, 4, 5, 6])
        self.assertEqual({trial["lr"] for trial in trials}, {0.01})
        self.assertGreater(len({trial["layers"] for trial in trials}), 1)
        self.assertEqual({trial["hidden"] for trial in trials}, {16})
        done, first = run.event("done"), self.read("m")
        self.assertEqual(done["valid_loss"], min(trial["valid_loss"] for trial in trials))
        self.assertNotIn("--search", done["command"])
        (self.folder / "m").unlink()
        self.assertEqual(self.run_shell(done["command"]).event("done")["valid_ratio"], done["valid_loss"])
        self.assertEqual(first, self.read("m"))
        run = self.train(*["--columns", "kw", "--epochs", "10"], "--search", "1")
        self.assertEqual(run.event("done")["valid_loss"], plain)
        run = self.train(*["--columns", "kw", "--epochs", "10"], "--search", "1000", "--search-minutes", "0.0001")
        self.assertLess(run.event("done")["trials"], 100)


class Repeat(repeating.Repeating, Case):
    REPEATED = ("--columns", "kw", "--loss", "huber")


class Resume(resuming.Resuming, Case):
    OFTEN = ["--checkpoint-minutes", "0"]

    def words(self, model):
        return ["train", "--data", self.data, "--model", self.path(model), "--json", "--device", "cpu", "--epochs", "150",
                "--hidden", "24", "--layers", "2", "--dropout", "0.1"]

    def other_data(self):
        return ["--data", self.write("other.csv", table(rows=399))]


class Refusals(Case):
    def test_bad_tables_name_line_and_column(self):
        lines = table().splitlines()
        for line, message in (
                (b"d9,nothing,1", "line 10, column 2 (kw): 'nothing' is not a finite number"),
                (b"d9,,1", "line 10, column 2 (kw): '' is not"),
                (b"d9,nan,1", "line 10, column 2 (kw): 'nan'"),
                (b"d9,1e999,1", "line 10, column 2 (kw): '1e999'"),
                (b"d9,1", "line 10 has 2 columns, expected 3"),
                (b"d9,1,2,3", "line 10 has 4 columns, expected 3"),
                (b'"d9,1,2', "line 10, column 1: the quote is never closed"),
                (b'"d9"x,1,2', "line 10, column 1: text behind the closing quote"),
                (b"d9,1\x00,2", "line 10 has a NUL byte")):
            with self.subTest(line=line):
                self.assertIn(message, self.refuse_text(b"\n".join([*lines[:9], line, *lines[10:]])))

    def test_tables_with_nothing_in_them(self):
        for text, message in ((b"", "there is nothing in it"), (b"\n\n", "there is nothing in it"),
                              (b"a,b\n", "no line behind the names"), (b"a,b\nx,y\n", "line 2 has no number"),
                              (b"a\n1\n2\n", "a series of 2 rows is too short"), (b"a\n" + b"1e300\n-1e300\n" * 20,
                                                                                "too large")):
            with self.subTest(text=text[:20]):
                self.assertIn(message, self.refuse_text(text))

    def test_words(self):
        train = ["train", "--data", self.data, "--model", self.model]
        for words, message in (
                ([*train, "--colums", "kw"], "did you mean --columns?"),
                ([*train, "--columns", "kwh"], "has no column 'kwh'; did you mean 'kw'?"),
                ([*train, "--columns", "4"], "has no column '4'; there are 3"),
                ([*train, "--columns", "day"], "line 2, column 1 (day): 'd0' is not"),
                ([*train, "--sine", "100"], "--data and --sine"),
                (["train", "--model", self.model], "--data FILE or --sine N"),
                (["train", "--data", self.path("no"), "--model", self.model], "No such file"),
                (["train", "--data", str(self.folder), "--model", self.model], "directory"),
                (["train", "--data", self.data, "--model", self.data], "same file"),
                (["train", "--data", self.data, "--model", self.path("no/m")], "No such file"),
                (["trian"], "did you mean train?"),
                (["xyz"], "train, forecast and evaluate")):
            with self.subTest(words=words):
                self.assertIn(message, self.refuse(*words))

    def test_models(self):
        self.train("--columns", "kw")
        whole = self.read("m")
        forecast = ["forecast", "--data", self.data, "--model"]
        self.assertIn("'kw'", self.refuse("forecast", "--data", self.write("x.csv", b"a\n" + b"1\n" * 50), "--model",
                                          self.model))
        self.assertIn("400 rows", self.refuse(*forecast, self.model, "--hide", "400"))
        for damaged in (whole[:1000], whole[:-1], b"", b"\xff" * 100):
            self.refuse(*forecast, self.write("bad", damaged))
        self.refuse(*forecast, self.path("no"))


if __name__ == "__main__":
    program.main()
