"""The questions that h1spec (uNetworking, 33 of them) asks a server, asked in our own words: does it
wait for the rest of a request, take what is right, refuse what is wrong."""

import socket
import tempfile
from pathlib import Path

from harness import Backend, Pilotfish, free_port
from suites import Outcome

WHOLE = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
# A request that ends here is not over: no answer may come.
FRAGMENTS = ["G", "GET ", "GET /hello", "GET /hello ", "GET /hello HTTP", "GET /hello HTTP/1.1",
             "GET /hello HTTP/1.1\r", "GET /hello HTTP/1.1\r\n", "GET /hello HTTP/1.1\r\nHos",
             "GET /hello HTTP/1.1\r\nHost:", "GET /hello HTTP/1.1\r\nHost: ", WHOLE[:-4], WHOLE[:-3],
             WHOLE[:-2], WHOLE[:-1]]
HOST = "Host: example.com\r\n"
OK, BAD, REFUSED = range(200, 300), range(400, 500), range(400, 600)
# What is asked, the bytes, the statuses that are right.
QUESTIONS = [
    ("no version", "GET / \r\n\r\n", REFUSED),
    ("Expect: 100-continue", f"GET / HTTP/1.1\r\n{HOST}Expect: 100-continue\r\n\r\n", [100, *OK]),
    ("a plain GET", f"GET / HTTP/1.1\r\n{HOST}\r\n", OK),
    ("odd but right fields", "GET / HTTP/1.1\r\nhoSt:\texample.com\r\nempty:\r\n\r\n", OK),
    ("a field name with brackets", f"GET / HTTP/1.1\r\n{HOST}X-Invalid[]: test\r\n\r\n", BAD),
    ("no Host", "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", BAD),
    ("two Hosts", f"GET / HTTP/1.1\r\n{HOST}Host: example.org\r\n\r\n", BAD),
    ("a huge negative length",
     f"GET / HTTP/1.1\r\n{HOST}Content-Length: -123456789123456789123456789\r\n\r\n", BAD),
    ("a negative length", f"GET / HTTP/1.1\r\n{HOST}Content-Length: -1234\r\n\r\n", BAD),
    ("a length in letters", f"GET / HTTP/1.1\r\n{HOST}Content-Length: abc\r\n\r\n", BAD),
    ("an empty value", f"GET / HTTP/1.1\r\n{HOST}X-Empty-Header: \r\n\r\n", OK),
    ("a control byte in a value", f"GET / HTTP/1.1\r\n{HOST}X-Bad: test\x07\r\n\r\n", BAD),
    ("version 9.9", f"GET / HTTP/9.9\r\n{HOST}\r\n", REFUSED),
    ("junk before the method", f"Extra lineGET / HTTP/1.1\r\n{HOST}\r\n", REFUSED),
    ("a bare CR in the head", f"GET / HTTP/1.1\r\n{HOST}\rSome-Header: Test\r\n\r\n", BAD),
    ("a POST with a body", f"POST / HTTP/1.1\r\n{HOST}Content-Length: 5\r\n\r\nhello", [404, *OK]),
    ("chunked with a length",
     f"GET / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", BAD),
    ("chunked in other case", f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: Chunked\r\n\r\n"
     "5\r\nhello\r\n0\r\n\r\n", OK),
]


def status_of(port: int, data: str, wait: float) -> int:
    """0: closed without a word; -1: silence."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as sock:
        sock.sendall(data.encode("latin-1"))
        try:
            got = sock.recv(1024)
        except TimeoutError:
            return -1
        return int(got[9:12]) if got.startswith(b"HTTP/1.") else 0


def run() -> Outcome:
    outcome, port = Outcome("h1spec's questions", "in our own words"), free_port()
    with tempfile.TemporaryDirectory() as folder, Backend() as backend:
        sidecar = Pilotfish(f"""
            upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["{backend.address}"]}}}}
            """, Path(folder))
        for part in FRAGMENTS:
            got = status_of(port, part, 0.5)
            outcome.check(got == -1, f"{part!r}: answered {got} to half a request")
        for what, data, right in QUESTIONS:
            got = status_of(port, data, 10)
            outcome.check(got in right, f"{what}: {got}")
        sidecar.stop()
    return outcome
