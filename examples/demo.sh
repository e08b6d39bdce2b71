#!/bin/bash
# From nothing to a text that a network wrote, on Debian 12: installs what is missing (apt; as root or
# with sudo), builds the library and script_generation, trains for about three minutes, and prints
# loss, perplexity and a passage. A second call goes straight to training.
#
#   examples/demo.sh         learns from the King James Bible, which apt offers (package bible-kjv)
#   examples/demo.sh FILE    learns from your own text: a script with lines `name: what is said`, a
#                            book, anything in UTF-8 of some ten thousand words or more
#
# MINUTES=10 before it takes more time and gives better text. What it makes stands in build/demo.
set -euo pipefail

usage() { # the lines above, without their #
    sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"
}

corpus=
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    usage
    exit
elif [ $# -gt 1 ] || [[ ${1:-} == -* ]]; then
    usage >&2
    exit 1
elif [ $# = 1 ]; then
    corpus=$(realpath -- "$1")
    [ -f "$corpus" ] && [ -r "$corpus" ] || { echo "$0: cannot read $1" >&2; exit 1; }
fi
cd "$(dirname "$0")/.."
build=build/demo

packages=(gcc libc6-dev cmake ninja-build pkg-config
    libopenblas-dev libcjson-dev libutf8proc-dev librandom123-dev)
[ -n "$corpus" ] || packages+=(bible-kjv)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
        missing+=("$package")
done

mkdir -p "$build"
quietly() { # COMMAND...: what it says goes to a file, and to the screen when it fails
    "$@" >"$build/log" 2>&1 || { tail -30 "$build/log" >&2; exit 1; }
}
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    echo "== installing ${missing[*]}"
    quietly "${as_root[@]}" apt-get update
    quietly "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
fi
if [ ! -e "$build/build.ninja" ]; then
    echo "== building"
    quietly cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DRNNKIT_BUILD_TESTS=OFF -DRNNKIT_BUILD_REFERENCE=OFF
fi
quietly cmake --build "$build"
program=$build/examples/script_generation

prime=
if [ -z "$corpus" ]; then
    corpus=$build/bible.txt
    prime="And it came to pass"
    if [ ! -e "$corpus" ]; then # 31,102 lines "Ge1:1 In the beginning ..."
        bible -f gen1:1-rev22:21 </dev/null | sed 's/^[^ ]* //' >"$corpus.new"
        mv "$corpus.new" "$corpus"
    fi
fi
name=${corpus##*/}
model=$build/${name%.*}.safetensors

echo "== training on $corpus"
"$program" train --corpus "$corpus" --model "$model" --minutes "${MINUTES:-3}" --epochs 30
echo
echo "== what it writes"
"$program" generate --model "$model" --prime "$prime" --length 150 --seed 1
echo
echo "== more of it"
printf '%q ' "$program" generate --model "$model" --length 300
echo
