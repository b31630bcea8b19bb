# SPDX-License-Identifier: Apache-2.0
"""A request is a transaction: no update is lost, and a handler that fails leaves nothing behind."""
import threading

import pytest


@pytest.fixture
def service(start, guests, tmp_path):
    directory = tmp_path / "counter"
    directory.mkdir()
    (directory / "service.wasm").write_bytes((guests / "counter.wasm").read_bytes())
    running = start(directory)
    yield running
    assert running.stop() == 0, "".join(running.log)


def test_no_update_is_lost_among_eight_clients(service):
    done = [0] * 8

    def client(number):
        while done[number] < 50:
            reply = service.request("POST", "/counter")
            assert reply.status in (200, 409), reply.text
            if reply.status == 409:
                assert reply.json()["error"]["code"] == "conflict"
            done[number] += reply.status == 200

    clients = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert done == [50] * 8
    assert service.get("/counter").text == "400"


def test_a_refusal_or_a_trap_leaves_nothing(service):
    assert service.request("POST", "/counter").text == "1"
    assert service.request("POST", "/refuse").status == 400
    assert service.get("/counter").text == "1"
    assert service.request("POST", "/trap").status == 500
    assert service.get("/counter").text == "1"
    assert service.request("POST", "/counter").text == "2"
