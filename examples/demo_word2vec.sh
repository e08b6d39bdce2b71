#!/bin/bash
# From nothing to word vectors, on Debian 12: installs what is missing (apt; as root or with sudo),
# builds the library and word2vec, learns vectors in a few seconds, and shows neighbours, analogies,
# the odd one out, and a map of the most frequent words. A second call goes straight to training.
#
#   examples/demo_word2vec.sh        learns from the King James Bible, which apt offers (bible-kjv)
#   examples/demo_word2vec.sh FILE   learns from your own text in UTF-8, one sentence a line; from
#                                    some hundred thousand words on, vectors begin to mean something
#
# What it makes stands in build/demo: NAME.vectors and NAME.svg.
set -euo pipefail

. "$(dirname "$0")/demo_build.sh"
read_words 1 "$@"
corpus=${own[0]:-}

if [ -n "$corpus" ]; then install_and_build; else install_and_build bible-kjv; fi
program=$build/examples/word2vec

if [ -z "$corpus" ]; then
    corpus=$build/bible.txt
    bible_text "$corpus"
fi
name=${corpus##*/}
name=${name%.*}
words=$build/$name.words vectors=$build/$name.vectors map=$build/$name.svg

# Marks would be words, or parts of words.
sed "s/[[:punct:]]/ /g" "$corpus" >"$words"

echo "== training on $corpus"
"$program" train --corpus "$words" --lowercase --output "$vectors" --format binary \
    --window 8 --negative 10 --epochs 20

ask() { # COMMAND WORD...
    echo
    echo "== $*"
    "$program" "$1" --vectors "$vectors" --top 5 "${@:2}"
}
if [ ${#own[@]} = 0 ]; then
    ask nearest king
    ask nearest egypt
    ask analogy man king woman # queen
    ask analogy go went come   # came
    echo
    echo "== doesnt-match gold silver brass bread"
    "$program" doesnt-match --vectors "$vectors" gold silver brass bread
fi

echo
echo "== the map, for a web browser"
"$program" map --vectors "$vectors" --svg "$map"
echo
echo "== ask for more"
printf '%q ' "$program" nearest --vectors "$vectors"
echo
