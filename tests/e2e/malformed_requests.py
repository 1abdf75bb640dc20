"""Requests that are malformed, or that two readers could understand in two ways, and what has to
become of each: a table, read by test_http_malformed_requests.py. Rows are the bug classes of other
proxies (with their numbers where one has a name) and the grammar of RFC 9112 sections 2 to 9."""

from dataclasses import dataclass, field

H = "Host: a\r\n"
X = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = "POST / HTTP/1.1\r\n" + H
GET = "GET / HTTP/1.1\r\n" + H
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Taken:
    """A request as the instance must get it: field -> value, or None for a field that is not there."""
    method: str = "GET"
    target: str = "/"
    body: str = ""
    fields: dict = field(default_factory=dict)


@dataclass
class Row:
    """`takes` reach the instance, whole and in this form; then comes `status` (an answer of our own
    and the connection's end), or, where it is None, whatever follows is the next request, or, where
    `closes`, nothing more."""
    name: str
    data: str
    status: int | None = 400
    takes: list = field(default_factory=list)
    closes: bool = False


def refused(name: str, data: str, status: int = 400) -> Row:
    return Row(name, data, status)


def taken(name: str, data: str, *takes: Taken, closes: bool = False) -> Row:
    return Row(name, data, None, list(takes), closes)


def each(what: str, before: str, after: str, *variants: str, status: int = 400) -> list[Row]:
    return [refused(f"{what} {variant!r}", before + variant + after, status)
            for variant in variants]


START_LINES = [
    *each("line", "", "\r\n" + H + "\r\n",
          "GET / HTTP/1.1.1", "GET / HTTP/9.9", "GET / HTTP/2.0", "GET / HTTP/1.a", "GET / HTTP/0.9",
          "GET / HTTP/1.", "GET / HTTP/.1", "GET / HTTP/11", "GET / HTTP/1,1", "GET / HTTP/1.10",
          "GET / http/1.1", "GET / HTTPS/1.1", "GET / HTTP /1.1", "GET / HTTP/1.1 ", "GET /  HTTP/1.1",
          "GET  / HTTP/1.1", "GET\t/ HTTP/1.1", "GET / \tHTTP/1.1", "GET /\x0bHTTP/1.1", "GET /",
          "GET", "GET HTTP/1.1", " GET / HTTP/1.1", "\tGET / HTTP/1.1", "G ET / HTTP/1.1",
          "G\x00T / HTTP/1.1", "G(T / HTTP/1.1", "G\xc9T / HTTP/1.1", "GET: / HTTP/1.1",
          "GET / HTTP/1.1\r", "\x00GET / HTTP/1.1", "HTTP/1.1 200 OK", " / HTTP/1.1",
          "GET /\r/ HTTP/1.1", "GET / HTTP/1.1\x00", "GET / HTTP/1.1 HTTP/1.1"),
    *each("target", "GET ", " HTTP/1.1\r\n" + H + "\r\n",
          "/a b", "/a\tHTTP/1.1", "/\x00", "/\xff", "/\x7f", "/a#b", "#", "a", "*", "?a", "a:80", "//\x01",
          "ftp://a/", "http:/a/", "http://", "http:///x", "http://u@b/", "http://a b/", "http://b:99999/",
          "http://b:x/", "http://[::1/", "http://b#f", "http://?q", "http://b%/", "http://\xe9/",
          "javascript:x"),
    refused("HTTP/0.9", "GET /\r\n\r\n"),
    refused("HTTP/0.9 without a line end behind it", "GET /\r\n"),
    refused("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    refused("a TLS client", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 64 + "\r\n\r\n"),
    refused("PROXY protocol", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + X),
    refused("PROXY protocol 2", "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + "\x01" * 12 + X),
    refused("three empty lines first", "\r\n\r\n\r\n" + X),
    refused("a bare LF first", "\n" + X), refused("a bare CR first", "\r" + X),
    refused("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
    refused("CONNECT with a path", "CONNECT /x HTTP/1.1\r\n" + H + "\r\n", 501),
    taken("an empty line first", "\r\n" + X, Taken(target="/x")),
    taken("two empty lines first", "\r\n\r\n" + X, Taken(target="/x")),
    taken("absolute form", "GET http://b:81/y?q HTTP/1.1\r\n" + H + "\r\n",
          Taken(target="/y?q", fields={"host": "b:81"})),
    taken("absolute form without a path", "GET HTTP://B HTTP/1.1\r\n" + H + "\r\n",
          Taken(target="/", fields={"host": "B"})),
    taken("absolute form with https", "GET https://b/ HTTP/1.1\r\n" + H + "\r\n",
          Taken(fields={"host": "b"})),
    taken("absolute form with a query and no path", "GET http://b?x=1 HTTP/1.1\r\n" + H + "\r\n",
          Taken(target="/?x=1", fields={"host": "b"})),
    taken("absolute form with an empty Host", "GET http://b/y HTTP/1.1\r\nHost:\r\n\r\n",
          Taken(target="/y", fields={"host": "b"})),
    refused("absolute form with a broken Host", "GET http://b/y HTTP/1.1\r\nHost: a%\r\n\r\n"),
    taken("HTTP/1.2", "GET /x HTTP/1.2\r\n" + H + "\r\n" + X, Taken(target="/x", fields={
        "via": "1.1 pilotfish"}), Taken(target="/x")),
    taken("HTTP/1.9 with an upgrade",
          "GET /x HTTP/1.9\r\n" + H + "A:\r\nConnection: upgrade\r\nUpgrade: u\r\n\r\n",
          Taken(target="/x", fields={"host": "a", "a": "", "upgrade": "u"})),
    taken("OPTIONS of everything", "OPTIONS * HTTP/1.1\r\n" + H + "\r\n", Taken("OPTIONS", "*")),
    taken("OPTIONS of everything in absolute form", "OPTIONS http://b HTTP/1.1\r\n" + H + "\r\n",
          Taken("OPTIONS", "*", fields={"host": "b"})),
    taken("an encoded dot segment", "GET /a%2f..%2fb/../%00 HTTP/1.1\r\n" + H + "\r\n",
          Taken(target="/a%2f..%2fb/../%00")),
    taken("an odd method", "g-e_t! /x HTTP/1.1\r\n" + H + "\r\n", Taken("g-e_t!", "/x")),
    taken("HTTP/1.0 with one Host", "GET /x HTTP/1.0\r\n" + H + "\r\n",
          Taken(target="/x", fields={"host": "a"}), closes=True),
    taken("HTTP/1.0 without Host", "GET /x HTTP/1.0\r\n\r\n",
          Taken(target="/x", fields={"host": "app", "via": "1.0 pilotfish"}), closes=True),
    taken("HTTP/1.0 that stays", "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
          Taken(target="/x", fields={"connection": None, "keep-alive": None})),
]

FIELDS = [
    *each("field", GET, "\r\n\r\n" + X,
          "A: b\x00c", "A: b\x01", "A: b\x0cc", "A: \x7f", "A: \x1b[2J", "A\x85: 1", "A\x7f: 1",
          "A b: 1", "A", "A\x00: 1", "(A): 1", "A@: 1", "A/B: 1", "A[0]: 1", "A\t: 1", "A : 1", ": x",
          "\x0b: 1", "A: b\r\n c", "A: b\r\n\tc", " A: b", "\tA: b", "A: b\r\n \r\nB: c", "A: b\rC: d",
          "A: b\nC: d", "A: b\r\r\nC: d", "A: b\n", "A\r\n: b", "A\r: b", "\xc3\xa9: 1", "=: 1\x00"),
    refused("a bare CR as the head's end", GET.rstrip() + "\r\n\rZ\r\n\r\n"),
    refused("a bare LF as the head's end", GET + "\n" + X),
    refused("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
    refused("an empty name before a length", GET + ": x\r\nContent-Length: 5\r\n\r\nhello"),
    refused("a name whose length overflows, and a bad length",
            POST + "Content-Length0" + "a" * 256 + ":\r\nContent-Length: x60\r\n\r\n" + X),
    taken("a name whose length overflows, and a good length",
          POST + "Content-Length0" + "a" * 256 + ":\r\nContent-Length: 37\r\n\r\n" + X + "123456789",
          Taken("POST", body=X + "123456789")),
    taken("blanks around a value", GET + "A: \t b \t\r\nB:\r\nC:  \r\n\r\n",
          Taken(fields={"a": "b", "b": "", "c": ""})),
    taken("every mark of a token", GET + "!#$%&'*+-.^_`|~: x\r\n\r\n",
          Taken(fields={"!#$%&'*+-.^_`|~": "x"})),
    taken("bytes above 0x7f in a value", GET + "A: \xc3\xa9\xff\r\n\r\n",
          Taken(fields={"a": "\xc3\xa9\xff"})),
    taken("colons in a value", GET + "A: :b: c:\r\n\r\n", Taken(fields={"a": ":b: c:"})),
    taken("an underscore is another field", GET + "Content_Length: 5\r\nTransfer_Encoding: chunked\r\n\r\n",
          Taken(fields={"content-length": None, "transfer-encoding": None})),
]

HOSTS = [
    refused("no Host", "GET / HTTP/1.1\r\n\r\n"),
    refused("no Host with an absolute target", "GET http://b/ HTTP/1.1\r\n\r\n"),
    refused("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    refused("two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"),
    refused("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    refused("a Host folded into another field", "GET / HTTP/1.1\r\nA: b\r\n Host: a\r\n\r\n"),
    refused("a Host with a space before its colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    *each("Host", "GET / HTTP/1.1\r\nHost: ", "\r\n\r\n",
          "", "a, b", "a b", "a:99999", "a:-1", "a:x", "a:80:80", "user@a", "a/b", "a?b", "a#b", "a\\b",
          "http://a", "[::1", "::1", "[]", "[::g]", "[::1]x", "good\x00.evil", "a\tb", "\xe9", ":80", "a|b",
          "<a>", "\"a\"", "a%", "a%2", "a%zz", "%", "[%%%]", "[12345::]", "[1::2::3]", "[:::]", "[::1%]", "[::1%eth0]",
          "[1.2.3.4]", "[v1]", "[v.a]", "a,b"),
    *[taken(f"Host {host!r}", f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n",
            Taken(fields={"host": host.strip(" \t")}))
      for host in ("a.b:80", "a:", "[::1]:80", "[fe80::1]", "127.0.0.1", "a_b", " a \t", "A%2fb", "xn--a",
                   "[::ffff:1.2.3.4]:1", "[fe80::1%25eth0]", "[v1.a:b]")],
]

LENGTHS = [
    *each("length", POST, "\r\n\r\nhello" + X,
          "Content-Length: ", "Content-Length: \r\nContent-Length: 5",
          "Content-Length: 5\r\nContent-Length: ", "Content-Length: 5,", "Content-Length: ,5",
          "Content-Length: 18446744073709551616", "Content-Length: 18446744073709551621",
          "Content-Length: 9223372036854775808", "Content-Length: 4294967301999999999999",
          "Content-Length: " + "9" * 40, "Content-Length: " + "0" * 40 + "5",
          "Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5", "Content-Length: 5 5",
          "Content-Length: 5_0", "Content-Length: 5.0", "Content-Length: 5e0", "Content-Length: 5\x0b",
          "Content-Length: \x0b5", "Content-Length: 05", "Content-Length: \"5\"", "Content-Length: 5;a",
          "Content-Length: 5\r\nContent-Length: 0", "Content-Length: 5, 6", "Content-Length: 5, 5",
          "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nCONTENT-LENGTH: 5",
          "Content-Length : 5", "Content-Length\t: 5", " Content-Length: 5", "A: b\r\n Content-Length: 5",
          "Content-Length: 5\r\n ", "Content-Length\x00: 5", "Content-Length: \xb2"),
    taken("a body of no bytes", POST + "Content-Length: 0\r\n\r\n", Taken("POST")),
    taken("a body with GET", GET + "Content-Length: 5\r\n\r\nhello", Taken(body="hello")),
    taken("a body that looks like a request", POST + f"Content-Length: {len(X)}\r\n\r\n" + X,
          Taken("POST", body=X)),
    taken("a length in odd case and blanks", POST + "cOnTENT-lENGTH: \t5 \r\n\r\nhello",
          Taken("POST", body="hello")),
    taken("no length is no body", POST + "\r\n" + X, Taken("POST"), Taken(target="/x")),
    taken("a length in HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
          Taken("POST", body="hello"), closes=True),
]

CODINGS = [
    *each("coding", POST + "Transfer-Encoding: ", "\r\n\r\n0\r\n\r\n" + X,
          ",chunked", "chunked,", "chunked, identity", "chunked, chunked", "\xa0chunked", "chunked;a=b", "",
          "chunked\r\nTransfer-Encoding: chunked", "chunked\r\nTransfer-Encoding: identity",
          "identity\r\nTransfer-Encoding: chunked", "chunked\r\n , identity", "chunked\x00", "\"chunked\"",
          "chunked x", "\x0bchunked", "chun\x00ked", "[chunked]", "chunked\r\nTransfer-Encoding: "),
    *each("coding", POST + "Transfer-Encoding: ", "\r\n\r\n0\r\n\r\n" + X,
          "chunkedchunked", "identity, chunked", "gzip, chunked", "xchunked", "identity", "gzip", "chunke",
          "deflate", "x-chunked", "gzip,chunked", status=501),
    *each("spelling", POST, "\r\n\r\n0\r\n\r\n" + X,
          "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", " Transfer-Encoding: chunked",
          "Transfer-Encoding\r\n: chunked", "A: b\r\n Transfer-Encoding: chunked",
          "A: x\rTransfer-Encoding: chunked", "A: x\nTransfer-Encoding: chunked",
          "Content-Length: 5\r\nTransfer-Encoding: chunked",
          "Transfer-Encoding: chunked\r\nContent-Length: 5",
          "Content-Length: 6\r\nTransfer-Encoding:\x0bchunked",
          "Transfer-Encoding: chunked\r\nContent-Length: 0"),
    refused("a length and an unknown coding",
            POST + "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\nhello" + X),
    refused("an unknown coding and a length",
            POST + "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello" + X, 501),
    refused("length and coding in HTTP/1.0", "POST / HTTP/1.0\r\n" + H +
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + X),
    refused("coding in HTTP/1.0",
            "POST / HTTP/1.0\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + X),
    taken("coding in odd case and blanks",
          POST + "tRANSFER-eNCODING:\t CHUNKED \t\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
          Taken("POST", body="hello", fields={"transfer-encoding": "chunked"})),
    taken("a coding with GET", GET + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + X,
          Taken(body="hello"), Taken(target="/x")),
]

CHUNKS = [
    *each("chunk size", CHUNKED, "\r\nhello\r\n0\r\n\r\n",
          "ffffffffffffffed", "10000000000000005", "fffffffffffffffff", "ffffffffffffffff0", "0x5", "+5",
          "-5", "5_0", " 5", "\t5", "5 ", "5Z", "", "g", "5\x00", "5\x0b", "5 5", "5,", "\xb2", "5\r",
          "0000000000000005"),
    *each("chunk", CHUNKED, "",
          "5\nhello\r\n0\r\n\r\n", "5;\nhello\r\n0\r\n\r\n", "2\r\r;a\r\n02\r\n41\r\n",
          "5\r\nhelloXX0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r0\r\n\r\n",
          "5\r\nhell\r\n0\r\n\r\n", "5;\x00ext\r\nhello\r\n0\r\n\r\n", "5;a\x7f\r\nhello\r\n0\r\n\r\n",
          "5;a\rb\r\nhello\r\n0\r\n\r\n", "5 a\r\nhello\r\n0\r\n\r\n", "0\n\r\n", "0\r\n\n", "0\r\r\n\r\n",
          "5\rhello\r\n0\r\n\r\n"),
    *each("trailer", CHUNKED + "5\r\nhello\r\n0\r\n", "\r\n\r\n" + X,
          "X POST / HTTP/1.1", "X : y", " X: y", "X: y\r\n z", ": y", "X: \x01", "X: y\nZ: z", "X: y\rZ: z",
          "Content-Length: 3", "Transfer-Encoding: chunked", "transfer-encoding: identity", "Host: b",
          "Connection: close", "X\x00: y"),
    refused("endless extensions", CHUNKED + "5;" + "a" * 40_000 + "\r\nhello\r\n0\r\n\r\n"),
    refused("endless trailers", CHUNKED + "0\r\n" + "A: b\r\n" * 10_000 + "\r\n"),
    taken("an extension", CHUNKED + "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", Taken("POST", body="hello")),
    taken("blanks before an extension", CHUNKED + "5 \t;a\r\nhello\r\n0\r\n\r\n",
          Taken("POST", body="hello")),
    *each("extension", CHUNKED + "5", "\r\nhello\r\n0\r\n\r\n",
          ";", ";bad[=x", ";a ", ";a;", ";;a", ";=b", ";a=", ";a=b=c", ";a b", ";a=\"b", ";a=\"b\"c", ";\"a\"",
          ";a=b ", ";a=[", ";\xe9"),
    taken("extensions of every form",
          CHUNKED + "5;a ;b\t= c ; d=\"\\\"\xe9;\"; e\r\nhello\r\n0;f=\"\"\r\n\r\n", Taken("POST", body="hello")),
    taken("leading zeros and capitals", CHUNKED + "00A\r\n0123456789\r\n000\r\n\r\n",
          Taken("POST", body="0123456789")),
    taken("chunks that hold line ends", CHUNKED + "9\r\n\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n",
          Taken("POST", body="\r\n0\r\n\r\n\r\n")),
    *[taken(f"trailer {trailer!r}", CHUNKED + "5\r\nhello\r\n0\r\n" + trailer + "\r\n\r\n",
            Taken("POST", body="hello", fields={"x": None, "authorization": None}))
      for trailer in ("X: y", "GET:/x HTTP/1.1", "GET:/x HTTP/1.1\r\nA: b", "Authorization: Basic x",
                      "Cookie: c", "X-Forwarded-For: 10.0.0.1")],
    taken("trailers that were announced",
          POST + "Trailer: X, Y\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\nY: 2\r\n\r\n",
          Taken("POST", fields={"trailer": None})),
    taken("a chunk that holds a request", CHUNKED + f"{len(X):x}\r\n" + X + "\r\n0\r\n\r\n",
          Taken("POST", body=X)),
    Row("a byte behind a chunked body", CHUNKED + "0\r\n\r\n\x00", 400, [Taken("POST")]),
    Row("half a request behind a chunked body", CHUNKED + "0\r\n\r\nGET / HTTP/1.1\r\nA\r\n\r\n", 400,
        [Taken("POST")]),
]

CONNECTIONS = [
    *[taken(f"Connection names {name}",
            POST + f"Connection: {name}\r\nX-Forwarded-For: 10.0.0.1\r\nVia: 1.0 b\r\nAuthorization: z\r\n"
            "Cookie: c\r\nContent-Length: 5\r\n\r\nhello",
            Taken("POST", body="hello", fields={
                "host": "a", "x-forwarded-for": "10.0.0.1, 127.0.0.1", "authorization": "z", "cookie": "c",
                "via": "1.0 b, 1.1 pilotfish"}))
      for name in ("Content-Length", "Host", "X-Forwarded-For", "Via", "Authorization", "Cookie",
                   "content-length, host", "Transfer-Encoding", ", ,, ")],
    taken("Connection names others",
          GET + "Connection: A, ,b\r\nconnection: C\r\nA: 1\r\nB: 2\r\nc: 3\r\nD: 4\r\nKeep-Alive: 5\r\n"
          "Proxy-Connection: close\r\nTE: gzip\r\nUpgrade: x\r\nProxy-Authorization: p\r\n\r\n",
          Taken(fields={"a": None, "b": None, "c": None, "d": "4", "keep-alive": None, "te": None,
                        "proxy-connection": None, "upgrade": None, "proxy-authorization": None})),
    taken("Connection names chunked's coding",
          POST + "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
          Taken("POST", body="hello", fields={"transfer-encoding": "chunked"})),
    taken("close hides in a list", GET + "Connection: x\r\nConnection: y, CLOSE\r\n\r\n", Taken(), closes=True),
    taken("keep-alive and close", GET + "Connection: keep-alive, close\r\n\r\n", Taken(), closes=True),
    taken("an upgrade that is not granted", GET + "Connection: upgrade\r\nUpgrade: foo\r\n\r\n" + X,
          Taken(fields={"upgrade": "foo"}), Taken(target="/x")),
    taken("an upgrade to h2c", GET + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
          "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + X,
          Taken(fields={"upgrade": None, "http2-settings": None}), Taken(target="/x")),
    taken("an upgrade without Connection", GET + "Upgrade: websocket\r\n\r\n", Taken(fields={"upgrade": None})),
    taken("an upgrade in HTTP/1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
          Taken(fields={"upgrade": None}), closes=True),
    *[taken(f"{method} with {hops} hops left", f"{method} HTTP/1.1\r\n{H}Max-Forwards: {hops}\r\n\r\n",
            Taken(*method.split(), fields={"max-forwards": left}))
      for method, hops, left in (("TRACE /", "1", "0"), ("OPTIONS *", "10", "9"), ("GET /", "5", "5"),
                                 ("GET /", "x", "x"))],
    *each("Max-Forwards", "TRACE / HTTP/1.1\r\n" + H + "Max-Forwards: ", "\r\n\r\n",
          "", "-1", "x", "1, 1", "1\r\nMax-Forwards: 1"),
    taken("an expectation nobody knows", GET + "Expect: the-unexpected\r\n\r\n",
          Taken(fields={"expect": "the-unexpected"})),
    taken("an expectation without a body", GET + "Expect: 100-continue\r\n\r\n", Taken()),
    taken("an expectation with its body at once",
          POST + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello", Taken("POST", body="hello")),
    taken("an expectation in HTTP/1.0",
          "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
          Taken("POST", body="hello"), closes=True),
    taken("X-Forwarded-For in three lines",
          GET + "X-Forwarded-For: 1.1.1.1\r\nx-forwarded-for: \r\nX-Forwarded-For: 2.2.2.2\r\n\r\n",
          Taken(fields={"x-forwarded-for": "1.1.1.1, 2.2.2.2, 127.0.0.1"})),
    taken("an odd Cookie", GET + "Cookie: ;a=b; ;c\r\nSet-Cookie2: a\r\n\r\n",
          Taken(fields={"cookie": ";a=b; ;c"})),
]

FLOODS = [
    refused("a target of 20 KiB", "GET /" + "a" * 20_000 + " HTTP/1.1\r\n" + H + "\r\n", 431),
    refused("a field of 20 KiB", GET + "A: " + "b" * 20_000 + "\r\n\r\n", 431),
    refused("a name of 20 KiB", GET + "A" * 20_000 + ": b\r\n\r\n", 431),
    refused("a line without an end", "A" * 20_000, 431),
    refused("5,000 fields", GET + "A: b\r\n" * 5_000 + "\r\n", 431),
    refused("blanks without an end", GET + "A:" + " " * 20_000, 431),
    refused("a length above the limit", POST + "Content-Length: 1048577\r\n\r\n" + X, 413),
    refused("a length far above the limit", POST + "Content-Length: 999999999999999999\r\n\r\n" + X, 413),
]

PIPELINES = [
    Row("a good one, then a bad one", X + "GET / HTTP/1.1\r\n\r\n", 400, [Taken(target="/x")]),
    Row("a good one, then a length and a coding",
        X + POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + X, 400,
        [Taken(target="/x")]),
    Row("a body one byte longer than its length", POST + "Content-Length: 4\r\n\r\nhell\x00", 400,
        [Taken("POST", body="hell")]),
    Row("a CRLF behind a body is no body",
        POST + "Content-Length: 5\r\n\r\nhello\r\n" + X, None, [Taken("POST", body="hello"), Taken(target="/x")]),
    Row("ten of them", X * 10, None, [Taken(target="/x")] * 10),
    Row("bodies of every framing",
        POST + "Content-Length: 5\r\n\r\nhello" + CHUNKED + "5\r\nworld\r\n0\r\n\r\n" + GET + "\r\n", None,
        [Taken("POST", body="hello"), Taken("POST", body="world"), Taken()]),
    taken("what follows a close", GET + "Connection: close\r\n\r\n" + X, Taken(), closes=True),
]

ROWS = [*START_LINES, *FIELDS, *HOSTS, *LENGTHS, *CODINGS, *CHUNKS, *CONNECTIONS, *FLOODS, *PIPELINES]
