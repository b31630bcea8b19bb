#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes sure that a Meson build directory is set up for this clone: configure.sh BUILD [OPTION...]
# BUILD/configured tells with which paths, tools and options it was. Where that differs (the clone was
# moved, another compiler, a newer Meson) or is missing (never set up, or interrupted), all that Meson
# and Ninja made is removed and the directory set up anew. What else lies in it stays: the crates'
# build, the demo's data, the build directories below it.
set -eu
build=$1
shift
source=$(pwd)
made_by_meson="build.ninja compile_commands.json .ninja_deps .ninja_log meson-info meson-logs meson-private
wasmrt src samples tests bench"

command -v meson >/dev/null && command -v ninja >/dev/null && command -v cargo >/dev/null || {
    echo "error: a tool is missing: tools/dependencies.sh build installs what the build needs" >&2
    exit 1
}
meson=$(command -v meson)
wanted="$source|$build|$*|${CC:-}|${CFLAGS:-}|${LDFLAGS:-}|$(command -v cargo)|$(stat -Lc '%n %Y' "$meson")"
if [ -e "$build/build.ninja" ] && [ "$wanted" = "$(cat "$build/configured" 2>/dev/null)" ]; then
    exit 0
fi

echo "Setting up $build"
rm -f "$build/configured"
for name in $made_by_meson; do
    rm -rf "${build:?}/$name"
done
mkdir -p "$build"
if ! meson setup "$build" "-Dwasmrt_target=$source/build/cargo" "$@" >"$build/setup.log" 2>&1; then
    tail -20 "$build/setup.log" >&2
    echo "error: meson could not set up $build; tools/dependencies.sh build installs what it needs" >&2
    exit 1
fi
echo "$wanted" >"$build/configured"
