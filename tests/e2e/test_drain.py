"""SIGTERM under each kind of load: what was accepted is answered."""

import contextlib
import errno
import signal
import socket
import threading
import time

import pytest

from harness import Client, Pilotfish, Traffic, free_port, wait_for
from harness.backend import echo, normal, slow
from harness.client import Cut, build


@contextlib.contextmanager
def stopping(sidecar):
    """SIGTERM at the beginning; its end is awaited and judged after the block."""
    sidecar.process.signal(signal.SIGTERM)
    yield
    sidecar.process.wait(30)
    sidecar.stop()


@pytest.mark.parametrize("workers", [1, 3])
def test_new_connections_are_answered_or_refused_but_never_reset(lane, workers):
    """Whoever connects before the listeners close is answered; whoever comes later is refused."""
    port, _, sidecar = lane(slow(0.02), root=f"workers: {workers}")
    answered, findings = [0], []

    def caller():
        while sidecar.process.running():
            try:
                client = Client(port, timeout=15)
            except ConnectionRefusedError:
                return
            try:
                assert client.request(headers=[("Connection", "close")]).status == 200
                answered[0] += 1
            except Exception as error:  # noqa: BLE001  any failure is the finding
                findings.append(repr(error))
            client.close()
    callers = [threading.Thread(target=caller) for _ in range(24)]
    for one in callers:
        one.start()
    wait_for(lambda: answered[0] > 200, 20)
    with stopping(sidecar):
        for one in callers:
            one.join()
    assert not findings, (len(findings), answered[0], findings[:3])


@pytest.mark.parametrize("workers", [1, 3])
def test_the_kernels_accept_queue_is_answered(lane, workers):
    """max_clients keeps connections in the kernel's queue: the drain takes them all."""
    port, server, sidecar = lane(slow(0.3), root=f"max_clients: {workers}\nworkers: {workers}")
    clients = [Client(port, timeout=15) for _ in range(60)]
    for client in clients:
        client.send(build())
    wait_for(lambda: server.count >= 1, 10)
    assert server.count <= 2 * workers, "most of them wait in the queue"
    with stopping(sidecar):
        assert [client.read_response().status for client in clients] == [200] * 60


def test_callers_that_never_look_before_they_write_lose_nothing(lane):
    """Kept connections in use are closed by an answer that says so, not between two requests."""
    port, _, sidecar = lane()
    results = []

    def caller(number: int):
        client, pause = None, 0.01 + 0.004 * number
        while True:
            try:
                client = client or Client(port)
            except ConnectionRefusedError:
                return
            try:
                answer = client.request()
                results.append(answer.status)
                if answer.header("connection") == "close":
                    client.close()
                    client = None
            except Exception as error:  # noqa: BLE001  any failure is the finding
                results.append(repr(error))
                return
            time.sleep(pause)
    callers = [threading.Thread(target=caller, args=(number,)) for number in range(16)]
    for one in callers:
        one.start()
    wait_for(lambda: len(results) > 100, 20)
    with stopping(sidecar):
        for one in callers:
            one.join()
    assert set(results) == {200}, [one for one in results if one != 200]


def test_pipelined_requests_that_have_arrived_are_all_answered(lane):
    port, server, sidecar = lane(slow(0.1))
    with Client(port) as client:
        client.send(build() * 10)
        wait_for(lambda: server.count >= 2, 10)
        with stopping(sidecar):
            answers = [client.read_response() for _ in range(10)]
            assert [answer.status for answer in answers] == [200] * 10
            assert [answer.header("connection") for answer in answers] == [None] * 9 + ["close"]
            assert client.at_end()


def test_who_never_stops_to_pipeline_is_stopped_before_the_drain_is_over(lane):
    port, _, sidecar = lane(root="shutdown: {drain: 20s}")
    with Client(port) as client:
        client.send(build() * 4)
        assert client.read_response().status == 200
        began = time.monotonic()
        with stopping(sidecar):
            while client.read_response().header("connection") != "close":
                with contextlib.suppress(OSError):  # it may have closed behind its last answer
                    client.send(build())
        assert time.monotonic() - began < 15


def test_long_answers_and_uploads_are_carried_to_their_end(lane):
    """5 MB each way, slowly, begun before the signal."""
    block, count = b"x" * 50_000, 100

    def handler(connection, exchange):
        if exchange.method == "POST":
            return echo(connection, exchange)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(block) * count}\r\n\r\n"
        connection.send(head.encode())
        for _ in range(count):
            connection.send(block)
            time.sleep(0.01)
        return None
    port, server, sidecar = lane(handler)
    with Client(port, timeout=30) as down, Client(port, timeout=30) as up:
        down.send(build())
        up.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(block) * count}\r\n\r\n"
                .encode() + block)
        wait_for(lambda: server.open_connections() == 2, 10)
        assert down.read_head().status == 200
        with stopping(sidecar):
            for _ in range(count - 1):
                up.send(block)
                time.sleep(0.01)
            assert down.read_exactly(len(block) * count) == block * count
            answer = up.read_response("POST")
            assert (answer.status, len(answer.body)) == (200, len(block) * count)
            assert answer.header("connection") == "close"


def test_a_cut_long_answer_is_seen_as_cut_when_the_drain_is_over(lane):
    def endless(connection, _):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.send(b"5\r\nhello\r\n")
                time.sleep(0.02)
        return "close"
    port, _, sidecar = lane(endless, root="shutdown: {drain: 1s}")
    with Client(port) as client:
        client.send(build())
        client.read_head()
        with stopping(sidecar), pytest.raises((Cut, ConnectionResetError)):
            client.read_chunked()
    assert "shutdown.drain" in sidecar.process.log()


def tcp_echo(connection):
    while data := connection.sock.recv(65536):
        connection.sock.sendall(data)


def test_tcp_relays_go_on_until_they_end_and_new_ones_are_refused(backend, pilotfish):
    server, port = backend(serve=tcp_echo), free_port()
    sidecar = pilotfish(f"""\
upstreams:
  app: {{listen: "127.0.0.1:{port}", protocol: tcp, static: ["{server.address}"]}}
""")
    relays = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(8)]
    for number, relay in enumerate(relays):
        relay.sendall(b"a%d" % number)
        assert relay.recv(10) == b"a%d" % number

    def refused():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
    with stopping(sidecar):
        wait_for(refused, 5)
        for _ in range(20):
            for number, relay in enumerate(relays):
                relay.sendall(b"b%d" % number)
                assert relay.recv(10) == b"b%d" % number
            time.sleep(0.02)
        began = time.monotonic()
        for relay in relays:
            relay.close()
    assert time.monotonic() - began < 5, "it ends with the last relay, not with shutdown.drain"


def test_upgraded_tunnels_go_on_until_they_end(lane):
    def upgrade(connection, exchange):
        if exchange.header("upgrade") is None:
            return normal(connection, exchange)
        connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                        b"Upgrade: echo\r\n\r\n")
        tcp_echo(connection)
        return "close"
    port, _, sidecar = lane(upgrade)
    with Client(port) as client:
        client.send(build(headers=[("Connection", "upgrade"), ("Upgrade", "echo")]))
        assert client.read_head().status == 101
        with stopping(sidecar):
            for number in range(30):
                client.send(b"%03d" % number)
                assert client.read_exactly(3) == b"%03d" % number
                time.sleep(0.02)
            client.close()


def test_steady_traffic_through_five_restarts_fails_only_while_nobody_listens(tmp_path, backend,
                                                                              cleanup):
    """Without socket activation new connections are refused for a moment; nothing else fails."""
    server, port = backend(slow(0.01)), free_port()
    config = f'upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}}}'
    sidecar = cleanup(Pilotfish(config, tmp_path))
    with Traffic(port, rate=200, threads=8) as traffic:
        for _ in range(5):
            time.sleep(0.3)
            sidecar.stop()
            sidecar = cleanup(Pilotfish(config, tmp_path))
    others = [one for one in traffic.failed if "ConnectionRefused" not in one.error]
    assert not others, others[:3]
    assert len(traffic.samples) - len(traffic.failed) > 100


def test_during_grace_everything_is_served_and_nothing_is_ready(lane):
    port, _, sidecar = lane(root="shutdown: {grace: 2s, drain: 5s}")
    with Client(port) as kept:
        assert kept.request().status == 200
        began = time.monotonic()
        with stopping(sidecar):
            wait_for(lambda: sidecar.admin("/ready")[0] == 503, 5)
            answer = kept.request()
            assert answer.status == 200 and answer.header("connection") is None
            while time.monotonic() - began < 1:
                with Client(port) as fresh:
                    answer = fresh.request()
                    assert answer.status == 200 and answer.header("connection") is None
                time.sleep(0.05)
    assert 1.9 < time.monotonic() - began < 6


def test_a_second_signal_ends_also_a_grace(lane):
    _, _, sidecar = lane(root="shutdown: {grace: 60s}")
    sidecar.process.signal(signal.SIGTERM)
    sidecar.await_log("stopping: withdrawn and not ready")
    began = time.monotonic()
    sidecar.process.signal(signal.SIGTERM)
    sidecar.process.wait(5)
    sidecar.stopped = True
    assert time.monotonic() - began < 2
