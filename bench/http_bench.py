#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP figures: routes of a service beside a bare epoll server that answers fixed bytes.

    http_bench.py --epoll build/bench/epoll_server --planck build/src/planck/planck \\
        --service build/bench/service [--route NAME=PATH:RATIO:P99:CPU_US ...] [--tsv build/bench.tsv]

The ceiling is one thread, and so is planck here (http.workers: 1 in bench/service), which leaves the
load generator a core of its own. Each route is measured in rounds, the ceiling first and ours second,
each time against the same load (wrk, one thread, keep-alive connections). The ceiling answers as many body bytes as the route
does. Printed are medians: requests/s with the ratio to the ceiling, the 99th percentile with its
ratio, and the CPU microseconds a request costs the server process (user and system time by
/proc/PID/stat, all its threads). A goal is a least ratio for requests/s and a most for the others.
Rows go to --tsv as name, unit, ours, peer, peer_name, ratio, goal (appended; a header when new).
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request

PEER = "epoll server, fixed bytes"
TICKS = os.sysconf("SC_CLK_TCK")
DEFAULT_ROUTES = [
    "one document as JSON=/bench/document:0.70:3:14",
    "17 categories as HTML=/bench/categories:0.60:3:15",
    "20 point reads=/bench/reads:0.50:3:22",
]
UNITS_US = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Server:
    """A server process and the URL at which it listens."""

    def __init__(self, process, address):
        self.process = process
        self.base = f"http://{address}"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_epoll(path, body_bytes):
    process = subprocess.Popen([path, str(body_bytes)], stdout=subprocess.PIPE, text=True)
    return Server(process, f"127.0.0.1:{process.stdout.readline().strip()}")


def start_planck(path, service, log):
    process = subprocess.Popen([path, service], stdout=subprocess.PIPE, stderr=log, text=True)
    for line in process.stdout:
        event = json.loads(line)
        if event.get("event") == "ready":
            address = event["http"]
            port = address.rpartition(":")[2]
            return Server(process, f"127.0.0.1:{port}" if address.startswith(("0.", "[::]"))
                          else address)
    process.wait()
    raise SystemExit(f"http_bench: {path} {service} ended before it was ready")


def load(url, seconds, connections):
    """One run of wrk: (requests, requests a second, p99 in microseconds)."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "--latency", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"http_bench: errors from {url}\n{text}")
    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1])
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", text)
    return requests, rate, float(p99[1]) * UNITS_US[p99[2]]


def measure(server, path, arguments):
    before = cpu_seconds(server.process.pid)
    requests, rate, p99 = load(server.base + path, arguments.seconds, arguments.connections)
    spent = cpu_seconds(server.process.pid) - before
    return {"rate": rate, "p99": p99, "cpu": spent / requests * 1e6}


def median(runs, key):
    return statistics.median(run[key] for run in runs)


def parse_route(text):
    name, _, rest = text.partition("=")
    path, *goals = rest.split(":")
    if not name or not path.startswith("/") or len(goals) != 3:
        raise SystemExit(f"http_bench: --route {text}: expected NAME=PATH:RATIO:P99:CPU_US")
    return name, path, [float(goal) for goal in goals]


def body_size(url):
    with urllib.request.urlopen(url, timeout=10) as reply:
        return len(reply.read())


def bench_route(ours, route, arguments):
    """The rows of one route."""
    name, path, (rate_goal, p99_goal, cpu_goal) = route
    ceiling = start_epoll(arguments.epoll, body_size(ours.base + path))
    try:
        for server in (ceiling, ours):
            load(server.base + path, arguments.warm_up, arguments.connections)
        peer_runs, our_runs = [], []
        for _ in range(arguments.rounds):
            peer_runs.append(measure(ceiling, path, arguments))
            our_runs.append(measure(ours, path, arguments))
    finally:
        ceiling.stop()
    rows = []
    for key, unit, label, goal in (("rate", "requests/s", "throughput", f">= {rate_goal:g}"),
                                   ("p99", "us", "p99", f"<= {p99_goal:g}"),
                                   ("cpu", "us/request", "server CPU", f"<= {cpu_goal:g} us")):
        mine, theirs = median(our_runs, key), median(peer_runs, key)
        rows.append((f"http: {name}, {label}", unit, f"{mine:.4g}" if key != "rate" else f"{mine:.0f}",
                     f"{theirs:.4g}" if key != "rate" else f"{theirs:.0f}", PEER,
                     f"{mine / theirs:.2f}", goal))
    return rows


def reached(row):
    relation, value, *unit = row[6].split()
    actual = float(row[2] if unit else row[5])
    return actual >= float(value) if relation == ">=" else actual <= float(value)


def write_tsv(path, rows):
    new = not os.path.exists(path) or os.path.getsize(path) == 0
    with open(path, "a", encoding="utf-8") as file:
        if new:
            file.write("name\tunit\tours\tpeer\tpeer_name\tratio\tgoal\n")
        for row in rows:
            file.write("\t".join(row) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epoll", required=True, help="the epoll_server program")
    parser.add_argument("--planck", required=True, help="the planck program")
    parser.add_argument("--service", required=True, help="a service directory")
    parser.add_argument("--route", action="append", help="NAME=PATH:RATIO:P99:CPU_US")
    parser.add_argument("--seconds", type=int, default=5, help="of one run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=1, help="seconds")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--tsv", help="file to which the rows are appended")
    arguments = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("http_bench: wrk is not installed")
    routes = [parse_route(text) for text in arguments.route or DEFAULT_ROUTES]
    rows = []
    with tempfile.TemporaryFile() as log:
        ours = start_planck(arguments.planck, arguments.service, log)
        try:
            for route in routes:
                rows += bench_route(ours, route, arguments)
        finally:
            ours.stop()
    for row in rows:
        name, unit, mine, theirs, _, ratio, goal = row
        verdict = "reached" if reached(row) else "not reached"
        print(f"{name:<46} {mine:>9} {unit:<11} ceiling {theirs:>8}  ratio {ratio:>5}  "
              f"goal {goal:<9} {verdict}")
    if arguments.tsv:
        write_tsv(arguments.tsv, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
