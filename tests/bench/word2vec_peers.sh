#!/bin/bash
# word2vec beside its peers on the same text and settings: skip-gram, window 5, 5 noise words, sample
# 1e-4, min count 5. Installs gensim and gets word2vec.c from PyPI into OUT, builds librnnkit there,
# runs everything in turn, ROUNDS times, and writes docs/benchmarks/word2vec.md.
#
#   tests/bench/word2vec_peers.sh DATA [OUT]     DATA: the folder with imdb/ and word-similarity/
#
# ROUNDS=5, SEEDS="1 2 3" and QUALITY=1 (0: speed alone) can be set before.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0" >&2; exit 1; }
data=$(realpath "$1")
out=$(realpath -m "${2:-build/word2vec-peers}")
cd "$(dirname "$0")/../.."
bench=$PWD/tests/bench
rounds=${ROUNDS:-5} seeds=${SEEDS:-1 2 3} quality=${QUALITY:-1}
mkdir -p "$out/runs"

[ -x "$out/venv/bin/python" ] || python3 -m venv "$out/venv"
"$out/venv/bin/python" -c 'import gensim' 2>/dev/null || "$out/venv/bin/pip" install -q gensim
if [ ! -x "$out/word2vec_c" ]; then
    (cd "$out" && "$out/venv/bin/pip" download -q --no-deps --no-binary :all: word2vec==0.11.1 &&
        tar xzf word2vec-0.11.1.tar.gz)
    gcc -Ofast -march=native -w "$out/word2vec-0.11.1/word2vec/includes/word2vec.c" \
        -o "$out/word2vec_c" -lm -lpthread
fi
cmake -S . -B "$out/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRNNKIT_BUILD_TESTS=OFF \
    -DRNNKIT_BUILD_REFERENCE=OFF >/dev/null
cmake --build "$out/build" --target word2vec >/dev/null
program=$out/build/examples/word2vec
[ -e "$out/all.txt" ] || python3 "$bench/imdb_text.py" "$data/imdb" "$out/all.txt"
[ -e "$out/part.txt" ] || python3 "$bench/imdb_text.py" "$data/imdb" "$out/part.txt" 5000000

# Each prints thousand words of the vocabulary a second, training alone.
ours() { # CORPUS DIMENSION THREADS EPOCHS SEED OUTPUT [OPTION...]
    "$program" train --corpus "$1" --dim "$2" --threads "$3" --epochs "$4" --seed "$5" --output "$6" \
        --format binary --sample 1e-4 --json "${@:7}" |
        sed -n 's/.*"words_per_second": *\([0-9.e+]*\).*/\1/p' | tail -1 | awk '{printf "%.0f\n", $1 / 1000}'
}
theirs() { # as ours; word2vec.c prints the rate of one thread
    "$out/word2vec_c" -train "$1" -size "$2" -threads "$3" -iter "$4" -output "$6" -window 5 \
        -negative 5 -hs 0 -sample 1e-4 -cbow 0 -min-count 5 -binary 1 -debug 2 |
        tr '\r' '\n' | grep -o 'Words/thread/sec: [0-9.]*' | tail -1 |
        awk -v threads="$3" '{printf "%.0f\n", $2 * threads}'
}
gensim() { # as ours
    "$out/venv/bin/python" "$bench/gensim_train.py" "$@" 2>/dev/null
}
capped() { # as ours, with AVX2 alone
    RNNKIT_MAX_ISA=avx2 ours "$@"
}
deterministic() {
    ours "$@" --deterministic
}

speeds=$out/runs/speed.tsv
: >"$speeds"
for ((round = 0; round < rounds; round++)); do
    for dimension in 100 300; do
        for threads in 1 2; do
            for tool in ours capped deterministic gensim theirs; do
                rate=$($tool "$out/part.txt" $dimension $threads 1 1 "$out/runs/vectors.bin")
                printf '%s\t%s\t%s\t%s\n' $tool $dimension $threads "$rate" | tee -a "$speeds"
            done
        done
    done
done

whole=$out/runs/whole.tsv # the whole process: seconds and peak KiB
: >"$whole"
for ((round = 0; round < 3; round++)); do
    for tool in ours theirs; do
        if [ $tool = ours ]; then
            run=("$program" train --corpus "$out/all.txt" --dim 100 --threads 2 --epochs 1
                --output "$out/runs/vectors.bin" --format binary --sample 1e-4 --json)
        else
            run=("$out/word2vec_c" -train "$out/all.txt" -size 100 -threads 2 -iter 1 -output
                "$out/runs/vectors.bin" -window 5 -negative 5 -hs 0 -sample 1e-4 -cbow 0 -min-count 5
                -binary 1 -debug 0)
        fi
        python3 - "${run[@]}" <<'PY' | sed "s/^/$tool\t/" | tee -a "$whole"
import resource, subprocess, sys, time
begun = time.monotonic()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(f"{time.monotonic() - begun:.2f}\t{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
PY
    done
done

qualities=$out/runs/quality.tsv
: >"$qualities"
if [ "$quality" = 1 ]; then
    for seed in $seeds; do
        for tool in ours deterministic gensim theirs; do
            $tool "$out/all.txt" 100 2 5 "$seed" "$out/runs/quality.bin" >/dev/null
            for pairs in EN-WS-353-ALL EN-MTurk-771; do
                score=$("$program" evaluate --vectors "$out/runs/quality.bin" --restrict 0 --json \
                    --pairs "$data/word-similarity/$pairs.txt" |
                    sed -n 's/.*"spearman": *\([-0-9.e]*\).*/\1/p')
                printf '%s\t%s\t%s\t%s\n' $tool "$seed" $pairs "$score" | tee -a "$qualities"
            done
            score=$("$program" evaluate --vectors "$out/runs/quality.bin" --restrict 30000 --json \
                --analogies "$data/word-similarity/questions-words.txt" |
                sed -n 's/.*"total", *"right": *\([0-9]*\), *"answered": *\([0-9]*\).*/\1 \2/p' |
                awk '{printf "%.4f\n", $1 / $2}')
            printf '%s\t%s\t%s\t%s\n' $tool "$seed" analogies "$score" | tee -a "$qualities"
        done
    done
fi
python3 "$bench/word2vec_report.py" "$out/runs" docs/benchmarks/word2vec.md
