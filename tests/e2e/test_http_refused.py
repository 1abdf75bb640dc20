"""Requests that are refused for their size or their meaning, and floods. What is malformed has a table
of its own: malformed_requests.py."""

import re

import pytest

from harness import Client, get, send_raw
from harness.client import build
from harness.backend import normal
from malformed_requests import CHUNKED, POST, X


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


@pytest.fixture(scope="module")
def shared(module_lane):
    return module_lane(normal, "limits: {head: 16KiB, body: 1MiB}\ntimeouts: {head: 2s}")


def assert_own_error(answer, *statuses: int) -> None:
    assert answer.status in statuses, (answer.status, answer.text)
    status = answer.header("proxy-status") or ""
    match = re.match(r"pilotfish; error=([a-z_]+)", status)
    assert match and match[1] in ERRORS, status
    assert answer.body


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
        assert not server.exchanges[0].trailers


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
    count = 1 << 20
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
