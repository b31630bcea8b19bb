# SPDX-License-Identifier: Apache-2.0
"""Starts real planck processes on copies of service directories; clients are sockets and http.client."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PLANCK_BUILD", ROOT / "build"))
PLANCK = BUILD / "src" / "planck" / "planck"
SLOWDOWN = float(os.environ.get("TEST_SLOWDOWN", "1"))


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


class Service:
    """A running planck process."""

    def __init__(self, directory, cache, arguments=(), expect_ready=True):
        self.directory = pathlib.Path(directory)
        config = self.directory / "service.yaml"
        text = config.read_text() if config.exists() else ""
        if "cache_directory" not in text:
            section = "wasm:\n" if "wasm:\n" not in text else ""
            if section:
                config.write_text(f"{text}wasm:\n  cache_directory: {cache}\n")
            else:
                config.write_text(text.replace("wasm:\n", f"wasm:\n  cache_directory: {cache}\n"))
        self.process = subprocess.Popen([PLANCK, self.directory, "--port", "0", *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.log = []
        self.reader = threading.Thread(target=self._read_log, daemon=True)
        self.reader.start()
        line = self.process.stdout.readline()
        if not line and expect_ready:
            self.process.wait(60)
            self.reader.join(10)
            pytest.fail("planck did not start:\n" + "".join(self.log))
        self.ready = json.loads(line) if line else None
        if self.ready:
            host, port = (self.ready.get("http") or self.ready["https"]).rsplit(":", 1)
            self.address = (host, int(port))

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line)

    def request(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection(*self.address, timeout=timeout * SLOWDOWN)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                headers = {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return Reply(response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body=body, **options)

    def connect(self, timeout=30):
        return socket.create_connection(self.address, timeout=timeout * SLOWDOWN)

    def raw(self, data, timeout=30):
        """Sends bytes, half-closes, and returns everything that came back."""
        with self.connect(timeout) as connection:
            connection.sendall(data)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            return read_to_end(connection)

    def logged(self, *texts):
        """Waits until one line of the log holds all the texts."""
        deadline = time.monotonic() + 30 * SLOWDOWN
        while time.monotonic() < deadline:
            if any(all(text in line for text in texts) for line in list(self.log)):
                return True
            time.sleep(0.01)  # polling the log of another process, which has no event to wait for
        return False

    def stop(self, number=signal.SIGTERM, timeout=60):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout * SLOWDOWN)
        self.reader.join(10)
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()


def read_to_end(connection):
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    directory = tmp_path_factory.mktemp("code-cache")
    directory.chmod(0o700)
    return directory


@pytest.fixture
def start(tmp_path, cache):
    """start(source_directory, **files) copies a service directory, adds files, starts planck."""
    services = []

    def begin(source, files=None, name="service", arguments=(), expect_ready=True):
        directory = tmp_path / name
        if not directory.exists():
            shutil.copytree(source, directory)
        for path, text in (files or {}).items():
            (directory / path).write_text(text)
        service = Service(directory, cache, arguments, expect_ready)
        services.append(service)
        return service

    yield begin
    for service in services:
        if service.process.poll() is None:
            service.kill()


@pytest.fixture(scope="module")
def shop(tmp_path_factory, cache):
    """One pizza shop for the tests of a file."""
    directory = tmp_path_factory.mktemp("shop") / "pizza"
    shutil.copytree(BUILD / "samples" / "pizza", directory)
    service = Service(directory, cache)
    yield service
    code = service.stop()
    assert code == 0, "".join(service.log)


@pytest.fixture
def guests():
    return BUILD / "tests" / "guests"


@pytest.fixture
def pizza():
    return BUILD / "samples" / "pizza"
