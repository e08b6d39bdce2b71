# What the demos share; they read it with `.` before anything else, and it goes to the folder above.
# Defines $build, where all that a demo makes stands, and these:

build=build/demo

packages=(gcc libc6-dev cmake ninja-build pkg-config
    libopenblas-dev libcjson-dev libutf8proc-dev librandom123-dev)

usage() { # the comment that the demo begins with, without its #
    sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"
}

# COUNT WORD...: reads a demo's words: none, or COUNT files of the reader's own, whose paths go to the
# array `own`. Then goes to the folder of the whole tree.
read_words() {
    local count=$1 word
    own=()
    shift
    if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
        usage
        exit
    elif [[ ${1:-} == -* ]] || { [ $# != 0 ] && [ $# != "$count" ]; }; then
        usage >&2
        exit 1
    fi
    for word in "$@"; do
        own+=("$(realpath -- "$word")")
        [ -f "$word" ] && [ -r "$word" ] || { echo "$0: cannot read $word" >&2; exit 1; }
    done
    cd "$(dirname "$0")/.."
}

quietly() { # COMMAND...: what it says goes to a file, and to the screen when it fails
    "$@" >"$build/log" 2>&1 || { tail -30 "$build/log" >&2; exit 1; }
}

install_and_build() { # [PACKAGE...]: those that the demo needs besides (apt; as root or with sudo)
    local package missing=() as_root=()
    mkdir -p "$build"
    for package in "${packages[@]}" "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
            missing+=("$package")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        [ "$(id -u)" = 0 ] || as_root=(sudo)
        echo "== installing ${missing[*]}"
        quietly "${as_root[@]}" apt-get update
        quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y --no-install-recommends "${missing[@]}"
    fi
    if [ ! -e "$build/build.ninja" ]; then
        echo "== building"
        quietly cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
            -DRNNKIT_BUILD_TESTS=OFF -DRNNKIT_BUILD_REFERENCE=OFF -DRNNKIT_BUILD_CUDA=OFF
    fi
    quietly cmake --build "$build"
}

bible_text() { # FILE: the King James Bible, a verse a line; 31,102 lines "Ge1:1 In the beginning ..."
    [ -e "$1" ] && return
    bible -f gen1:1-rev22:21 </dev/null | sed 's/^[^ ]* //' >"$1.new"
    mv "$1.new" "$1"
}
