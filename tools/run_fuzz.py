#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every libFuzzer program of a build directory for some time: run_fuzz.py BUILD SECONDS

As many at once as there are cores. Each begins with the corpus in tests/fuzz/corpus/<target>; what
it adds to it goes to BUILD/corpus/<target>, what breaks the parser to BUILD/findings. Exit code 1
when there was a finding."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INPUT_BYTES_MAX = 65536
GRACE_SECONDS = 120  # for start-up and the last input, beyond the time given


def run(program, build, seconds):
    """(target, exit code, last lines of the output, the line of figures)."""
    target = program.name.removesuffix("_fuzz")
    found, findings = build / "corpus" / target, build / "findings"
    found.mkdir(parents=True, exist_ok=True)
    findings.mkdir(exist_ok=True)
    corpora = [found] + [path for path in [ROOT / "tests" / "fuzz" / "corpus" / target] if path.is_dir()]
    command = [program, f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", "-timeout=10",
               "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={findings}/{target}-", *corpora]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=build, check=False,
                              timeout=seconds + GRACE_SECONDS)
        code, output = done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        code, output = -1, (late.stdout or b"").decode(errors="replace") + "\nit did not end in time"
    executed = re.search(r"number_of_executed_units:\s*(\d+)", output)
    covered = re.findall(r"cov: (\d+) ft: (\d+)", output)
    figures = f"{int(executed[1]):,} inputs" if executed else "no figures"
    if covered:
        figures += f", {covered[-1][0]} edges, {covered[-1][1]} features"
    return target, code, output.splitlines()[-40:], figures


def main():
    build, seconds = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    programs = sorted(path for path in (build / "tests" / "fuzz").glob("*_fuzz") if os.access(path, os.X_OK))
    if not programs:
        print(f"error: no fuzz programs in {build}/tests/fuzz (is it built with -Dfuzz=true?)")
        return 1
    print(f"{len(programs)} targets, {seconds} s each", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(run, program, build, seconds) for program in programs]
        for done in concurrent.futures.as_completed(runs):
            target, code, lines, figures = done.result()
            print(f"{target:<10} {figures}: {'nothing found' if code == 0 else 'FINDING'}", flush=True)
            if code != 0:
                failed += 1
                print("\n".join(f"    {line}" for line in lines), flush=True)
    print(f"{failed} of {len(programs)} targets with findings" + (f", in {build}/findings" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
