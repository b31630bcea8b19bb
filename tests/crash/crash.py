#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills planck at random moments and looks for what it promised: crash.py BUILD [--rounds N] [--seed N]

A pizza shop at flush interval 0, with memtables and log segments so small that flushes, segment
switches and long recoveries happen all the time. In each round clients place orders until `kill -9`:
under load, during start-up (recovery), or during a graceful stop. After the next start every
acknowledged order has to be there with the very bytes of its acknowledgement. Every customer's name is
used for one order only, so that at the end (and now and then between) a dump of the data tells for the
others as well: each is absent, or complete with all its lines and its total; no lines without an order,
nothing twice, nothing that nobody ordered; indexes agree with documents. All rounds share one data
directory; after the last the service is stopped cleanly and started again. Exit code 1 on a violation,
and the directory is kept. TMPDIR says where it is made."""
import argparse
import base64
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

CLIENTS = 4
SLOWDOWN = float(os.environ.get("TEST_SLOWDOWN", "1"))
PATIENCE_SECONDS = 60 * SLOWDOWN
ACKNOWLEDGED_MAX = 150  # in one round
OLDER_CHECKED = 40      # orders of earlier rounds looked at again after each start
DUMP_EVERY = 5          # rounds
KINDS = ["load"] * 6 + ["start-up"] * 2 + ["stop"] * 2
DATABASE = """\
durability:
  flush_interval_in_ms: 0
buffers:
  memtable: 128KiB
  generations: 2
file_sizes:
  wal: 64KiB
  vlog: 1MiB
"""
SERVICE = """\
service:
  name: pizza
http:
  access_log: false
wasm:
  cache_directory: {cache}
"""


class Violation(Exception):
    """A promise that was not kept."""


class Attempt:
    """An order that a client sent; `reply` is the acknowledgement as bytes, once it came."""

    def __init__(self, lines, total):
        self.lines, self.total = lines, total
        self.identifier = self.reply = None


class Ledger:
    """What was sent and what was acknowledged, by customer. Shared by the clients."""

    def __init__(self, prices):
        self.prices = prices
        self.attempts = {}
        self.changed = threading.Condition()
        self.acknowledged = []  # attempts
        self.problems = []

    def send(self, customer, lines):
        attempt = Attempt(lines, sum(self.prices[product] * quantity for product, quantity in lines))
        with self.changed:
            self.attempts[customer] = attempt
        return attempt

    def acknowledge(self, customer, attempt, reply):
        order = json.loads(reply)
        lines = [(line["product_id"], line["quantity"]) for line in order["lines"]]
        if (order["customer"], lines, order["total"]) != (customer, attempt.lines, attempt.total):
            self.complain(f"{customer}: acknowledged another order than was sent: {reply!r}")
        with self.changed:
            attempt.identifier, attempt.reply = order["id"], reply
            self.acknowledged.append(attempt)
            self.changed.notify_all()

    def complain(self, problem):
        with self.changed:
            self.problems.append(problem)
            self.changed.notify_all()

    def wait_for(self, count):
        """Until so many are acknowledged in all, or something went wrong."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.problems or len(self.acknowledged) >= count, PATIENCE_SECONDS):
                raise Violation(f"only {len(self.acknowledged)} of {count} orders acknowledged in time")
        self.judge()

    def judge(self):
        if self.problems:
            raise Violation("; ".join(self.problems[:5]))


class Shop:
    """A planck process on the service directory."""

    def __init__(self, program, directory, log):
        self.began = time.monotonic()
        self.process = subprocess.Popen([program, directory, "--port", "0"], stdout=subprocess.PIPE, stderr=log)

    def wait_until_ready(self):
        """Returns how long that took, in seconds."""
        line = self.process.stdout.readline()
        if not line:
            raise Violation(f"planck did not start: exit code {self.process.wait(PATIENCE_SECONDS)}")
        host, _, port = json.loads(line)["http"].rpartition(":")
        self.address = host, int(port)
        return time.monotonic() - self.began

    def connect(self):
        return http.client.HTTPConnection(*self.address, timeout=PATIENCE_SECONDS)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        self.terminate()
        code = self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()
        if code != 0:
            raise Violation(f"a graceful stop ended with exit code {code}")


# ---- clients --------------------------------------------------------------------------------

def place_orders(shop, ledger, name, seed, ending):
    """Orders until the service is gone. `ending` is set before it is told to go."""
    source = random.Random(seed)
    products = sorted(ledger.prices)
    connection = shop.connect()
    number = 0
    while True:
        number += 1
        customer = f"{name}-{number}"
        lines = [(source.choice(products), source.randint(1, 9)) for _ in range(source.randint(1, 6))]
        attempt = ledger.send(customer, lines)
        body = json.dumps({"customer": customer, "lines": [{"product_id": product, "quantity": quantity}
                                                           for product, quantity in lines]})
        try:
            connection.request("POST", "/orders", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            reply = response.read()
        except (OSError, http.client.HTTPException) as gone:
            if not ending.is_set():
                ledger.complain(f"{customer}: the connection broke although nobody was killed: {gone!r}")
            return
        if response.status == 201:
            ledger.acknowledge(customer, attempt, reply)
        else:
            if not ending.is_set():
                ledger.complain(f"{customer}: status {response.status}: {reply[:300]!r}")
            return


def check_orders(shop, attempts):
    """Each is there with the bytes of its acknowledgement."""
    def check(part):
        connection = shop.connect()
        problems = []
        for attempt in part:
            connection.request("GET", f"/api/orders/{attempt.identifier}")
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                problems.append(f"acknowledged order {attempt.identifier} is gone: status {response.status}")
            elif body != attempt.reply:
                problems.append(f"acknowledged order {attempt.identifier} is torn: {body!r} was {attempt.reply!r}")
        connection.close()
        return problems

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        try:
            parts = [attempts[start::CLIENTS] for start in range(CLIENTS)]
            problems = [problem for found in pool.map(check, parts) for problem in found]
        except (OSError, http.client.HTTPException) as gone:
            raise Violation(f"the service went away while it was read: {gone!r}") from gone
    if problems:
        raise Violation(f"{len(problems)} of {len(attempts)} orders: " + "; ".join(problems[:3]))


# ---- the dump -------------------------------------------------------------------------------

def identifier(value):
    return str(uuid.UUID(bytes=base64.b64decode(value["$binary"]["base64"])))


def read_dump(program, data):
    """(documents by store, index lines)."""
    done = subprocess.run([program, data], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Violation(f"dump: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    stores, indexes = collections.defaultdict(list), []
    for line in done.stdout.splitlines():
        row = json.loads(line)
        if "index" in row:
            indexes.append(row)
        else:
            stores[row["store"]].append(row["document"])
    return stores, indexes


def check_order(order, lines, attempt):
    lines = sorted(lines, key=lambda line: line["position"])
    found = [(line["product_id"], line["quantity"]) for line in lines]
    if found != attempt.lines or [line["position"] for line in lines] != list(range(len(lines))):
        raise Violation(f"order {order['customer']} is torn: lines {found}, sent {attempt.lines}")
    amounts = [line["amount"] for line in lines]
    if order["total"] != attempt.total or sum(amounts) != attempt.total:
        raise Violation(f"order {order['customer']} is torn: total {order['total']}, lines {amounts}")


def check_dump(program, directory, ledger):
    """The whole of the data against what was sent. Returns the number of orders."""
    stores, indexes = read_dump(program, directory / "data")
    lines = collections.defaultdict(list)
    for line in stores["line_items"]:
        lines[identifier(line["order_id"])].append(line)
    seen = {}
    for order in stores["orders"]:
        customer, key = order["customer"], identifier(order["_id"])
        attempt = ledger.attempts.get(customer)
        if attempt is None or customer in seen:
            raise Violation(f"an order that nobody sent, or one that is there twice: {customer}")
        seen[customer] = key
        check_order(order, lines.pop(key, []), attempt)
    if lines:
        raise Violation(f"lines without their order: {next(iter(lines))} and {len(lines) - 1} more")
    for customer, attempt in ledger.attempts.items():
        if attempt.identifier is not None and seen.get(customer) != attempt.identifier:
            raise Violation(f"acknowledged order {attempt.identifier} of {customer} is not in the data")
    if (len(stores["products"]), len(stores["categories"])) != (len(ledger.prices), 17):
        raise Violation(f"{len(stores['products'])} products and {len(stores['categories'])} categories")
    for row in indexes:
        if row["entries"] != len(stores[row["store"]]) or row["strangers"] != 0:
            raise Violation(f"index and documents differ: {row}, {len(stores[row['store']])} documents")
    if {row["index"] for row in indexes} != {"by_category", "by_order"}:
        raise Violation(f"indexes: {indexes}")
    return len(seen)


# ---- rounds ---------------------------------------------------------------------------------

class Run:
    def __init__(self, build, directory, seed, log):
        self.planck, self.dump = build / "src/planck/planck", build / "tests/crash/dump"
        self.directory, self.log = directory, log
        self.random = random.Random(seed)
        self.ledger = Ledger(read_prices(directory / "seed/products.jsonl"))
        self.checked = 0  # acknowledged orders that were seen after a restart
        self.start_seconds = 0.1
        self.dumps = 0
        self.shop = None

    def spawn(self):
        self.shop = Shop(self.planck, self.directory, self.log)
        return self.shop

    def start(self, everything=False):
        """Starts and looks at what was acknowledged since the last look, and at some older orders."""
        shop = self.spawn()
        self.start_seconds = shop.wait_until_ready()
        known = self.ledger.acknowledged
        older = [] if everything else self.random.sample(known[:self.checked], min(OLDER_CHECKED, self.checked))
        check_orders(shop, known if everything else known[self.checked:] + older)
        self.checked = len(known)
        return shop

    def check_data(self):
        self.dumps += 1
        return check_dump(self.dump, self.directory, self.ledger)

    def load(self, number, kind):
        """A round whose service comes to serve: killed under load, or while it stops."""
        shop = self.start()
        ending = threading.Event()
        clients = [threading.Thread(target=place_orders, args=(shop, self.ledger, f"r{number}c{client}",
                                                               self.random.random(), ending))
                   for client in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            self.ledger.wait_for(len(self.ledger.acknowledged) + self.random.randint(1, ACKNOWLEDGED_MAX))
        finally:
            ending.set()
            if kind == "stop":
                shop.terminate()
            time.sleep(self.random.uniform(0, 0.03))  # the random moment
            shop.kill()
            for client in clients:
                client.join()
        self.ledger.judge()

    def kill_during_start(self):
        shop = self.spawn()
        time.sleep(self.random.uniform(0, 1.2 * self.start_seconds))  # the random moment
        if shop.process.poll() is not None:
            raise Violation(f"planck did not start: exit code {shop.process.returncode}")
        shop.kill()

    def rounds(self, count):
        kinds = []
        for number in range(1, count + 1):
            if not kinds:
                kinds = self.random.sample(KINDS, len(KINDS))
            kind = kinds.pop()
            before = len(self.ledger.acknowledged)
            if kind == "start-up":
                self.kill_during_start()
            else:
                self.load(number, kind)
            orders = f", {self.check_data()} in the data" if number % DUMP_EVERY == 0 else ""
            print(f"round {number}: killed at {kind:<8} {len(self.ledger.acknowledged) - before:4} orders "
                  f"acknowledged, start {self.start_seconds * 1000:.0f} ms{orders}", flush=True)

    def finish(self):
        """A clean stop and start change nothing."""
        self.start(everything=True).stop()
        orders = self.check_data()
        self.start(everything=True).stop()
        if self.check_data() != orders:
            raise Violation("a clean stop and start changed the number of orders")
        return orders


def read_prices(path):
    with open(path, encoding="utf-8") as file:
        return {product["_id"]: product["price"] for product in map(json.loads, file)}


def prepare(build, directory):
    service, cache = directory / "service", directory / "code-cache"
    shutil.copytree(build / "samples/pizza", service)
    cache.mkdir(mode=0o700)
    (service / "db.yaml").write_text(DATABASE)
    (service / "service.yaml").write_text(SERVICE.format(cache=cache))
    return service


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="crash."))
    print(f"{arguments.rounds} rounds, seed {arguments.seed}", flush=True)
    began = time.monotonic()
    with open(directory / "log", "wb") as log:
        run = Run(arguments.build.resolve(), prepare(arguments.build, directory), arguments.seed, log)
        try:
            run.start().stop()  # imports the seed data and compiles the module
            run.rounds(arguments.rounds)
            orders = run.finish()
        except (Violation, subprocess.TimeoutExpired) as violation:
            print(f"VIOLATION: {violation}")
            print("\n".join((directory / "log").read_text(errors="replace").splitlines()[-15:]))
            print(f"data and log are kept in {directory}; seed {arguments.seed}")
            return 1
        finally:
            if run.shop is not None:
                run.shop.kill()
    shutil.rmtree(directory)
    sent, acknowledged = len(run.ledger.attempts), len(run.ledger.acknowledged)
    print(f"{arguments.rounds} rounds in {time.monotonic() - began:.1f} s: {sent} orders sent, {acknowledged} acknowledged "
          f"and all there, {orders - acknowledged} more that were complete, none torn, {run.dumps} dumps agree")
    return 0


if __name__ == "__main__":
    sys.exit(main())
