"""Instances that end, stall or speak out of turn: the application gets a 5xx or sees the cut, never
another's bytes. Malformed answers have a table of their own: malformed_answers.py."""

import time

import pytest

from harness import Client, free_port, get, wait_for
from harness.backend import (close_before_answer, cut_body, normal, raw, reset_before_answer, slow)
from harness.client import Cut, Malformed, build
from test_http_refused import assert_own_error

OK = "HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def shared(module_lane):
    return module_lane(normal, "retry: {attempts: 0}\neject: {consecutive: 0}\nrequest_timeout: 2s")


@pytest.mark.parametrize("handler", [close_before_answer, reset_before_answer])
def test_an_instance_that_ends_before_an_answer_is_a_502(shared, handler):
    port, server, _ = shared
    server.handler = handler
    assert_own_error(get(port, method="POST", body=b"x"), 502)
    server.handler = normal


def test_an_instance_that_resets_mid_body_is_seen_as_cut(shared):
    port, server, _ = shared
    server.handler = cut_body(reset=True)
    with pytest.raises((Cut, ConnectionResetError)):
        get(port)
    server.handler = normal


def test_a_late_answer_to_a_head_request_is_not_the_next_ones(shared):
    port, server, _ = shared
    server.handler = raw((OK + "Content-Length: 4\r\n\r\nEVIL").encode(), close=False)
    with Client(port) as client:
        assert client.request("HEAD").status == 200
        server.handler = normal
        assert client.request().instance == str(server.port)


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
