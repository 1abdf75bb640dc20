"""Deadlines and limits: each holds, says so in its answer, and leaves the others alone."""

import shutil
import socket
import subprocess
import threading
import time

import pytest

from harness import Client, free_port, get, wait_for
from harness.backend import never, normal, slow
from harness.client import Cut, build
from test_http_refused import assert_own_error


def test_a_slow_head_is_a_408(lane):
    port, server, _ = lane(options="timeouts: {head: 500ms}")
    with Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        began = time.monotonic()
        assert_own_error(client.read_response(), 408)
        assert 0.3 < time.monotonic() - began < 2
        assert client.at_end()
    assert not server.exchanges


def test_a_slowloris_that_keeps_sending_is_a_408_all_the_same(lane):
    port, _, _ = lane(options="timeouts: {head: 500ms}")
    with Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        client.sock.settimeout(0.1)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                client.send(b"X: y\r\n")
            except OSError:
                break
            try:
                assert_own_error(client.read_response(), 408)
                return
            except TimeoutError:
                continue
    pytest.fail("no 408 within 3 s")


def test_a_client_that_sends_nothing_is_closed(lane):
    port, _, _ = lane(options="timeouts: {head: 500ms}")
    with Client(port, timeout=4) as client:
        if not client.at_end():
            assert client.read_response().status == 408


def test_an_idle_client_is_closed_after_keep_alive(lane):
    port, _, _ = lane(options="timeouts: {keep_alive: 500ms}")
    with Client(port, timeout=4) as client:
        assert client.request().status == 200
        began = time.monotonic()
        assert client.at_end()
        assert 0.3 < time.monotonic() - began < 2.5


def test_a_stalled_request_body_ends_the_request(lane):
    port, server, _ = lane(options="timeouts: {body: 500ms}")
    with Client(port, timeout=5) as client:
        client.send(build("POST", "/", [("Content-Length", "10")]) + b"half")
        assert_own_error(client.read_response(), 408)
        assert client.at_end()
    wait_for(lambda: server.open_connections() == 0, 3, "the upstream connection is closed")


def test_a_stalled_answer_body_is_cut(lane):
    def stall(connection, exchange):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.backend.stopping.wait(20)
        return "close"
    port, server, _ = lane(stall, "timeouts: {body: 500ms}")
    began = time.monotonic()
    with pytest.raises((Cut, ConnectionResetError)):
        get(port)
    assert time.monotonic() - began < 3


def test_a_stalled_reader_is_given_up_and_costs_bounded_memory(lane):
    def flood(connection, exchange):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        while True:
            connection.send(b"x" * 65536)
    port, server, sidecar = lane(flood, "timeouts: {write: 1s}")
    before = sidecar.process.rss_bytes()
    with Client(port, receive_buffer=4096) as client:
        client.send(build())
        assert client.read_head().status == 200
        wait_for(lambda: server.open_connections() == 0, 8, "the flood is stopped")
    assert sidecar.process.rss_bytes() - before < 32 << 20


def test_a_stalled_reader_sees_the_cut_where_the_close_would_be_the_end(lane):
    def flood(connection, exchange):
        connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.send(b"x" * 65536)
    port, server, _ = lane(flood, "timeouts: {write: 500ms}")
    with Client(port, receive_buffer=4096) as client:
        client.send(build(version="HTTP/1.0"))
        assert client.read_head().status == 200
        wait_for(lambda: server.open_connections() == 0, 8, "the flood is stopped")
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_a_slow_reader_that_goes_on_reading_gets_everything(lane):
    body = bytes(range(256)) * 4096
    port, _, _ = lane(lambda c, e: c.answer(body=body), "timeouts: {write: 2s}")
    with Client(port, receive_buffer=4096) as client:
        client.send(build())
        answer = client.read_head()
        got = client.buffer
        while len(got) < int(answer.header("content-length")):
            data = client.sock.recv(32768)
            assert data
            got += data
            time.sleep(0.01)
    assert got == body


def test_max_clients_pauses_accept_and_goes_on_when_one_leaves(lane):
    port, _, _ = lane(root="max_clients: 2")
    first, second = Client(port), Client(port)
    assert first.request().status == second.request().status == 200
    with Client(port, timeout=0.5) as third:
        third.send(build())
        with pytest.raises(TimeoutError):
            third.read_response()
        first.close()
        third.sock.settimeout(5)
        assert third.read_response().status == 200
    second.close()


def burst(port: int, count: int) -> list:
    answers, threads = [], []

    def one():
        began = time.monotonic()
        answer = get(port, timeout=20)
        answers.append((answer, time.monotonic() - began))
    for _ in range(count):
        threads.append(threading.Thread(target=one))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return answers


def test_connections_to_an_upstream_are_limited_and_the_rest_queue(lane):
    port, server, _ = lane(slow(0.2), "limits: {connections: 2, pending: 100}\n"
                                      "connect_timeout: 5s")
    answers = burst(port, 8)
    assert all(answer.status == 200 for answer, _ in answers)
    assert len(server.received) <= 2 or server.open_connections() <= 2


def test_a_full_queue_is_a_503_at_once(lane):
    port, _, sidecar = lane(slow(1), "limits: {connections: 1, pending: 1}\nconnect_timeout: 5s")
    answers = burst(port, 6)
    refused = [(answer, took) for answer, took in answers if answer.status != 200]
    assert len(refused) >= 4
    for answer, took in refused:
        assert_own_error(answer, 503)
        assert took < 0.8
    assert sidecar.metric("pilotfish_upstream_overflow_total", upstream="app") >= 4


def test_waiting_in_the_queue_ends_after_connect_timeout(lane):
    port, _, _ = lane(slow(3), "limits: {connections: 1, pending: 10}\nconnect_timeout: 300ms")
    answers = burst(port, 2)
    refused = [(answer, took) for answer, took in answers if answer.status != 200]
    assert len(refused) == 1
    assert_own_error(refused[0][0], 503)
    assert 0.2 < refused[0][1] < 2


def test_a_pooled_connection_idles_no_longer_than_pool_idle(lane):
    port, server, _ = lane(options="timeouts: {pool_idle: 500ms}")
    with Client(port) as client:
        assert client.request().status == 200
        wait_for(lambda: server.open_connections() == 0, 4, "the idle connection closes")
        assert client.request().status == 200


def test_five_thousand_idle_connections_cost_little_and_harm_nobody(lane):
    port, _, sidecar = lane(root="max_clients: 6000")
    for _ in range(20):
        get(port)
    count, per_round, clients = 5000, 500, []
    before = sidecar.process.rss_bytes()
    try:
        for start in range(0, count, per_round):
            for _ in range(per_round):
                sock = socket.socket()
                sock.connect(("127.0.0.1", port))
                clients.append(sock)
        wait_for(lambda: sidecar.metric("pilotfish_downstream_connections") >= count, 30,
                 "all are accepted")
        grown = sidecar.process.rss_bytes() - before
        assert grown < count * 32 * 1024, f"{grown // count} bytes each"
        began = time.monotonic()
        assert get(port).status == 200
        assert time.monotonic() - began < 1
    finally:
        for sock in clients:
            sock.close()
    wait_for(lambda: sidecar.metric("pilotfish_downstream_connections") <= 1, 15, "all are gone")


def test_few_descriptors_hold_max_clients_down_so_that_every_request_still_finds_one(
        backend, pilotfish):
    """60 descriptors, 200 clients: they wait in the kernel's queue and are all answered."""
    server, port = backend(slow(0.02)), free_port()
    sidecar = pilotfish(f"""
        upstreams:
          app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}
        """, descriptors=60)
    sidecar.await_log(r"max_clients is held lower: descriptors .* max_clients=10000 held_at=\d+ "
                      r"descriptors=60")
    clients = [Client(port, timeout=30) for _ in range(200)]
    for client in clients:
        client.send(build(headers=[("Connection", "close")]))
    assert [client.read_response().status for client in clients] == [200] * 200
    assert sidecar.admin("/ready")[0] == 200, "admin has descriptors of its own"
    assert sidecar.process.log().count("no free file descriptor") == 0


def test_where_the_kernel_gives_no_descriptor_accept_pauses_and_goes_on_within_a_second(
        backend, pilotfish):
    """Every accept fails for a while (strace's doing): one line, no spin, nobody is lost."""
    server, port = backend(), free_port()
    sidecar = pilotfish(f"""
        upstreams:
          app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}
        """)
    strace = shutil.which("strace")
    assert strace, "package strace is missing"
    trouble = subprocess.Popen(
        [strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=accept,accept4",
         "-e", "inject=accept,accept4:error=EMFILE", "-p", str(sidecar.process.pid)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: "TracerPid:\t0" not in
                 open(f"/proc/{sidecar.process.pid}/status").read(), 10)
        clients = [Client(port, timeout=20) for _ in range(20)]
        for client in clients:
            client.send(build())
        sidecar.await_log("accept pauses: no free file descriptor; raise its limit")
        busy = sidecar.process.cpu_seconds()
        time.sleep(1.5)
        assert sidecar.process.cpu_seconds() - busy < 0.7, "it spins"
    finally:
        trouble.terminate()
        trouble.wait(10)
    began = time.monotonic()
    assert [client.read_response().status for client in clients] == [200] * 20
    assert time.monotonic() - began < 5, "a second on an idle machine"
    assert sidecar.process.log().count("accept pauses") == 1


def test_without_free_descriptors_it_waits_and_recovers(backend, pilotfish):
    server, port = backend(), free_port()
    sidecar = pilotfish(f"""
        upstreams:
          app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}
        """, descriptors=60)
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    time.sleep(1)
    busy = sidecar.process.cpu_seconds()
    time.sleep(1)
    assert sidecar.process.cpu_seconds() - busy < 0.6, "it spins"
    assert sidecar.process.running()
    for sock in clients:
        sock.close()
    wait_for(lambda: get(port, timeout=2).status == 200, 5, "it serves again")


def test_limits_are_freed_by_clients_that_go_away(lane):
    port, server, _ = lane(never, "limits: {connections: 2, pending: 2}\nconnect_timeout: 1s")
    for _ in range(3):
        gone = [Client(port) for _ in range(2)]
        for client in gone:
            client.send(build())
        wait_for(lambda: server.open_connections() >= 2, 3)
        for client in gone:
            client.reset()
        wait_for(lambda: server.open_connections() == 0, 3, "aborted upstream as well")
    server.handler = normal
    assert get(port).status == 200
