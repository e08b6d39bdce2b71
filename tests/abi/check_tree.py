#!/usr/bin/env python3
"""The tree keeps its shape: includes never point up, files stay short, every source is built.

A folder of src/ may include itself, what stands below it, and the public headers. In cuda/ only
backend/backend.h (with what that includes) may be named; examples see the public headers alone.

check_tree.py ROOT | check_tree.py --self-test
"""
import pathlib
import re
import sys
import tempfile

import report

LINES = 1000
BELOW = {  # folder: the folders it may include, besides itself
    "base": set(),
    "tensor": {"base"},
    "backend": {"base", "tensor"},
    "cpu": {"base", "tensor", "backend"},
    "reference": {"base", "tensor", "backend"},
    "autodiff": {"base", "tensor", "backend"},
    "io": {"base", "tensor"},
    "text": {"base"},
    "word2vec": {"base", "tensor", "backend", "cpu", "io", "text"},
    "nn": {"base", "tensor", "backend", "autodiff", "io", "text"},
    "generate": {"base", "tensor", "backend", "autodiff", "nn", "text"},
    "api": {"base", "tensor", "backend", "autodiff", "io", "text", "nn", "generate", "word2vec"},
}
SOURCES = {".c", ".h", ".cu", ".cuh", ".inc"}
TEXTS = SOURCES | {".py", ".sh", ".cmake", ".cpp", ".md"}


def included(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            yield number, match[1], match[2]


def check_includes(root):
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in SOURCES:
            continue
        place = path.relative_to(root)
        folder = place.parts[1]
        if folder not in BELOW:
            yield f"{place}: the folder {folder} has no place in the order of layers"
            continue
        for number, bracket, name in included(path):
            if name.startswith("rnnkit/"):
                continue
            top = name.split("/")[0]
            if top in BELOW and top != folder and top not in BELOW[folder]:
                yield f"{place}:{number}: {folder} may not include {name}"
            if bracket == '"' and top not in BELOW:
                yield f'{place}:{number}: "{name}" is not given from src/'
    for path in sorted((root / "cuda").rglob("*")):
        for number, _, name in included(path) if path.suffix in SOURCES else ():
            if name.split("/")[0] in BELOW and name != "backend/backend.h":
                yield f"{path.relative_to(root)}:{number}: cuda sees backend/backend.h alone, not {name}"
    for path in sorted((root / "examples").rglob("*.c")):
        for number, bracket, name in included(path):
            if bracket == '"' and not name.startswith("rnnkit/") and not (path.parent / name).exists():
                yield f"{path.relative_to(root)}:{number}: examples see the public headers alone"
            if "/" in name and name.split("/")[0] in BELOW:
                yield f"{path.relative_to(root)}:{number}: {name} is not public"


def check_lengths(root):
    for top in ("include", "lib", "src", "cuda", "examples", "tests", "cmake", "docs"):
        for path in sorted((root / top).rglob("*")):
            if path.is_file() and (path.suffix in TEXTS or path.name == "CMakeLists.txt"):
                count = len(path.read_text(encoding="utf-8").splitlines())
                if count > LINES:
                    yield f"{path.relative_to(root)}: {count} lines, {LINES} are allowed"


def check_built(root):
    for path in sorted((root / "src").rglob("*.c")):
        folder = root / path.relative_to(root).parts[0] / path.relative_to(root).parts[1]
        names = re.findall(r"[\w/]+\.c\b", (folder / "CMakeLists.txt").read_text(encoding="utf-8"))
        if path.relative_to(folder).as_posix() not in names:
            yield f"{path.relative_to(root)}: the CMakeLists.txt of its folder does not name it"


def check(root):
    return [*check_includes(root), *check_lengths(root), *check_built(root)]


def self_test():
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, text in {
            "src/base/lost.c": "\n",
            "src/base/good.c": '#include "base/good.h"\n#include "rnnkit/status.h"\n',
            "src/base/up.c": '#include "nn/model.h"\n',
            "src/text/side.c": "#include <tensor/tensor.h>\n",
            "src/cpu/near.c": '#include "near.h"\n',
            "src/utils/odd.c": "\n",
            "src/io/long.c": "\n" * (LINES + 1),
            "examples/inner.c": '#include "base/status.h"\n',
            "cuda/near.cu": '#include "backend/backend.h"\n#include "cpu/cpu.h"\n',
        }.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
            if path.startswith("src/") and "lost" not in path:
                with open((root / path).parent / "CMakeLists.txt", "a", encoding="utf-8") as listing:
                    listing.write((root / path).name + "\n")
        report.must_find(check(root), [
            "src/base/lost.c: the CMakeLists.txt",
            "up.c:1: base may not include nn/model.h", "side.c:1: text may not include",
            'near.c:1: "near.h" is not given', "the folder utils has no place", "long.c: 1001 lines",
            "near.cu:2: cuda sees backend/backend.h alone", "inner.c:1: examples see", "inner.c:1: base/status.h is not public"])


if sys.argv[1] == "--self-test":
    self_test()
else:
    report.finish(check(pathlib.Path(sys.argv[1])), "includes point down, files are short, all sources are built")
