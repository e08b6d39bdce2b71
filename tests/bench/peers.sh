#!/bin/bash
# Installs what tests/bench/run.sh compares with, into a virtual environment of its own: PyTorch, ONNX
# Runtime, and oneDNN with OpenMP. Neither the library nor its tests need any of it.
#
#   tests/bench/peers.sh [FOLDER]        build/peers
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-build/peers}
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet numpy torch onnx onnxruntime onednn-devel-cpu-gomp
"$folder/bin/pip" list 2>/dev/null | grep -E '^(torch|onnx|onednn)'
