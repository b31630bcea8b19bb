#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds one conformance guest: build.py STAMP DIRECTORY COMMAND…, where MODULE in the command is
DIRECTORY/service.wasm. A command that ends with 77 has no toolchain: the last line of its stderr
becomes DIRECTORY/skipped.txt, and without a stamp the next build tries again."""
import pathlib
import subprocess
import sys

NO_TOOLCHAIN = 77


def main():
    stamp, directory = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    module, skipped = directory / "service.wasm", directory / "skipped.txt"
    for path in (module, skipped):
        path.unlink(missing_ok=True)
    command = [str(module) if word == "MODULE" else word for word in sys.argv[3:]]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if result.returncode == NO_TOOLCHAIN:
        lines = result.stderr.strip().splitlines() or ["no reason given"]
        skipped.write_text(lines[-1] + "\n")
        return 0
    sys.stderr.write(result.stderr)
    if result.returncode == 0:
        stamp.touch()
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
