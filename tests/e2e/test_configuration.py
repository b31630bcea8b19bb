# SPDX-License-Identifier: Apache-2.0
"""An operator starts planck: command line, configuration files, data directory."""
import json
import shutil
import subprocess

import pytest
from conftest import PLANCK

CASES = [
    ("service.yaml", "http:\n  prot: 1\n", "service.yaml:2:", "prot"),
    ("service.yaml", "http:\n  port: ninety\n", "service.yaml:2:", "port"),
    ("service.yaml", "http:\n  port: 70000\n", "service.yaml:2:", "65535"),
    ("service.yaml", "http: [1]\n", "service.yaml:1:", "http"),
    ("service.yaml", "log:\n  level: loud\n", "service.yaml:2:", "debug"),
    ("service.yaml", "http:\n  port: 1\n  port: 2\n", "service.yaml:3:", "port"),
    ("service.yaml", "http:\n\tport: 1\n", "service.yaml:2:", ""),
    ("db.yaml", "durability:\n  flush_interval_in_ms: -1\n", "db.yaml:2:", "flush_interval_in_ms"),
    ("db.yaml", "buffers:\n  memtable: 12 parsecs\n", "db.yaml:2:", "memtable"),
]


def run(*arguments):
    return subprocess.run([PLANCK, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name,text,place,word", CASES)
def test_configuration_errors_name_file_and_line(tmp_path, pizza, name, text, place, word):
    shop = tmp_path / "shop"
    shutil.copytree(pizza, shop)
    (shop / name).write_text(text)
    result = run(shop)
    assert result.returncode == 2
    assert place in result.stderr and word in result.stderr
    assert not (shop / "data").exists()


def test_help_and_version():
    result = run("--help")
    assert result.returncode == 0 and "http.port" in result.stdout and "durability.flush_interval_in_ms" in result.stdout
    result = run("--version")
    assert result.returncode == 0 and result.stdout.startswith("planck ")


def test_wrong_use(tmp_path):
    assert run().returncode == 2
    assert run("--frobnicate").returncode == 2
    assert run(tmp_path / "nowhere").returncode == 2
    assert run(tmp_path, "--port", "x").returncode == 2


def test_missing_or_broken_module(tmp_path):
    result = run(tmp_path)
    assert result.returncode == 1 and "service.wasm" in result.stderr
    (tmp_path / "service.wasm").write_bytes(b"not wasm")
    result = run(tmp_path)
    assert result.returncode == 1 and "service.wasm" in result.stderr
    assert not (tmp_path / "data").exists()


def test_without_configuration_files(start, pizza):
    shop = start(pizza)
    shop.stop()
    for name in ("service.yaml", "db.yaml"):
        (shop.directory / name).unlink()
    shop = start(pizza)
    assert shop.get("/").status == 200
    assert shop.stop() == 0


def test_ready_line_and_logs(start, pizza):
    shop = start(pizza)
    assert shop.ready["event"] == "ready" and shop.ready["http"].startswith("127.0.0.1:")
    assert shop.ready["pid"] == shop.process.pid
    shop.get("/products/1")
    assert shop.stop() == 0
    assert shop.process.stdout.read() == ""
    lines = [json.loads(line) for line in shop.log]
    assert any(line.get("path") == "/products/1" and line.get("status") == 200 for line in lines), shop.log


def test_two_processes_cannot_share_data(start, pizza):
    shop = start(pizza)
    result = run(shop.directory, "--port", "0")
    assert result.returncode == 1 and "data" in result.stderr
    assert shop.get("/").status == 200


def test_copy_is_a_fresh_shop(start, pizza):
    shop = start(pizza, name="one")
    shop.post("/orders", {"customer": "X", "lines": [{"product_id": 1, "quantity": 1}]})
    other = start(pizza, name="two")
    assert len(other.get("/api/products?limit=100").json()["items"]) == 100
    assert not (pizza / "data").exists()


def test_seed_data_is_imported_once(start, pizza):
    shop = start(pizza)
    assert shop.stop() == 0
    seed = shop.directory / "seed" / "products.jsonl"
    seed.write_text(seed.read_text().replace("Margherita", "Changed"))
    shop = start(pizza)
    assert shop.get("/api/products/1").json()["name"] == "Margherita"


def test_bad_seed_data_names_the_line(tmp_path, pizza):
    shop = tmp_path / "shop"
    shutil.copytree(pizza, shop)
    seed = shop / "seed" / "products.jsonl"
    lines = seed.read_text().splitlines()
    lines[6] = lines[6][:-1]
    seed.write_text("\n".join(lines))
    result = run(shop, "--port", "0")
    assert result.returncode == 1 and "products.jsonl:7:" in result.stderr


def test_running_requests_finish_on_sigterm(start, guests, tmp_path):
    directory = tmp_path / "guest"
    directory.mkdir()
    (directory / "service.wasm").write_bytes((guests / "behaviours.wasm").read_bytes())
    (directory / "service.yaml").write_text("wasm:\n  deadline_ms: 1500\n")
    service = start(directory)
    with service.connect() as connection:
        # The second request is parsed only after the first was handed over, so once its connection is
        # accepted and served elsewhere, the loop below is known to run.
        connection.sendall(b"GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(20):
            assert service.get("/echo/x").status == 200
        assert service.stop() == 0
        reply = connection.recv(65536)
    assert reply.startswith(b"HTTP/1.1 504") and b"Connection: close" in reply
