#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test of a build directory and ends with one line "N passed, N failed".
run_tests.py BUILD [SANITIZER]"""
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTEST = "/usr/bin/python3" if pathlib.Path("/usr/bin/python3").exists() else sys.executable


def count_junit(path):
    """(passed, failed, names of the failed) of a JUnit file."""
    passed, failed = 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(f"{case.get('classname') or ''} {case.get('name')}".strip())
        elif case.find("skipped") is None:
            passed += 1
    return passed, len(failed), failed


def run(title, command, environment=None):
    print(f"== {title}", flush=True)
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **(environment or {})}).returncode


def run_counted(title, command, junit, environment=None):
    junit.unlink(missing_ok=True)
    code = run(title, command, environment)
    if not junit.exists():
        return 0, 1, [f"{title}: no results"]
    passed, failed, names = count_junit(junit)
    if code != 0 and failed == 0:
        failed, names = 1, [f"{title}: exit code {code}"]
    return passed, failed, names


def main():
    build, sanitizer = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else ""
    slow = "4" if sanitizer else "1"
    environment = {"TEST_SLOWDOWN": slow,
                   "ASAN_OPTIONS": "detect_stack_use_after_return=0:abort_on_error=1:detect_leaks=1",
                   "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
                   "TSAN_OPTIONS": f"halt_on_error=1:second_deadlock_stack=1:suppressions={ROOT}/tests/tsan.supp",
                   "LSAN_OPTIONS": f"suppressions={ROOT}/tests/lsan.supp"}
    results = []
    if not sanitizer:
        code = run("rules of the tree (make check)", [sys.executable, "tools/check.py"])
        results.append((int(code == 0), int(code != 0), ["make check"] if code else []))
    results.append(run_counted(
        "unit, model and fuzz corpus tests",
        ["meson", "test", "-C", str(build), "--no-rebuild", "--print-errorlogs", "--timeout-multiplier", slow],
        build / "meson-logs" / "testlog.junit.xml", environment))
    if sanitizer != "thread":
        code = run("kill -9 rounds", [sys.executable, "tests/crash/crash.py", str(build), "--rounds", "10"], environment)
        results.append((int(code == 0), int(code != 0), ["crash rounds"] if code else []))
    results.append(run_counted(
        "end to end", [PYTEST, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/e2e", "--junitxml", str(build / "e2e.xml")],
        build / "e2e.xml", {**environment, "PLANCK_BUILD": str(build)}))
    passed, failed = sum(row[0] for row in results), sum(row[1] for row in results)
    for row in results:
        for name in row[2]:
            print("FAILED:", name)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
