# SPDX-License-Identifier: Apache-2.0
"""A module that traps, loops, eats memory or lies: its request fails cleanly, the others are served."""
import threading
import time

import pytest
from conftest import SLOWDOWN


@pytest.fixture
def service(start, guests, tmp_path):
    directory = tmp_path / "guest"
    directory.mkdir()
    (directory / "service.wasm").write_bytes((guests / "behaviours.wasm").read_bytes())
    (directory / "service.yaml").write_text("wasm:\n  deadline_ms: 1000\n  memory: 4MiB\n")
    running = start(directory)
    yield running
    assert running.get("/echo/alive").body == b"alive"
    assert running.stop() == 0, "".join(running.log)


FAILURES = [
    ("/trap", 500), ("/loop", 504), ("/bad-pointer", 500), ("/bad-request-pointer", 500), ("/bad-headers", 500),
    ("/second-respond", 500), ("/no-respond", 500), ("/abort", 500), ("/nonzero", 500), ("/forbidden-header", 500),
    ("/deep", 500), ("/memory", 500), ("/request-while-pending", None),
]


@pytest.mark.parametrize("path,status", FAILURES)
def test_failure_is_clean_and_costs_one_instance(service, path, status):
    reply = service.get(path)
    if status is None:
        assert reply.status in (200, 500)
    else:
        assert reply.status == status
    if reply.status >= 500:
        error = reply.json()["error"]
        assert error["code"] and error["message"] and error["request_id"] == reply.headers["x-request-id"]
        assert service.logged(error["request_id"])
    assert service.get("/echo/next").body == b"next"


def test_many_failures_leak_nothing(service):
    for _ in range(200):
        assert service.get("/trap").status == 500
        assert service.get("/abort").status == 500
    assert service.get("/count").status == 200


def test_endless_handlers_do_not_hold_others(start, guests, tmp_path):
    directory = tmp_path / "guest"
    directory.mkdir()
    (directory / "service.wasm").write_bytes((guests / "behaviours.wasm").read_bytes())
    (directory / "service.yaml").write_text("wasm:\n  deadline_ms: 4000\n")
    service = start(directory)
    replies = []
    loops = [threading.Thread(target=lambda: replies.append(service.get("/loop").status)) for _ in range(3)]
    for thread in loops:
        thread.start()
    slowest, count = 0.0, 0
    while any(thread.is_alive() for thread in loops):
        begin = time.monotonic()
        assert service.get("/echo/quick").body == b"quick"
        slowest, count = max(slowest, time.monotonic() - begin), count + 1
    # A loop that held a worker would hold the probe until the deadline.
    assert slowest < 2 * SLOWDOWN and count >= 5, (count, slowest)
    assert replies == [504] * 3


def test_catalogue_is_closed_to_guests(service):
    reply = service.get("/create-store")
    assert reply.status == 200 and reply.body == b"8"  # the status code "forbidden"


@pytest.mark.parametrize("name,word", [("bad_import", "import"), ("bad_manifest", "manifest"), ("no_exports", "export"),
                                       ("bad_init", "init"), ("endless_init", "init")])
def test_modules_that_are_refused(start, guests, tmp_path, name, word):
    directory = tmp_path / name
    directory.mkdir()
    (directory / "service.wasm").write_bytes((guests / f"{name}.wasm").read_bytes())
    (directory / "service.yaml").write_text("wasm:\n  deadline_ms: 1000\n")
    service = start(directory, expect_ready=False)
    assert service.process.wait(60 * SLOWDOWN) == 1
    service.reader.join(10)
    assert word in "".join(service.log), service.log
