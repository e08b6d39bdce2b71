#!/bin/bash
# Times librnnkit on this machine's processors beside PyTorch, oneDNN and ONNX Runtime, and writes
# docs/benchmarks/cpu.md. Takes a quarter of an hour.
#
#   tests/bench/run.sh [--rounds N] [--seconds S] [--threads N...] [--tables NAME...] [--out FILE]
#
# The others are in the virtual environment that tests/bench/peers.sh makes (PEERS: its folder,
# default build/peers); TORCH_PYTHON names another Python that has PyTorch. One that is missing is
# left out. Builds in build/bench. Settings that hold OpenBLAS, and the matrix products inside a
# Python, to a certain processor are taken away for all.
set -euo pipefail
cd "$(dirname "$0")/../.."

peers=${PEERS:-build/peers}
python=$peers/bin/python
[ -x "$python" ] || python=python3
mkdir -p build
cmake -S . -B build/bench -DCMAKE_BUILD_TYPE=Release -DRNNKIT_BUILD_EXAMPLES=OFF \
    -DRNNKIT_BUILD_CUDA=OFF >build/bench.log || { cat build/bench.log >&2; exit 1; }
cmake --build build/bench --target train_step rnn_step limits --parallel "$(nproc)" >>build/bench.log ||
    { tail -n 40 build/bench.log >&2; exit 1; }
rm -f build/bench/tests/onednn_step
if [ -f "$peers/include/dnnl.h" ]; then
    cc -O2 -std=gnu11 -fopenmp -I "$peers/include" tests/bench/onednn/*.c tests/bench/timing.c \
        tests/bench/results.c -L "$peers/lib" -ldnnl "-Wl,-rpath,$(realpath "$peers/lib")" \
        -o build/bench/tests/onednn_step
fi
exec env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python3 tests/bench/cpu.py \
    --programs build/bench/tests --python "$python" --torch "${TORCH_PYTHON:-$python}" "$@"
