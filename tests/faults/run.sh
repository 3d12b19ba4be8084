#!/usr/bin/env bash
# "Nothing lost": two C programs talk through a proxy that damages their connections while they and the server are killed.
#   tests/faults/run.sh SECONDS [SEED]
# In the end a file goes from one to the other: 5 MB and one cut, or, with TIMBRE_TEST=full, 50 MB, three cuts and a SIGKILL of
# each side. TIMBRE_FAULTS_KEEP=FOLDER keeps databases, logs and journals there; else they stay only when the test fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-15}
seed=${2:-0}
build=$PWD/build
out=$build/tests
mkdir -p "$out"
[ -e "$build/lib/libImSDK.so" ] || ./build.sh lib
[ -e "$build/bin/timbred" ] || ./build.sh server
gcc -std=c99 -Wall -Wextra -O2 -g -Iinclude tests/faults/client.c -o "$out/faults-client" \
    -L"$build/lib" -lImSDK -Wl,-rpath,"$build/lib" -lpthread
# The flags of build.sh, so that its build cache serves here too.
rev=$(sha256sum capi/glibc_compat.h | cut -c1-8)
CGO_ENABLED=1 CGO_CFLAGS="-O2 -g -include $PWD/capi/glibc_compat.h -DTIMBRE_COMPAT_REV=0x$rev" \
    go build -mod=readonly -buildmode=pie -trimpath -buildvcs=false -tags netgo,osusergo -o "$out/faults" ./tests/faults
file=(--file-mb 5)
if [ "${TIMBRE_TEST:-}" = full ] || [ "${CI:-}" = true ]; then
    file=(--file-mb 50 --file-kills)
fi
exec "$out/faults" "${file[@]}" --seconds "$seconds" --seed "$seed" --client "$out/faults-client" --timbred "$build/bin/timbred" \
    --keep "${TIMBRE_FAULTS_KEEP:-}"
