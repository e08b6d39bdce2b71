"""Times passes of a peer, as timing.c does those of librnnkit; and the files of numbers that the
programs here give one another (results.h)."""
import array
import os
import statistics
import time

WARM, LEAST = 5, 3
clock = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter


def read(path, kind="f"):
    """Numbers as they lie in memory; kind as in the module array: f floats, i int32."""
    values = array.array(kind)
    values.frombytes(path.read_bytes())
    return values


def write(path, values):
    with open(path, "wb") as file:
        array.array("f", values).tofile(file)


def measure(once, seconds):
    """Sorted times of about so many seconds, after a few passes that do not count."""
    start, warm = clock(), 0
    while warm < WARM and (warm == 0 or clock() - start < seconds):
        once()
        warm += 1
    times, start = [], clock()
    before = start
    while len(times) < LEAST or before - start < seconds:
        once()
        now = clock()
        times.append(now - before)
        before = now
    return sorted(times)


def report(engine, times, scale, **more):
    """The line that the programs here print; scale: from a pass to what is told, in 1/ms."""
    pairs = {"engine": engine, "step_ms": f"{scale * statistics.median(times):.4f}",
             "p99_ms": f"{scale * times[-1 - len(times) // 100]:.4f}",
             "p999_ms": f"{scale * times[-1 - len(times) // 1000]:.4f}", "steps": len(times), **more}
    print(" ".join(f"{key}={value}" for key, value in pairs.items()))
