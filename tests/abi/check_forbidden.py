#!/usr/bin/env python3
"""The library does not even name what could take the process down or over: what ends it, prints,
or changes its locale, folder, signals, environment, floating-point mode, random numbers or the
thread counts of OpenMP and BLAS. Read from the symbols that the built file asks others for, which
no macro can hide, and from its constants, for names that are looked up with dlsym.

check_forbidden.py LIBRARY... | check_forbidden.py --self-test COMPILER
"""
import pathlib
import re
import subprocess
import sys
import tempfile

import report

FORBIDDEN = """
abort exit _exit _Exit quick_exit atexit at_quick_exit on_exit raise kill __assert_fail
printf vprintf puts putchar putc fputc fputs fprintf vfprintf dprintf perror psignal stdout stderr
err errx warn warnx vwarn vwarnx syslog
setlocale chdir fchdir chroot umask
signal sigaction sigprocmask pthread_sigmask
setenv unsetenv putenv clearenv
feenableexcept fedisableexcept fesetround fesetenv feholdexcept feupdateenv
rand srand random srandom drand48 srand48 lrand48
omp_set_num_threads omp_set_dynamic omp_set_nested omp_set_schedule omp_set_max_active_levels
openblas_set_num_threads goto_set_num_threads bli_thread_set_num_threads mkl_set_num_threads
system popen fork vfork execv execve execvp posix_spawn
strtok localtime gmtime ctime asctime strerror getpwnam tmpnam gets
malloc calloc realloc
""".split()
# The default hook of base/memory is aligned_alloc or posix_memalign and free; nothing else allocates.


def undefined(library):
    lines = subprocess.run(["nm", "-D", "--undefined-only", library], check=True,
                           capture_output=True, text=True).stdout.splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def check(library):
    names = undefined(library)
    plain = names | {re.sub(r"^__(\w+)_chk$", r"\1", name) for name in names}
    faults = [f"{library}: asks for {name}" for name in FORBIDDEN if name in plain]
    content = pathlib.Path(library).read_bytes()
    faults += [f"{library}: holds the name {name}" for name in FORBIDDEN
               if "_set_" in name and name not in plain and b"\0" + name.encode() + b"\0" in content]
    return faults


def self_test(compiler):
    source = """
        #include <stdio.h>
        #include <stdlib.h>
        const char *by_name(void) { return "openblas_set_num_threads"; }
        void bad(void) { printf("%d\\n", rand()); abort(); }
    """
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "bad.c").write_text(source, encoding="utf-8")
        library = f"{folder}/libbad.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-D_FORTIFY_SOURCE=2", "-o", library,
                        f"{folder}/bad.c"], check=True)
        report.must_find(check(library), ["asks for abort", "asks for printf", "asks for rand",
                                          "holds the name openblas_set_num_threads"])


if sys.argv[1] == "--self-test":
    self_test(sys.argv[2])
else:
    report.finish([fault for library in sys.argv[1:] for fault in check(library)],
                  f"{len(sys.argv) - 1} file(s) ask for nothing that is forbidden")
