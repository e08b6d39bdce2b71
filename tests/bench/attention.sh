#!/bin/bash
# Attention, a translation model's training step and beam search, librnnkit and PyTorch side by side.
#
#   tests/bench/attention.sh [--rounds N] [--seconds S] [--threads N] [--compile]
#
# Needs PyTorch: TORCH_PYTHON names a Python that has it (default: python3). Builds in build/bench.
# Settings that hold OpenBLAS, and the matrix products inside a Python, to a certain processor are
# taken away for both.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${TORCH_PYTHON:-python3}
if ! "$python" -c 'import torch' 2>/dev/null; then
    echo "$python has no PyTorch; tests/bench/peers.sh installs it in build/peers" >&2
    exit 1
fi
mkdir -p build
cmake -S . -B build/bench -DCMAKE_BUILD_TYPE=Release -DRNNKIT_BUILD_EXAMPLES=OFF >build/bench.log ||
    { cat build/bench.log >&2; exit 1; }
cmake --build build/bench --target attention_step --parallel "$(nproc)" >>build/bench.log ||
    { tail -n 40 build/bench.log >&2; exit 1; }
exec env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "$python" tests/bench/attention_compare.py \
    --program build/bench/tests/attention_step "$@"
