# SPDX-License-Identifier: Apache-2.0
"""Handlers that look at every document of a large store do not hold up the others."""
import threading
import time

import pytest
from conftest import SLOWDOWN

DOCUMENTS = 300_000 if SLOWDOWN <= 1 else 60_000


@pytest.fixture
def service(start, guests, tmp_path):
    directory = tmp_path / "scan"
    (directory / "seed").mkdir(parents=True)
    (directory / "service.wasm").write_bytes((guests / "scan.wasm").read_bytes())
    (directory / "service.yaml").write_text("wasm:\n  deadline_ms: 60000\n")
    with open(directory / "seed" / "things.jsonl", "w") as file:
        for number in range(DOCUMENTS):
            text = "a needle in it" if number % 1000 == 0 else "nothing but hay, and more of it, all over the place"
            file.write(f'{{"_id": {number}, "text": "{text}", "number": {number}}}\n')
    running = start(directory)
    yield running
    assert running.stop() == 0


def test_quick_requests_beside_scans(service):
    begin = time.monotonic()
    assert service.get("/scan").body == str(DOCUMENTS // 1000).encode()
    alone = time.monotonic() - begin
    counts, done = [], threading.Event()

    def scan():
        while not done.is_set():
            counts.append(service.get("/scan", timeout=120).body)

    threads = [threading.Thread(target=scan) for _ in range(4)]
    for thread in threads:
        thread.start()
    times = []
    with service.connect() as connection:
        for _ in range(300):
            begin = time.monotonic()
            connection.sendall(b"GET /quick HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            times.append(time.monotonic() - begin)
    done.set()
    for thread in threads:
        thread.join()
    times.sort()
    assert counts and set(counts) == {str(DOCUMENTS // 1000).encode()}
    # Four scans share two workers; a probe waits for a slice of each at most.
    assert times[-10] < 0.05 * SLOWDOWN, (alone, times[-10:], len(counts))
