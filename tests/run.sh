#!/bin/bash
# All tests, on a fresh Debian 12 as well: installs what is missing, builds, runs.
#
#   tests/run.sh           release build with everything, after the sanitizer builds: address and
#                          undefined behaviour for unit, api, oom and fuzz; thread for threads
#   tests/run.sh --quick   the release build alone
#
# Builds stand in build/<preset>. The last lines are ctest's summary of the whole suite.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(gcc g++ clang cmake ninja-build pkg-config python3 abigail-tools
    libopenblas-dev libcjson-dev libutf8proc-dev librandom123-dev libcmocka-dev)
jobs=$(nproc)

missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
        missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    echo "== installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

build() { # PRESET [CMake argument...]
    local preset=$1
    shift
    echo "== building: $preset"
    cmake --preset "$preset" -G Ninja "$@"
    cmake --build --preset "$preset" --parallel "$jobs"
}

if [ "${1:-}" != --quick ]; then
    # OpenMP's own runtime is not built for the thread sanitizer, so this build does without it
    build tsan -DCMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON -DRNNKIT_BUILD_EXAMPLES=OFF
    # the sanitizer needs its addresses where they always were
    setarch --addr-no-randomize ctest --preset tsan -L threads --no-tests=error
    build asan -DRNNKIT_BUILD_EXAMPLES=OFF
    ctest --preset asan -L '^(unit|api|oom|fuzz|shim)$' --no-tests=error --parallel "$jobs"
fi
# where there is a CUDA toolkit: code for one device alone, which is quick to build
build release -DRNNKIT_CUDA_ARCHITECTURES=90
ctest --preset release --no-tests=error --no-label-summary --parallel "$jobs"
