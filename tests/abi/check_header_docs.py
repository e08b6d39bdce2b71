#!/usr/bin/env python3
"""Every public function says what a reader needs, and only permitted types cross the API.

 - a comment stands right before the function: a sentence, then the fields Arrays, Ownership,
   Errors, Threads, Since, Source in this order, each filled;
 - Threads starts with any, shared or owner; Since names a release; codes in Errors exist;
 - a status result carries RNNKIT_CHECK;
 - every handle has a destroy function, but for the tape's tensors;
 - arguments and results have the types that api.h lists.

check_header_docs.py HEADERS | check_header_docs.py --self-test SAMPLE_HEADERS
"""
import re
import sys

import headers
import report

SCALARS = {"int32_t", "int64_t", "uint64_t", "size_t", "float", "double"}


def fields_of(comment):
    """(sentence, [(field, text)]) of a comment's lines."""
    sentence, fields = [], []
    for line in comment:
        match = re.match(r"(%s):\s*(.*)" % "|".join(headers.FIELDS), line)
        if match:
            fields.append([match[1], match[2]])
        elif fields:
            fields[-1][1] += " " + line.strip()
        else:
            sentence.append(line)
    return " ".join(sentence).strip(), [(name, text.strip()) for name, text in fields]


def check_comment(function, codes):
    if not function.comment:
        yield "has no comment"
        return
    sentence, fields = fields_of(function.comment)
    if not sentence:
        yield "does not say what it does"
    names = [name for name, _ in fields]
    if sorted(names, key=headers.FIELDS.index) != names or len(set(names)) != len(names):
        yield f"has its fields in the order {', '.join(names)}"
    for name in headers.FIELDS:
        if name not in names:
            yield f"has no field {name}"
    for name, text in fields:
        if not text:
            yield f"leaves {name} empty"
        elif name == "Threads" and not re.match(r"(any|shared|owner)\b", text):
            yield f"has Threads: {text}"
        elif name == "Since" and not re.fullmatch(r"\d+\.\d+\.", text):
            yield f"has Since: {text}"
        elif name == "Errors":
            for code in re.findall(r"RNNKIT_[A-Z_]+", text):
                if code not in codes:
                    yield f"names the unknown code {code}"


def check_types(function, handles, callbacks):
    kinds = SCALARS | set(handles) | {"char", "void"}
    for parameter in function.parameters:
        if parameter == "void":
            continue
        match = re.fullmatch(r"(?:const )?(\w+) (\*{0,2}|\*const \*)\w+", parameter.replace("* *", "**"))
        kind, stars = (match[1], match[2]) if match else (parameter, "")
        if kind in callbacks and not stars:
            continue
        if kind not in kinds or (not stars and kind not in SCALARS):
            yield f"has the argument `{parameter}`"
    if function.result not in {"void", "int32_t", "const char *"}:
        yield f"has the result `{function.result}`"
    if (function.result == "int32_t") != function.checked:
        yield "must carry RNNKIT_CHECK exactly when it returns a status"


def check(public):
    faults = []
    for function in public.functions:
        found = [*check_comment(function, public.codes),
                 *check_types(function, public.handles, public.callbacks)]
        faults += [f"{function.place}: {function.name} {fault}" for fault in found]
    names = {function.name for function in public.functions}
    for handle in public.handles:
        if handle != "rnnkit_tensor" and handle + "_destroy" not in names:
            faults.append(f"{handle} has no {handle}_destroy")
    return faults


def main():
    if sys.argv[1] == "--self-test":
        report.must_find(check(headers.read(sys.argv[2])), [
            "rnnkit_bare has no comment", "rnnkit_empty does not say", "rnnkit_empty leaves Source",
            "rnnkit_order has its fields in the order", "rnnkit_missing has no field Ownership",
            "rnnkit_tags has Threads: perhaps", "rnnkit_tags has Since: soon",
            "rnnkit_tags names the unknown code RNNKIT_E_NONE", "rnnkit_types has the argument `int",
            "rnnkit_types has the argument `struct", "rnnkit_types has the result `long`",
            "rnnkit_missing must carry RNNKIT_CHECK", "rnnkit_thing has no rnnkit_thing_destroy"])
        return
    public = headers.read(sys.argv[1])
    report.finish(check(public), f"{len(public.functions)} functions are described")


main()
