"""Reads the public headers: functions with their comments, handles, status codes."""
import pathlib
import re
from dataclasses import dataclass, field

FIELDS = ["Arrays", "Ownership", "Errors", "Threads", "Since", "Source"]


@dataclass
class Function:
    name: str
    result: str
    parameters: list
    checked: bool  # carries RNNKIT_CHECK
    comment: list  # lines of the comment right before it, without stars; empty: none
    place: str


@dataclass
class Headers:
    functions: list = field(default_factory=list)
    handles: list = field(default_factory=list)
    callbacks: list = field(default_factory=list)
    codes: set = field(default_factory=set)


DECLARATION = re.compile(
    r"(?P<comment>/\*\*(?:[^*]|\*(?!/))*\*/)?\s*"
    r"\bRNNKIT_API\s+(?P<check>RNNKIT_CHECK\s+)?(?P<result>[\w\s*]+?)"
    r"(?P<name>rnnkit_\w+)\s*\((?P<parameters>[^)]*)\)\s*;"
)


def read(folder):
    """All headers of a folder, the umbrella included."""
    headers = Headers()
    for path in sorted(pathlib.Path(folder).glob("*.h")):
        text = path.read_text(encoding="utf-8")
        # the macro's own definition is no declaration; blanks keep the line numbers
        text = re.sub(r"^#define RNNKIT_API.*$", "", text, flags=re.M)
        headers.handles += re.findall(r"^typedef struct (rnnkit_\w+) \1;", text, re.M)
        headers.callbacks += re.findall(r"^typedef [^;]*\(\*(rnnkit_\w+_fn)\)", text, re.M)
        headers.codes |= set(re.findall(r"^#define (RNNKIT_(?:E_\w+|OK|DONE|STOPPED))\s", text, re.M))
        found = 0
        for match in DECLARATION.finditer(text):
            found += 1
            line = text.count("\n", 0, match.start("name")) + 1
            comment = [
                re.sub(r"^\s*/?\*+/?\s?", "", part).rstrip()
                for part in (match["comment"] or "").removesuffix("*/").splitlines()
            ]
            parameters = [" ".join(p.split()) for p in match["parameters"].split(",")]
            headers.functions.append(Function(
                match["name"], " ".join(match["result"].split()), parameters,
                bool(match["check"]), comment, f"{path.name}:{line}"))
        if found != len(re.findall(r"\bRNNKIT_API\b", text)):
            raise SystemExit(f"{path.name}: a declaration behind RNNKIT_API was not understood")
    return headers
