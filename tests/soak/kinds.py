"""The kinds of exchange. Each is `kind(ports, random, client)`, raises Failed for an outcome that
must not be, and returns how many requests it made. `ports` has .http and .tcp; `client` is the
thread's own kept connection (kinds.Kept)."""

import socket
import time
import zlib

from harness.client import Client, Cut, Malformed, build

TIMEOUT = 25.0


class Failed(Exception):
    """What the application saw."""


class Kept:
    """One kept connection, opened anew where the other side said it ends."""

    def __init__(self, port: int):
        self.port, self.client = port, None

    def use(self) -> Client:
        self.client = self.client or Client(self.port, timeout=TIMEOUT)
        return self.client

    def drop(self) -> None:
        if self.client:
            self.client.close()
        self.client = None


def expect(answer, method: str, target: str, body: bytes = b"") -> None:
    if answer.status != 200:
        raise Failed(f"{method} {target}: {answer.status} {answer.text.strip()[:300]} "
                     f"[{answer.header('proxy-status')}]")
    told = f"{method} {target} {len(body)} {zlib.crc32(body)}\n"
    if method != "HEAD" and answer.text != told:
        raise Failed(f"{method} {target}: another answer: {answer.text[:100]!r}")


def kept_get(ports, random, kept) -> int:
    method, target = random.choice(["GET", "GET", "GET", "HEAD", "OPTIONS"]), f"/k/{random.random()}"
    answer = kept.use().request(method, target)
    expect(answer, method, target)
    if answer.header("connection") == "close":
        kept.drop()
    return 1


def new_get(ports, random, _) -> int:
    target = random.choice(["/n", "/n", f"/slow/{random.randrange(300)}"])
    with Client(ports.http, timeout=TIMEOUT) as client:
        expect(client.request("GET", target), "GET", target)
    return 1


def put(ports, random, kept) -> int:
    """Idempotent and small enough to be kept for a repeat."""
    body, target = random.randbytes(random.randrange(1, 30_000)), "/put"
    answer = kept.use().request("PUT", target, body=body)
    expect(answer, "PUT", target, body)
    if answer.header("connection") == "close":
        kept.drop()
    return 1


def pipelined(ports, random, _) -> int:
    count = random.randrange(2, 8)
    with Client(ports.http, timeout=TIMEOUT) as client:
        client.send(b"".join(build("GET", f"/p/{i}") for i in range(count)))
        for i in range(count):
            answer = client.read_response()
            expect(answer, "GET", f"/p/{i}")
            if answer.header("connection") == "close":
                return i + 1
    return count


def post(ports, random, _) -> int:
    body = random.randbytes(random.choice([100, 10_000, 100_000, 1 << 20]))
    with Client(ports.http, timeout=TIMEOUT) as client:
        expect(client.request("POST", "/post", body=body), "POST", "/post", body)
    return 1


def chunked_post(ports, random, _) -> int:
    pieces = [random.randbytes(random.randrange(1, 20_000)) for _ in range(random.randrange(1, 9))]
    with Client(ports.http, timeout=TIMEOUT) as client:
        client.send(build("POST", "/chunks", [("Transfer-Encoding", "chunked")]))
        for piece in pieces:
            client.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        client.send(b"0\r\n\r\n")
        expect(client.read_response("POST"), "POST", "/chunks", b"".join(pieces))
    return 1


def slow_reader(ports, random, _) -> int:
    size = 1 << 20
    with Client(ports.http, timeout=TIMEOUT, receive_buffer=8192) as client:
        client.send(build("GET", f"/big/{size}"))
        time.sleep(random.uniform(0.2, 1.0))
        answer = client.read_response()
        if answer.status != 200 or len(answer.body) != size:
            raise Failed(f"GET /big: {answer.status}, {len(answer.body)} bytes "
                         f"[{answer.header('proxy-status')}]")
    return 1


def tunnel(ports, random, _) -> int:
    with Client(ports.http, timeout=TIMEOUT) as client:
        answer = client.request("GET", "/ws", [("Connection", "Upgrade"), ("Upgrade", "echo")])
        if answer.status != 101:
            raise Failed(f"upgrade: {answer.status} {answer.text.strip()[:300]}")
        for _ in range(random.randrange(1, 6)):
            data = random.randbytes(random.randrange(1, 5000))
            client.send(data)
            if client.read_exactly(len(data)) != data:
                raise Failed("tunnel: other bytes came back")
            time.sleep(random.uniform(0, 0.1))
    return 1


def relay(ports, random, _) -> int:
    with Client(ports.tcp, timeout=TIMEOUT) as client:
        data = random.randbytes(random.randrange(1, 50_000))
        client.send(data)
        if client.read_exactly(len(data)) != data:
            raise Failed("relay: other bytes came back")
        client.finish_sending()
        if client.read_to_end() != b"":
            raise Failed("relay: more bytes came back")
    return 1


def aborted(ports, random, _) -> int:
    """Goes away at an awkward moment; nothing is expected."""
    client = Client(ports.http, timeout=TIMEOUT, receive_buffer=8192)
    how = random.randrange(4)
    if how == 0:
        client.send(build("POST", "/post", [("Content-Length", "100000")]) + b"x" * 5000)
    elif how == 1:
        client.send(build("GET", f"/big/{1 << 20}"))
        client.sock.recv(4096)
    elif how == 2:
        client.send(b"GET / HTTP/1.1\r\nHo")
    else:
        client.send(build("GET", "/slow/500"))
    client.reset() if random.random() < 0.5 else client.close()
    return 1


_HOST = b"Host: a\r\n"
MALFORMED = [
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + _HOST + _HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + _HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\n" + _HOST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n",
    b"GET / HTTP/1.1\n" + _HOST + b"\r\n", b"GET / HTTP/1.1\r\n" + _HOST + b"A : b\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _HOST + b"A: b\r\n c\r\n\r\n", b"GET /\0 HTTP/1.1\r\n" + _HOST + b"\r\n",
    b"GET / HTTP/1.1\r\n" + _HOST + b"A: " + b"x" * 70_000 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00" * 9
    + b"\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
]


def malformed(ports, random, _) -> int:
    data = random.choice(MALFORMED)
    with Client(ports.http, timeout=TIMEOUT) as client:
        try:
            client.send(data)
        except OSError:
            pass  # refused before all was sent; the answer lies there
        try:
            status = client.read_response().status
        except Malformed as problem:
            raise Failed(f"malformed {data[:60]!r}: {problem}") from None
        if status not in (400, 413, 431, 501, 505):
            raise Failed(f"malformed {data[:60]!r}: {status}")
    return 1


# name: (weight, kind, safe). Safe: repeated elsewhere when an instance breaks, so it never fails.
KINDS = {
    "kept": (30, kept_get, True), "new": (20, new_get, True), "put": (8, put, True),
    "pipelined": (4, pipelined, True), "malformed": (5, malformed, True),
    "post": (8, post, False), "chunked": (5, chunked_post, False),
    "slow_reader": (3, slow_reader, False), "tunnel": (5, tunnel, False),
    "relay": (8, relay, False), "aborted": (5, aborted, False),
}
OUTCOMES = (Failed, Cut, Malformed, OSError, socket.timeout)
