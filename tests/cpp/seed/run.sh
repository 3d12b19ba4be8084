#!/usr/bin/env bash
# Compiles and runs the programs of this folder, each with a server of its own:
#   tests/cpp/seed/run.sh [NAME...]      send read history download spellings; all of them without a name
# They are what an application of 2021 does with the ten message functions of that year's C++ interface: C++11, jsoncpp,
# lambdas. Needs the Debian package libjsoncpp-dev. Build first: ./build.sh lib server
set -u
root=$(cd "$(dirname "$0")/../../.." && pwd)
here=$root/tests/cpp/seed lib=$root/build/lib bin=$root/build/tests/seed
cc=${CC:-gcc} cxx=${CXX:-g++}
[ $# -gt 0 ] || set -- send read history download spellings
mkdir -p "$bin"

# out_of_date FILE: is the file missing or older than what it is made of?
out_of_date() { [ ! -e "$1" ] || [ -n "$(find "$here" "$root/tests/c" "$root/include" -newer "$1" -type f -print -quit)" ]; }

if out_of_date "$bin/harness.o"; then
    "$cc" -std=gnu99 -g -O1 -Wall -Wextra -Werror -I"$root/include" -c "$root/tests/c/harness.c" -o "$bin/harness.o" || exit 1
fi
for name in partner "$@"; do
    out_of_date "$bin/$name" || continue
    "$cxx" -std=c++11 -g -O1 -Wall -Wextra -Werror -I"$root/include" -I"$root/tests/c" -isystem /usr/include/jsoncpp \
        "$here/$name.cpp" "$bin/harness.o" -o "$bin/$name" -L"$lib" -lImSDK -Wl,-rpath,"$lib" -ljsoncpp -lpthread || exit 1
done
failed=0
for name; do
    if ! "$root/tests/with_server.sh" timeout 400 "$bin/$name"; then
        echo "FAILED: $name" >&2
        failed=1
    fi
done
exit $failed
