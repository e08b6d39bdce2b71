#!/bin/bash
# The binary interface of a release, and whether this tree still keeps it (libabigail).
#
#   baseline.sh write            build the library and write <machine>.abixml here; at a release
#   baseline.sh compare          build it and compare with the baseline; what is new is allowed
#   baseline.sh --self-test      shows on a small library that a broken interface is found
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$here/../.." && pwd)
baseline=$here/$(uname -m)-linux-gnu.abixml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# libabigail reads types from debug information, so the library is built for the purpose.
build_library() {
    cmake -S "$source" -B "$work/build" -DCMAKE_BUILD_TYPE=Debug -DRNNKIT_BUILD_TESTS=OFF \
        -DRNNKIT_BUILD_EXAMPLES=OFF -DRNNKIT_BUILD_REFERENCE=OFF >"$work/log"
    cmake --build "$work/build" --target rnnkit --parallel "$(nproc)" >>"$work/log" ||
        { cat "$work/log" >&2; return 1; }
    library=$work/build/lib/librnnkit.so
}

describe() { # LIBRARY HEADERS OUT
    abidw --headers-dir "$2" --no-corpus-path --no-comp-dir-path --no-show-locs --out-file "$3" "$1"
}

compatible() { # OLD NEW: both as described
    abidiff --no-added-syms "$1" "$2"
}

self_test() {
    local kind
    mkdir "$work/h"
    printf 'int rnnkit_one(int a);\nint rnnkit_two(void);\n' >"$work/h/old.h"
    printf '#include "h/old.h"\nint rnnkit_one(int a) { return a; }\nint rnnkit_two(void) { return 2; }\n' \
        >"$work/old.c"
    { cat "$work/old.c"; echo 'int rnnkit_three(void) { return 3; }'; } >"$work/added.c"
    printf '#include "h/old.h"\nint rnnkit_one(int a) { return a; }\n' >"$work/removed.c"
    printf 'int rnnkit_one(long a) { return (int)a; }\nint rnnkit_two(void) { return 2; }\n' \
        >"$work/changed.c"
    for kind in old added removed changed; do
        cc -g -shared -fPIC -I"$work" -o "$work/$kind.so" "$work/$kind.c"
        abidw --no-corpus-path --out-file "$work/$kind.abixml" "$work/$kind.so"
    done
    compatible "$work/old.abixml" "$work/added.abixml" || { echo "an addition was refused"; exit 1; }
    for kind in removed changed; do
        if compatible "$work/old.abixml" "$work/$kind.abixml" >"$work/log"; then
            echo "a $kind function was not noticed" >&2
            exit 1
        fi
    done
    echo "self-test: removed and changed functions are found, new ones allowed"
}

case ${1:-} in
write)
    build_library
    describe "$library" "$source/include/rnnkit" "$baseline"
    echo "$baseline"
    ;;
compare)
    build_library
    describe "$library" "$source/include/rnnkit" "$work/now.abixml"
    compatible "$baseline" "$work/now.abixml"
    echo "the interface of the last release is kept"
    ;;
--self-test) self_test ;;
*)
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
