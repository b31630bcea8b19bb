# SPDX-License-Identifier: Apache-2.0
"""What ./demo does once everything is built: starts on a service directory, says where, ends on Ctrl-C."""
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import PLANCK, ROOT, SLOWDOWN

ORDER = b'{"customer": "Ada", "lines": [{"product_id": 17, "quantity": 2}]}'


class Demo:
    """tools/demo.py in the foreground, as ./demo runs it, up to the lines with its addresses."""

    def __init__(self, directory, port):
        begun = time.monotonic()
        self.process = subprocess.Popen([sys.executable, ROOT / "tools" / "demo.py", PLANCK, directory, str(port)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.output = ""
        while "Ctrl-C stops it" not in self.output:
            line = self.process.stdout.readline()
            if not line:
                break
            self.output += line
        self.seconds = time.monotonic() - begun
        found = re.search(r"The pizza shop +(http://[\d.:]+)/\n", self.output)
        self.url = found.group(1) if found else None

    def get(self, path, body=None):
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=30) as reply:
            return reply.status, reply.read()

    def end(self, number=signal.SIGINT):
        """(exit code, what it still printed, log of planck)."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        printed, log = self.process.communicate(timeout=60 * SLOWDOWN)
        return self.process.returncode, printed, log


@pytest.fixture
def directory(pizza, tmp_path, cache):
    copy = tmp_path / "pizza"
    shutil.copytree(pizza, copy)
    with (copy / "service.yaml").open("a") as config:
        config.write(f"wasm:\n  cache_directory: {cache}\n")
    return copy


@pytest.fixture
def demo(directory):
    started = []

    def start(port=0):
        started.append(Demo(directory, port))
        assert started[-1].url, started[-1].end()
        return started[-1]

    yield start
    for each in started:
        each.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ends_gracefully(demo, number):
    code, printed, log = demo().end(number)
    assert code == 0, log
    assert printed.endswith("Stopped.\n")


def test_second_start_is_quick_and_finds_the_orders(demo):
    first = demo()
    status, order = first.get("/orders", ORDER)
    assert status == 201
    assert first.end()[0] == 0
    second = demo()
    assert second.seconds < 2 * SLOWDOWN
    assert second.get("/")[0] == 200
    status, found = second.get("/api/orders/" + json.loads(order)["id"])
    assert status == 200 and json.loads(found) == json.loads(order)


def test_the_addresses_that_are_printed_answer(demo):
    running = demo()
    api = re.search(r"Its JSON API +http://[\d.:]+(/\S+)", running.output).group(1)
    assert running.get("/")[0] == 200
    assert running.get(api)[0] == 200


def test_a_taken_port_gives_a_free_one(demo):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = demo(port)
        assert f"Port {port} is taken" in running.output
        assert not running.url.endswith(f":{port}") and running.get("/")[0] == 200


def test_a_free_port_is_used(demo):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert demo(port).url.endswith(f":{port}")


def test_a_failure_is_not_a_stop(directory):
    (directory / "service.yaml").write_text("no_such_key: 1\n")
    failed = Demo(directory, 0)
    code, printed, log = failed.end()
    assert failed.url is None and code == 2
    assert "Stopped." not in printed
    assert "no_such_key" in log and "exit code 2" in log
