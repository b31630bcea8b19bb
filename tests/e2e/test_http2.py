# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 in clear by prior knowledge: real clients, then frames as a hostile client would send them."""
import json
import shutil
import struct
import subprocess

import http2_client as h2
import pytest
from http2_client import connect, head

LIMITS = """
http:
  header_bytes_max: 2KiB
  header_count_max: 20
  body_bytes_max: 4KiB
  header_timeout_ms: 300
  body_timeout_ms: 300
  idle_timeout_ms: 2000
  write_timeout_ms: 400
  requests_max: 50
http2:
  streams_max: 8
  bodies_bytes_max: 10KiB
  control_frames_max: 50
  resets_max: 10
  continuations_max: 3
wasm:
  deadline_ms: 1500
  memory: 4MiB
"""


def make(start, guests, tmp_path, name, text):
    directory = tmp_path / name
    directory.mkdir()
    (directory / "service.wasm").write_bytes((guests / "behaviours.wasm").read_bytes())
    (directory / "service.yaml").write_text(text)
    return start(directory, name=name)


@pytest.fixture
def limited(start, guests, tmp_path):
    service = make(start, guests, tmp_path, "limited", LIMITS)
    yield service
    # Whatever was done to it, others are served and it stops as it should.
    client = connect(service)
    assert client.fetch(head(path="/echo/alive")).body == b"alive"
    client.close()
    assert service.stop() == 0, "".join(service.log)


# ---- clients ------------------------------------------------------------------------------------

def curl(service, path, *arguments):
    url = f"http://{service.address[0]}:{service.address[1]}{path}"
    return subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-m", "60", *arguments, url], capture_output=True, timeout=120)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_curl(shop):
    result = curl(shop, "/api/products/1", "-i")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.decode().split("\r\n")
    assert lines[0].startswith("HTTP/2 200")
    names = [line.split(":")[0] for line in lines[1:] if ":" in line]
    assert "content-length" in names and "x-request-id" in names and "connection" not in names
    assert json.loads(result.stdout.split(b"\r\n\r\n")[1])["id"] == 1
    assert curl(shop, "/", "-I").stdout.startswith(b"HTTP/2 200")
    assert b"HTTP/2 404" in curl(shop, "/nothing", "-i").stdout
    order = json.dumps({"customer": "Ada", "lines": [{"product_id": 1, "quantity": 1}]})
    made = curl(shop, "/orders", "-i", "-H", "Content-Type: application/json", "-H", "Expect: 100-continue", "-d", order)
    assert b"HTTP/2 201" in made.stdout or b"HTTP/2 303" in made.stdout, made.stdout


def test_requests_share_a_connection_with_http1_beside(shop):
    client = connect(shop)
    streams = [client.request(head(path=f"/api/products/{number}")) for number in range(1, 101)]
    for number, stream in enumerate(streams, 1):
        while client.replies.get(stream) is None or not client.replies[stream].body.endswith(b"}"):
            assert client.read()
        assert client.replies[stream].status == 200 and json.loads(client.replies[stream].body)["id"] == number
    assert shop.get("/api/products/1").status == 200
    client.close()


def test_a_preface_in_pieces_and_what_only_looks_like_one(shop):
    client = h2.connect_raw(shop)
    for byte in h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0, struct.pack(">HI", h2.HEADER_TABLE_SIZE, 0)):
        client.connection.sendall(bytes([byte]))
    assert client.fetch(head(path="/api/products/1")).status == 200
    client.close()
    assert shop.raw(b"PRI * HTTP/1.1\r\nHost: a\r\n\r\n").startswith(b"HTTP/1.1 501")
    assert shop.raw(b"PRI").startswith(b"HTTP/1.1 400")
    assert shop.raw(b"P").startswith(b"HTTP/1.1 400")
    with shop.connect() as connection:
        for piece in (b"P", b"OST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"):
            connection.sendall(piece)
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")
    client = h2.connect_raw(shop)
    client.connection.sendall(h2.PREFACE[:20] + b"XXXX" + h2.frame(h2.SETTINGS, 0, 0))
    assert client.wait_end() == h2.PROTOCOL_ERROR


# ---- requests -----------------------------------------------------------------------------------

def test_head_expect_trailers_cookies(limited):
    client = connect(limited)
    reply = client.fetch(head("HEAD", "/echo/abc"))
    assert reply.status == 200 and reply.body == b""
    stream = client.request(head("POST", "/echo/x", headers=[("expect", "100-continue")]), end=False)
    client.wait_frame(h2.HEADERS, stream)
    assert client.replies[stream].statuses == [100]
    client.send(h2.DATA, h2.END_STREAM, stream, b"body")
    assert client.wait(stream).statuses == [100, 201]
    stream = client.request(head("POST", "/echo/x"), b"with trailers", end=False)
    client.send(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, h2.encode([("checksum", "1")]))
    assert client.wait(stream).body == b"with trailers"
    client.close()


def test_a_request_in_continuations(limited):
    client = connect(limited)
    block, stream = h2.encode(head(path="/echo/abc")), client.stream()
    client.send(h2.HEADERS, h2.END_STREAM, stream, block[:5])
    client.send(h2.CONTINUATION, 0, stream, block[5:9])
    client.send(h2.CONTINUATION, h2.END_HEADERS, stream, block[9:])
    assert client.wait(stream).body == b"abc"
    client.close()


RESET = "reset"
REFUSED = [
    (head("get"), 501), (head("BREW"), 501), (head(path="/a b"), RESET), (head(path="/a#b"), 400), (head(path="*"), RESET),
    (head(path="nowhere"), RESET), (head(path=""), RESET), (head(path=None), RESET), (head(method=None), RESET),
    (head(scheme=None), RESET), (head(scheme="ftp"), 400), (head(authority=None), RESET), (head(authority="a b"), RESET),
    (head(authority="user@host"), 400), (head(headers=[("host", "other")]), 400),
    (head(headers=[("host", "localhost"), ("host", "localhost")]), RESET),
    (head(headers=[("connection", "close")]), RESET), (head(headers=[("transfer-encoding", "chunked")]), RESET),
    (head(headers=[("upgrade", "h2c")]), RESET), (head(headers=[("keep-alive", "1")]), RESET),
    (head(headers=[("te", "gzip")]), RESET), (head(headers=[("Upper", "x")]), RESET), (head(headers=[("a b", "x")]), RESET),
    (head(headers=[("a", "x\r\ny")]), RESET), (head(headers=[("a", "x\0")]), RESET), (head(headers=[("", "x")]), RESET),
    (head(headers=[(":path", "/")]), RESET), (head(headers=[(":unknown", "/")]), RESET),
    (head(headers=[("content-length", "5")]), RESET), (head(headers=[("content-length", "x")]), RESET),
    (head(headers=[("expect", "wonders")]), 417),
    (head(headers=[("big", "x" * 2100)]), 431), (head(headers=[(f"h{i}", "x") for i in range(21)]), 431),
]


@pytest.mark.parametrize("headers,outcome", REFUSED)
def test_refused_requests(limited, headers, outcome):
    client = connect(limited)
    reply = client.fetch(headers)
    if outcome == RESET:
        assert reply.reset == h2.PROTOCOL_ERROR and reply.status is None
    else:
        assert reply.status == outcome and reply.reset is None
        assert json.loads(reply.body)["error"]["request_id"]
    assert client.fetch(head(path="/echo/next")).body == b"next"
    client.close()


@pytest.mark.parametrize("headers", [[("host", "LOCALHOST")], [("te", "trailers")], [("cookie", "a=1"), ("cookie", "b=2")]])
def test_accepted_headers(limited, headers):
    client = connect(limited)
    assert client.fetch(head(path="/echo/x", headers=headers)).status == 200
    client.close()


# ---- limits, each a key -------------------------------------------------------------------------

def test_body_bytes_max(limited):
    client = connect(limited)
    assert client.fetch(head("POST", "/echo/x", headers=[("content-length", "4096")]), b"x" * 4096).status == 201
    stream = client.request(head("POST", "/echo/x", headers=[("content-length", "4097")]), end=False)
    assert client.wait(stream).status == 413
    assert client.wait_frame(h2.RST_STREAM, stream).error == h2.NO_ERROR
    stream = client.request(head("POST", "/echo/x"), b"x" * 5000, end=False)
    assert client.wait(stream).status == 413
    client.close()


def test_bodies_bytes_max(limited):
    client = connect(limited)
    streams = [client.request(head("POST", "/echo/x"), b"x" * 4000, end=False) for _ in range(3)]
    assert client.wait(streams[2]).status == 503
    for stream in streams[:2]:
        client.send(h2.DATA, h2.END_STREAM, stream)
        assert client.wait(stream).status == 201
    assert client.fetch(head("POST", "/echo/x"), b"x" * 4000).status == 201
    client.close()


def test_streams_max(limited):
    client = connect(limited)  # it has not yet acknowledged the limit
    streams = [client.request(head("POST", "/echo/x"), b"x", end=False) for _ in range(9)]
    assert client.wait(streams[8]).reset == h2.REFUSED_STREAM
    for stream in streams[:8]:
        client.send(h2.DATA, h2.END_STREAM, stream)
        assert client.wait(stream).status == 201
    for _ in range(9):
        client.request(head("POST", "/echo/x"), end=False)
    assert client.wait_end() == h2.PROTOCOL_ERROR


def test_requests_max(limited):
    client = connect(limited)
    for _ in range(50):
        assert client.fetch(head(path="/echo/x")).status == 200
    assert client.wait_end() == h2.NO_ERROR


def test_body_timeout(limited):
    client = connect(limited)
    slow = client.request(head("POST", "/echo/x"), b"x", end=False)
    assert client.fetch(head(path="/echo/beside")).body == b"beside"
    assert client.wait(slow).status == 408
    assert client.fetch(head(path="/echo/after")).body == b"after"
    client.close()


def test_header_timeout(limited):
    client = connect(limited)
    client.acknowledges = False  # nothing may come between
    client.send(h2.HEADERS, h2.END_STREAM, client.stream(), h2.encode(head())[:5])
    assert client.wait_end() == h2.ENHANCE_YOUR_CALM


def test_a_client_that_says_nothing(limited):
    client = h2.connect_raw(limited)
    client.acknowledges = False
    client.connection.sendall(h2.PREFACE)
    assert client.wait_end() == 4  # SETTINGS_TIMEOUT


def test_idle_timeout(limited):
    client = connect(limited)
    assert client.fetch(head(path="/echo/x")).status == 200
    assert client.wait_end() == h2.NO_ERROR


def test_a_slow_reader_holds_up_its_stream_only(limited):
    client = h2.Client(limited.connect(), {h2.INITIAL_WINDOW_SIZE: 1000}).greet()
    slow = client.request(head(path="/huge"))
    client.wait_frame(h2.DATA, slow)
    fast = client.request(head(path="/echo/beside"))
    assert client.wait(fast).body == b"beside"
    assert client.wait(slow).reset == h2.CANCEL  # write_timeout_ms
    assert len(client.replies[slow].body) == 1000
    whole = client.request(head(path="/huge"))
    client.window(0, 2 << 20)
    client.window(whole, 2 << 20)
    assert len(client.wait(whole).body) == 1 << 20
    client.close()


def flood(limited, data):
    client = connect(limited)
    client.wait_frame(h2.SETTINGS)
    client.flood(data)
    code = client.wait_end()
    assert code in (h2.ENHANCE_YOUR_CALM, None)  # None: a reset overtook it
    return code


FLOODS = {
    "ping": h2.frame(h2.PING, 0, 0, b"12345678"),
    "settings": h2.frame(h2.SETTINGS, 0, 0),
    "priority": h2.frame(h2.PRIORITY, 0, 1, b"\0\0\0\0\1"),
    "window updates": h2.frame(h2.WINDOW_UPDATE, 0, 0, b"\0\0\0\1"),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_control_frames_max(limited, kind):
    assert flood(limited, FLOODS[kind] * 60) == h2.ENHANCE_YOUR_CALM
    flood(limited, FLOODS[kind] * 50000)


def test_a_flood_of_empty_data(limited):
    start = h2.frame(h2.HEADERS, h2.END_HEADERS, 1, h2.encode(head("POST", "/echo/x")))
    assert flood(limited, start + h2.frame(h2.DATA, 0, 1) * 60) == h2.ENHANCE_YOUR_CALM
    padded = h2.frame(h2.DATA, 8, 1, b"\3\0\0\0")
    assert flood(limited, start + padded * 60) == h2.ENHANCE_YOUR_CALM


def test_rapid_reset(limited):
    request = h2.encode(head(path="/loop"))
    data = b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, request) +
                    h2.frame(h2.RST_STREAM, 0, stream, struct.pack(">I", h2.CANCEL)) for stream in range(1, 41, 2))
    assert flood(limited, data) == h2.ENHANCE_YOUR_CALM


def test_resets_that_the_client_provokes(limited):
    client = connect(limited)
    for _ in range(11):
        client.request(head(headers=[("Upper", "x")]))
        client.wait_frame(h2.RST_STREAM)
    assert client.wait_end() == h2.ENHANCE_YOUR_CALM


def test_continuations_max(limited):
    client = connect(limited)
    client.send(h2.HEADERS, h2.END_STREAM, client.stream(), h2.encode(head()))
    client.flood(h2.frame(h2.CONTINUATION, 0, 1, h2.encode([("a", "b")])) * 100)
    assert client.wait_end() in (h2.ENHANCE_YOUR_CALM, h2.PROTOCOL_ERROR)


def test_streams_in_order(limited):
    client = connect(limited)
    client.next_stream = 5
    assert client.fetch(head(path="/echo/x")).status == 200
    client.next_stream = 3
    client.request(head(path="/echo/x"))
    assert client.wait_end() == h2.PROTOCOL_ERROR


# ---- handlers -----------------------------------------------------------------------------------

def test_streams_run_beside_each_other(limited):
    client = connect(limited)
    endless = client.request(head(path="/loop"))
    for _ in range(20):
        assert client.fetch(head(path="/echo/beside")).body == b"beside"
    assert client.replies.get(endless) is None
    assert client.wait(endless).status == 504
    client.close()


def test_a_reset_cancels_the_handler(limited):
    client = connect(limited)
    for _ in range(5):
        stream = client.request(head(path="/loop"))
        client.send(h2.RST_STREAM, 0, stream, struct.pack(">I", h2.CANCEL))
        assert client.fetch(head(path="/echo/x")).body == b"x"
    client.close()
    client = connect(limited)
    for _ in range(8):
        client.request(head(path="/loop"))
    client.close()


def test_failures_of_handlers(limited):
    client = connect(limited)
    for path in ("/trap", "/abort", "/no-respond", "/bad-headers", "/forbidden-header"):
        reply = client.fetch(head(path=path))
        assert reply.status == 500 and json.loads(reply.body)["error"]["request_id"]
    client.close()


def test_running_requests_finish_on_sigterm(start, guests, tmp_path):
    service = make(start, guests, tmp_path, "drain", "wasm:\n  deadline_ms: 1000\n")
    client, idle = connect(service), connect(service)
    assert idle.fetch(head(path="/echo/x")).status == 200
    stream = client.request(head(path="/loop"))
    assert client.fetch(head(path="/echo/x")).status == 200
    service.process.terminate()
    first = client.wait_frame(h2.GOAWAY)
    assert first.error == h2.NO_ERROR and struct.unpack(">I", first.payload[:4])[0] == 0x7FFFFFFF
    # A request that crossed the announcement is served.
    late = client.request(head(path="/echo/late"))
    assert client.wait(late).body == b"late"
    client.send(h2.PING, h2.ACK, 0, b"\0" * 8)
    assert client.wait(stream).status == 504
    assert client.wait_end() == h2.NO_ERROR
    assert idle.wait_end() == h2.NO_ERROR
    assert service.stop() == 0


def test_http2_can_be_turned_off(start, guests, tmp_path):
    service = make(start, guests, tmp_path, "old", "http2:\n  enabled: false\n")
    assert service.raw(h2.PREFACE).startswith(b"HTTP/1.1 50")
