#!/bin/bash
# The library and its tests on AArch64, in one command, on a machine that is none: builds in
# build/arm with Debian's cross compiler and runs the tests under qemu; ffi with a Python of that
# architecture. Where a tool is missing it says "skipped" and why, and succeeds.
#
#   tests/arm.sh [--root FOLDER] [argument of ctest...]
#
# Debian's packages for AArch64 are fetched with apt, once, and unpacked in build/arm-root; nothing
# is installed. --root: a folder that holds such a system already. Without arguments of ctest all
# tests run that can (tests/CMakeLists.txt), which takes hours on a slow machine.
#
# Emulated: this shows that results are right. It shows nothing of speed, and of threads only what
# the memory order of the machine below lets happen.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(libc6-dev libgomp1 libopenblas-dev libcjson-dev libutf8proc-dev librandom123-dev
    libcmocka-dev python3-minimal libpython3-stdlib)
build=build/arm root= libraries=usr/lib/aarch64-linux-gnu

skip() {
    echo "skipped: $*"
    exit 0
}

if [ "${1:-}" = --root ]; then
    root=$(realpath "$2")
    shift 2
fi
command -v aarch64-linux-gnu-gcc >/dev/null ||
    skip "there is no aarch64-linux-gnu-gcc (Debian: gcc-aarch64-linux-gnu)"
emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64) ||
    skip "there is no qemu-aarch64 (Debian: qemu-user-static)"

# apt with lists, cache and architecture of its own
own_apt() {
    APT_CONFIG=$root.apt/conf apt-get -q "$@"
}

make_root() {
    mkdir -p "$root.apt"/{state/lists,cache/archives}/partial
    : >"$root.apt/status"
    cat >"$root.apt/conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Dir::State "$root.apt/state";
Dir::State::status "$root.apt/status";
Dir::Cache "$root.apt/cache";
END
    own_apt update
    own_apt install -y --download-only --no-install-recommends "${packages[@]}"
    mkdir "$root.new"
    for package in "$root.apt"/cache/archives/*.deb; do
        dpkg -x "$package" "$root.new"
    done
    # what Debian's alternatives would do
    ln -s openblas-pthread/libopenblas.so.0 "$root.new/$libraries/libopenblas.so.0"
    mv "$root.new" "$root"
}

if [ -z "$root" ]; then
    root=$PWD/build/arm-root
    if [ ! -d "$root" ]; then
        command -v apt-get >/dev/null || skip "there is no apt-get to fetch packages with; use --root"
        echo "== fetching ${packages[*]} for AArch64"
        rm -rf "$root.new"
        make_root
    fi
fi

echo "== building"
export PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_LIBDIR=$root/$libraries/pkgconfig:$root/$libraries/openblas-pthread/pkgconfig
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRNNKIT_WERROR=ON -DRNNKIT_BUILD_CUDA=OFF \
    -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_SYSROOT="$root" \
    -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER \
    -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY \
    -DCMAKE_CROSSCOMPILING_EMULATOR="$emulator;-L;$root"
cmake --build "$build"

ctest --test-dir "$build" --no-tests=error --output-on-failure "$@"
echo "== ffi"
"$emulator" -L "$root" "$root/usr/bin/python3" -B tests/ffi/test_ctypes.py "$build/lib/librnnkit.so" \
    include/rnnkit
