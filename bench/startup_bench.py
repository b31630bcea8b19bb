#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long planck takes from its start to the first 200, with much data, and what it holds when idle.

    startup_bench.py --planck build/src/planck/planck --service build/bench/service \\
        --load build/bench/load [--megabytes 1024] [--rounds 5] [--tsv build/bench.tsv]

Works on a copy of the service directory in a new directory under $TMPDIR or /tmp. The data is loaded
and the service started and stopped once before anything is measured, so the module is compiled (that
start is a figure of its own) and the stop before each round is a clean one. A round is measured from
before fork to the last byte of the first 200. Without root the page cache cannot be dropped as a
whole: in the cold rounds the pages of the data, of the compiled code and of the program are evicted
with posix_fadvise (how much stays resident is printed); shared libraries stay cached. In the warm
rounds nothing is evicted. Resident memory is taken from /proc/PID/status.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

COLUMNS = "name\tunit\tours\tpeer\tpeer_name\tratio\tgoal\n"
PATH = "/bench/document"
IDLE_SECONDS = 3
START_GOAL_MS, RSS_GOAL_MIB = 300, 40


class Planck:
    """A running planck; `milliseconds` is what it took to the first 200."""

    def __init__(self, program, directory, log):
        begin = time.monotonic()
        self.process = subprocess.Popen([program, directory, "--port", "0"], stdout=subprocess.PIPE, stderr=log)
        try:
            self.address = self.wait_until_ready()
            self.get(1)
        except BaseException:
            self.process.kill()
            raise
        self.milliseconds = (time.monotonic() - begin) * 1e3

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.process.kill()
            self.process.wait()
            return
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise SystemExit(f"startup_bench: planck ended with {self.process.returncode}")

    def wait_until_ready(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"startup_bench: planck ended with {self.process.wait()} before it was ready")
        host, _, port = json.loads(line)["http"].rpartition(":")
        return host, int(port)

    def get(self, count):
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        for _ in range(count):
            connection.request("GET", PATH)
            reply = connection.getresponse()
            body = reply.read()
            if reply.status != 200:
                raise SystemExit(f"startup_bench: {PATH} answered {reply.status}: {body[:200]}")
        connection.close()

    def memory_mib(self, field):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) / 1024
        raise SystemExit(f"startup_bench: no {field} in /proc/PID/status")


def files_below(*paths):
    for path in map(pathlib.Path, paths):
        yield from (entry for entry in path.rglob("*") if entry.is_file()) if path.is_dir() else [path]


def evict(paths):
    """Drops the pages of these files from the page cache."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def resident_mib(paths):
    """What of these files is in the page cache; None when fincore is not there."""
    if shutil.which("fincore") is None:
        return None
    output = subprocess.run(["fincore", "--bytes", "--noheadings", "--output", "RES", *paths], check=True,
                            capture_output=True, text=True).stdout
    return sum(map(int, output.split())) / 2**20


def data_mib(directory):
    """Disk space, since the index file is sparse and log segments are allocated ahead."""
    return sum(path.stat().st_blocks * 512 for path in files_below(directory)) / 2**20


def measure_starts(start, rounds, evicted):
    times, left = [], []
    for _ in range(rounds):
        if evicted:
            files = list(files_below(*evicted))
            evict(files)
            left.append(resident_mib(files))
        with start() as planck:
            times.append(planck.milliseconds)
    if any(amount is not None for amount in left):
        print(f"still in the page cache after eviction: {max(left):.1f} MiB", flush=True)
    print("  " + ", ".join(f"{time:.0f}" for time in times) + " ms", flush=True)
    return statistics.median(times)


def measure_memory(planck):
    """[(name, MiB, goal)] of a planck that has just answered its first request."""
    rows = [("resident after start", planck.memory_mib("VmRSS"), RSS_GOAL_MIB),
            ("anonymous of that", planck.memory_mib("RssAnon"), None)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(planck.get, [250] * 8))
    time.sleep(IDLE_SECONDS)
    rows += [(f"resident after 2000 requests and {IDLE_SECONDS} s idle", planck.memory_mib("VmRSS"), RSS_GOAL_MIB),
             ("anonymous of that, after the requests", planck.memory_mib("RssAnon"), None)]
    return rows


def run(arguments, directory):
    """Rows (name, unit, ours, goal or None)."""
    cache, service = directory / "code-cache", directory / "service"
    cache.mkdir(mode=0o700)
    shutil.copytree(arguments.service, service)
    with open(service / "service.yaml", "a", encoding="utf-8") as file:
        file.write(f"wasm:\n  cache_directory: {cache}\n")
    with open(directory / "log", "wb") as log:
        def start():
            return Planck(arguments.planck, service, log)

        with start() as first:
            pass
        print(f"loading {arguments.megabytes} MB", flush=True)
        subprocess.run([arguments.load, service / "data", str(arguments.megabytes)], check=True)
        with start():
            pass
        amount = f"{data_mib(service / 'data'):.0f} MiB of data on disk"
        print(f"{amount}; starts with files evicted, then cached", flush=True)
        rows = [("start: very first, compiles the module, imports 10,017 documents", "ms", first.milliseconds, None),
                (f"start: to first 200, files evicted from the page cache, {amount}", "ms",
                 measure_starts(start, arguments.rounds, [service, cache, arguments.planck]), START_GOAL_MS),
                (f"start: to first 200, files cached, {amount}", "ms",
                 measure_starts(start, arguments.rounds, []), START_GOAL_MS)]
        with start() as planck:
            rows += [(f"memory: {name}", "MiB", value, goal) for name, value, goal in measure_memory(planck)]
    return rows


def report(rows, tsv):
    for name, unit, value, goal in rows:
        verdict = "" if goal is None else f"goal <= {goal} {unit}: {'reached' if value <= goal else 'NOT REACHED'}"
        print(f"{name:<90} {value:8.1f} {unit:<4} {verdict}", flush=True)
    if tsv is None:
        return
    with open(tsv, "a", encoding="utf-8") as file:
        if file.tell() == 0:
            file.write(COLUMNS)
        for name, unit, value, goal in rows:
            file.write(f"{name}\t{unit}\t{value:.1f}\t\t\t\t{'' if goal is None else f'<= {goal} {unit}'}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--planck", required=True, help="the planck program")
    parser.add_argument("--service", required=True, help="the bench service's directory")
    parser.add_argument("--load", required=True, help="the program that fills a data directory")
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tsv", help="file to which the rows are appended")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="startup_bench.") as directory:
        try:
            rows = run(arguments, pathlib.Path(directory))
        except SystemExit:
            sys.stderr.write(pathlib.Path(directory, "log").read_text(errors="replace")[-2000:])
            raise
    report(rows, arguments.tsv)
    return 0


if __name__ == "__main__":
    sys.exit(main())
