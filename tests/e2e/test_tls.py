# SPDX-License-Identifier: Apache-2.0
"""TLS: certificates of our own and given ones, versions, resumption, renewal, peers that misbehave."""
import contextlib
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

import http2_client as h2
import pytest
from conftest import SLOWDOWN, read_to_end

TLS = "tls:\n  enabled: true\n"
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")


def make(start, guests, tmp_path, text="", files=(), name="tls"):
    directory = tmp_path / name
    if not directory.exists():
        directory.mkdir()
        (directory / "service.wasm").write_bytes((guests / "behaviours.wasm").read_bytes())
    (directory / "service.yaml").write_text(TLS + text)
    for path, content in files:
        (directory / path).write_bytes(content)
    return start(directory, name=name)


@pytest.fixture
def service(start, guests, tmp_path):
    running = make(start, guests, tmp_path, "  handshake_timeout_ms: 500\n")
    yield running
    with secure(running) as connection:
        assert get(connection, "/echo/alive").endswith(b"alive")
    assert running.stop() == 0, "".join(running.log)


def trusting(authority, protocols=("http/1.1",)):
    context = ssl.create_default_context(cafile=str(authority))
    context.set_alpn_protocols(list(protocols))
    return context


def secure(service, context=None, name="localhost", session=None, authority=None):
    context = context or trusting(authority or service.directory / "tls" / "ca.pem")
    return context.wrap_socket(service.connect(), server_hostname=name, session=session)


def get(connection, path):
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return read_to_end(connection)


def openssl(*arguments, text=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=text, capture_output=True, check=True, timeout=60).stdout


def serial(connection):
    return connection.getpeercert()["serialNumber"]


# ---- our own certificate ------------------------------------------------------------------------

def test_own_certificate(service):
    assert set(service.ready) == {"event", "https", "service", "pid"}
    tls = service.directory / "tls"
    assert tls.stat().st_mode & 0o777 == 0o700
    for name in ("key.pem", "ca_key.pem"):
        assert (tls / name).stat().st_mode & 0o777 == 0o600
    assert service.logged("curl --cacert", str(service.address[1]))
    for name in ("localhost", "127.0.0.1", "::1", socket.gethostname()):
        with secure(service, name=name) as connection:
            assert connection.version() == "TLSv1.3"
            reply = get(connection, "/echo/abc")
            assert reply.startswith(b"HTTP/1.1 200") and reply.endswith(b"abc")
            assert b"strict-transport-security" not in reply.lower()
    with pytest.raises(ssl.SSLCertVerificationError):
        secure(service, name="example.org")
    with pytest.raises(ssl.SSLCertVerificationError):
        secure(service, context=ssl.create_default_context())


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl_as_the_log_says(service):
    for option, version in (("--http2", b"HTTP/2 200"), ("--http1.1", b"HTTP/1.1 200 OK")):
        result = subprocess.run(["curl", "-sS", "-i", option, "--cacert", service.directory / "tls" / "ca.pem",
                                 f"https://localhost:{service.address[1]}/echo/abc"], capture_output=True, timeout=60)
        assert result.stdout.startswith(version) and result.stdout.endswith(b"abc"), result


def test_the_certificate_stays_while_it_is_good(start, guests, tmp_path):
    service = make(start, guests, tmp_path)
    tls = service.directory / "tls"
    with secure(service) as connection:
        first = serial(connection)
    authority = (tls / "ca.pem").read_bytes()
    assert service.stop() == 0
    service = make(start, guests, tmp_path)
    with secure(service) as connection:
        assert serial(connection) == first
    assert service.stop() == 0
    # One that ends soon is renewed by the same authority.
    openssl("req", "-new", "-key", tls / "key.pem", "-subj", "/CN=planck", "-out", tls / "request")
    (tls / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1")
    openssl("x509", "-req", "-in", tls / "request", "-CA", tls / "ca.pem", "-CAkey", tls / "ca_key.pem", "-days", "10",
            "-extfile", tls / "names", "-out", tls / "cert.pem")
    service = make(start, guests, tmp_path)
    with secure(service) as connection:
        end = ssl.cert_time_to_seconds(connection.getpeercert()["notAfter"])
        assert end > time.time() + 300 * 86400 and serial(connection) != first
    assert (tls / "ca.pem").read_bytes() == authority
    assert service.stop() == 0
    # What does not belong together is made anew, the authority too when its key is lost.
    (tls / "key.pem").write_bytes((tls / "ca_key.pem").read_bytes())
    service = make(start, guests, tmp_path)
    secure(service).close()
    assert (tls / "ca.pem").read_bytes() == authority
    assert service.stop() == 0
    (tls / "ca_key.pem").unlink()
    service = make(start, guests, tmp_path)
    secure(service).close()
    assert (tls / "ca.pem").read_bytes() != authority
    assert service.stop() == 0


# ---- given certificates -------------------------------------------------------------------------

def given(directory, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", f"/CN={name}",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem")
    return (directory / f"{name}.pem").read_bytes(), (directory / f"{name}.key").read_bytes()


def test_given_files_and_their_reload(start, guests, tmp_path):
    one, two = given(tmp_path, "one"), given(tmp_path, "two")
    files = "  cert_file: cert.pem\n  key_file: key.pem\n"
    service = make(start, guests, tmp_path, files, [("cert.pem", one[0]), ("key.pem", one[1])])
    assert not (service.directory / "tls").exists()
    old = secure(service, authority=tmp_path / "one.pem")
    # By signal.
    (service.directory / "cert.pem").write_bytes(two[0])
    (service.directory / "key.pem").write_bytes(two[1])
    service.process.send_signal(signal.SIGHUP)
    assert service.logged("loaded the certificate")
    secure(service, authority=tmp_path / "two.pem").close()
    assert get(old, "/echo/old").endswith(b"old")
    # A pair that does not fit is refused and the old one stays.
    (service.directory / "key.pem").write_bytes(one[1])
    service.process.send_signal(signal.SIGHUP)
    assert service.logged("stays as it was")
    secure(service, authority=tmp_path / "two.pem").close()
    # By change alone.
    loaded = sum("loaded the certificate" in line for line in service.log)
    (service.directory / "cert.pem").write_bytes(one[0])
    deadline = time.monotonic() + 30 * SLOWDOWN
    while sum("loaded the certificate" in line for line in service.log) == loaded and time.monotonic() < deadline:
        time.sleep(0.01)  # the server looks every two seconds
    secure(service, authority=tmp_path / "one.pem").close()
    assert service.stop() == 0


@pytest.mark.parametrize("text,files,word", [
    ("  cert_file: cert.pem\n", {}, "need each other"),
    ("  cert_file: cert.pem\n  key_file: key.pem\n", {}, "cert.pem"),
    ("  cert_file: cert.pem\n  key_file: key.pem\n", {"cert.pem": "one.pem", "key.pem": "two.key"}, "key.pem"),
    ("  cert_file: cert.pem\n  key_file: key.pem\n", {"cert.pem": "one.pem", "key.pem": "locked.key"}, "key.pem"),
])
def test_bad_files_refuse_to_start(start, guests, tmp_path, text, files, word):
    given(tmp_path, "one"), given(tmp_path, "two")
    openssl("ec", "-in", tmp_path / "one.key", "-aes256", "-passout", "pass:secret", "-out", tmp_path / "locked.key")
    directory = tmp_path / "bad"
    directory.mkdir()
    (directory / "service.wasm").write_bytes((guests / "behaviours.wasm").read_bytes())
    (directory / "service.yaml").write_text(TLS + text)
    for name, source in files.items():
        (directory / name).write_bytes((tmp_path / source).read_bytes())
    service = start(directory, name="bad", expect_ready=False)
    assert service.process.wait(60) == 1
    service.reader.join(10)
    assert word in service.log[-1] and service.log[-1].startswith("planck: ")
    assert not (directory / "data").exists()


# ---- protocol -----------------------------------------------------------------------------------

def test_versions(service, start, guests, tmp_path):
    context = trusting(service.directory / "tls" / "ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        secure(service, context)
    older = make(start, guests, tmp_path, '  minimum_version: "1.2"\n', name="older")
    context = trusting(older.directory / "tls" / "ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with secure(older, context) as connection:
        assert connection.version() == "TLSv1.2" and get(connection, "/echo/x").endswith(b"x")


def test_protocols(service):
    authority = service.directory / "tls" / "ca.pem"
    for offered, chosen in ((["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1")):
        with secure(service, trusting(authority, offered)) as connection:
            assert connection.selected_alpn_protocol() == chosen
    with pytest.raises(ssl.SSLError):
        secure(service, trusting(authority, ["spdy/3"]))
    with secure(service, ssl.create_default_context(cafile=str(authority))) as connection:
        assert get(connection, "/echo/x").startswith(b"HTTP/1.1 200")


def test_resumption(service):
    context = trusting(service.directory / "tls" / "ca.pem")
    with secure(service, context) as connection:
        assert not connection.session_reused
        get(connection, "/echo/x")
        session = connection.session
    with secure(service, context, session=session) as connection:
        assert connection.session_reused and get(connection, "/echo/again").endswith(b"again")


def test_http2_over_tls(service):
    client = h2.Client(secure(service, trusting(service.directory / "tls" / "ca.pem", ["h2"]))).greet()
    streams = [client.request(h2.head(path=f"/echo/{number}", scheme="https")) for number in range(50)]
    client.window(0, 4 << 20)
    huge = client.request(h2.head(path="/huge", scheme="https"))
    client.window(huge, 4 << 20)
    assert len(client.wait(huge).body) == 1 << 20
    for number, stream in enumerate(streams):
        assert client.replies[stream].body == str(number).encode()
    client.close()


def test_large_bodies_both_ways(service):
    with secure(service) as connection:
        assert len(get(connection, "/huge")) > 1 << 20
    body = os.urandom(900_000)
    with secure(service) as connection:
        connection.sendall(b"POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\nConnection: close\r\n\r\n")
        connection.sendall(body)
        assert read_to_end(connection).endswith(body)


def test_pipelined_requests(service):
    with secure(service) as connection:
        connection.sendall(b"GET /echo/x HTTP/1.1\r\nHost: a\r\n\r\n" * 3000 + b"GET /echo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert read_to_end(connection).count(b"HTTP/1.1 200") == 3001


# ---- in clear on the TLS port -------------------------------------------------------------------

def test_a_plain_request_is_redirected(service):
    port = service.address[1]
    reply = service.raw(f"GET /echo/a?b=c HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())
    assert reply.startswith(b"HTTP/1.1 308") and f"Location: https://localhost:{port}/echo/a?b=c\r\n".encode() in reply
    assert service.raw(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab").startswith(b"HTTP/1.1 308")
    assert service.raw(b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert service.raw(b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert service.raw(h2.PREFACE).startswith(b"HTTP/1.1 50")


# ---- hostile peers ------------------------------------------------------------------------------

def test_broken_handshakes(service):
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    for data in (b"\x16", hello, hello + os.urandom(507), b"\x16" + os.urandom(2000), b"\x16\x03\x01\xff\xff" + b"\0" * 70000):
        with service.connect() as connection, contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            read_to_end(connection)
    with service.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(hello)
    assert not any('"level": "warn"' in line or '"level": "error"' in line for line in service.log)


def test_handshake_timeout(service):
    for data in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01"):
        with service.connect() as connection:
            connection.sendall(data)
            assert connection.recv(1000) == b""


def test_a_cut_request_is_not_served(service):
    connection = secure(service)
    connection.sendall(b"POST /echo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
    plain = socket.socket(fileno=connection.detach())  # the end comes without TLS's farewell
    plain.settimeout(30 * SLOWDOWN)
    plain.shutdown(socket.SHUT_WR)
    read_to_end(plain)
    plain.close()
    assert service.logged('"status": 400')


def test_many_handshakes_beside_a_request(service):
    idle = [service.connect() for _ in range(50)]
    with secure(service) as connection:
        assert get(connection, "/echo/x").endswith(b"x")
    for connection in idle:
        connection.close()
    context = trusting(service.directory / "tls" / "ca.pem")
    for _ in range(100):
        with secure(service, context) as connection:
            assert get(connection, "/echo/x").endswith(b"x")


def test_sigterm(start, guests, tmp_path):
    service = make(start, guests, tmp_path, "wasm:\n  deadline_ms: 700\n")
    running, idle = secure(service), secure(service)
    running.sendall(b"GET /loop HTTP/1.1\r\nHost: a\r\n\r\n")
    for _ in range(5):
        with secure(service) as connection:
            get(connection, "/echo/x")
    service.process.terminate()
    assert read_to_end(idle) == b""  # with TLS's farewell: without it reading would fail
    assert read_to_end(running).startswith(b"HTTP/1.1 504")
    assert service.stop() == 0
