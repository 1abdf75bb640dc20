"""Second opinions: whatever pilotfish forwards, of messages good and nasty, h11 and httptools (llhttp)
must read as the same requests, as many as pilotfish counted; and so the answers it gives."""

import random
import socket
import tempfile
from pathlib import Path

from harness import Backend, Pilotfish, free_port, wait_for
from suites import Outcome

SEED, ROUNDS = 20261121, 1500
GOOD = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"PUT /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n",
    b"HEAD /h HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    b"GET http://b.test/x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST /e HTTP/1.1\r\nHost: a\r\nConnection: close, Content-Length\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /u HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n",
]
# Pieces that parsers have read in two ways.
NASTY = [b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Content-Length: +5\r\n",
         b"Content-Length: 5, 5\r\n", b"Content-Length:\r\n", b"Content-Length: 0x5\r\n",
         b"Content-Length: 18446744073709551617\r\n", b"Content-Length : 5\r\n",
         b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: xchunked\r\n",
         b"Transfer-Encoding:\x0bchunked\r\n", b"Transfer-Encoding: chunked, identity\r\n",
         b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding : chunked\r\n",
         b"transfer-encoding: CHUNKED\r\n", b"X: a\r\n b\r\n", b"X: a\nTransfer-Encoding: chunked\r\n",
         b"X: \x00\r\n", b"X: \x80\xff\r\n", b": x\r\n", b"X\r\n", b"Host: b\r\n", b"\r\n", b"\n",
         b"\r", b"\x00", b" ", b"\t", b"5\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n", b"ffffffffffffffff\r\n",
         b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1", b"Expect: 100-continue\r\n",
         b"Connection: close\r\n", b"Connection: Transfer-Encoding\r\n", b"TE: trailers\r\n"]


def mutate(rng: random.Random) -> bytes:
    """One to three messages; in most of them something is put in, cut out, doubled or bent."""
    data = bytearray(b"".join(rng.choice(GOOD) for _ in range(rng.randint(1, 3))))
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        lines = [i + 2 for i in range(len(data) - 1) if data[i:i + 2] == b"\r\n"] or [0]
        at = rng.choice([rng.choice(lines), rng.randrange(len(data) + 1)])
        kind = rng.randrange(5)
        if kind <= 1:
            data[at:at] = rng.choice(NASTY)
        elif kind == 2:
            del data[at:at + rng.randint(1, 6)]
        elif kind == 3 and at < len(data):
            data[at] = rng.choice(b"\r\n\t\x00 :;,5aG\x7f\x80")
        else:
            data[at:at] = data[at:at + rng.randint(1, 40)]
    return bytes(data)


def corpus() -> list[bytes]:
    rng = random.Random(SEED)
    return GOOD + [good[:end] + piece + good[end:] for good in GOOD[:4] for piece in NASTY
                   for end in (good.index(b"\r\n") + 2, len(good))] + [
        mutate(rng) for _ in range(ROUNDS)]


# llhttp knows a closed list of methods; h11 takes any token, as RFC 9110 does.
METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PATCH"}


def by_h11(h11, stream: bytes) -> list[tuple]:
    """(method, target, body, its bytes) of each whole request; raises where one is no HTTP."""
    found, at, open_request = [], 0, None
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(stream)
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            return found
        if event is h11.PAUSED:
            raise ValueError("h11 waits")
        if isinstance(event, h11.Request):
            open_request = [event.method, event.target, b""]
        elif isinstance(event, h11.Data):
            open_request[2] += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            end = len(stream) - len(connection.trailing_data[0])
            found.append((*open_request, stream[at:end]))
            at = end
            connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is h11.MUST_CLOSE:
                if at < len(stream):
                    raise ValueError(f"bytes behind the last request: {stream[at:at + 80]!r}")
                return found
            connection.start_next_cycle()


def by_httptools(httptools, data: bytes) -> list[tuple]:
    """(method, target, body) of each whole request in these bytes."""
    found = []

    class Reader:
        def on_message_begin(self):
            self.target = self.body = b""

        def on_url(self, url):
            self.target += url

        def on_body(self, body):
            self.body += body

        def on_message_complete(self):
            found.append((parser.get_method(), self.target, self.body))
    parser = httptools.HttpRequestParser(Reader())
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # said at the end of a request that asks for one: what counts is that it was whole
    return found


def talk(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        got = b""
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                got += piece
        except (ConnectionResetError, BrokenPipeError, TimeoutError):
            pass
        return got


def run() -> Outcome:
    try:
        import h11
        import httptools
    except ImportError as missing:
        return Outcome("h11, httptools", "", blocked=str(missing))
    outcome = Outcome("h11, httptools", f"{h11.__version__}, {httptools.__version__}")
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, Backend() as backend:
        sidecar = Pilotfish(f"""
            upstreams:
              app:
                listen: 127.0.0.1:{port}
                static: ["{backend.address}"]
                retry: {{attempts: 0}}
                eject: {{consecutive: 0}}
                timeouts: {{pool_idle: 1ms}}
            """, Path(folder))
        inputs, answers = corpus(), 0
        for data in inputs:
            answers += talk(port, data).count(b"X-Instance: ")
        wait_for(lambda: backend.open_connections() == 0, 20, "idle connections are closed")
        requests = unknown = 0
        for stream in backend.received:
            try:
                for method, target, body, data in by_h11(h11, stream):
                    requests += 1
                    if method not in METHODS or (body and b"\r\nUpgrade:" in data):
                        unknown += 1
                        continue
                    other = by_httptools(httptools, data)
                    outcome.check(other == [(method, target, body)],
                                  f"{data[:300]!r}: httptools reads {other}")
            except Exception as problem:  # noqa: BLE001  a parser's refusal is the finding
                outcome.check(False, f"{stream[-300:]!r}: {type(problem).__name__}: {problem}")
        outcome.check(requests == len(backend.exchanges),
                      f"{requests} requests by the parsers, {len(backend.exchanges)} by the backend")
        outcome.check(answers <= requests, f"{answers} answers for {requests} requests")
        print(f"  {len(inputs)} inputs, {len(backend.received)} connections, {requests} requests "
              f"forwarded ({unknown} whose method httptools does not know or whose body it takes for a tunnel), {answers} answered")
        sidecar.stop()
    return outcome
