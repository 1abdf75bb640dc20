"""What a person on call reads: one line per event, with cause and numbers; floods are counted."""

import contextlib
import re
import socket
import ssl
import threading
import time

import pytest

from harness import (Client, DnsServer, Pilotfish, Traffic, free_port, get, srv_answer,
                     wait_for)
from harness.backend import (close_before_answer, never, normal, raw, reset_before_answer, slow,
                             status)
from harness.client import build
from harness.dns_server import NXDOMAIN, message


def lines(sidecar, pattern: str) -> list[str]:
    return [line for line in sidecar.process.log().splitlines() if re.search(pattern, line)]


def test_a_503_for_want_of_an_open_port_names_the_instance_and_the_cause(pilotfish):
    dead, port = free_port(), free_port()
    sidecar = pilotfish(f"""\
upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["127.0.0.1:{dead}"], eject: {{consecutive: 0}}}}}}
""")
    assert get(port).status == 503
    sidecar.await_log(rf"answered 503 connection_refused upstream=app client=127\.0\.0\.1:\d+ "
                      rf"why=.*3 tries, the last: 127\.0\.0\.1:{dead}, Connection refused")


def test_a_flood_of_503_leaves_one_line_and_a_count(pilotfish):
    port, count = free_port(), 400
    sidecar = pilotfish(f"""\
upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["127.0.0.1:{free_port()}"], retry: {{attempts: 0}}}}}}
""")
    with Client(port) as client:
        for _ in range(count):
            assert client.request().status == 503
    sidecar.await_log(r"answered 503 connection_refused \(\d+ more in the last 1\d s\)", 30)
    assert len(lines(sidecar, "answered 503")) == 2
    assert f"({count - 1} more" in lines(sidecar, "answered 503")[1]
    assert "Connection refused" in lines(sidecar, "answered 503")[1], "the cause is not lost"


def test_what_was_withheld_is_said_at_the_end(pilotfish):
    port = free_port()
    sidecar = pilotfish(f"""\
upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["127.0.0.1:{free_port()}"]}}}}
""")
    for _ in range(5):
        get(port)
    sidecar.stop()
    assert lines(sidecar, r"answered 503 connection_refused \(4 more\)")


@pytest.mark.parametrize("handler, options, answer, line", [
    (close_before_answer, "", 502, "answered 502 connection_terminated .*instance 127"),
    (reset_before_answer, "", 502, "answered 502 connection_terminated .*instance 127"),
    (raw(b"nonsense\r\n\r\n"), "", 502, "answered 502 http_protocol_error .*no valid HTTP"),
    (never, "request_timeout: 300ms", 504,
     "answered 504 http_response_timeout .*request_timeout; instance 127"),
])
def test_other_answers_of_our_own_are_explained_too(lane, handler, options, answer, line):
    port, server, sidecar = lane(handler, options)
    assert get(port, method="POST", body=b"x").status == answer
    sidecar.await_log(line.replace("127", rf"127\.0\.0\.1:{server.port}"))


def test_a_full_queue_is_told_with_the_limits(lane):
    port, server, sidecar = lane(slow(1), "limits: {connections: 1, pending: 1}")
    clients = [Client(port) for _ in range(4)]
    for client in clients:
        client.send(build())
    sidecar.await_log(r"answered 503 connection_limit_reached .*limits.connections is reached "
                      r"\(1\) and limits.pending requests wait already \(1\)")
    [instance] = sidecar.instances("app").values()
    assert "limits.connections" in instance["why"] and "wait for a connection" in instance["why"]
    for client in clients:
        client.close()


def test_a_tcp_connection_that_finds_nobody_is_told(pilotfish):
    port, dead = free_port(), free_port()
    sidecar = pilotfish(f"""\
upstreams:
  db: {{listen: "127.0.0.1:{port}", protocol: tcp, static: ["127.0.0.1:{dead}"]}}
""")
    with contextlib.suppress(ConnectionResetError), Client(port) as client:
        assert client.at_end()
    sidecar.await_log(rf"closed a connection: connection_refused upstream=db client=.*"
                      rf"Connection refused; instance 127\.0\.0\.1:{dead}, \d+ tries")


def test_an_ejection_tells_cause_time_and_share_and_the_return_how_long(pilotfish, backend):
    bad, good, port = backend(status("503 No")), backend(), free_port()
    sidecar = pilotfish(f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    static: ["{bad.address}", "{good.address}"]
    balance: round_robin
    eject: {{consecutive: 3, base: 1s}}
    retry: {{budget: 100%}}
""")
    with Traffic(port, rate=60) as traffic:
        sidecar.await_log(
            rf"instance ejected upstream=app instance=127\.0\.0\.1:{bad.port} "
            r"why=.3 failures in a row, the last: answered 502, 503 or 504; out for 1 s, then "
            r"one request probes it; 1 of 2 instances of tier 0 \(static\) now out, at most "
            r"50 %")
        why = sidecar.instances("app")[bad.address]["why"]
        assert "3 failures in a row" in why or "ejection over" in why
        bad.handler = normal
        sidecar.await_log(rf"instance back after ejection upstream=app "
                          rf"instance=127\.0\.0\.1:{bad.port} why=.it was out for \d+ ")
    assert not traffic.failed, traffic.failed[:2]


def test_a_change_of_tier_is_told_with_counts(consul, backend, pilotfish, service):
    server, port = backend(ports=2), free_port()
    four = consul.register(service, server.ports[0], tags=["v4"])
    consul.register(service, server.ports[1], tags=["v3"])
    sidecar = pilotfish(f"""\
{consul.config}
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}, prefer: [v4, v3]}}
""")
    sidecar.await_log(r'serving tier changed upstream=app from=\S+.* to="0 \(v4\)" reason=start')
    consul.critical(four)
    wait_for(lambda: get(port).instance == str(server.ports[1]), 10)
    sidecar.await_log(r'serving tier changed upstream=app from="0 \(v4\)" to="1 \(v3\)" '
                      r'reason=too_few why="tier 0 \(v4\) has 0 of 1 needed instances; '
                      r'tier 1 \(v3\) serves with 1 instance"')
    assert "tier 1 (v3) serves" in sidecar.upstream("app")["reason"]


def test_an_empty_registry_is_told_when_held_and_when_the_hold_is_over(backend, pilotfish, cleanup):
    server, port = backend(), free_port()
    dns = cleanup(DnsServer(lambda query: srv_answer(query, [server.port])))
    sidecar = pilotfish(f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    srv: web.test
    dns: ["127.0.0.1:{dns.port}"]
    fallback: {{hold_empty: 1s}}
""")
    assert get(port).status == 200
    dns.answer = lambda query: message(query, rcode=NXDOMAIN)
    assert get(port).status == 200
    sidecar.await_log(r"every tier is empty: the last good set of tier 0 \(web.test\), 1 instance, "
                      r"is held for 1 s")
    wait_for(lambda: get(port).status == 503, 10)
    sidecar.await_log(r"to=none reason=all_empty why=.every tier was empty for longer than "
                      r"hold_empty \(1 s\)")
    sidecar.await_log(r"answered 503 destination_unavailable .*no instance of app can serve: every "
                      r"tier was empty for longer than hold_empty")


def test_a_silent_registry_is_told_at_begin_and_end_with_age_cause_and_count(
        backend, pilotfish, cleanup):
    server, port = backend(), free_port()
    dns = cleanup(DnsServer(lambda query: srv_answer(query, [server.port])))
    sidecar = pilotfish(f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    srv: web.test
    dns: ["127.0.0.1:{dns.port}"]
    lookup: {{timeout: 300ms}}
""")
    assert get(port).status == 200
    before = len(lines(sidecar, "lookup failed;"))
    dns.answer = lambda _: None
    for _ in range(6):
        assert get(port).status == 200
    sidecar.await_log(r"lookup failed; the last good answer serves on upstream=app why=.the lookup "
                      r"of tier 0 \(web.test\) failed: timeout, web.test after \d+ ms.*"
                      r"asked for \d+ ms ago")
    sidecar.await_log(r"connections no longer wait for lookups: 3 in a row ran out of time; one "
                      r"probe a second goes on name=\S*web.test\S* result=timeout timeout=.300 ms")
    dns.answer = lambda query: srv_answer(query, [server.port])
    sidecar.await_log(r"the registry answers again upstream=app why=.after \d+ m?s and \d+ failed "
                      r"lookups; \d+ connections or requests were routed by the last good answer; "
                      r"tier web.test has 1 instances", 15)
    sidecar.await_log(r"connections wait for lookups again")
    assert len(lines(sidecar, "lookup failed;")) == before + 1


def test_several_workers_say_once_what_they_all_find_out(pilotfish):
    port = free_port()
    sidecar = pilotfish(f"""\
workers: 3
upstreams:
  app: {{listen: "127.0.0.1:{port}", srv: web.test, dns: ["127.0.0.1:{free_port()}"]}}
""", wait="health")
    sidecar.await_log("lookup failed; nothing serves yet upstream=app")
    time.sleep(1)
    assert len(lines(sidecar, "lookup failed")) == 1, "whatever each waited"


def test_max_clients_is_told_once_when_accept_pauses(lane):
    port, _, sidecar = lane(root="max_clients: 2")
    clients = [Client(port) for _ in range(6)]
    for client in clients[:2]:
        client.request()
    sidecar.await_log(r"accept pauses: max_clients is reached upstream=app why=.2 client")
    time.sleep(2.5)
    assert len(lines(sidecar, "accept pauses")) == 1
    for client in clients:
        client.close()


def test_a_drain_is_told_with_counts_at_begin_and_end(lane):
    port, server, sidecar = lane(slow(1))
    clients = [Client(port) for _ in range(3)]
    threads = [threading.Thread(target=client.request) for client in clients]
    for thread in threads:
        thread.start()
    wait_for(lambda: server.count == 3, 10)
    sidecar.stop()
    for thread in threads:
        thread.join()
    assert lines(sidecar, r"draining: no new connections, what runs is finished signal=SIGTERM "
                          r"connections=3 limit=10s")
    assert lines(sidecar, r"drained: every connection ended took=.\d+ ms")


def test_a_drain_that_is_over_tells_what_is_cut(lane):
    port, server, sidecar = lane(slow(60), root="shutdown: {drain: 1s}")
    with Client(port) as client:
        client.send(build())
        wait_for(lambda: server.count == 1, 10)
        sidecar.stop()
    assert lines(sidecar, r"shutdown.drain is over: what still ran is cut connections=1 limit=1s")


def says(sidecar, port: int, pattern: str) -> None:
    """The 503, the log and /upstreams name the same cause."""
    wait_for(lambda: re.search(pattern, sidecar.upstream("app")["reason"]), 10, pattern)
    answer = get(port)
    assert answer.status == 503 and re.search(pattern, answer.body.decode()), answer.body
    sidecar.await_log(rf'no instance can serve upstream=app why=.*{pattern}')


def test_a_503_names_why_consul_has_nobody(consul, backend, pilotfish, service):
    server, port = backend(), free_port()
    def run(name, prefer):
        return pilotfish(f"""\
{consul.config}
upstreams: {{app: {{listen: "127.0.0.1:{port}", consul: {name}, prefer: [{prefer}], fallback: {{hold_empty: 0s}}}}}}
""", wait="health")
    unknown = run(f"{service}x", "any")
    says(unknown, port, f'unknown service .?"{service}x')
    assert f'unknown service "{service}x"' in unknown.process.log(), "also on the start screen"
    unknown.stop()
    ident = consul.register(service, server.port, tags=["v3"])
    tagged = run(service, "v9")
    says(tagged, port, r'no instance with tag .?"v9.?" \(there are: v3\)')
    tagged.stop()
    sick = run(service, "v3")
    assert get(port).status == 200
    consul.critical(ident)
    wait_for(lambda: get(port).status == 503, 10)
    says(sick, port, 'the only instance with tag .?"v3.?" is critical')
    consul.passing(ident)
    wait_for(lambda: get(port).status == 200, 10)
    assert "critical" not in sick.upstream("app")["reason"]


def test_a_503_names_who_refuses_connections(pilotfish):
    port, dead = free_port(), free_port()
    sidecar = pilotfish(f"""\
consul: {{dns: "127.0.0.1:{dead}", http: "http://127.0.0.1:{free_port()}"}}
upstreams: {{app: {{listen: "127.0.0.1:{port}", consul: app}}}}
""", wait="health")
    says(sidecar, port, rf"127\.0\.0\.1:{dead} \(Consul DNS\) refuses connections")


def test_tls_and_http2_on_a_plain_port_are_named(lane):
    port, _, sidecar = lane()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        context = ssl.create_default_context()
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(client, server_hostname="localhost")
    sidecar.await_log(r"a client speaks TLS to a plain port upstream=app .*listen\.tls\) is not built")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes.fromhex("000000040000000000"))
        came = b""
        while part := client.recv(4096):
            came += part
    assert came.startswith(b"HTTP/1.1 400 ") and b"HTTP/2 is not built yet" in came, came
    sidecar.await_log("a client speaks HTTP/2 to an HTTP/1.1 port upstream=app")
    assert get(port).status == 200


def test_an_instance_that_speaks_tls_is_named(lane):
    port, server, sidecar = lane(raw(bytes.fromhex("15030300020246")))
    answer = get(port)
    assert answer.status == 502
    assert f"127.0.0.1:{server.port} seems to speak TLS" in answer.body.decode()
    sidecar.await_log("answered 502 http_protocol_error .*seems to speak TLS")


def test_at_debug_there_is_a_line_per_try(backend, pilotfish):
    server, dead, port = backend(), free_port(), free_port()
    sidecar = pilotfish(f"""\
log: {{level: debug}}
upstreams:
  app: {{listen: "127.0.0.1:{port}", static: ["127.0.0.1:{dead}", "{server.address}"], balance: round_robin}}
""")
    for _ in range(2):
        assert get(port, "/some/where").status == 200
    sidecar.await_log(rf"try ended upstream=app instance=127\.0\.0\.1:{dead} try=1 .*"
                      r'outcome="no connection" took_ms=\d+\.\d{3}')
    sidecar.await_log(rf"try ended upstream=app instance=127\.0\.0\.1:{server.port} try=\d .*"
                      r"method=GET target=/some/where status=200 outcome=success took_ms=\d+\.\d{3}")


def test_the_access_log_names_the_tier_that_was_picked_in(consul, backend, pilotfish, service):
    """The instance is in both tiers; tier 1 serves, as tier 0 has too few."""
    server, port = backend(ports=2), free_port()
    consul.register(service, server.ports[0], tags=["v4", "v3"])
    consul.register(service, server.ports[1], tags=["v3"])
    consul.await_healthy(service, 2)
    sidecar = pilotfish(f"""\
{consul.config}
log: {{access: stderr}}
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}, prefer: [v4, v3], fallback: {{min_healthy: 2}}}}
""")
    wait_for(lambda: get(port).instance == str(server.ports[0]), 10)
    sidecar.await_log(rf'status=200 .*instance=127\.0\.0\.1:{server.ports[0]} tier=1 tier_name=v3 '
                      r'tier_reason="[^"]*tier 1 \(v3\) serves')
