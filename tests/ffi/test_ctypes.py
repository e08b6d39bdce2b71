#!/usr/bin/env python3
"""The API without C: plain ctypes, no numpy.

Builds a small language model, saves it, opens it again, writes text twice with one seed and once
with another, and reads what the library says about bad arguments. Nothing is trained.

test_ctypes.py LIBRARY HEADERS
"""
import ctypes
import os
import re
import sys
import tempfile
import threading
import unittest

import binding

TEXT = """the quick brown fox jumps over the lazy dog. the dog sleeps, the fox runs (fast)!
"why do you run?" said the dog. "because i am a fox," said the fox; and so they went on.
"""


class Calls(unittest.TestCase):
    def setUp(self):
        self.api = binding.Api(LIBRARY, HEADERS)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.context = self.api.make("context_create", b"cpu", b"threads=1 seed=7")

    def tearDown(self):
        self.api.context_destroy(self.context)

    def path(self, name):
        return os.path.join(self.folder.name, name).encode()

    def refused(self, code, *call):
        """The message of a call that must fail with the status of that name."""
        with self.assertRaises(binding.Failure) as caught:
            self.api.make(*call)
        self.assertEqual(caught.exception.status, self.api.constants[code], str(caught.exception))
        return str(caught.exception)

    def save_model(self, path):
        api = self.api
        tokenizer = api.make("tokenizer_create", self.context, b"unit=word punctuation=tokens")
        vocab = api.make("vocab_create", tokenizer, None)
        api.vocab_push(vocab, TEXT.encode(), -1)
        api.vocab_finish(vocab)
        words = ctypes.c_int64()
        api.vocab_size(vocab, ctypes.byref(words), None)
        model = api.make("model_create", self.context)
        layers = [
            api.make("embedding_create", model, b"embedding", words.value, 8, None),
            api.make("lstm_create", model, b"lstm", 8, 12, b"layers=2"),
            api.make("linear_create", model, b"linear", 12, words.value, None),
        ]
        api.model_set_vocab(model, vocab)
        api.model_set_entry(model, b"author", "Zoë".encode())
        api.model_save(model, path)
        # in an order no C programmer would choose: children keep their parents alive
        api.tokenizer_destroy(tokenizer)
        api.model_destroy(model)
        api.vocab_destroy(vocab)
        for destroy, layer in zip((api.embedding_destroy, api.rnn_destroy, api.linear_destroy),
                                  layers):
            destroy(layer)

    def write_text(self, model, seed):
        api = self.api
        layers = [api.make(f"{noun}_find", model, name) for noun, name in
                  (("embedding", b"embedding"), ("rnn", b"lstm"), ("linear", b"linear"))]
        vocab = api.make("model_vocab", model)
        generator = api.make("generator_create", *layers, vocab,
                             f"seed={seed} temperature=0.8 length=40".encode())
        api.generator_prime(generator, b"the fox", -1)
        ids, text, drawn = [], "", ctypes.c_int32()
        while api.generator_next(generator, ctypes.byref(drawn)) == api.constants["RNNKIT_OK"]:
            ids.append(drawn.value)
            text += api.text("generator_text", generator)
        text += api.text("generator_text", generator)
        api.generator_destroy(generator)
        api.vocab_destroy(vocab)
        for destroy, layer in zip((api.embedding_destroy, api.rnn_destroy, api.linear_destroy),
                                  layers):
            destroy(layer)
        return ids, text

    def test_model_file_and_generation(self):
        path = self.path("small model.safetensors")
        self.save_model(path)
        model = self.api.make("model_open", self.context, path, None)
        self.assertEqual(self.api.model_entry(model, b"author").decode(), "Zoë")
        self.assertEqual(self.api.model_parameter_name(model, 0), b"embedding.weight")
        ids, text = self.write_text(model, 5)
        self.assertEqual(len(ids), 40)
        self.assertTrue(text.strip())
        self.assertNotIn("||", text)
        self.assertEqual((ids, text), self.write_text(model, 5))
        self.assertNotEqual(ids, self.write_text(model, 6)[0])
        self.api.model_destroy(model)

    def test_bad_path_is_explained(self):
        path = self.path("no such file.safetensors")
        message = self.refused("RNNKIT_E_IO", "model_open", self.context, path, None)
        self.assertTrue(message.startswith("rnnkit_model_open: "), message)
        self.assertIn(path.decode(), message)
        self.assertEqual(self.api.text("context_error_message", self.context), message)

    def test_bad_file_is_explained(self):
        path = self.path("noise.safetensors")
        with open(path, "wb") as file:
            file.write(bytes(range(256)) * 4)
        self.assertIn(path.decode(), self.refused("RNNKIT_E_FORMAT", "model_open", self.context, path, None))

    def test_messages_belong_to_threads(self):
        message = self.refused("RNNKIT_E_IO", "model_open", self.context, self.path("missing"), None)
        seen = []
        thread = threading.Thread(target=lambda: seen.append(self.api.error_message()))
        thread.start()
        thread.join()
        self.assertEqual(seen, [b""])
        self.assertEqual(self.api.error_message().decode(), message)

    def test_bad_arguments_are_explained(self):
        self.assertIn("threads", self.refused(
            "RNNKIT_E_OPTION", "context_create", b"cpu", b"thread=2"))
        self.refused("RNNKIT_E_OPTION", "context_create", b"cpu", b"threads=-1")
        self.refused("RNNKIT_E_BACKEND", "context_create", b"abacus", None)
        self.refused("RNNKIT_E_ARGUMENT", "context_create", None, None)
        model = self.api.make("model_create", self.context)
        self.refused("RNNKIT_E_HANDLE", "tokenizer_create", model, None)
        self.refused("RNNKIT_E_HANDLE", "model_create", None)
        self.refused("RNNKIT_E_ARGUMENT", "lstm_create", model, b"lstm", 0, 12, None)
        self.refused("RNNKIT_E_NOT_FOUND", "rnn_find", model, b"lstm")
        self.api.model_destroy(model)
        self.api.model_destroy(None)

    def test_options_can_be_listed(self):
        nouns = self.api.text("options_describe", None).split()
        self.assertIn("rnn", nouns)
        for noun in nouns:
            for line in self.api.text("options_describe", noun.encode()).splitlines():
                name, kind, least, most, initial, choices, since, help_text = line.split("\t")
                self.assertTrue(name and since and help_text, line)
                self.assertIn(kind, ("integer", "number", "flag", "choice", "text"))
                if kind == "choice":
                    self.assertIn(initial, choices.split("|"))
                if kind in ("integer", "number"):
                    self.assertLessEqual(float(least), float(initial))
                    self.assertLessEqual(float(initial), float(most))
        with self.assertRaises(binding.Failure) as caught:
            self.api.text("options_describe", b"rmn")
        self.assertIn("rnn", str(caught.exception))

    def test_headers_name_every_option(self):
        described = {}
        for function in binding.headers.read(HEADERS).functions:
            comment = " ".join(function.comment)
            for noun, names in re.findall(r'Options \(noun "(\w+)"\): (.*)', comment):
                names = re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", names)
                described[noun] = {name.strip() for name in names.split(".")[0].split(",")}
        self.assertEqual(set(described), set(self.api.text("options_describe", None).split()))
        for noun, names in described.items():
            lines = self.api.text("options_describe", noun.encode()).splitlines()
            self.assertEqual({line.split("\t")[0] for line in lines}, names, noun)

    def test_hooks(self):
        blocks = {}

        def allocate(size, alignment, _):
            block = ctypes.create_string_buffer(size + alignment)
            address = (ctypes.addressof(block) + alignment - 1) // alignment * alignment
            blocks[address] = block
            return address

        hooks = (binding.CALLBACKS["rnnkit_allocate_fn"](allocate),
                 binding.CALLBACKS["rnnkit_release_fn"](lambda block, _: blocks.pop(block) and None))
        context = self.api.make("context_create_with_allocator", b"cpu", b"threads=1", *hooks, None)
        model = self.api.make("model_create", context)
        lstm = self.api.make("lstm_create", model, b"lstm", 3, 4, None)
        self.assertTrue(blocks)
        self.api.context_destroy(context)
        self.api.model_destroy(model)
        self.api.rnn_destroy(lstm)
        self.assertEqual(blocks, {})

    def test_numbers_cross_as_arrays(self):
        model = self.api.make("model_create", self.context)
        linear = self.api.make("linear_create", model, b"linear", 2, 3, b"bias=0")
        values = (ctypes.c_float * 6)(1, 2, 3, 4, 5, 6)
        back = (ctypes.c_float * 6)()
        self.api.model_parameter_write(model, b"linear.weight", values, 6)
        self.api.model_parameter_read(model, b"linear.weight", back, 6)
        self.assertEqual(list(back), list(values))
        tape = self.api.make("tape_create", self.context, b"train=0")
        x = self.api.make("tape_input", tape, (ctypes.c_float * 2)(1, 10),
                          (ctypes.c_int64 * 2)(1, 2), 2)
        y = self.api.make("linear_forward", linear, tape, x)
        result = (ctypes.c_float * 3)()
        self.api.tensor_read(y, result, 3)
        self.assertEqual(list(result), [21.0, 43.0, 65.0])
        self.api.tape_destroy(tape)
        self.api.linear_destroy(linear)
        self.api.model_destroy(model)


if __name__ == "__main__":
    LIBRARY, HEADERS = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
