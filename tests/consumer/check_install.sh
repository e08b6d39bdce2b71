#!/bin/bash
# Users of the library, out of tree: pkg-config and CMake package, shared and static, C and C++,
# from an installed prefix that has spaces in its name and was moved after the installation.
#
# check_install.sh SOURCE BUILD VERSION package|subproject
set -euo pipefail
source=$1 build=$2 version=$3 part=$4
here=$source/tests/consumer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset RNNKIT_PLUGIN_DIR LD_LIBRARY_PATH
# the build tool that is known to be here
CMAKE_GENERATOR=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build/CMakeCache.txt")
export CMAKE_GENERATOR

fault() {
    echo "fault: $*" >&2
    exit 1
}

install_and_move() {
    cmake --install "$build" --prefix "$work/first place" >"$work/install.log"
    prefix="$work/another place"
    mv "$work/first place" "$prefix"
    # what must not matter any more
    if grep -rlF -e "$work/first place" -e "$build" "$prefix" --include=*.pc --include=*.cmake; then
        fault "a package names the place where it was built or first installed"
    fi
    libdir=$(dirname "$(find "$prefix" -name librnnkit.so)")
}

needed_by() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}

check_library() {
    local name
    [ "$(readlink "$libdir/librnnkit.so")" = librnnkit.so.0 ] || fault "librnnkit.so -> librnnkit.so.0"
    [ "$(readlink "$libdir/librnnkit.so.0")" = "librnnkit.so.$version" ] || fault "librnnkit.so.0"
    readelf -d "$libdir/librnnkit.so" | grep -q 'soname: \[librnnkit\.so\.0\]' || fault "soname"
    if readelf -d "$libdir/librnnkit.so" | grep -E 'RPATH|RUNPATH|TEXTREL'; then
        fault "run path or text relocations in the library"
    fi
    for name in $(needed_by "$libdir/librnnkit.so"); do
        case $name in
        libc.so.* | libm.so.* | ld-linux* | libopenblas.so.* | libblas.so.* | libgomp.so.* | \
            libomp.so* | libcjson.so.* | libutf8proc.so.*) ;;
        *) fault "the library needs $name" ;;
        esac
    done
    find "$prefix" -name '*.h' -path '*include/rnnkit/*' | grep -q rnnkit.h || fault "headers"
    ls "$libdir"/rnnkit/librnnkit-reference.so >"$work/plugin.log" || fault "plug-in"
}

use_pkg_config() {
    export PKG_CONFIG_PATH="$libdir/pkgconfig"
    local cflags flags
    [ "$(pkg-config --modversion rnnkit)" = "$version" ] || fault "pkg-config --modversion"
    cflags=$(pkg-config --cflags rnnkit)
    [ "$(eval "set -- $cflags; echo \$#")" = 1 ] || fault "pkg-config --cflags gives $cflags"
    flags="$cflags $(pkg-config --libs rnnkit)"
    eval "cc -std=c99 -Wall -Wextra -Werror -DEXPECTED_VERSION='\"$version\"' \
        '$here/main.c' -o '$work/pc' $flags"
    LD_LIBRARY_PATH=$libdir "$work/pc"
    LD_LIBRARY_PATH=$libdir "$work/pc" reference # the plug-in is found beside the library
    eval "c++ -std=c++11 -Wall -Wextra -Werror '$here/main.cpp' -o '$work/pc++' $flags"
    LD_LIBRARY_PATH=$libdir "$work/pc++"
    # -lrnnkit would take the shared library, which lies beside the static one
    flags="$cflags $(pkg-config --static --libs rnnkit | sed 's/-lrnnkit\b/-l:librnnkit.a/')"
    eval "cc -std=c99 -DEXPECTED_VERSION='\"$version\"' '$here/main.c' -o '$work/pc-static' $flags"
    "$work/pc-static"
    if needed_by "$work/pc-static" | grep rnnkit; then fault "linked statically and dynamically"; fi
    if "$work/pc-static" reference 2>"$work/reason"; then fault "a plug-in that is not there"; fi
    grep -q 'librnnkit-reference.so' "$work/reason" || fault "the reason names no plug-in"
    RNNKIT_PLUGIN_DIR=$libdir/rnnkit "$work/pc-static" reference
}

use_package() { # KIND LANGUAGE
    cmake -S "$here/package" -B "$work/$1-$2" -DKIND="$1" -DLANGUAGE="$2" \
        -DEXPECTED_VERSION="$version" -DCMAKE_PREFIX_PATH="$prefix" \
        -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$work/configure.log"
    cmake --build "$work/$1-$2" >"$work/build.log"
    if grep -E -e '-fopenmp|-march|-mavx|-mfma|-fsanitize' "$work/$1-$2/compile_commands.json"; then
        fault "build flags of the library reached its user"
    fi
    "$work/$1-$2/consumer"
}

refuse_package() { # CMake arguments: a find_package that must fail
    if cmake -S "$here/package" -B "$work/refused" -DLANGUAGE=C -DCMAKE_PREFIX_PATH="$prefix" "$@" \
        >"$work/refused.log" 2>&1; then
        fault "find_package accepted $*"
    fi
    grep -q "shared and static" "$work/refused.log" || fault "the reason is missing: $*"
}

build_examples() { # the example programs are a project of their own
    cmake -S "$source/examples" -B "$work/examples" -DCMAKE_PREFIX_PATH="$prefix" >"$work/configure.log"
    cmake --build "$work/examples" --parallel 2 >"$work/build.log" ||
        { cat "$work/build.log" >&2; fault "the examples do not build against an installed library"; }
}

if [ "$part" = package ]; then
    install_and_move
    check_library
    use_pkg_config
    use_package shared C
    use_package shared CXX
    use_package static C
    use_package static CXX
    refuse_package -DKIND=frozen
    build_examples
else
    cmake -S "$here/subproject" -B "$work/sub" -DRNNKIT_SOURCE="$source" \
        -DEXPECTED_VERSION="$version" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$work/configure.log"
    cmake --build "$work/sub" --parallel 2 >"$work/build.log" || { cat "$work/build.log"; exit 1; }
    grep '"command".*main\.c' "$work/sub/compile_commands.json" >"$work/own.log"
    if grep -E -e '-fopenmp|-march|-mavx|-Wconversion' "$work/own.log"; then
        fault "build flags of the library reached its host"
    fi
    "$work/sub/consumer_rnnkit"
    "$work/sub/consumer_rnnkit_static"
    if ctest --test-dir "$work/sub" -N | grep -E 'Test +#'; then fault "tests reached the host"; fi
    if cmake --install "$work/sub" --prefix "$work/host" >"$work/install.log" &&
        [ -e "$work/host" ]; then
        fault "the library installs itself with its host"
    fi
fi
echo "all users of the library built and ran: $part"
