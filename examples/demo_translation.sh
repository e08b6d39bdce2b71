#!/bin/bash
# From nothing to a translator, on Debian 12: installs what is missing (apt; as root or with sudo),
# builds the library and translation, trains for some minutes, tells BLEU on verses that it did not
# see, translates a few of them, and draws where it looked. A second call goes straight to training.
#
#   examples/demo_translation.sh                 learns from the short verses of two old Bibles that
#                                                apt offers, Spanish (Reina-Valera 1909) to English
#                                                (King James)
#   examples/demo_translation.sh SOURCE TARGET   learns from your own text: line N of TARGET is the
#                                                translation of line N of SOURCE; ten thousand lines
#                                                and more, each a short sentence
#
# Ten thousand verses are little to learn a language from: it gets the tone and what is said often,
# and invents the rest. EPOCHS=20 before it takes more time. What it makes stands in build/demo.
set -euo pipefail

. "$(dirname "$0")/demo_build.sh"
read_words 2 "$@"

verses() { # MODULE: a line "book chapter:verse<TAB>text" for each verse
    diatheke -b "$1" -f plain -k "Gen 1:1 - Rev 22:21" |
        sed -nE 's/<[A-Z0-9]+>|¶//g; s/’/'\''/g; s/^ *([^:]+ [0-9]+:[0-9]+): +/\1\t/p' |
        sed -E 's/ +/ /g; s/ $//'
}

bible_pairs() { # NAME: short verses, NAME.es and NAME.en; those for a test, NAME.test.es and .en
    [ -e "$1.en" ] && return
    verses spaRV1909eb >"$1.es.all"
    verses engKJV2006eb >"$1.en.all"
    awk -F '\t' -v name="$1" '
        # where the Bibles count verses differently, one of a pair is empty
        function fits(text) { return text != "" && split(text, words, " ") <= 20 }
        NR == FNR { spanish[$1] = $2; next }
        fits(spanish[$1]) && fits($2) {
            part = ++count % 25 == 0 ? ".test" : ""
            print spanish[$1] > (name part ".es")
            print $2 > (name part ".en.new")
        }' "$1.es.all" "$1.en.all"
    mv "$1.test.en.new" "$1.test.en"
    mv "$1.en.new" "$1.en"
    rm "$1.es.all" "$1.en.all"
}

if [ ${#own[@]} = 0 ]; then
    install_and_build diatheke sword-text-kjv sword-text-sparv
    name=$build/verses
    bible_pairs "$name"
    source=$name.es target=$name.en test=$name.test.es
else
    install_and_build
    source=${own[0]} target=${own[1]} test=$source
    name=${source##*/}
    name=$build/${name%.*}
fi
program=$build/examples/translation
model=$name.safetensors

echo "== training on $source and $target"
"$program" train --source "$source" --target "$target" --model "$model" \
    --hidden 256 --embedding 192 --epochs "${EPOCHS:-12}"

if [ ${#own[@]} = 0 ]; then
    echo
    echo "== how good it is on verses that it did not see"
    "$program" evaluate --model "$model" --source "$test" --target "$name.test.en"
fi
echo
if [ ${#own[@]} = 0 ]; then echo "== what it makes of some"; else echo "== what it makes of lines that it learned from"; fi
sed -n '1~40p' "$test" | head -6 | while IFS= read -r line; do
    printf '   %s\n-> ' "$line"
    printf '%s\n' "$line" | "$program" translate --model "$model"
done
sed -n 1p "$test" | "$program" translate --model "$model" --attention-svg "$name.svg" >/dev/null
echo
echo "== where it looked in the first of them, for a web browser"
echo "$name.svg"
echo
echo "== translate more"
printf '%q ' "$program" translate --model "$model" -
echo
