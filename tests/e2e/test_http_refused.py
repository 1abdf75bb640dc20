"""Requests that two readers could split in two ways, and other bad ones: refused, and nothing of
them reaches an instance. The rows are the bug classes of other proxies."""

import re

import pytest

from harness import Client, get, send_raw
from harness.client import build
from harness.backend import normal

H = "Host: a\r\n"
X = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = "POST / HTTP/1.1\r\n" + H
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"

ERRORS = {
    "http_request_error", "http_request_denied", "destination_unavailable", "connection_refused",
    "connection_terminated", "connection_timeout", "connection_read_timeout", "http_protocol_error",
    "connection_write_timeout", "connection_limit_reached", "http_response_incomplete",
    "http_response_header_section_size", "http_response_header_size", "http_response_timeout",
    "http_response_transfer_coding", "http_upgrade_failed", "proxy_internal_error",
    "http_response_body_size", "http_response_content_coding", "proxy_configuration_error",
    "proxy_internal_response", "proxy_loop_detected", "dns_error", "dns_timeout",
    "destination_not_found", "destination_ip_prohibited", "destination_ip_unroutable",
    "http_response_trailer_section_size", "http_response_trailer_size", "tls_protocol_error"}


def content_lengths(*lines: str) -> list[tuple[str, str]]:
    return [(f"content-length {line!r}", POST + line + "\r\n\r\nhello" + X) for line in lines]


def chunk_sizes(*lines: str) -> list[tuple[str, str]]:
    return [(f"chunk size {line!r}", CHUNKED + line + "\r\nhello\r\n0\r\n\r\n") for line in lines]


def fields(*lines: str) -> list[tuple[str, str]]:
    return [(f"field {line!r}", "GET / HTTP/1.1\r\n" + H + line + "\r\n\r\n" + X) for line in lines]


def codings(*values: str) -> list[tuple[str, str]]:
    return [(f"coding {value!r}", POST + f"Transfer-Encoding: {value}\r\n\r\n0\r\n\r\n" + X)
            for value in values]


ROWS = [
    ("coding with a control byte",
     POST + "Content-Length: 6\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\nG"),
    ("a name whose length overflows",
     POST + "Content-Length0" + "a" * 256 + ":\r\nContent-Length: x60\r\n\r\n" + X),
    ("an empty name", "GET / HTTP/1.1\r\n" + H + ": x\r\nContent-Length: 5\r\n\r\nhello"),
    *content_lengths(
        "Content-Length: ", "Content-Length: \r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: ", "Content-Length: 5,",
        "Content-Length: 18446744073709551616", "Content-Length: 18446744073709551621",
        "Content-Length: " + "9" * 40, "Content-Length: +5", "Content-Length: -5",
        "Content-Length: 0x5", "Content-Length:  5 5", "Content-Length: 5_0",
        "Content-Length: 5.0", "Content-Length: 5\x0b", "Content-Length: 5\r\nContent-Length: 0",
        "Content-Length: 5, 6", "Content-Length: 5, 5", "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length : 5", "Content-Length\t: 5", " Content-Length: 5",
        "A: b\r\n Content-Length: 5", "Transfer-Encoding\t: chunked"),
    ("length and coding",
     POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + X),
    ("coding and length",
     POST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + X),
    ("length and coding in HTTP/1.0", "POST / HTTP/1.0\r\n" + H +
     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + X),
    ("coding in HTTP/1.0",
     "POST / HTTP/1.0\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + X),
    *codings(",chunked", "chunkedchunked", "identity, chunked", "chunked, identity",
             "chunked, chunked", "gzip, chunked", "xchunked", "\xa0chunked", "chunked;a=b", "",
             "identity", "chunked\r\nTransfer-Encoding: chunked", "chunked\r\n , identity",
             "chunked\x00", "\"chunked\""),
    ("bare CR in a field", "GET / HTTP/1.1\r\n" + H + "A: x\rTransfer-Encoding: chunked\r\n\r\n" + X),
    ("bare LF in a head", "GET / HTTP/1.1\r\n" + H + "A: x\nContent-Length: 23\r\n\r\n" + X),
    ("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
    ("bare CR as the head's end", "GET / HTTP/1.1\r\n" + H.rstrip() + "\r\n\rZ\r\n\r\n"),
    ("NUL in Host", "GET / HTTP/1.1\r\nHost: good\x00.evil\r\n\r\n"),
    *fields("A: b\x00c", "A\x85: 1", "A\x7f: 1", "A b: 1", "A", "A\x00: 1", "(A): 1",
            "Content-Length: 0\r\n\x0b: 1"),
    *chunk_sizes("ffffffffffffffed", "10000000000000005", "fffffffffffffffff", "0x5", "+5", "-5",
                 "5_0", " 5", "5Z", "", "g", "5\x00", "5\x0b"),
    ("chunk ended by LF", CHUNKED + "5\nhello\r\n0\r\n\r\n"),
    ("extension ended by LF", CHUNKED + "5;\nhello\r\n0\r\n\r\n"),
    ("two CRs after a size", CHUNKED + "2\r\r;a\r\n02\r\n41\r\n"),
    ("junk after chunk data", CHUNKED + "5\r\nhelloXX0\r\n\r\n"),
    ("chunk data ended by LF", CHUNKED + "5\r\nhello\n0\r\n\r\n"),
    ("NUL in an extension", CHUNKED + "5;\x00ext\r\nhello\r\n0\r\n\r\n"),
    ("a trailer that is no field", CHUNKED + "0\r\nX POST / HTTP/1.1\r\n\r\n"),
    ("a space in the target", "GET /a b HTTP/1.1\r\n" + H + "\r\n"),
    ("a tab in the request line", "GET /a\tHTTP/1.1 HTTP/1.1\r\n" + H + "\r\n"),
    ("NUL in the target", "GET /\x00 HTTP/1.1\r\n" + H + "\r\n"),
    ("a byte above 0x7f in the target", "GET /\xff HTTP/1.1\r\n" + H + "\r\n"),
    ("HTTP/0.9", "GET /\r\n\r\n"),
    ("version 1.1.1", "GET / HTTP/1.1.1\r\n" + H + "\r\n"),
    ("version 9.9", "GET / HTTP/9.9\r\n" + H + "\r\n"),
    ("version 2.0", "GET / HTTP/2.0\r\n" + H + "\r\n"),
    ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("no Host", "GET / HTTP/1.1\r\n\r\n"),
    ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    ("a TLS client", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\x00" * 64 + "\r\n\r\n"),
    ("no method", " / HTTP/1.1\r\n" + H + "\r\n"),
]


@pytest.fixture(scope="module")
def shared(module_lane):
    return module_lane(normal, "limits: {head: 16KiB, body: 1MiB}\ntimeouts: {head: 2s}")


def assert_own_error(answer, *statuses: int) -> None:
    assert answer.status in statuses, (answer.status, answer.text)
    status = answer.header("proxy-status") or ""
    match = re.match(r"pilotfish; error=([a-z_]+)", status)
    assert match and match[1] in ERRORS, status
    assert answer.body


@pytest.mark.parametrize("data", [row[1] for row in ROWS], ids=[row[0][:48] for row in ROWS])
def test_what_can_be_split_two_ways_is_refused_and_never_passed_on(shared, data):
    port, server, _ = shared
    server.forget()
    with Client(port) as client:
        try:
            client.send(data.encode("latin-1"))
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = client.read_response()
        assert_own_error(answer, 400, 501)
        assert client.at_end(), "the connection is closed after a refusal"
    # A body that turns out bad after its head may have begun its way, but never as a whole
    # request, and nothing behind it is read as one.
    assert not server.exchanges
    assert b"/x" not in server.bytes_received()


def test_after_all_that_the_next_client_is_served(shared):
    assert get(shared[0]).status == 200


@pytest.mark.parametrize("value", ["gzip", "br", "zzz"])
def test_an_unknown_transfer_coding_is_501_or_400(shared, value):
    assert_own_error(send_raw(shared[0], build("POST", "/", [("Transfer-Encoding", value)])),
                     501, 400)


def test_connect_is_501(shared):
    assert_own_error(send_raw(shared[0], build("CONNECT", "a:443", host="a:443")), 501)


def test_a_length_spelled_05_is_never_passed_on_raw(shared):
    port, server, _ = shared
    server.forget()
    answer = send_raw(port, (POST + "Content-Length: 05\r\n\r\nhello").encode())
    assert answer.status in (200, 400)
    assert b"05" not in server.bytes_received().split(b"\r\n\r\n")[0].split(b"ontent-")[-1]


@pytest.mark.parametrize("bomb", ["one long field", "many fields", "a long target"])
def test_a_head_above_the_limit_is_431(shared, bomb):
    port, server, _ = shared
    server.forget()
    data = {"one long field": build(headers=[("A", "b" * 65536)]),
            "many fields": build(headers=[(f"A{n}", "b") for n in range(10000)]),
            "a long target": build(target="/" + "a" * (1 << 20))}[bomb]
    assert_own_error(send_raw(port, data), 431)
    assert not server.exchanges


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_above_the_limit_is_413(shared, framing):
    port, server, _ = shared
    server.forget()
    if framing == "length":
        data = build("POST", "/", body=b"x" * ((1 << 20) + 1))
    else:
        data = build("POST", "/", [("Transfer-Encoding", "chunked")]) + \
            (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 17 + b"0\r\n\r\n"
    assert_own_error(send_raw(port, data), 413)
    assert not server.exchanges


def test_a_huge_chunk_extension_is_refused(shared):
    port, server, _ = shared
    server.forget()
    data = CHUNKED.encode() + b"5;" + b"a" * (1 << 20) + b"\r\nhello\r\n0\r\n\r\n"
    assert_own_error(send_raw(port, data), 400, 413, 431)
    assert not server.exchanges


def test_endless_trailers_are_refused(shared):
    port, server, _ = shared
    server.forget()
    data = CHUNKED.encode() + b"0\r\n" + b"A: b\r\n" * 100_000 + b"\r\n"
    assert_own_error(send_raw(port, data), 400, 413, 431)
    assert not server.exchanges


def test_a_trailer_cannot_bring_framing_or_routing_fields(shared):
    port, server, _ = shared
    server.forget()
    answer = send_raw(port, CHUNKED.encode() + b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n"
                      b"Transfer-Encoding: chunked\r\nHost: b\r\n\r\n", method="POST")
    assert answer.status in (200, 400)
    if answer.status == 200:
        names = {name.lower() for name, _ in server.exchanges[0].trailers}
        assert not names & {"content-length", "transfer-encoding", "host"}


def test_a_byte_after_a_chunked_body_harms_nobody(shared):
    port, server, _ = shared
    server.forget()
    assert send_raw(port, CHUNKED.encode() + b"0\r\n\r\n\0").status == 200
    assert get(port).status == 200
    assert server.count == 2


def test_a_body_refused_early_is_not_read_as_a_request(shared):
    port, server, _ = shared
    server.forget()
    body = X.encode() * 40_000
    with Client(port) as client:
        try:
            client.send(build("POST", "/", body=body))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert client.read_response().status == 413
        assert client.at_end()
    assert not server.exchanges


def test_a_mebibyte_in_one_byte_chunks_arrives_whole(shared):
    port, server, _ = shared
    server.forget()
    count = 100_000
    answer = send_raw(port, CHUNKED.encode() + b"1\r\nx\r\n" * count + b"0\r\n\r\n", timeout=60)
    assert answer.status == 200
    assert server.exchanges[0].body == b"x" * count


def test_a_pipelining_flood_without_reading_stays_in_bounded_memory(shared):
    port, _, sidecar = shared
    before = sidecar.process.rss_bytes()
    with Client(port, timeout=2, receive_buffer=4096) as client:
        try:
            client.send(build(target="/" + "a" * 1000) * 10_000)
        except TimeoutError:
            pass  # back-pressure
        assert sidecar.process.rss_bytes() - before < 64 << 20
    assert get(port).status == 200
