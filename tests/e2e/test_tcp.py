"""protocol: tcp: bytes, both ways, until both sides are done."""

import os
import socket
import threading

import pytest

from harness import Backend, Client, free_port, wait_for


def relay(connection):
    """Echoes until FIN, then says goodbye."""
    while data := connection.sock.recv(65536):
        connection.sock.sendall(data)
    connection.sock.sendall(b"bye")


@pytest.fixture
def tcp(backend, pilotfish):
    def make(serve=relay, options: str = "", addresses: list | None = None):
        server, port = backend(serve=serve), free_port()
        listed = ", ".join(f'"{one}"' for one in addresses or [server.address])
        sidecar = pilotfish(f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    protocol: tcp
    static: [{listed}]
    {options}
""")
        return port, server, sidecar
    return make


def test_bytes_go_both_ways_untouched(tcp):
    port, _, _ = tcp()
    data = os.urandom(8 << 20)
    with Client(port, timeout=30) as client:
        sender = threading.Thread(target=lambda: (client.send(data), client.finish_sending()))
        sender.start()
        got = client.read_to_end()
        sender.join()
    assert got == data + b"bye"


def test_the_client_may_finish_first(tcp):
    port, _, _ = tcp()
    with Client(port) as client:
        client.send(b"hello")
        assert client.read_exactly(5) == b"hello"
        client.finish_sending()
        assert client.read_to_end() == b"bye"


def test_the_instance_may_finish_first(tcp):
    heard = []

    def speak_first(connection):
        connection.sock.sendall(b"all I say")
        connection.sock.shutdown(socket.SHUT_WR)
        while data := connection.sock.recv(65536):
            heard.append(data)
    port, server, _ = tcp(speak_first)
    with Client(port) as client:
        assert client.read_to_end() == b"all I say"
        client.send(b"still here")
        client.finish_sending()
        wait_for(lambda: b"".join(heard) == b"still here", 5)
    wait_for(lambda: server.open_connections() == 0, 5)


def test_an_instance_that_speaks_first_is_heard(tcp):
    port, _, _ = tcp(lambda c: (c.sock.sendall(b"220 hello\r\n"), c.sock.recv(1)))
    with Client(port) as client:
        assert client.read_line() == b"220 hello"


def test_a_reset_is_passed_on(tcp):
    ended = []

    def watch(connection):
        try:
            connection.sock.sendall(b"x")
            while connection.sock.recv(65536):
                pass
            ended.append("fin")
        except ConnectionResetError:
            ended.append("reset")
    port, _, _ = tcp(watch)
    client = Client(port)
    client.read_exactly(1)
    client.reset()
    assert wait_for(lambda: ended, 5)


def test_an_idle_connection_is_closed_after_idle_timeout(tcp):
    port, server, _ = tcp(options="idle_timeout: 500ms")
    with Client(port, timeout=5) as client:
        client.send(b"x")
        assert client.read_exactly(1) == b"x"
        try:
            assert client.read_to_end() in (b"", b"bye")
        except ConnectionResetError:
            pass
    wait_for(lambda: server.open_connections() == 0, 5)


def test_where_no_instance_takes_the_connection_it_is_reset(tcp):
    port, _, _ = tcp(addresses=[f"127.0.0.1:{free_port()}"])
    with Client(port) as client:
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_without_an_instance_the_connection_is_reset(consul, pilotfish, service):
    port = free_port()
    pilotfish(f"""
        {consul.config}
        upstreams:
          app: {{listen: "127.0.0.1:{port}", protocol: tcp, consul: {service}}}
        """, wait="health")
    with pytest.raises(ConnectionResetError), Client(port) as client:  # as early as in connect()
        client.read_to_end()


def test_a_connection_goes_on_to_another_instance_when_one_is_dead(tcp, cleanup):
    alive = cleanup(Backend(serve=relay))
    dead = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    port, _, sidecar = tcp(addresses=[*dead, alive.address])
    for _ in range(30):
        with Client(port) as client:
            client.send(b"x")
            client.finish_sending()
            assert client.read_to_end() == b"xbye"
    assert sidecar.metric("pilotfish_upstream_connect_failures_total", upstream="app") > 0


def test_a_stalled_reader_slows_the_sender_and_memory_stays_bounded(tcp):
    def flood(connection):
        while True:
            connection.sock.sendall(b"x" * 65536)
    port, _, sidecar = tcp(flood)
    before = sidecar.process.rss_bytes()
    with Client(port, receive_buffer=4096) as client:
        client.read_exactly(1)
        wait_for(lambda: True, 1)
        for _ in range(20):
            assert sidecar.process.rss_bytes() - before < 32 << 20
            client.read_exactly(100_000)


def test_ipv6_works_on_both_sides(pilotfish, cleanup):
    server, port = cleanup(Backend(host="::1")), free_port()
    pilotfish(f"""
        upstreams:
          app: {{listen: "[::1]:{port}", static: ["{server.address}"]}}
        """)
    with Client(port, host="::1") as client:
        assert client.request().instance == str(server.port)
    assert server.exchanges[0].header("x-forwarded-for") in ("::1", '"[::1]"', "[::1]")
