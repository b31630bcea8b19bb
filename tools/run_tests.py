#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test of a build directory and ends with one line "N passed, N failed", whatever happens:
run_tests.py BUILD [SANITIZER]. What is skipped is named above that line, and so is what failed."""
import os
import pathlib
import subprocess
import sys
import time
import traceback
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTEST = "/usr/bin/python3" if pathlib.Path("/usr/bin/python3").exists() else sys.executable
SLOWDOWN = {"": 1, "1": 4, "thread": 8}  # of limits on time, by sanitizer


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add_command(self, name, code):
        if code == 0:
            self.passed += 1
        else:
            self.failed.append(f"{name} (exit code {code})")

    def add_junit(self, title, path, code):
        """Counts the cases of a JUnit file: Meson writes one for every TAP line, pytest for every test."""
        failed_before, cases = len(self.failed), 0
        try:
            for case in ElementTree.parse(path).getroot().iter("testcase"):
                self.add_case(case)
                cases += 1
        except (OSError, ElementTree.ParseError) as problem:
            self.failed.append(f"{title}: no results ({problem})")
        if cases == 0 or (code != 0 and len(self.failed) == failed_before):
            self.failed.append(f"{title} (exit code {code}, {cases} cases)")

    def add_case(self, case):
        name = f"{case.get('classname') or ''} {case.get('name')}".strip()
        if case.find("failure") is not None or case.find("error") is not None:
            self.failed.append(name)
        elif case.find("skipped") is not None:
            self.skipped.append(name)
        else:
            self.passed += 1


def sanitizer_environment(slowdown):
    # Wasmtime catches the faults of guests itself and runs them on stacks of its own.
    return {"TEST_SLOWDOWN": str(slowdown),
            "ASAN_OPTIONS": "detect_stack_use_after_return=0:allow_user_segv_handler=1:abort_on_error=1",
            "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
            "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT}/tests/tsan.supp"}


def run(title, command, environment):
    print(f"== {title}", flush=True)
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode


def run_counted(tally, title, command, junit, environment):
    junit.unlink(missing_ok=True)
    tally.add_junit(title, junit, run(title, command, environment))


def run_all(build, sanitizer, tally):
    slowdown = SLOWDOWN[sanitizer]
    environment = sanitizer_environment(slowdown)
    if not sanitizer:
        tally.add_command("make check", run("rules of the tree (make check)", [sys.executable, "tools/check.py"], {}))
    run_counted(tally, "unit, model and fuzz corpus tests",
                ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--timeout-multiplier", str(slowdown)],
                build / "meson-logs" / "testlog.junit.xml", environment)
    tally.add_command("kill -9 rounds", run("kill -9 rounds", [sys.executable, "tests/crash/crash.py", build, "--rounds", "10"],
                                            environment))
    run_counted(tally, "end to end",
                [PYTEST, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e", "--junitxml", build / "e2e.xml"],
                build / "e2e.xml", {**environment, "PLANCK_BUILD": str(build)})


def main():
    build, sanitizer = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else ""
    tally, begun = Tally(), time.monotonic()
    try:
        run_all(build, sanitizer, tally)
    except KeyboardInterrupt:
        tally.failed.append("interrupted")
    except Exception:
        traceback.print_exc()
        tally.failed.append("tools/run_tests.py itself")
    for name in tally.skipped:
        print("SKIPPED:", name)
    for name in tally.failed:
        print("FAILED:", name)
    print(f"in {time.monotonic() - begun:.0f} s")
    print(f"{tally.passed} passed, {len(tally.failed)} failed", flush=True)
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
