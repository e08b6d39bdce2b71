#!/bin/bash
# Training steps of librnnkit and PyTorch side by side; writes docs/benchmarks/training.md.
#
#   tests/bench/run.sh [--rounds N] [--seconds S] [--threads N...] [--workloads NAME...] [--out FILE]
#
# Needs PyTorch: TORCH_PYTHON names a Python that has it (default: python3). Builds in build/bench.
# Settings that hold OpenBLAS, and the matrix products inside a Python, to a certain processor are
# taken away for both.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${TORCH_PYTHON:-python3}
if ! "$python" -c 'import torch' 2>/dev/null; then
    echo "$python has no PyTorch. One way to have it:" >&2
    echo "  python3 -m venv build/torch && build/torch/bin/pip install torch numpy" >&2
    echo "  TORCH_PYTHON=build/torch/bin/python tests/bench/run.sh" >&2
    exit 1
fi
mkdir -p build
cmake -S . -B build/bench -DCMAKE_BUILD_TYPE=Release -DRNNKIT_BUILD_EXAMPLES=OFF >build/bench.log ||
    { cat build/bench.log >&2; exit 1; }
cmake --build build/bench --target train_step --parallel "$(nproc)" >>build/bench.log ||
    { tail -n 40 build/bench.log >&2; exit 1; }
exec env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE "$python" tests/bench/compare.py \
    --program build/bench/tests/train_step "$@"
