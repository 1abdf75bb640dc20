"""Answers that are malformed, ambiguous or too much, and what the client has to get of each: a table,
read by test_http_malformed_answers.py."""

from dataclasses import dataclass, field

OK = "HTTP/1.1 200 OK\r\n"
TWO = "Content-Length: 2\r\n\r\nok"
CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n"
EVIL = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"


@dataclass
class Answer:
    """`data` is what the instance sends to `method`; `behind` comes with its last byte. The client
    gets `status` with `body` and `fields` (None: not there); status 502 is our own answer; `cut`:
    that, or the beginning of the answer and then visibly not its end. `close`: the instance closes."""
    name: str
    data: str
    status: int = 502
    body: str = ""
    fields: dict = field(default_factory=dict)
    method: str = "GET"
    behind: str = ""
    close: bool = False
    cut: bool = False
    interim: int = 0


def bad(name: str, data: str, **more) -> Answer:
    return Answer(name, data, **more)


def passed(name: str, data: str, status: int = 200, body: str = "ok", **more) -> Answer:
    return Answer(name, data, status, body, **more)


def cut(name: str, data: str, **more) -> Answer:
    return Answer(name, data, cut=True, **more)


def each(what: str, before: str, after: str, *variants: str) -> list[Answer]:
    return [bad(f"{what} {variant!r}", before + variant + after) for variant in variants]


STATUS_LINES = [
    *each("line", "", "\r\n" + TWO,
          "HTTP/1.1 99 Low", "HTTP/1.1 000 Zero", "HTTP/1.1 1000 High", "HTTP/1.1 -20 Minus", "HTTP/1.1 2x0 X",
          "HTTP/1.1 20 OK", "HTTP/1.1 600 High", "HTTP/1.1 999 High", "HTTP/1.1 0200 OK", "HTTP/1.1  200 OK",
          "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 OK", "HTTP/1.a 200 OK",
          "HTTP/2.0 200 OK", "HTTP/2 200 OK", "HTTP/0.9 200 OK", "HTTP/1. 200 OK", "http/1.1 200 OK",
          "HTTPS/1.1 200 OK", "ICY 200 OK", "200 OK", " HTTP/1.1 200 OK", "\r\nHTTP/1.1 200 OK",
          "HTTP/1.1 200 O\x00K", "HTTP/1.1 200 O\x01K", "HTTP/1.1 200 O\x7fK", "HTTP/1.1 200 OK\rX",
          "HTTP/1.1 200 OK\nX: y", "GET / HTTP/1.1", "<html>", "\x16\x03\x01\x02\x00"),
    bad("HTTP/0.9", "<html>hello</html>", close=True),
    bad("HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\r\n\r\n"),
    bad("bare LF everywhere", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    bad("half a head", OK + "Content-Le", close=True), bad("nothing", "", close=True),
    bad("an empty line", "\r\n\r\n"),
    passed("no space behind the code", "HTTP/1.1 200\r\n" + TWO),
    passed("no space and no fields", "HTTP/1.1 204\r\n\r\n", 204, ""),
    passed("no reason", "HTTP/1.1 200 \r\n" + TWO), passed("a reason of blanks", "HTTP/1.1 200  \r\n" + TWO),
    passed("an odd reason", "HTTP/1.1 200 Odd: reason; \xe9\r\n" + TWO),
    passed("a status nobody knows", "HTTP/1.1 299 New\r\n" + TWO, 299),
    passed("a status of 599", "HTTP/1.1 599 Last\r\n" + TWO, 599),
    passed("HTTP/1.2", "HTTP/1.2 200 OK\r\n" + TWO, fields={"via": "1.1 pilotfish"}),
    passed("HTTP/1.2 without a reason", "HTTP/1.2 200\r\nA:\r\n" + TWO, fields={"a": ""}),
    passed("HTTP/1.0", "HTTP/1.0 200 OK\r\n" + TWO, close=True),
    passed("HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\nok", close=True),
    passed("HTTP/1.0 that stays", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + TWO,
           fields={"via": "1.0 pilotfish"}),
]

FIELDS = [
    *each("field", OK, "\r\n" + TWO,
          "A: b\x00c", "A: b\x01", "A: \x7f", "A b: 1", "A : 1", "A\t: 1", ": x", "A", "A: b\r\n c", " A: b",
          "\tA: b", "A: b\rC: d", "A: b\nC: d", "A\x85: 1", "A\x00: 1", "(A): 1"),
    bad("64 KiB in a field", OK + "A: " + "b" * 65536 + "\r\n" + TWO),
    bad("10,000 fields", OK + "A: b\r\n" * 10_000 + TWO),
    bad("a head without an end", OK + "A: b\r\n" * 10_000),
    passed("an odd cookie", OK + "Set-Cookie2: a\r\nSet-Cookie: ;a=b\r\nX:\r\n" + TWO,
           fields={"set-cookie": ";a=b", "set-cookie2": "a", "x": ""}),
    passed("hop-by-hop fields", OK + "Connection: A, keep-alive\r\nA: 1\r\nKeep-Alive: 5\r\n"
           "Proxy-Authenticate: x\r\nUpgrade: h2c\r\nB: 2\r\n" + TWO,
           fields={"a": None, "keep-alive": None, "proxy-authenticate": None, "upgrade": None, "b": "2",
                   "via": "1.1 pilotfish"}),
    *[passed(f"Connection {value!r}", OK + f"Connection: {value}\r\nA:\r\nX: 1\r\n" + TWO,
             fields={"a": "", "x": "1"})
      for value in ("keep-alive; timeout=5", "Keep-Alive;timeout=5,max=9", "\"close\"", "close; x=\"y\"")],
    bad("Connection with a control", OK + "Connection: keep-alive;\x01\r\n" + TWO),
    passed("426 and to what",
           "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: TLS/1.3, x\r\n" + TWO, 426,
           fields={"upgrade": "TLS/1.3, x", "connection": "upgrade"}),
    passed("a date of its own", OK + "Date: then\r\nConnection: date\r\n" + TWO, fields={"date": "then"}),
    passed("Connection names the framing", OK + "Connection: close, Content-Length, Set-Cookie\r\n"
           "Set-Cookie: c\r\n" + TWO, fields={"content-length": "2", "set-cookie": "c"}, close=True),
]

LENGTHS = [
    *each("length", OK, "\r\n\r\nhello",
          "Content-Length: 5\r\nContent-Length: 4", "Content-Length: 5\r\nContent-Length: 5",
          "Content-Length: 5, 5", "Content-Length: 5, 6", "Content-Length: -1", "Content-Length: +5",
          "Content-Length: ", "Content-Length: 05", "Content-Length: 0x5", "Content-Length: 5 5",
          "Content-Length: 5\x0b", "Content-Length: 18446744073709551618", "Content-Length: 9223372036854775808",
          "Content-Length: " + "9" * 40, "Content-Length : 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
          "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: 5;a", "Content-Length: five"),
    bad("a bad length to HEAD", OK + "Content-Length: 5, 6\r\n\r\n", method="HEAD"),
    bad("two lengths in a 304", "HTTP/1.1 304 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    passed("longer than its length", OK + TWO, behind="EVIL"),
    passed("two answers", OK + TWO, behind=EVIL),
    passed("a length of no bytes", OK + "Content-Length: 0\r\n\r\n", body="", behind=EVIL),
    cut("shorter than its length", OK + "Content-Length: 9\r\n\r\nok", close=True),
    passed("no length", OK + "\r\nok" + EVIL, body="ok" + EVIL, close=True),
]

CODINGS = [
    *each("coding", OK + "Transfer-Encoding: ", "\r\n\r\n0\r\n\r\n",
          "xchunked", "chunked, identity", "gzip, chunked", "identity, chunked", "chunked, chunked", "identity",
          "", ",chunked", "chunked\r\nTransfer-Encoding: chunked", "\x0bchunked", "chunked;a", "\"chunked\"",
          "gzip"),
    bad("coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    *[cut(f"chunk {data!r}", CHUNKED + data, close=data.endswith("!"))
      for data in ("ffffffffffffffff0\r\n", "4\r\nhalf\r\nZZ\r\n", "4\r\nhalf\r\n-2\r\n", "4\r\nhalfXX0\r\n\r\n",
                   "4\nhalf\r\n0\r\n\r\n", "4 \r\nhalf\r\n0\r\n\r\n", "0x4\r\nhalf\r\n0\r\n\r\n", "\r\n",
                   "4;\x00\r\nhalf\r\n0\r\n\r\n", "2\r\r;a\r\n02\r\n41\r\n", "0\r\nA\r\n\r\n",
                   "4\r\nhalf\r\n0\r\nContent-Length: 3\r\n\r\n", "4\r\nhalf\r\n0\r\nTransfer-Encoding: x\r\n\r\n",
                   "4\r\nhalf\r\n0\r\n A: b\r\n\r\n", "4;" + "a" * 40_000 + "\r\nhalf\r\n0\r\n\r\n",
                   "0\r\n" + "A: b\r\n" * 10_000)],
    cut("no last chunk", CHUNKED + "4\r\nhalf\r\n", close=True), cut("half a chunk", CHUNKED + "9\r\nhalf", close=True),
    cut("a last chunk without its empty line", CHUNKED + "2\r\nok\r\n0\r\n", close=True),
    passed("extensions and zeros", CHUNKED + "02;a=b\r\nok\r\n000;c\r\n\r\n", behind=EVIL),
    passed("trailers that end here",
           CHUNKED + "2\r\nok\r\n0\r\nConnection: X\r\nKeep-Alive: 1\r\nUpgrade: h\r\n\r\n"),
    *[cut(f"extension {data!r}", CHUNKED + f"4{data}\r\nhalf\r\n0\r\n\r\n")
      for data in (";", ";bad[=x", ";a ", ";a=\"")],
    passed("a trailer", CHUNKED + "2\r\nok\r\n0\r\nX: y\r\n\r\n", behind="EVIL"),
    passed("chunks that hold an answer", CHUNKED + f"{len(EVIL):x}\r\n" + EVIL + "\r\n0\r\n\r\n", body=EVIL),
]

BODILESS = [
    passed("204 with a body", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", behind="EVIL"),
    passed("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", 204, "", behind="EVIL",
           fields={"content-length": None}),
    passed("204 with chunks", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, "",
           behind="4\r\nEVIL\r\n0\r\n\r\n", fields={"transfer-encoding": None}),
    passed("304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", 304, "", behind="EVIL"),
    passed("304 and another", "HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", behind=EVIL),
    passed("304 with chunks", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", 304, "",
           behind="4\r\nEVIL\r\n0\r\n\r\n", fields={"transfer-encoding": None}),
    passed("HEAD with a body", OK + "Content-Length: 4\r\n\r\n", body="", behind="EVIL", method="HEAD",
           fields={"content-length": "4"}),
    passed("HEAD with chunks", OK + "Transfer-Encoding: chunked\r\n\r\n", body="", behind="4\r\nEVIL\r\n0\r\n\r\n",
           method="HEAD"),
    passed("205 with a length", "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n", 205, ""),
]

INTERIM = [
    passed("100 and 103", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK + TWO,
           interim=2),
    passed("100 with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\n" + OK + TWO, interim=1),
    passed("100 without a reason", "HTTP/1.1 100\r\n\r\n" + OK + TWO, interim=1),
    passed("sixteen of them", "HTTP/1.1 102 P\r\n\r\n" * 16 + OK + TWO, interim=16),
    bad("a thousand of them", "HTTP/1.1 100 Continue\r\n\r\n" * 1000 + OK + TWO, interim=16),
    bad("103 and garbage", "HTTP/1.1 103 Early Hints\r\n\r\nGARBAGE\r\n\r\n", interim=1),
    bad("101 that nobody asked for",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", behind=EVIL),
    bad("100 and a close", "HTTP/1.1 100 Continue\r\n\r\n", close=True, interim=1),
]

ROWS = [*STATUS_LINES, *FIELDS, *LENGTHS, *CODINGS, *BODILESS, *INTERIM]
