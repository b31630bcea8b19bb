# SPDX-License-Identifier: Apache-2.0
"""A client that sends HTTP/2 frames as a test wants them, well formed or not, and reads what comes back. Headers are
sent as literals; of what is received only the status is decoded, for which the dynamic table is turned off."""
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM = 0, 1, 7, 8, 11
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE = 1, 4
STATIC_STATUS = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}


class Frame:
    def __init__(self, kind, flags, stream, payload):
        self.kind, self.flags, self.stream, self.payload = kind, flags, stream, payload

    @property
    def error(self):
        return struct.unpack(">I", self.payload[:4] if self.kind == RST_STREAM else self.payload[4:8])[0]


class Reply:
    def __init__(self):
        self.statuses, self.headers, self.body, self.reset = [], b"", b"", None

    @property
    def status(self):
        return self.statuses[-1] if self.statuses else None


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value, bits):
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    out, value = [most], value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


def literal(text):
    data = text if isinstance(text, bytes) else text.encode()
    return integer(len(data), 7) + data


def encode(headers):
    return b"".join(b"\0" + literal(name) + literal(value) for name, value in headers)


def head(method="GET", path="/", scheme="http", authority="localhost", headers=()):
    pseudo = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return [(name, value) for name, value in pseudo if value is not None] + list(headers)


def decode_digits(data):
    """Huffman code of digits (RFC 7541, appendix B)."""
    bits = "".join(f"{byte:08b}" for byte in data)
    digits = ""
    while len(digits) < 3:
        short = int(bits[:5], 2)
        digits, bits = (digits + str(short), bits[5:]) if short < 3 else (digits + str(int(bits[:6], 2) - 22), bits[6:])
    return int(digits)


def decode_status(block):
    while block and block[0] & 0xE0 == 0x20:  # size of the dynamic table
        block = block[1:]
    if block[0] & 0x80:
        return STATIC_STATUS[block[0] & 0x7F]
    huffman, size = block[1] & 0x80, block[1] & 0x7F
    return decode_digits(block[2:2 + size]) if huffman else int(block[2:2 + size])


class Client:
    def __init__(self, connection, settings=()):
        self.connection, self.received, self.next_stream, self.replies, self.goaway = connection, b"", 1, {}, None
        self.settings = {HEADER_TABLE_SIZE: 0, **dict(settings)}
        self.acknowledges = True

    def greet(self):
        payload = b"".join(struct.pack(">HI", key, value) for key, value in self.settings.items())
        self.connection.sendall(PREFACE + frame(SETTINGS, 0, 0, payload))
        return self

    def send(self, kind, flags, stream, payload=b""):
        self.connection.sendall(frame(kind, flags, stream, payload))

    def flood(self, data):
        """Sends although the server may have hung up."""
        try:
            self.connection.sendall(data)
        except OSError:
            pass

    def stream(self):
        self.next_stream += 2
        return self.next_stream - 2

    def request(self, headers, body=b"", end=True):
        stream = self.stream()
        flags = END_HEADERS | (END_STREAM if end and not body else 0)
        self.send(HEADERS, flags, stream, encode(headers))
        for at in range(0, len(body), 16384):
            last = end and at + 16384 >= len(body)
            self.send(DATA, END_STREAM if last else 0, stream, body[at:at + 16384])
        return stream

    def window(self, stream, size):
        self.send(WINDOW_UPDATE, 0, stream, struct.pack(">I", size))

    def take(self, size):
        while len(self.received) < size:
            part = self.connection.recv(65536)
            if not part:
                return None
            self.received += part
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def read(self):
        """The next frame, or None at the end."""
        try:
            start = self.take(9)
            payload = self.take(int.from_bytes(start[:3], "big")) if start else None
        except (ConnectionResetError, BrokenPipeError):
            return None
        if payload is None:
            return None
        found = Frame(start[3], start[4], int.from_bytes(start[5:], "big"), payload)
        self.note(found)
        return found

    def note(self, found):
        reply = self.replies.setdefault(found.stream, Reply())
        if found.kind == HEADERS:
            reply.headers = found.payload
            reply.statuses.append(decode_status(found.payload))
        elif found.kind == DATA:
            reply.body += found.payload
        elif found.kind == RST_STREAM:
            reply.reset = found.error
        elif found.kind == GOAWAY:
            self.goaway = found.error
        elif found.kind == SETTINGS and not found.flags & ACK and self.acknowledges:
            self.flood(frame(SETTINGS, ACK, 0))

    def wait(self, stream):
        """The reply on a stream, whole or reset."""
        while found := self.read():
            if found.stream == stream and (found.kind == RST_STREAM or (found.kind in (HEADERS, DATA) and found.flags & END_STREAM)):
                return self.replies[stream]
        raise AssertionError(f"the connection ended before the reply, GOAWAY {self.goaway}")

    def fetch(self, headers, body=b"", **options):
        return self.wait(self.request(headers, body, **options))

    def wait_frame(self, kind, stream=None):
        while found := self.read():
            if found.kind == kind and stream in (None, found.stream):
                return found
        raise AssertionError(f"the connection ended before a frame of type {kind}, GOAWAY {self.goaway}")

    def wait_end(self):
        """Reads to the end and returns the code of the GOAWAY."""
        while self.read():
            pass
        return self.goaway

    def close(self):
        self.connection.close()


def connect(service):
    return Client(service.connect()).greet()


def connect_raw(service, timeout=30):
    return Client(socket.create_connection(service.address, timeout=timeout))
