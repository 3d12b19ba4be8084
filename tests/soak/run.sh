#!/usr/bin/env bash
# The soak: tests/soak/run.sh [SECONDS], an hour by default. Figures go to build/soak.csv and build/soak.svg.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-3600}
build=$PWD/build
lib=${TIMBRE_LIB_DIR:-$build/lib}
mkdir -p "$build/tests"
gcc -std=c11 -Wall -Wextra -O2 -g -Iinclude tests/soak/accounts.c -o "$build/tests/soak-accounts" -L"$lib" -lImSDK -Wl,-rpath,"$lib" -lpthread
CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -o "$build/tests/soak" ./tests/soak
exec "$build/tests/soak" --fill "${TIMBRE_SOAK_FILL:-4000}" --seconds "$seconds" --timbred "${TIMBRED:-$build/bin/timbred}" --program "$build/tests/soak-accounts" --out "$build/soak"
