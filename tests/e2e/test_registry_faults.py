"""Registries that lie, break off and flood: the last good answer serves on, memory stays bounded."""

import random
import struct
import time

import pytest

from harness import DnsServer, free_port, get, srv_answer, wait_for
from harness.dns_server import (A, CNAME, NXDOMAIN, REFUSED, SERVFAIL, SRV, encode_name,
                                message, record, srv_rdata)


def config(dns, port: int, options: str = "") -> str:
    lines = options.replace("\n", "\n    ")
    return f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    srv: web.test
    dns: ["{dns.address}"]
    {lines}
"""


@pytest.fixture
def lying(backend, pilotfish, cleanup):
    """(server, dns, port, sidecar): starts with an honest answer; the test replaces dns.answer."""
    server, port = backend(ports=2), free_port()
    dns = cleanup(DnsServer(lambda q: srv_answer(q, server.ports)))
    sidecar = pilotfish(config(dns, port, "lookup: {timeout: 100ms}"))
    return server, dns, port, sidecar


def srv(query, rdata: bytes, **how) -> bytes:
    return record(b"\xc0\x0c", SRV, rdata, **how)


def evil(query) -> list[bytes]:
    return [srv(query, srv_rdata(1, "evil.test"))]


LIES = {
    "a record of another name": lambda q: message(
        q, [record(encode_name("other.test"), SRV, srv_rdata(1, "i.test"))]),
    "nothing": lambda q: None,
    "an empty datagram": lambda q: b"",
    "one byte": lambda q: b"\0",
    "only a header": lambda q: q.data[:2] + b"\x84\0" + b"\0" * 8,
    "random bytes": lambda q: q.data[:2] + random.Random(7).randbytes(200),
    "SERVFAIL": lambda q: message(q, rcode=SERVFAIL),
    "REFUSED": lambda q: message(q, rcode=REFUSED),
    "FORMERR": lambda q: message(q, rcode=1),
    "NOTIMP": lambda q: message(q, rcode=4),
    "another id": lambda q: message(q, evil(q), ident=0),
    "another question": lambda q: message(
        q, evil(q), question=encode_name("other.test") + struct.pack("!HH", SRV, 1)),
    "a question instead of an answer": lambda q: message(q, evil(q), flags=0x0400),
    "another opcode": lambda q: message(q, evil(q), flags=0xA400),
    "a name that points at itself": lambda q: message(
        q, [srv(q, b"\0\1\0\1\0\1" + struct.pack("!H", 0xC000 | (len(q.question) + 12 + 18)))]),
    "a pointer out of the message": lambda q: message(q, [srv(q, b"\0\1\0\1\0\1\xff\xff")]),
    "a label of 64 bytes": lambda q: message(q, [srv(q, b"\0\1\0\1\0\1\x40" + b"a" * 64 + b"\0")]),
    "a name of 320 bytes": lambda q: message(
        q, [srv(q, b"\0\1\0\1\0\1" + (b"\x3f" + b"a" * 63) * 5 + b"\0")]),
    "RDLENGTH 0": lambda q: message(q, [srv(q, b"", length=0)]),
    "RDLENGTH too short": lambda q: message(q, [srv(q, srv_rdata(1, "a.test"), length=5)]),
    "RDLENGTH beyond the end": lambda q: message(q, [srv(q, srv_rdata(1, "a.test"), length=200)]),
    "65,535 answers counted": lambda q: message(q, evil(q), counts=(65535, 0)),
    "a CNAME loop": lambda q: message(q, [
        record(b"\xc0\x0c", CNAME, encode_name("b.test")),
        record(encode_name("b.test"), CNAME, encode_name("web.test"))]),
    "truncated and TCP says nothing": lambda q: (
        message(q, [], flags=0x8600) if q.transport == "udp" else None),
}


@pytest.mark.parametrize("lie", LIES)
def test_after_a_lie_the_last_good_answer_serves_on(lying, lie):
    server, dns, port, sidecar = lying
    good = {str(number) for number in server.ports}
    assert {get(port).instance for _ in range(30)} == good
    dns.answer = LIES[lie]
    for _ in range(12):
        answer = get(port)
        assert answer.status == 200 and answer.instance in good
    assert sidecar.upstream("app")["tier"] == 0
    dns.answer = lambda q: srv_answer(q, server.ports[:1])

    def follows():
        return {get(port).instance for _ in range(5)} == {str(server.ports[0])}
    wait_for(follows, 5, "an honest answer is believed again")


def test_the_kinds_of_failure_are_told_apart(lying):
    _, dns, port, sidecar = lying
    for answer, result in ((lambda q: message(q, rcode=SERVFAIL), "servfail"),
                           (lambda q: message(q, rcode=REFUSED), "refused"),
                           (lambda q: message(q, rcode=NXDOMAIN), "nxdomain"),
                           (lambda q: message(q), "empty"), (lambda q: None, "timeout")):
        dns.answer = answer

        def counted(result=result):
            assert get(port).status == 200
            return sidecar.metric("pilotfish_lookup_total", upstream="app", result=result) > 0
        wait_for(counted, 5, result)


def test_a_registry_that_is_not_there_is_unreachable(lying):
    _, dns, port, sidecar = lying
    dns.close()

    def counted():
        assert get(port).status == 200
        return sidecar.metric("pilotfish_lookup_total", upstream="app", result="unreachable") > 0
    wait_for(counted, 5)


def test_the_right_answer_after_a_spoofed_one_is_taken(lying):
    server, dns, port, _ = lying
    dns.answer = lambda q: [message(q, evil(q), ident=1), srv_answer(q, server.ports[1:])]
    wait_for(lambda: {get(port).instance for _ in range(5)} == {str(server.ports[1])}, 5)


def test_odd_records_are_skipped_and_the_rest_is_used(lying):
    server, dns, port, sidecar = lying
    dns.answer = lambda q: message(q, [
        srv(q, srv_rdata(0, "i.test")), srv(q, srv_rdata(server.ports[0], ".")),
        srv(q, srv_rdata(server.ports[1], "i.test", weight=3)),
        srv(q, srv_rdata(server.ports[1], "i.test", weight=9))],
        [record(encode_name("i.test"), A, bytes([127, 0, 0, 1]))])
    wait_for(lambda: {get(port).instance for _ in range(5)} == {str(server.ports[1])}, 5)
    shown = sidecar.instances("app")
    serving = {address: one for address, one in shown.items() if one["state"] == "healthy"}
    assert list(serving) == [f"127.0.0.1:{server.ports[1]}"]
    assert serving[f"127.0.0.1:{server.ports[1]}"]["weight"] == 3


def test_addresses_that_are_not_there_are_looked_up(lying):
    server, dns, port, _ = lying

    def answer(query):
        if query.kind == SRV:
            return message(query, [srv(query, srv_rdata(server.ports[1], "i.test"))])
        if query.kind == A and query.name.lower() == "i.test":
            return message(query, [record(b"\xc0\x0c", A, bytes([127, 0, 0, 1]))])
        return message(query)
    dns.answer = answer
    wait_for(lambda: {get(port).instance for _ in range(5)} == {str(server.ports[1])}, 5)


def test_a_cname_is_followed(lying):
    server, dns, port, _ = lying
    dns.answer = lambda q: message(q, [
        record(b"\xc0\x0c", CNAME, encode_name("real.test")),
        record(encode_name("real.test"), SRV, srv_rdata(server.ports[1], "i.test"))],
        [record(encode_name("i.test"), A, bytes([127, 0, 0, 1]))])
    wait_for(lambda: {get(port).instance for _ in range(5)} == {str(server.ports[1])}, 5)


def test_a_target_of_one_dot_is_decidedly_nobody(lying):
    _, dns, port, sidecar = lying
    dns.answer = lambda q: message(q, [srv(q, srv_rdata(1, "."))])

    def empty():
        get(port)
        return sidecar.metric("pilotfish_lookup_total", upstream="app", result="empty") > 0
    wait_for(empty, 5)


@pytest.mark.parametrize("how", ["the TC bit", "silently"])
def test_a_trimmed_answer_is_completed_over_tcp(backend, pilotfish, cleanup, how):
    server, port = backend(ports=40), free_port()

    def trimmed(query):
        if query.transport == "tcp":
            return srv_answer(query, server.ports)
        if how == "the TC bit":
            return srv_answer(query, server.ports[:3], flags=0x8600)
        return srv_answer(query, server.ports[:3], edns=False)  # as if EDNS were ignored
    dns = cleanup(DnsServer(trimmed))
    sidecar = pilotfish(config(dns, port, "balance: round_robin"))
    assert len(sidecar.instances("app")) == 40
    assert len({get(port).instance for _ in range(120)}) == 40
    assert sidecar.metric("pilotfish_lookup_tcp_total", upstream="app") > 0


def test_five_hundred_instances_are_no_burden(backend, pilotfish, cleanup):
    server, port = backend(), free_port()
    listed = [server.port, *range(40000, 40499)]
    dns = cleanup(DnsServer(lambda q: srv_answer(q, listed) if q.transport == "tcp"
                            else message(q, flags=0x8600)))
    sidecar = pilotfish(config(dns, port))
    assert len(sidecar.instances("app")) == 500
    began = time.monotonic()
    for _ in range(100):
        sidecar.admin("/health")
    assert time.monotonic() - began < 3


def test_names_that_carry_line_ends_do_no_harm(lying):
    server, dns, port, sidecar = lying
    bad = b"\x0ea\r\nX-Evil: yes\n\x04test\0"
    dns.answer = lambda q: message(q, [
        srv(q, struct.pack("!HHH", 1, 1, server.ports[0]) + bad),
        srv(q, srv_rdata(server.ports[1], "i.test"))],
        [record(bad, A, bytes([127, 0, 0, 1])),
         record(encode_name("i.test"), A, bytes([127, 0, 0, 1]))])
    for _ in range(20):
        assert get(port).status == 200
    assert b"X-Evil" not in server.bytes_received()
    for path in ("/metrics", "/upstreams"):
        assert "\nX-Evil" not in sidecar.admin(path)[1]
    assert "\nX-Evil" not in sidecar.process.log()


def test_a_flapping_registry_harms_no_request(lying):
    server, dns, port, sidecar = lying
    rng = random.Random(1)
    before = sidecar.process.rss_bytes()
    dns.answer = lambda q: rng.choice([
        lambda: srv_answer(q, server.ports), lambda: srv_answer(q, server.ports[:1]),
        lambda: message(q, rcode=SERVFAIL), lambda: message(q, rcode=NXDOMAIN),
        lambda: message(q), lambda: b"junk"])()
    for _ in range(300):
        assert get(port).status == 200
    assert sidecar.process.rss_bytes() - before < 48 << 20


def test_a_consul_api_that_answers_nonsense_leaves_routing_alone(
        consul, backend, pilotfish, service):
    junk = backend(lambda c, e: c.answer(body=b"[" * 200_000, headers=[
        ("Content-Type", "application/json")]))
    server, port = backend(), free_port()
    consul.register(service, server.port)
    sidecar = pilotfish(f"""\
consul: {{http: "http://{junk.address}", dns: "127.0.0.1:{consul.dns_port}"}}
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}}}
register:
  {service}-self: {{self: true}}
""")
    wait_for(lambda: junk.count > 0, 5)
    for _ in range(20):
        assert get(port).status == 200
    assert sidecar.process.running()
