#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing: tools/dependencies.sh build|test|bench. Debian packages by apt (with sudo
# when not root); Rust only when there is no cargo of at least 1.95; then the crates of the runtime.
# When nothing is missing it asks dpkg once and is done.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-build}

packages="gcc libc6-dev make meson ninja-build ccache pkg-config cmake python3 ca-certificates
clang-19 lld-19 libuv1-dev libbson-dev libyaml-dev libsodium-dev libpcre2-dev libssl-dev libnghttp2-dev"
case $purpose in
build) ;;
test) packages="$packages curl openssl git python3-pytest python3-html5lib python3-venv clang-format-19 libclang-rt-19-dev" ;;
bench) packages="$packages wrk rocksdb-tools" ;;
*)
    echo "usage: tools/dependencies.sh build|test|bench" >&2
    exit 2
    ;;
esac

fail() {
    echo "error: $1" >&2
    exit 1
}

# Prints those of $packages that dpkg does not know as completely installed.
missing_packages() {
    # shellcheck disable=SC2086
    installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' $packages 2>/dev/null || true)"
    for package in $packages; do
        case $installed in
        *" $package:installed "*) ;;
        *) printf ' %s' "$package" ;;
        esac
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
    else
        sudo env DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
    fi
}

apt_get() {
    as_root apt-get -y -q -o DPkg::Lock::Timeout=300 "$@"
}

# What apt is to do, its log in $log. An installation that was interrupted is completed first: apt
# itself refuses to go on after one.
install_packages() {
    if [ -n "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || [ -n "$(dpkg --audit 2>/dev/null)" ]; then
        as_root dpkg --configure -a || true
    fi
    # shellcheck disable=SC2086
    apt_get update && apt_get install --no-install-recommends $missing
}

# Passes apt's output into $log and shows how far it is: what it downloads, then a dot for ten steps.
show_progress() {
    steps=0
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$log"
        case $line in
        "Need to get "*) printf '  %s\n  ' "$line" ;;
        Get:* | "Unpacking "* | "Setting up "*)
            steps=$((steps + 1))
            [ $((steps % 10)) -ne 0 ] || printf '.'
            ;;
        esac
    done
    echo
}

install_missing() {
    command -v apt-get >/dev/null || fail "this needs Debian's apt-get, or these packages:$missing"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        fail "packages are missing, and this is neither root nor is there sudo. As root: apt-get install$missing"
    echo "Installing Debian packages:$missing"
    work=$(mktemp -d)
    log=$work/log
    { install_packages </dev/null 2>&1 && echo done >"$work/done" || true; } | show_progress
    if [ ! -e "$work/done" ]; then
        tail -15 "$log" >&2
        if grep -Eq 'Could not (resolve|connect)|Temporary failure|Unable to connect|Network is unreachable' "$log"; then
            echo "error: Debian's package servers cannot be reached: is there a network?" >&2
        fi
        fail "apt-get could not install the packages (its whole output: $log)"
    fi
    rm -r "$work"
}

# The crates are downloaded apart from the build so that a missing network is called that.
fetch_crates() {
    [ ! -e build/cargo/release/libwasmrt.a ] || return 0
    echo "Downloading the Rust crates of the WebAssembly runtime"
    platform=$("$cargo_directory/rustc" -vV | sed -n 's/^host: //p')
    PATH="$cargo_directory:$PATH" cargo fetch --locked --target "$platform" --manifest-path wasmrt/Cargo.toml ||
        fail "cargo could not download the crates (above): is there a network?"
}

missing=$(missing_packages)
cargo_directory=$(tools/cargo_directory.sh) || missing="$missing rustc-web cargo-web"
if [ -n "$missing" ]; then
    install_missing
    cargo_directory=$(tools/cargo_directory.sh) ||
        fail "the newest Rust here is $(cargo --version 2>/dev/null), 1.95 is needed: Debian 12 has it in its security updates (suite bookworm-security), or rustup installs it"
fi
fetch_crates
