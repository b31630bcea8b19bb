# SPDX-License-Identifier: Apache-2.0
"""Clients that are hostile, slow or wrong, while others are served."""
import socket
import time

from conftest import SLOWDOWN, read_to_end

GET = b"GET /api/products/1 HTTP/1.1\r\nHost: shop\r\n\r\n"


def status_of(reply):
    assert reply.startswith(b"HTTP/1.1 "), reply[:80]
    return int(reply[9:12])


def test_malformed_requests_are_refused(shop):
    for data in (b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                 b"GET / HTTP/1.1\nHost: a\n\n", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
                 b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
                 b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40):
        assert status_of(shop.raw(data)) == 400, data
    assert status_of(shop.raw(b"GET / HTTP/3.0\r\nHost: a\r\n\r\n")) == 505
    assert shop.get("/api/products/1").status == 200


def test_smuggling_forms_are_refused(shop):
    head = b"POST /orders HTTP/1.1\r\nHost: a\r\n"
    for lines in (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                  b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                  b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding:\x0bchunked\r\n", b"Content-Length: +5\r\n",
                  b"Content-Length: 5, 5\r\n", b"Content-Length: 0x5\r\n", b"Content-Length: \r\n",
                  b"Content-Length: 99999999999999999999\r\n"):
        reply = shop.raw(head + lines + b"\r\n0\r\n\r\n" + GET)
        assert status_of(reply) in (400, 413, 501), lines
        assert reply.count(b"HTTP/1.1 ") == 1, lines
    for chunk in (b"0x1\r\na\r\n0\r\n\r\n", b"1 \r\na\r\n0\r\n\r\n", b"1\na\r\n0\r\n\r\n", b"1\r\nab\r\n0\r\n\r\n", b"-1\r\n\r\n",
                  b"fffffffffffffffff\r\n"):
        reply = shop.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + GET)
        assert status_of(reply) in (400, 413), chunk
        assert reply.count(b"HTTP/1.1 ") == 1, chunk


def test_pipelined_requests_are_answered_in_order(shop):
    data = b"".join(b"GET /api/products/%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(1, 51))
    reply = shop.raw(data)
    positions = [reply.index(b'"id":%d,' % number) if b'"id":%d,' % number in reply
                 else reply.index(b'"id": %d,' % number) for number in range(1, 51)]
    assert reply.count(b"HTTP/1.1 200") == 50 and positions == sorted(positions)


def test_a_pipelined_read_sees_the_write_before_it(shop):
    body = b'{"customer": "P", "lines": [{"product_id": 1, "quantity": 1}]}'
    post = b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    reply = shop.raw(post + GET)
    assert reply.startswith(b"HTTP/1.1 201") and reply.count(b"HTTP/1.1 200") == 1


def test_chunked_body_and_expect(shop):
    with shop.connect() as connection:
        connection.sendall(b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        body = b'{"customer": "Chunk", "lines": [{"product_id": 1, "quantity": 1}]}'
        for part in (body[:10], body[10:11], body[11:]):
            connection.sendall(b"%x;ext=1\r\n%s\r\n" % (len(part), part))
        connection.sendall(b"0\r\nTrailer: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 201")


def test_sizes_are_bounded(shop):
    assert status_of(shop.raw(b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")) == 414
    assert status_of(shop.raw(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20000 + b"\r\n\r\n")) == 431
    assert status_of(shop.raw(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n")) == 431
    assert status_of(shop.raw(b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")) == 413
    chunks = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    reply = shop.raw(b"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks * 20)
    assert status_of(reply) == 413
    assert shop.get("/").status == 200


def test_http_1_0_closes(shop):
    reply = shop.raw(b"GET /api/products/1 HTTP/1.0\r\n\r\n")
    assert status_of(reply) == 200 and b"\r\nConnection: close\r\n" in reply


def test_slow_clients_do_not_hold_others(start, pizza):
    shop = start(pizza, {"service.yaml": "http:\n  header_timeout_ms: 500\n  body_timeout_ms: 500\n  idle_timeout_ms: 700\n"})
    slow = [shop.connect() for _ in range(50)]
    for connection in slow[:25]:
        connection.sendall(b"GET / HTTP/1.1\r\nHos")
    for connection in slow[25:]:
        connection.sendall(b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n123")
    begin = time.monotonic()
    for _ in range(20):
        assert shop.get("/api/products/1").status == 200
    assert time.monotonic() - begin < 5 * SLOWDOWN
    for connection in slow:
        assert status_of(read_to_end(connection)) == 408
        connection.close()
    with shop.connect() as idle:
        idle.sendall(GET)
        assert read_to_end(idle).startswith(b"HTTP/1.1 200")


def test_client_that_leaves_early(shop):
    for _ in range(50):
        connection = shop.connect()
        connection.sendall(GET)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        connection.close()
    assert shop.get("/api/products/1").status == 200


def test_many_connections(shop):
    connections = [shop.connect() for _ in range(500)]
    for connection in connections:
        connection.sendall(GET)
    for connection in connections:
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.close()


def test_request_id_and_date(shop):
    reply = shop.get("/api/products/1")
    assert len(reply.headers["x-request-id"]) == 32 and reply.headers["date"].endswith("GMT")
    other = shop.get("/api/products/1")
    assert other.headers["x-request-id"] != reply.headers["x-request-id"]
