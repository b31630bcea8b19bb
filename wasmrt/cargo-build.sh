#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Rust static library and puts it, with a header and a dependency file, where Meson
# expects it: cargo-build.sh CARGO CRATE_DIR TARGET_DIR LIB HEADER DEPFILE
set -eu
cargo=$1 crate=$2 target=$3 library=$4 header=$5 depfile=$6
export WASMRT_INCLUDE_DIR="$target/include"
mkdir -p "$target"
if [ ! -e "$target/release/libwasmrt.a" ]; then
    echo "Building the WebAssembly runtime and LMDB (Rust, some minutes, once) ..."
fi
"$cargo" build --locked --release --manifest-path "$crate/Cargo.toml" --target-dir "$target"
# Without a platform cargo would download the crates of every other one to answer this.
platform=$("$(dirname "$cargo")/rustc" -vV | sed -n 's/^host: //p')
lmdb=$("$cargo" metadata --locked --format-version 1 --filter-platform "$platform" --manifest-path "$crate/Cargo.toml" |
    tr ',' '\n' | sed -n 's|.*"manifest_path":"\(.*lmdb-master-sys[^"]*\)/Cargo.toml".*|\1|p' | head -1)
cp "$lmdb/lmdb/libraries/liblmdb/lmdb.h" "$target/include/lmdb.h"
cmp -s "$target/release/libwasmrt.a" "$library" || cp "$target/release/libwasmrt.a" "$library"
printf '#pragma once\n#include <wasm.h>\n#include <wasmtime.h>\n' > "$header.new"
if cmp -s "$header.new" "$header"; then rm "$header.new"; else mv "$header.new" "$header"; fi
sed "s|^[^:]*:|$library:|" "$target/release/libwasmrt.d" | head -1 > "$depfile"
