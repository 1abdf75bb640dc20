"""Crowds of clients that are slow on purpose (in heads, bodies, reading, or doing nothing): each is
given up when its deadline is over, all together cost bounded memory, and the others notice nothing."""

import contextlib
import re
import selectors
import socket
import time

import pytest

from harness import Client, Traffic, get, wait_for
from harness.backend import normal
from harness.client import build

KIB = 1024


class Crowd:
    """Many raw connections to a port; what each got is kept."""

    def __init__(self, port: int, count: int, first: bytes = b"", receive_buffer: int | None = None):
        self.selector = selectors.DefaultSelector()
        self.got: dict[socket.socket, bytes] = {}
        self.open: set[socket.socket] = set()
        for _ in range(count):
            sock = socket.socket()
            if receive_buffer:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.connect(("127.0.0.1", port))
            sock.setblocking(False)
            self.got[sock] = b""
            self.open.add(sock)
            self.selector.register(sock, selectors.EVENT_READ)
            if first:
                sock.send(first)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in self.got:
            sock.close()
        self.selector.close()

    def send(self, data: bytes) -> None:
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.send(data)

    def read(self) -> int:
        """Reads what is there; how many are still open."""
        while ready := self.selector.select(0):
            for key, _ in ready:
                sock = key.fileobj
                try:
                    data = sock.recv(65536)
                except ConnectionResetError:
                    data = b""
                self.got[sock] += data
                if not data:
                    self.selector.unregister(sock)
                    self.open.discard(sock)
        return len(self.open)

    def drip_until_closed(self, data: bytes, limit: float) -> float:
        """Sends a little to each again and again; seconds until the last was closed."""
        began = time.monotonic()
        while self.read():
            assert time.monotonic() - began < limit, f"{len(self.open)} are still open"
            self.send(data)
            time.sleep(0.1)
        return time.monotonic() - began

    def statuses(self) -> set[bytes]:
        return {re.split(rb" |\r", got + b"  ", maxsplit=2)[1] for got in self.got.values()}


def assert_unhurt(traffic: Traffic) -> None:
    assert len(traffic.samples) > 10
    assert not traffic.failed, traffic.failed[:3]


@pytest.fixture
def crowded(lane):
    def start(handler=normal, timeouts: str = "", **how):
        port, server, sidecar = lane(handler, f"timeouts: {{{timeouts}}}", **how)
        for _ in range(20):
            get(port)
        return port, server, sidecar, sidecar.process.rss_bytes()
    return start


def test_a_thousand_slow_heads_are_408_and_cost_little(crowded):
    port, server, sidecar, before = crowded(timeouts="head: 15s")
    count = server.count
    with Traffic(port, rate=40) as traffic, Crowd(port, 1000, b"GET / HTTP/1.1\r\nHost: a\r\n") as crowd:
        wait_for(lambda: sidecar.metric("pilotfish_downstream_connections") >= 1000, 20)
        grown = sidecar.process.rss_bytes() - before
        # A line now and then does not prolong it: the whole head has its time.
        crowd.drip_until_closed(b"X: y\r\n", 60)
        assert crowd.statuses() == {b"408"}
        traffic.stop()
        assert_unhurt(traffic)
        assert server.count - count == len(traffic.samples), "none of them reached the instance"
    assert grown < 1000 * 64 * KIB, f"{grown // 1000} bytes each"


def test_stalled_bodies_are_408_and_free_their_instances(crowded):
    port, server, sidecar, before = crowded(timeouts="body: 10s")
    with Traffic(port, rate=40) as traffic, \
            Crowd(port, 200, build("POST", "/", [("Content-Length", "1000000")]) + b"x" * 1000) as crowd:
        wait_for(lambda: sidecar.metric("pilotfish_upstream_active", upstream="app") >= 200, 20)
        grown = sidecar.process.rss_bytes() - before
        wait_for(lambda: crowd.read() == 0, 60, "all are given up")
        assert crowd.statuses() == {b"408"}
        traffic.stop()
        assert_unhurt(traffic)
    wait_for(lambda: sidecar.metric("pilotfish_upstream_active", upstream="app") == 0, 10)
    assert server.open_connections() < 50
    assert grown < 200 * 256 * KIB, f"{grown // 200} bytes each"


def test_slow_readers_of_a_big_answer_are_given_up_and_cost_bounded_memory(crowded):
    block = b"x" * (1 << 20)

    def flood(connection, exchange):
        if exchange.target != "/big":
            return normal(connection, exchange)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            connection.send(block)
    port, server, sidecar, before = crowded(flood, timeouts="write: 4s")
    with Traffic(port, rate=40) as traffic, \
            Crowd(port, 200, build(target="/big"), receive_buffer=4096) as crowd:
        wait_for(lambda: sidecar.metric("pilotfish_upstream_active", upstream="app") >= 200, 20)
        time.sleep(1)  # the floods fill what there is to fill
        grown = sidecar.process.rss_bytes() - before
        wait_for(lambda: sidecar.metric("pilotfish_upstream_active", upstream="app") < 10, 40,
                 "all are given up")
        # With a reset: the kernel drops what it still held for them.
        wait_for(lambda: crowd.read() == 0, 30, "all are closed")
        traffic.stop()
        assert_unhurt(traffic)
    wait_for(lambda: server.open_connections() < 50, 10, "the floods are stopped")
    assert grown < 200 * 256 * KIB, f"{grown // 200} bytes each"


def test_a_thousand_silent_clients_are_closed(crowded):
    port, server, sidecar, _ = crowded(timeouts="head: 2s")
    with Traffic(port, rate=40) as traffic, Crowd(port, 1000) as crowd:
        wait_for(lambda: crowd.read() == 0, 30)
        assert crowd.statuses() <= {b"", b"408"}
        traffic.stop()
        assert_unhurt(traffic)


def test_empty_lines_do_not_keep_a_client_for_ever(crowded):
    port, _, _, _ = crowded(timeouts="head: 1s")
    with Crowd(port, 20) as crowd:
        crowd.drip_until_closed(b"\r\n", 20)
        assert crowd.statuses() <= {b"400", b"408"}


def test_at_max_clients_those_inside_go_on_and_those_outside_wait(lane):
    port, server, sidecar = lane(root="max_clients: 20")
    inside = [Client(port) for _ in range(20)]
    try:
        assert all(client.request().status == 200 for client in inside)
        with Crowd(port, 50, build()) as outside:
            for _ in range(10):
                assert all(client.request().status == 200 for client in inside)
            assert outside.read() == 50 and not any(outside.got.values()), "they wait in the queue"
            assert sidecar.metric("pilotfish_downstream_connections") == 20
            for client in inside:
                client.close()
            wait_for(lambda: outside.read() <= 50 and sum(
                got.startswith(b"HTTP/1.1 200") for got in outside.got.values()) >= 20, 10)
            for sock in list(outside.got):  # those answered leave, the next come in
                if outside.got[sock]:
                    sock.shutdown(socket.SHUT_RDWR)
            wait_for(lambda: outside.read() >= 0 and sum(
                bool(got) for got in outside.got.values()) >= 40, 10)
    finally:
        for client in inside:
            client.close()
    wait_for(lambda: get(port).status == 200, 10)
