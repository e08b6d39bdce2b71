#!/bin/bash
# Everything that needs a CUDA device, in one command, with one table at the end; on a machine
# without one it says "skipped" and why, and succeeds.
#
#   tests/gpu.sh [--build DIR] [--out DIR] [--no-tests] [--no-bench] [--no-sanitizer]
#                [--sanitize "OPERATION..."] [--races "OPERATION..."] [--rounds N] [--seconds S]
#                [--words N] [--limit S]
#
# Without --build it builds for this machine's device in build/gpu. --out: where logs go (default:
# DIR/gpu). Runs parity (in all precisions), rows, golden, promises (repeat, resume, files that
# travel), word2vec, operations under compute-sanitizer (--sanitize for memory, --races), and the
# benchmarks of tests/bench/gpu.py (TORCH_PYTHON names a Python that has PyTorch; default python3;
# without it, word2vec alone). No line of the table takes longer than --limit seconds (default 300):
# a kernel that hangs fails there.
set -uo pipefail
cd "$(dirname "$0")/.."

build= out= tested=1 bench=1 sanitizer=1 rounds=3 seconds=1 words=10000000 limit=300
races="softmax_loss recurrent_step word2vec"
sanitize="gemm scatter dropout recurrent recurrent_large softmax_loss attention top update square_sum word2vec"
while [ $# -gt 0 ]; do
    case $1 in
    --build) build=$2; shift ;;
    --out) out=$2; shift ;;
    --no-tests) tested=0 ;;
    --no-bench) bench=0 ;;
    --no-sanitizer) sanitizer=0 ;;
    --sanitize) sanitize=$2; shift ;;
    --races) races=$2; shift ;;
    --words) words=$2; shift ;;
    --limit) limit=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    *) echo "tests/gpu.sh: unknown argument $1" >&2; exit 2 ;;
    esac
    shift
done

if [ -z "$build" ]; then
    build=build/gpu
    command -v nvcc >/dev/null || { echo "skipped: there is no nvcc to build with"; exit 0; }
    cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRNNKIT_BUILD_CUDA=ON \
        -DRNNKIT_CUDA_ARCHITECTURES=native -DRNNKIT_BUILD_EXAMPLES=OFF &&
        cmake --build "$build" --parallel || exit 1
fi
build=$(cd "$build" && pwd)
: "${out:=$build/gpu}"
mkdir -p "$out"
export RNNKIT_PLUGIN_DIR=$build/lib/rnnkit

device=$("$build/tests/train_step" | grep '^backend cuda: ') || exit 1
case $device in
*"not usable: "*) echo "skipped: ${device#*not usable: }"; exit 0 ;;
esac
echo "$device"

results=() failures=0
# run NAME FOLDER COMMAND...: one line of the table; the log goes to $out
run() {
    local name=$1 folder=$2 begin=$EPOCHREALTIME verdict=passed
    shift 2
    (cd "$folder" && timeout "$limit" "$@") >"$out/$name.log" 2>&1 || { verdict=FAILED failures=$((failures + 1)); }
    results+=("$(printf '| %-28s | %-6s | %7.1f s |' "$name" "$verdict" \
        "$(awk "BEGIN { print $EPOCHREALTIME - $begin }")")")
    echo "${results[-1]}"
    [ $verdict = passed ] || grep -E 'FAILED|expected|rror' "$out/$name.log" | head -20
}

tests=$build/tests
if [ $tested = 1 ]; then
    run cuda_reason tests/cuda "$tests/cuda_reason"
    run word2vec tests/cuda "$tests/cuda_word2vec"
    run travel tests/cuda "$tests/cuda_travel"
    run graphs tests/cuda "$tests/cuda_graphs"
    for precision in '' /tf32 /bf16; do
        run "parity${precision/\//_}" tests/parity "$tests/parity_operations" "* cuda$precision"
    done
    run rows tests/parity "$tests/parity_rows"
    for golden in "$tests"/golden_*; do
        [ -x "$golden" ] && [ -f "$golden" ] && run "$(basename "$golden")" tests/golden "$golden"
    done
    run resume tests/api "$tests/api_checkpoint"
fi

if [ $sanitizer = 1 ] && command -v compute-sanitizer >/dev/null; then
    for operation in $sanitize; do
        run "memcheck_$operation" tests/parity compute-sanitizer --error-exitcode 1 \
            --leak-check full "$tests/parity_operations" "$operation parity cuda"
    done
    for operation in $races; do
        run "racecheck_$operation" tests/parity compute-sanitizer --tool racecheck \
            --error-exitcode 1 "$tests/parity_operations" "$operation parity cuda"
    done
fi

python=${TORCH_PYTHON:-python3} tables=words
"$python" -c 'import torch' 2>/dev/null && tables="words layers steps"
if [ $bench = 1 ]; then
    "$python" tests/bench/gpu.py --programs "$tests" --rounds "$rounds" --seconds "$seconds" \
        --words "$words" --tables $tables | tee "$out/bench.md" || failures=$((failures + 1))
fi

echo
echo "$device"
printf '%s\n' "${results[@]}"
[ -f "$out/bench.md" ] && cat "$out/bench.md"
[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
