"""How the checks of this folder speak: faults on standard error, exit code 1 when there are any."""
import sys


def finish(faults, passed):
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(f"{len(faults)} fault(s)")
    print(passed)


def must_find(faults, expected):
    """Self-test: each expected piece of text occurs in one of the faults, and there are no others."""
    missing = [text for text in expected if not any(text in fault for fault in faults)]
    others = [fault for fault in faults if not any(text in fault for text in expected)]
    finish([f"not found in the broken sample: {text}" for text in missing]
           + [f"found without a cause: {text}" for text in others],
           f"self-test: all {len(expected)} faults of the broken sample are found")
