"""Instances that answer badly: the application gets a 502 or sees the cut, never another's bytes."""

import time

import pytest

from harness import Client, free_port, get, wait_for
from harness.backend import (close_before_answer, cut_body, normal, raw, reset_before_answer, slow)
from harness.client import Cut, Malformed, build
from test_http_refused import assert_own_error

OK = "HTTP/1.1 200 OK\r\n"

BAD_HEADS = [
    ("garbage", "GARBAGE\r\n\r\n"), ("HTTP/0.9", "<html>hello</html>"),
    ("HTTP/2 frames", "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\r\n\r\n"),
    ("status 99", "HTTP/1.1 99 Low\r\n\r\n"), ("status 1000", "HTTP/1.1 1000 High\r\n\r\n"),
    ("status -20", "HTTP/1.1 -20 Minus\r\n\r\n"), ("status 2x0", "HTTP/1.1 2x0 X\r\n\r\n"),
    ("half a head", "HTTP/1.1 200 OK\r\nContent-Le"),
    ("two lengths", OK + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ("a length list", OK + "Content-Length: 1, 2\r\n\r\nab"),
    ("length -1", OK + "Content-Length: -1\r\n\r\na"),
    ("length +2", OK + "Content-Length: +2\r\n\r\nab"),
    ("an empty length", OK + "Content-Length: \r\n\r\nab"),
    ("a length of 2^64+2", OK + "Content-Length: 18446744073709551618\r\n\r\nab"),
    ("length and coding", OK + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("coding xchunked", OK + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("coding chunked, identity", OK + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("NUL in a field", OK + "A: b\x00c\r\nContent-Length: 0\r\n\r\n"),
    ("a folded field", OK + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
    ("space before a colon", OK + "Content-Length : 0\r\n\r\n"),
    ("bare LF", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
    ("64 KiB in a field", OK + "A: " + "b" * 65536 + "\r\nContent-Length: 0\r\n\r\n"),
    ("10,000 fields", OK + "A: b\r\n" * 10_000 + "Content-Length: 0\r\n\r\n"),
]


@pytest.fixture(scope="module")
def shared(module_lane):
    return module_lane(normal, "retry: {attempts: 0}\neject: {consecutive: 0}\nrequest_timeout: 2s")


@pytest.mark.parametrize("data", [row[1] for row in BAD_HEADS], ids=[row[0] for row in BAD_HEADS])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bad_head_is_a_502(shared, method, data):
    port, server, _ = shared
    server.handler = raw(data.encode("latin-1"))
    assert_own_error(get(port, method=method, body=b"x" if method == "POST" else None), 502)
    server.handler = normal
    assert get(port).status == 200


@pytest.mark.parametrize("handler", [close_before_answer, reset_before_answer])
def test_an_instance_that_ends_before_an_answer_is_a_502(shared, handler):
    port, server, _ = shared
    server.handler = handler
    assert_own_error(get(port, method="POST", body=b"x"), 502)
    server.handler = normal


BAD_BODIES = [
    ("cut length", OK + "Content-Length: 100\r\n\r\nhalf"),
    ("cut chunk", OK + "Transfer-Encoding: chunked\r\n\r\n64\r\nhalf"),
    ("no last chunk", OK + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
    ("chunk size ZZ", OK + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nZZ\r\n"),
    ("chunk size -2", OK + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n-2\r\n"),
    ("huge chunk", OK + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nffffffffffffffff0\r\n"),
    ("no CRLF after data", OK + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalfXX0\r\n\r\n"),
]


@pytest.mark.parametrize("data", [row[1] for row in BAD_BODIES], ids=[row[0] for row in BAD_BODIES])
def test_a_cut_body_is_seen_as_cut(shared, data):
    port, server, _ = shared
    server.handler = raw(data.encode())
    try:
        answer = get(port)
        assert_own_error(answer, 502)  # fine where nothing was passed on yet
    except (Cut, ConnectionResetError):
        pass
    server.handler = normal
    assert get(port).status == 200


def test_an_instance_that_resets_mid_body_is_seen_as_cut(shared):
    port, server, _ = shared
    server.handler = cut_body(reset=True)
    with pytest.raises((Cut, ConnectionResetError)):
        get(port)
    server.handler = normal


@pytest.mark.parametrize("data", [
    OK + "Content-Length: 2\r\n\r\nok" + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL",
    OK + "Content-Length: 2\r\n\r\nokEVIL",
    "HTTP/1.1 204 No Content\r\n\r\nEVIL",
    "HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"],
    ids=["two answers", "longer than its length", "204 with a body", "304 and another"])
def test_what_comes_after_an_answer_reaches_nobody(shared, data):
    port, server, _ = shared
    server.handler = raw(data.encode(), close=False)
    with Client(port) as client:
        first = client.request()
        assert first.status in (200, 204, 304) and b"EVIL" not in first.body
        server.handler = normal
        for _ in range(3):
            second = client.request()
            assert second.status == 200 and b"EVIL" not in second.body
    assert b"EVIL" not in get(port).body


def test_a_late_answer_to_a_head_request_is_not_the_next_ones(shared):
    port, server, _ = shared
    server.handler = raw((OK + "Content-Length: 4\r\n\r\nEVIL").encode(), close=False)
    with Client(port) as client:
        assert client.request("HEAD").status == 200
        server.handler = normal
        assert client.request().instance == str(server.port)


@pytest.mark.parametrize("line", ["HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200  ",
                                  "HTTP/1.1 200 Odd: reason; really"])
def test_an_odd_reason_phrase_is_no_harm(shared, line):
    port, server, _ = shared
    server.handler = raw(f"{line}\r\nContent-Length: 2\r\n\r\nok".encode())
    answer = get(port)
    assert answer.status in (200, 502)
    server.handler = normal


@pytest.mark.parametrize("field", ["Set-Cookie2: a", "Set-Cookie: ;a=b", "Cookie: ;a=b", "X:"])
def test_odd_fields_in_an_answer_pass(shared, field):
    port, server, _ = shared
    server.handler = raw((OK + field + "\r\nContent-Length: 2\r\n\r\nok").encode())
    assert get(port, headers={"Cookie": ";a=b"}).text == "ok"
    server.handler = normal


def test_an_instance_that_never_answers_is_a_504_in_time(shared):
    port, server, _ = shared
    server.handler = slow(30)
    began = time.monotonic()
    assert_own_error(get(port, method="POST", body=b"x"), 504)
    assert 1.5 < time.monotonic() - began < 4
    server.handler = normal


def test_a_head_that_drips_does_not_outlive_request_timeout(shared):
    port, server, _ = shared

    def drip(connection, _):
        for byte in (OK + "X: " + "y" * 200).encode():
            connection.send(bytes([byte]))
            time.sleep(0.1)
        return "close"
    server.handler = drip
    began = time.monotonic()
    assert_own_error(get(port), 504)
    assert time.monotonic() - began < 4
    server.handler = normal


def test_nobody_listening_is_a_502_or_503_with_connection_refused(pilotfish):
    port, dead = free_port(), free_port()
    pilotfish(f"""
        upstreams:
          app: {{listen: "127.0.0.1:{port}", static: ["127.0.0.1:{dead}"]}}
        """)
    answer = get(port)
    assert_own_error(answer, 503)
    assert "connection_refused" in answer.header("proxy-status")


def test_a_connect_timeout_is_a_504(pilotfish):
    import socket
    with socket.socket() as full:
        # A listener whose queue is full drops the handshake: connect hangs, on loopback too.
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        target = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for one in fillers:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", target))
        port = free_port()
        pilotfish(f"""
            upstreams:
              app:
                listen: 127.0.0.1:{port}
                static: ["127.0.0.1:{target}"]
                connect_timeout: 300ms
                retry: {{attempts: 0}}
            """)
        began = time.monotonic()
        assert_own_error(get(port), 504)
        assert time.monotonic() - began < 3
        for one in fillers:
            one.close()


def test_no_instance_at_all_is_a_503_at_once(consul, pilotfish, service):
    port = free_port()
    sidecar = pilotfish(f"""
        {consul.config}
        upstreams:
          app: {{listen: "127.0.0.1:{port}", consul: {service}}}
        """, wait="health")
    began = time.monotonic()
    assert_own_error(get(port), 503)
    assert time.monotonic() - began < 1
    assert sidecar.admin("/ready")[0] == 503
    assert "app" in sidecar.admin("/ready")[1]


def test_an_idle_upstream_connection_that_speaks_is_never_reused(lane):
    def handler(connection, exchange):
        normal(connection, exchange)
        time.sleep(0.1)
        connection.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nEVIL")
    port, server, _ = lane(handler)
    with Client(port) as client:
        assert client.request().status == 200
        time.sleep(0.3)
        again = client.request()
        assert again.status == 200 and b"EVIL" not in again.body
    assert len(server.received) == 2


def test_an_early_answer_to_a_long_body_arrives(lane):
    def handler(connection, exchange):
        connection.answer("403 Forbidden", b"no")
        return "close"
    port, _, _ = lane(handler, read_body=False)
    with Client(port) as client:
        try:
            client.send(build("POST", "/", body=b"x" * (4 << 20)))
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = client.read_response()
            assert answer.status in (403, 502)
        except (ConnectionResetError, Malformed):
            pytest.fail("the early answer was lost")


def test_the_bad_ones_are_counted(shared):
    _, _, sidecar = shared
    wait_for(lambda: sidecar.metric("pilotfish_downstream_requests_total", code="5xx") > 40, 5)
