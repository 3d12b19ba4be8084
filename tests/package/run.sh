#!/usr/bin/env bash
# Installs Timbre as packagers do and uses what was installed as a stranger does.
#   tests/package/run.sh   needs cmake and pkg-config
# `./build.sh install` and `cmake --install` must give the same tree; a project with find_package and one with pkg-config
# are built against it and print the library's version; the CMake package works from another place too.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
# Nothing that is installed on this machine may stand in for what is tested.
unset CMAKE_PREFIX_PATH ImSDK_DIR ImSDK_ROOT PKG_CONFIG_PATH LD_LIBRARY_PATH DESTDIR LIBDIR INCLUDEDIR CPATH C_INCLUDE_PATH \
    LIBRARY_PATH CFLAGS LDFLAGS

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# quietly COMMAND...: shows the output of a command only if it fails.
quietly() {
    "$@" >"$tmp/log" 2>&1 || {
        cat "$tmp/log" >&2
        fail "$*"
    }
}

# tree FOLDER: every file with its mode and its contents.
tree() { (cd "$1" && find . -type f -printf '%m %p ' -exec sha256sum {} \; | sed 's/ [^ ]*$//' | sort -k 2; find . -type l | sort); }

# has_version NAME PROGRAM: the program prints the version.
has_version() {
    local said
    said=$(cd "$tmp" && LD_LIBRARY_PATH=${3:-} "$2") || fail "the program of $1 ends with status $?"
    [ "$said" = "$version" ] || fail "the program of $1 prints '$said', the package is $version"
    echo "$1: prints $said"
}

prefix=$tmp/prefix
quietly "$root/build.sh" lib
quietly "$root/build.sh" server
PREFIX=$prefix quietly "$root/build.sh" install
version=$(sed -n 's/^Version: //p' "$prefix/lib/pkgconfig/imsdk.pc")

echo "== the same tree by cmake --install, and through DESTDIR"
quietly cmake -S "$root" -B "$tmp/cmake" -DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_INSTALL_LIBDIR=lib \
    -DTIMBRE_BUILD_EXAMPLES=OFF -DTIMBRE_BUILD_TESTS=OFF
quietly cmake --build "$tmp/cmake"
DESTDIR=$tmp/staged-cmake quietly cmake --install "$tmp/cmake"
PREFIX=$prefix DESTDIR=$tmp/staged quietly "$root/build.sh" install
tree "$prefix" >"$tmp/one"
tree "$tmp/staged$prefix" >"$tmp/two"
tree "$tmp/staged-cmake$prefix" >"$tmp/three"
diff "$tmp/one" "$tmp/two" >&2 || fail "DESTDIR changes what is installed"
diff "$tmp/two" "$tmp/three" >&2 || fail "install.sh (<) and cmake --install (>) differ"
echo "$(wc -l <"$tmp/one") files"
# Other folders for libraries and headers, as distributions have them.
mkdir "$tmp/other"
quietly cmake -DCMAKE_INSTALL_LIBDIR=lib64/here -DCMAKE_INSTALL_INCLUDEDIR="$prefix/include/imsdk" "$tmp/cmake"
DESTDIR=$tmp/other/cmake quietly cmake --install "$tmp/cmake"
LIBDIR=lib64/here INCLUDEDIR=$prefix/include/imsdk PREFIX=$prefix DESTDIR=$tmp/other/sh quietly "$root/build.sh" install
diff <(tree "$tmp/other/sh") <(tree "$tmp/other/cmake") >&2 || fail "with other folders install.sh (<) and cmake --install (>) differ"

echo "== find_package"
mkdir "$tmp/stranger"
cp "$root/tests/package/CMakeLists.txt" "$root/tests/package/main.c" "$tmp/stranger"
stranger() { # NAME PREFIX VERSION...: configures and builds the stranger's project
    cmake -S "$tmp/stranger" -B "$tmp/$1" -DCMAKE_PREFIX_PATH="$2" -DWANTED="$3" >"$tmp/log" 2>&1 &&
        cmake --build "$tmp/$1" >>"$tmp/log" 2>&1
}
stranger found "$prefix" "${version%.*}" || { cat "$tmp/log" >&2; fail "find_package(ImSDK ${version%.*})"; }
has_version find_package "$tmp/found/stranger"
[ "$(readelf -d "$tmp/found/stranger" | sed -n 's/.*NEEDED.*\[\(libImSDK.*\)\]/\1/p')" = libImSDK.so ] ||
    fail "the program does not ask for libImSDK.so"
for wrong in "$((${version%%.*} + 1)).0" "${version%%.*}.999" "$((${version%%.*} - 1)).0"; do
    ! stranger "wrong-$wrong" "$prefix" "$wrong" || fail "version $version serves for $wrong"
done
mv "$prefix" "$tmp/moved"
stranger moved "$tmp/moved" "$version" || { cat "$tmp/log" >&2; fail "find_package after the prefix was moved"; }
has_version 'find_package after a move' "$tmp/moved/stranger"
rm "$tmp/moved/lib/libImSDK.so"
! stranger broken "$tmp/moved" "" || fail "find_package finds an installation without its library"
cmake -S "$tmp/stranger" -B "$tmp/elsewhere" -DImSDK_DIR="$tmp/other/sh$prefix/lib64/here/cmake/ImSDK" >"$tmp/log" 2>&1 &&
    cmake --build "$tmp/elsewhere" >>"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; fail "find_package with other folders"; }
has_version 'find_package with other folders' "$tmp/elsewhere/stranger"

echo "== pkg-config"
PREFIX=$prefix quietly "$root/build.sh" install
export PKG_CONFIG_LIBDIR=$prefix/lib/pkgconfig
pkg-config --validate imsdk || fail "pkg-config --validate"
pkg-config --exists "imsdk = $version" || fail "pkg-config knows another version"
# shellcheck disable=SC2046 # words are what is wanted
quietly gcc -std=c99 -Wall -Wextra -pedantic -Werror "$tmp/stranger/main.c" -o "$tmp/with-pkg-config" \
    $(pkg-config --cflags --libs imsdk)
has_version pkg-config "$tmp/with-pkg-config" "$(pkg-config --variable=libdir imsdk)"
echo "find_package and pkg-config serve a program of another project: Timbre $version"
