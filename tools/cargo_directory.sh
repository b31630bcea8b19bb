#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the directory of a cargo that is new enough for the runtime crate; exit code 1 when this
# machine has none. The one in PATH comes first, so that a developer's own toolchain is used.
minimum=95 # of 1.x

is_new_enough() {
    version=$("$1" --version 2>/dev/null) || return 1
    version=${version#cargo }
    case $version in 1.*) ;; *) return 1 ;; esac
    minor=${version#1.}
    [ "${minor%%.*}" -ge "$minimum" ] 2>/dev/null
}

for cargo in "$(command -v cargo)" "$HOME/.cargo/bin/cargo" /usr/bin/cargo; do
    if [ -x "$cargo" ] && is_new_enough "$cargo"; then
        echo "${cargo%/cargo}"
        exit 0
    fi
done
exit 1
