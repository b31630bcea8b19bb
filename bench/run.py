#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks of a build directory and prints one table: run.py BUILD [--quick] [--only NAME]

Writes BUILD/bench.tsv with the columns name, unit, ours, peer, peer_name, ratio, goal. A goal is a
bound ("<= 300 ms" on ours, ">= 0.5" or "<= 3" on the ratio to the peer) or empty; one that is missed
is said to be missed. --quick: less data and shorter runs, to see whether it works; its figures are
not comparable. --only: engine, host_call, http or startup; may be repeated."""
import argparse
import os
import pathlib
import platform
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BENCHES = ("engine", "host_call", "http", "startup")
COLUMNS = ["name", "unit", "ours", "peer", "peer_name", "ratio", "goal"]
SETTLE_LOAD = 0.5  # a busier machine is named in the heading


def commands(build, tsv, quick):
    """(name, command) of each."""
    bench = build / "bench"
    planck, service, python = build / "src/planck/planck", bench / "service", sys.executable
    return [
        ("engine", [bench / "engine_bench", "--tsv", tsv] + (["--documents", "100000"] if quick else [])),
        ("host_call", [bench / "host_call_bench", "--tsv", tsv, build / "tests/guests/bench_get.wasm"]),
        ("http", [python, ROOT / "bench/http_bench.py", "--epoll", bench / "epoll_server", "--planck", planck,
                  "--service", service, "--tsv", tsv] + (["--seconds", "1", "--rounds", "1"] if quick else [])),
        ("startup", [python, ROOT / "bench/startup_bench.py", "--planck", planck, "--service", service,
                     "--load", bench / "load", "--tsv", tsv] + (["--megabytes", "100", "--rounds", "2"] if quick else [])),
    ]


def run(name, command):
    """Whether it ended well."""
    program = next(part for part in command if str(part) != sys.executable)
    print(f"== {name}", flush=True)
    if not pathlib.Path(program).exists():
        print(f"{program} is not built: no figures")
        return False
    code = subprocess.run([str(part) for part in command], check=False).returncode
    if code != 0:
        print(f"{name} failed with exit code {code}", flush=True)
    return code == 0


def read_rows(tsv):
    if not tsv.exists():
        return []
    lines = tsv.read_text(encoding="utf-8").splitlines()
    if lines[0].split("\t") != COLUMNS:
        raise SystemExit(f"run.py: {tsv}: the columns are not {COLUMNS}")
    return [dict(zip(COLUMNS, line.split("\t"))) for line in lines[1:]]


def verdict(row):
    """None without a goal or a peer that it speaks of, else whether it was reached. A goal with a unit
    bounds ours, else the ratio."""
    if not row["goal"]:
        return None
    relation, bound, *unit = row["goal"].split()
    actual = row["ours"] if unit else row["ratio"]
    if relation not in ("<=", ">="):
        raise SystemExit(f"run.py: a goal that cannot be judged: {row}")
    if not actual:
        return None
    return float(actual) >= float(bound) if relation == ">=" else float(actual) <= float(bound)


def heading(rows, quick):
    processor = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                      if line.startswith("model name")), platform.machine())
    lines = [f"{processor}, {os.cpu_count()} cores, Linux {platform.release()}"]
    lines += [f"this machine's {row['name']}: {row['ours']} {row['unit']}" for row in rows if "fdatasync" in row["name"]]
    if quick:
        lines.append("QUICK: little data and short runs; these figures are not to be compared with others")
    return lines


def table(rows):
    widths = {"name": max(len(row["name"]) for row in rows), "peer_name": max(len(row["peer_name"]) for row in rows)}
    texts = {None: "", True: "reached", False: "MISSED"}
    no_peer = "no peer to judge by"
    yield (f"{'':<{widths['name']}}  {'ours':>11} {'unit':<10}  {'peer':>11} {'':<{widths['peer_name']}}  "
           f"{'ratio':>6}  goal")
    for row in rows:
        yield (f"{row['name']:<{widths['name']}}  {row['ours']:>11} {row['unit']:<10}  {row['peer']:>11} "
               f"{row['peer_name']:<{widths['peer_name']}}  {row['ratio']:>6}  {row['goal']:<9} "
               f"{no_peer if row['goal'] and verdict(row) is None else texts[verdict(row)]}").rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=BENCHES)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    tsv = build / "bench.tsv"
    tsv.unlink(missing_ok=True)
    load = os.getloadavg()[0]
    if load > SETTLE_LOAD:
        print(f"note: something else is running (load {load:.1f}): expect worse figures")
    failed = [name for name, command in commands(build, tsv, arguments.quick)
              if (arguments.only is None or name in arguments.only) and not run(name, command)]
    rows = read_rows(tsv)
    print("\n" + "\n".join(heading(rows, arguments.quick)))
    if rows:
        print("\n".join(table(rows)))
    judged = [verdict(row) for row in rows if row["goal"]]
    print(f"{sum(map(bool, judged))} of {len(judged)} goals reached" + (f"; without figures: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
