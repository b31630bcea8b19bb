#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles a service in Zig: build.py SOURCE.zig OUTPUT.wasm [--optimize ReleaseSafe|ReleaseSmall|ReleaseFast]
[--toolchain DIRECTORY]. The compiler is that of the package `ziglang`, in one fixed version, which is
installed below the toolchain directory when it is not there. Exit code 77, with the reason in the last
line, when it cannot be had."""
import argparse
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

VERSION = "0.17.0"
SDK = pathlib.Path(__file__).resolve().parent
STACK_BYTES = 131072
CPU = "generic+bulk_memory+sign_ext+nontrapping_fptoint+mutable_globals"
EXPORTS = ["planck_abi_version", "planck_alloc", "init", "process"]
NO_TOOLCHAIN = 77
INSTALL_SECONDS_MAX = 300


def no_toolchain(reason):
    print(f"no Zig {VERSION}: {reason}", file=sys.stderr)
    sys.exit(NO_TOOLCHAIN)


def pip_command(directory):
    """This Python's pip, or else that of a virtual environment made for it."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        return own
    environment = directory / "venv"
    made = subprocess.run([sys.executable, "-m", "venv", environment], capture_output=True, check=False)
    if made.returncode != 0:
        no_toolchain("there is no pip: the Debian package python3-venv or python3-pip is missing")
    return [environment / "bin" / "python", "-m", "pip"]


def install(directory, site):
    """Installs beside the final place first, so that what is there is complete."""
    print(f"Downloading Zig {VERSION} (once)", file=sys.stderr)
    unfinished = directory / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    command = [*pip_command(directory), "install", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--retries", "1", "--timeout", "10", "--target", unfinished, f"ziglang=={VERSION}"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS_MAX, check=False)
    except subprocess.TimeoutExpired:
        no_toolchain(f"pip took more than {INSTALL_SECONDS_MAX} s")
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or ["it did not say why"]
        no_toolchain(f"pip could not install it: {lines[-1]}")
    unfinished.rename(site)


def zig(directory):
    """The compiler's command and the environment that it needs."""
    directory.mkdir(parents=True, exist_ok=True)
    site = directory / f"ziglang-{VERSION}"
    with open(directory / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not site.exists():
            install(directory, site)
    command = [str(site / "ziglang" / "zig")]
    try:
        subprocess.run([*command, "version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        no_toolchain(f"it does not run on this machine: {problem}")
    return command, {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(directory / "cache"), "ZIG_LOCAL_CACHE_DIR": str(directory / "cache")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("output")
    parser.add_argument("--optimize", default="ReleaseSafe", choices=["ReleaseSafe", "ReleaseSmall", "ReleaseFast"])
    parser.add_argument("--toolchain", default=SDK.parent.parent / "build" / "zig", type=pathlib.Path)
    arguments = parser.parse_args()
    command, environment = zig(arguments.toolchain.resolve())
    command += ["build-exe", "-target", "wasm32-freestanding", "-mcpu", CPU, "-fno-entry", "-fstrip", "-O", arguments.optimize,
                *(f"--export={name}" for name in EXPORTS), "--stack", str(STACK_BYTES), f"-femit-bin={arguments.output}",
                "--dep", "planck", f"-Mroot={arguments.source}", f"-Mplanck={SDK / 'planck.zig'}"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
