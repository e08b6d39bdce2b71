#!/bin/bash
# Each public header alone, first and twice in its file, as C99 and as C++, with all warnings as
# errors, with every compiler of gcc and clang that is installed.
#
# check_headers_alone.sh INCLUDE_FOLDER | check_headers_alone.sh --self-test
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile_all() { # FOLDER: prints what failed, returns 1 when anything did
    local folder=$1 failed=0 header compiler compilers=0
    for compiler in "gcc -x c -std=c99" "g++ -x c++ -std=c++11" "clang -x c -std=c99" \
        "clang++ -x c++ -std=c++11"; do
        command -v "${compiler%% *}" >/dev/null || continue
        compilers=$((compilers + 1))
        for header in "$folder"/rnnkit/*.h; do
            header=rnnkit/$(basename "$header")
            printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' \
                "$header" "$header" >"$work/alone.c"
            # shellcheck disable=SC2086
            if ! $compiler -Wall -Wextra -pedantic -Werror -fsyntax-only -I"$folder" \
                "$work/alone.c"; then
                echo "$header does not compile alone with: $compiler" >&2
                failed=1
            fi
        done
    done
    [ "$compilers" -ge 2 ] || { echo "no C and C++ compiler found" >&2; failed=1; }
    [ "$failed" = 0 ] && echo "every header compiles alone with $compilers compilers"
}

if [ "$1" = --self-test ]; then
    mkdir "$work/rnnkit"
    printf 'int32_t rnnkit_broken(void); // no include, no C99 pedantry\n' >"$work/rnnkit/broken.h"
    if compile_all "$work" 2>/dev/null; then
        echo "a broken header was not noticed" >&2
        exit 1
    fi
    echo "self-test: the broken header is found"
else
    compile_all "$1"
fi
