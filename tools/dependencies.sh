#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing: tools/dependencies.sh build|test|bench. Debian packages by apt (with sudo
# when not root); Rust only when there is no cargo of at least 1.95.
set -eu
purpose=${1:-build}

packages="gcc libc6-dev make meson ninja-build ccache pkg-config cmake python3 ca-certificates
clang-19 lld-19 libuv1-dev libbson-dev libyaml-dev libsodium-dev"
case $purpose in
build) ;;
test) packages="$packages curl git python3-pytest clang-format-19 libclang-rt-19-dev chromium" ;;
bench) packages="$packages wrk rocksdb-tools" ;;
*)
    echo "usage: tools/dependencies.sh build|test|bench" >&2
    exit 2
    ;;
esac

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        echo "error: packages are missing ($missing) and this is neither root nor is there sudo" >&2
        exit 1
    fi
}

cargo_is_new_enough() {
    version=$("$1" --version 2>/dev/null | sed -n 's/^cargo \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
    [ -n "$version" ] || return 1
    # shellcheck disable=SC2086
    set -- $version
    [ "$1" -gt 1 ] || [ "$2" -ge 95 ]
}

# shellcheck disable=SC2086
installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' $packages 2>/dev/null || true) "
missing=""
for package in $packages; do
    case $installed in
    *" $package:installed "*) ;;
    *) missing="$missing $package" ;;
    esac
done

cargo=${CARGO:-$(command -v cargo || echo "$HOME/.cargo/bin/cargo")}
cargo_is_new_enough "$cargo" || cargo_is_new_enough /usr/bin/cargo || missing="$missing rustc-web cargo-web"

if [ -n "$missing" ]; then
    echo "Installing Debian packages:$missing"
    log=$(mktemp)
    # shellcheck disable=SC2086
    if ! { as_root apt-get update -q && as_root apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -20 "$log" >&2
        echo "error: apt-get could not install:$missing (whole output in $log)" >&2
        exit 1
    fi
    rm -f "$log"
fi
