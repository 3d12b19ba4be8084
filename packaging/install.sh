#!/usr/bin/env bash
# Installs what `./build.sh lib` and `./build.sh server` have built, without cmake; `cmake --install` gives the same tree.
#   packaging/install.sh PREFIX [DESTDIR]
# The prefix is where the files will be used, DESTDIR a folder to put before it (for packages). LIBDIR and INCLUDEDIR name
# other folders than lib and include: relative to the prefix, or absolute.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
prefix=${1:?usage: packaging/install.sh PREFIX [DESTDIR]} destdir=${2:-}
libdir=${LIBDIR:-lib} includedir=${INCLUDEDIR:-include}
case $prefix in
/*) ;;
*)
    echo "install: the prefix must be an absolute path: $prefix" >&2
    exit 2
    ;;
esac
[ "$prefix" = / ] || prefix=${prefix%/}
under() { case $1 in /*) echo "$1" ;; *) echo "$2/$1" ;; esac; }
version=$(sed -n 's/.*return "\([0-9]*\.[0-9]*\.[0-9]*\)".*/\1/p' "$root/capi/version.c")
[ -n "$version" ] || { echo "install: no version in capi/version.c" >&2; exit 1; }
full_libdir=$(under "$libdir" "$prefix") full_includedir=$(under "$includedir" "$prefix")

# The variables of the templates are those that CMakeLists.txt sets.
configure() {
    sed -e "s|@PREFIX@|$prefix|g" -e "s|@VERSION@|$version|g" -e "s|@VERSION_MAJOR@|${version%%.*}|g" \
        -e "s|@PC_LIBDIR@|$(under "$libdir" '${prefix}')|g" -e "s|@PC_INCLUDEDIR@|$(under "$includedir" '${prefix}')|g" \
        -e "s|@INCLUDEDIR_FROM_LIBDIR@|$(realpath -m -s --relative-to="$full_libdir" "$full_includedir")|g" "$1" >"$2"
    chmod 644 "$2"
}
lib=$destdir$full_libdir
install -d "$destdir$prefix/bin" "$destdir$full_includedir" "$lib/pkgconfig" "$lib/cmake/ImSDK"
install -m 755 "$root/build/bin/timbred" "$destdir$prefix/bin/timbred"
install -m 644 "$root/build/lib/libImSDK.so" "$lib/libImSDK.so"
install -m 644 "$root"/include/*.h "$destdir$full_includedir"
configure "$root/packaging/imsdk.pc.in" "$lib/pkgconfig/imsdk.pc"
configure "$root/cmake/ImSDKConfig.cmake.in" "$lib/cmake/ImSDK/ImSDKConfig.cmake"
configure "$root/cmake/ImSDKConfigVersion.cmake.in" "$lib/cmake/ImSDK/ImSDKConfigVersion.cmake"
echo "Timbre $version is installed in $destdir$prefix"
