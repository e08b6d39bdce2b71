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

. "$(dirname "$0")/demo_build.sh"
read_words 1 "$@"
corpus=${own[0]:-}

if [ -n "$corpus" ]; then install_and_build; else install_and_build bible-kjv; fi
program=$build/examples/script_generation

prime=
if [ -z "$corpus" ]; then
    corpus=$build/bible.txt
    prime="And it came to pass"
    bible_text "$corpus"
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
