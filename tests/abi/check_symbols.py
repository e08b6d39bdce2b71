#!/usr/bin/env python3
"""The functions of the headers, the symbols of lib/rnnkit.map and what the built library exports
are the same set, and everything is in the version node.

check_symbols.py HEADERS MAP LIBRARY | check_symbols.py --self-test
"""
import pathlib
import re
import subprocess
import sys

import headers
import report


def read_map(text):
    """Symbols of the map, all nodes together; a pattern other than `local: *` is a fault."""
    body = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    symbols, faults = [], []
    for node, inside in re.findall(r"([\w.]+)\s*\{(.*?)\}", body, re.S):
        public, _, local = inside.partition("local:")
        names = re.findall(r"([^\s;:]+)\s*;", public.replace("global:", ""))
        faults += [f"{node}: {name} is a pattern" for name in names if "*" in name or "?" in name]
        if local and local.split() != ["*;"]:
            faults.append(f"{node}: local: must be *")
        symbols += [(name, node) for name in names]
    return symbols, faults


def read_exports(text):
    """(name, node) of each line of `nm -D --with-symbol-versions`; node names themselves left out."""
    symbols = []
    for line in text.splitlines():
        name = line.split()[-1]
        name, _, node = name.partition("@")
        if line.split()[-2] != "A":
            symbols.append((name, node.lstrip("@")))
    return symbols


def compare(declared, mapped, exported):
    faults = []
    names = [name for name, _ in mapped]
    faults += [f"{name} stands twice in the map" for name in set(names) if names.count(name) > 1]
    if names != sorted(names):
        faults.append("the map is not in alphabetical order")
    for name in sorted(set(declared) - set(names)):
        faults.append(f"{name} is declared and not in the map")
    for name in sorted(set(names) - set(declared)):
        faults.append(f"{name} is in the map and not declared")
    for name, node in sorted(set(mapped) - set(exported)):
        faults.append(f"{name}@{node} is in the map and not exported")
    for name, node in sorted(set(exported) - set(mapped)):
        faults.append(f"{name}@{node} is exported and not in the map")
    return faults


def self_test():
    text = "N_0.1 {\nglobal:\n  rnnkit_b;\n  rnnkit_a;\n  rnnkit_a;\n  rnnkit_x*;\nlocal:\n  *;\n};"
    mapped, faults = read_map(text)
    mapped = [pair for pair in mapped if "*" not in pair[0]]
    exported = read_exports("0001 T rnnkit_a@@N_0.1\n0002 T rki_leak\n0000 A N_0.1@@N_0.1\n")
    report.must_find(faults + compare(["rnnkit_a", "rnnkit_c"], mapped, exported), [
        "rnnkit_x* is a pattern", "rnnkit_a stands twice", "alphabetical",
        "rnnkit_c is declared and not in the map", "rnnkit_b is in the map and not declared",
        "rnnkit_b@N_0.1 is in the map and not exported", "rki_leak@ is exported"])


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    folder, map_path, library = sys.argv[1:]
    declared = [function.name for function in headers.read(folder).functions]
    mapped, faults = read_map(pathlib.Path(map_path).read_text(encoding="utf-8"))
    exported = read_exports(subprocess.run(
        ["nm", "-D", "--defined-only", "--with-symbol-versions", library],
        check=True, capture_output=True, text=True).stdout)
    faults += compare(declared, mapped, exported)
    report.finish(faults, f"{len(declared)} functions: headers, map and library agree")


main()
