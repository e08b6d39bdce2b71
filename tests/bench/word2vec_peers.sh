#!/bin/bash
# word2vec beside its peers on the same text and settings: skip-gram, window 5, 5 noise words, sample
# 1e-4, min count 5. Gets gensim, fastText, word2vec.c and MKL from PyPI into OUT, builds librnnkit
# there, runs everything in turn, and writes docs/benchmarks/word2vec.md. On two quiet cores it takes an
# hour or more (an estimate); the page tells how long it took.
#
#   tests/bench/word2vec_peers.sh [--short] DATA [OUT]    DATA: the folder with imdb/ and word-similarity/
#
# --short: one round of little text, in some minutes, to see that all works; the page is OUT/short.md.
#
# Set before:
#   PWORD2VEC=FILE   pWord2Vec.cpp (IntelLabs/pWord2Vec), which no registry has; without it, no such rows
#   ROUNDS=3  PAIRS=7  SEEDS="1 2 3"  DIMENSIONS="100 300"  THREADS="1 2"
#   PARTS="speed pairs whole quality"   TOOLS="ours gensim ..."   some of it: what is measured is added to
#                                                                 what was before, else that is put aside
set -euo pipefail
short=
[ "${1:-}" != --short ] || { short=yes; shift; }
[ $# -ge 1 ] || { sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0" >&2; exit 1; }
data=$(realpath "$1")
out=$(realpath -m "${2:-build/word2vec-peers}")
cd "$(dirname "$0")/../.."
bench=$PWD/tests/bench
parts=${PARTS:-speed pairs whole quality} dimensions=${DIMENSIONS:-100 300} threads=${THREADS:-1 2}
if [ -n "$short" ]; then
    rounds=${ROUNDS:-1} pairs=${PAIRS:-2} seeds=${SEEDS:-1}
    runs=$out/short page=$out/short.md all=$out/short.all.txt part=$out/short.part.txt
    all_words=1000000 part_words=300000
else
    rounds=${ROUNDS:-3} pairs=${PAIRS:-7} seeds=${SEEDS:-1 2 3}
    runs=$out/runs page=docs/benchmarks/word2vec.md all=$out/all.txt part=$out/part.txt
    all_words="" part_words=5000000
fi
if [ -z "${PARTS:-}${TOOLS:-}" ] && [ -e "$runs" ]; then
    rm -rf "$runs.before"
    mv "$runs" "$runs.before"
fi
mkdir -p "$runs"
python=$out/venv/bin/python
begun=$SECONDS

# The peers.

[ -x "$python" ] || python3 -m venv "$out/venv"
"$python" -c 'import gensim, fasttext' 2>/dev/null ||
    "$out/venv/bin/pip" install -q gensim fasttext mkl-devel
if [ ! -x "$out/word2vec_c" ]; then
    (cd "$out" && "$out/venv/bin/pip" download -q --no-deps --no-binary :all: word2vec==0.11.1 &&
        tar xzf word2vec-0.11.1.tar.gz)
    # its rate is of processor time; the others' are of time that passes
    cat >"$out/wall.h" <<'C'
#include <time.h>
static clock_t wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (clock_t)now.tv_sec * CLOCKS_PER_SEC + now.tv_nsec / (1000000000 / CLOCKS_PER_SEC);
}
#define clock wall_clock
C
    gcc -Ofast -march=native -w -include "$out/wall.h" \
        "$out/word2vec-0.11.1/word2vec/includes/word2vec.c" -o "$out/word2vec_c" -lm -lpthread
fi
if [ -n "${PWORD2VEC:-}" ] && [ ! -x "$out/pword2vec_mkl" ]; then
    mkdir -p "$out/openblas"
    printf '#include <cblas.h>\n#define mkl_set_num_threads openblas_set_num_threads\n' >"$out/openblas/mkl.h"
    flags=(-std=gnu++14 -fopenmp -O3 -march=native -w -DUSE_MKL)
    g++ "${flags[@]}" "-I$out/openblas" "$PWORD2VEC" -o "$out/pword2vec_openblas" -lopenblas
    g++ "${flags[@]}" "-I$out/venv/include" "$PWORD2VEC" -o "$out/pword2vec_mkl" \
        "$out"/venv/lib/libmkl_rt.so.* "-Wl,-rpath,$out/venv/lib"
fi

cmake -S . -B "$out/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRNNKIT_BUILD_TESTS=OFF \
    -DRNNKIT_BUILD_REFERENCE=OFF >/dev/null
cmake --build "$out/build" --target word2vec >/dev/null
program=$out/build/examples/word2vec
[ -e "$all" ] || python3 "$bench/imdb_text.py" "$data/imdb" "$all" $all_words
[ -e "$part" ] || python3 "$bench/imdb_text.py" "$data/imdb" "$part" $part_words

{
    echo "Versions: librnnkit $(git describe --always --dirty 2>/dev/null || echo unknown), gcc $(gcc -dumpfullversion),"
    "$out/venv/bin/pip" list --format freeze 2>/dev/null | grep -E '^(gensim|fasttext|mkl)==' | tr '\n' ',' | sed 's/==/ /g; s/,/, /g'
    echo "word2vec.c from PyPI's word2vec 0.11.1."
} >"$runs/versions.txt"

# Each prints thousand words of the vocabulary a second, training alone; arguments:
# CORPUS DIMENSION THREADS EPOCHS SEED OUTPUT

ours() { # [OPTION...]
    "$program" train --corpus "$1" --dim "$2" --threads "$3" --epochs "$4" --seed "$5" --output "$6" \
        --format binary --sample 1e-4 --json "${@:7}" |
        sed -n 's/.*"words_per_second": *\([0-9.e+]*\).*/\1/p' | tail -1 | awk '{printf "%.0f\n", $1 / 1000}'
}
ours_avx2() { RNNKIT_MAX_ISA=avx2 ours "$@"; }
ours_portable() { RNNKIT_MAX_ISA=portable ours "$@"; }
deterministic() { ours "$@" --deterministic; }

word2vec_c() { # words * threads a second of all threads' time: see wall.h
    "$out/word2vec_c" -train "$1" -size "$2" -threads "$3" -iter "$4" -output "$6" -window 5 \
        -negative 5 -hs 0 -sample 1e-4 -cbow 0 -min-count 5 -binary 1 -debug 2 |
        tr '\r' '\n' | grep -o 'Words/thread/sec: [0-9.]*' | tail -1 | awk '{printf "%.0f\n", $2}'
}
gensim() { "$python" "$bench/gensim_train.py" "$@" 2>/dev/null; }
fasttext() { "$python" "$bench/fasttext_train.py" "$@" 2>/dev/null; }

pword2vec() { # PROGRAM, then as the others
    "$out/$1" -train "$2" -size "$3" -threads "$4" -iter "$5" -output "$7" -window 5 -negative 5 \
        -sample 1e-4 -min-count 5 -binary 1 -debug 2 |
        tr '\r' '\n' | grep -o 'Words/sec: [0-9.]*' | tail -1 | awk '{printf "%.0f\n", $2}'
}
pword2vec_mkl() { MKL_THREADING_LAYER=SEQUENTIAL pword2vec pword2vec_mkl "$@"; }
pword2vec_mkl_avx2() { MKL_ENABLE_INSTRUCTIONS=AVX2 pword2vec_mkl "$@"; }
best_core=Haswell # OpenBLAS takes some processors with AVX-512 for one without
! grep -qw avx512vl /proc/cpuinfo || best_core=SkylakeX
pword2vec_core() { OPENBLAS_CORETYPE=$1 OPENBLAS_NUM_THREADS=1 pword2vec pword2vec_openblas "${@:2}"; }
pword2vec_openblas() { pword2vec_core $best_core "$@"; }
pword2vec_openblas_avx2() { pword2vec_core Haswell "$@"; }

every="ours ours_avx2 ours_portable deterministic word2vec_c gensim fasttext"
[ ! -x "$out/pword2vec_mkl" ] ||
    every+=" pword2vec_mkl pword2vec_openblas pword2vec_mkl_avx2 pword2vec_openblas_avx2"
tools=${TOOLS:-$every}

# The measurements.

rate_of() { # TOOL DIMENSION THREADS: on the part of the text
    $1 "$part" "$2" "$3" 1 1 "$runs/vectors.bin"
}

measure_speed() {
    for ((round = 0; round < rounds; round++)); do
        for dimension in $dimensions; do
            for count in $threads; do
                for tool in $tools; do
                    printf '%s\t%s\t%s\t%s\n' "$tool" "$dimension" "$count" \
                        "$(rate_of "$tool" "$dimension" "$count")" | tee -a "$runs/speed.tsv"
                done
            done
        done
    done
}

measure_pairs() { # deterministic training and the default, one after the other, each first in turn
    for ((pair = 0; pair < pairs; pair++)); do
        for dimension in $dimensions; do
            for count in $threads; do
                if ((pair % 2)); then
                    slow=$(rate_of deterministic "$dimension" "$count")
                    fast=$(rate_of ours "$dimension" "$count")
                else
                    fast=$(rate_of ours "$dimension" "$count")
                    slow=$(rate_of deterministic "$dimension" "$count")
                fi
                printf '%s\t%s\t%s\t%s\n' "$dimension" "$count" "$fast" "$slow" | tee -a "$runs/pairs.tsv"
            done
        done
    done
}

measure_whole() { # the whole process: seconds and peak KiB
    for ((round = 0; round < rounds; round++)); do
        for tool in $tools; do
            case $tool in
            ours | word2vec_c | pword2vec_mkl) ;;
            *) continue ;;
            esac
            export -f "$tool" ours pword2vec
            export out program
            "$python" - "$tool" "$all" "$runs/vectors.bin" <<'PY' | tee -a "$runs/whole.tsv"
import resource, subprocess, sys, time
begun = time.monotonic()
subprocess.run(["bash", "-c", '"$0" "$1" 100 2 1 1 "$2"', *sys.argv[1:]], stdout=subprocess.DEVNULL, check=True)
print(f"{sys.argv[1]}\t{time.monotonic() - begun:.2f}\t{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
PY
        done
    done
}

score_pairs() { # VECTORS NAME: Spearman's correlation
    "$program" evaluate --vectors "$1" --restrict 0 --json --pairs "$data/word-similarity/$2.txt" |
        sed -n 's/.*"spearman": *\([-0-9.e]*\).*/\1/p'
}
score_analogies() { # VECTORS: the share of right answers
    "$program" evaluate --vectors "$1" --restrict 30000 --json \
        --analogies "$data/word-similarity/questions-words.txt" |
        sed -n 's/.*"total", *"right": *\([0-9]*\), *"answered": *\([0-9]*\).*/\1 \2/p' |
        awk '{printf "%.4f\n", $1 / $2}'
}
measure_quality() {
    for seed in $seeds; do
        for tool in $tools; do
            case $tool in
            *_avx2 | *_portable | pword2vec_openblas | fasttext) continue ;;
            esac
            vectors=$runs/quality.$tool.$seed.bin
            $tool "$all" 100 2 5 "$seed" "$vectors" >/dev/null
            {
                for pairs in EN-WS-353-ALL EN-MTurk-771; do
                    printf '%s\t%s\t%s\t%s\n' "$tool" "$seed" $pairs "$(score_pairs "$vectors" $pairs)"
                done
                printf '%s\t%s\t%s\t%s\n' "$tool" "$seed" analogies "$(score_analogies "$vectors")"
            } | tee -a "$runs/quality.tsv"
            rm -f "$vectors"
        done
    done
}

for name in $parts; do
    "measure_$name"
done
rm -f "$runs/vectors.bin"
echo $(((SECONDS - begun + 59) / 60)) >>"$runs/minutes.txt"
python3 "$bench/word2vec_report.py" "$runs" "$page"
