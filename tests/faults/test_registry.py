"""The registry misbehaves while requests flow: none fails, and its return is noticed."""

import signal
import time

import pytest
from conftest import failed_requests
from instances import consul_route

from harness import Backend, Consul, DnsServer, Traffic, free_port, get, srv_answer, wait_for
from harness.dns_server import REFUSED, SERVFAIL, message


def late(seconds: float, answer):
    def slow(query):
        time.sleep(seconds)
        return answer(query)
    return slow


DNS_FAULTS = {
    "is silent": lambda good: lambda q: None,
    "says SERVFAIL": lambda good: lambda q: message(q, rcode=SERVFAIL),
    "refuses": lambda good: lambda q: message(q, rcode=REFUSED),
    "answers after three seconds": lambda good: late(3, good),
    "sends garbage": lambda good: lambda q: q.data[:2] + b"\x84\0\xff" * 60,
    "truncates and has no TCP": lambda good: lambda q: (
        message(q, [], flags=0x8600) if q.transport == "udp" else None),
}


@pytest.mark.parametrize("fault", DNS_FAULTS)
def test_no_request_fails_while_dns(fault, backend, pilotfish, cleanup, measured):
    server, port = backend(ports=2), free_port()

    def good(query):
        return srv_answer(query, server.ports)
    dns = cleanup(DnsServer(good))
    sidecar = pilotfish(f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    srv: web.test
    dns: ["{dns.address}"]
""")
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(0.5)
        dns.answer = DNS_FAULTS[fault](good)
        time.sleep(3)
        assert sidecar.metric("pilotfish_lookup_stale_served_total", upstream="app") > 0
        assert sidecar.metric("pilotfish_lookup_age_seconds", upstream="app") > 1
        dns.answer = lambda q: srv_answer(q, server.ports[:1])
        wait_for(lambda: len(sidecar.healthy("app")) == 1, 10, "an honest answer is used")
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)


def test_no_request_fails_while_the_dns_port_of_consul_is_a_black_hole(
        network, tmp_path, cleanup, backend, pilotfish, service, measured):
    """Its API still answers; nothing comes back from port 8600, over UDP or TCP."""
    node = network.node()
    agent = cleanup(Consul(tmp_path, node=node))
    server, port = backend(ports=2, host=network.address), free_port()
    for number in server.ports:
        agent.register(service, number, address=network.address)
    agent.await_healthy(service, 2)
    sidecar = pilotfish(consul_route(agent, service, port))
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(0.5)
        node.cut(agent.dns_port)
        time.sleep(4)
        assert sidecar.metric("pilotfish_lookup_total", upstream="app", result="timeout") >= 3
        node.heal()
        agent.critical(f"{service}-{server.ports[0]}")
        wait_for(lambda: len(sidecar.healthy("app")) == 1, 10, "the new answer is used")
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)


def test_a_watch_whose_agent_vanishes_behind_a_black_hole_hands_over_to_dns(
        network, tmp_path, cleanup, backend, pilotfish, service, measured):
    """The blocking query hangs and no FIN ever comes; DNS still answers, and knows the change."""
    node = network.node()
    agent = cleanup(Consul(tmp_path, node=node))
    server, port = backend(ports=2, host=network.address), free_port()
    for number in server.ports:
        agent.register(service, number, address=network.address)
    agent.await_healthy(service, 2)
    sidecar = pilotfish(consul_route(agent, service, port, "fresh: watch"))
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(0.5)
        node.cut(agent.http_port)
        began = time.monotonic()
        node.inside("curl", "-sf", "-X", "PUT",
                    f"http://{agent.host}:{agent.http_port}/v1/agent/check/fail/service:{service}-"
                    f"{server.ports[0]}")
        wait_for(lambda: len(sidecar.healthy("app")) == 1, 20, "DNS took over")
        took = time.monotonic() - began
        node.heal()
        agent.passing(f"{service}-{server.ports[0]}")
        wait_for(lambda: len(sidecar.healthy("app")) == 2, 20, "followed again")
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic, taken_over_after=f"{took:.1f} s")


def test_no_request_fails_while_the_agent_is_stopped_and_its_return_is_noticed(
        own_consul, backend, pilotfish, service, measured):
    server, port = backend(ports=2), free_port()
    for number in server.ports:
        own_consul.register(service, number)
    own_consul.await_healthy(service, 2)
    sidecar = pilotfish(consul_route(own_consul, service, port))
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(0.5)
        own_consul.process.signal(signal.SIGSTOP)
        try:
            time.sleep(4)
        finally:
            own_consul.process.signal(signal.SIGCONT)
        wait_for(lambda: sidecar.metric("pilotfish_lookup_age_seconds", upstream="app") < 1, 10)
        own_consul.critical(f"{service}-{server.ports[0]}")
        wait_for(lambda: len(sidecar.healthy("app")) == 1, 10, "the new answer is used")
    assert not traffic.failed, failed_requests(traffic)
    slowest = max(one.ended - one.began for one in traffic.samples)
    assert slowest < 3, f"a request waited {slowest:.1f} s for a stopped registry"
    measured(traffic)


def test_an_agent_restarted_empty_is_told_again_within_three_seconds_and_no_request_fails(
        own_consul, backend, pilotfish, service, measured):
    """The instance is registered by a sidecar; the agent forgets it, and is told again."""
    server, port = backend(), free_port()
    sidecar = pilotfish(consul_route(own_consul, service, port, root=f"""\
register:
  {service}:
    port: {server.port}
    address: 127.0.0.1
    check: {{tcp: "127.0.0.1:{server.port}", interval: 1s}}
"""))
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(0.5)
        own_consul.kill()
        own_consul.start()
        back = time.monotonic()
        wait_for(lambda: own_consul.named(service), 10, "registered again")
        took = time.monotonic() - back
        wait_for(lambda: len(own_consul.healthy(service)) == 1, 10)
        wait_for(lambda: sidecar.metric("pilotfish_lookup_age_seconds", upstream="app") < 1, 10)
        time.sleep(1)
    assert took < 3.5, f"{took:.1f} s"
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic, registered_again=f"{took:.2f} s")


API_FAULTS = {
    "500": ("500 Internal Server Error", b"No cluster leader", []),
    "429": ("429 Too Many Requests", b"slow down", [("Retry-After", "1")]),
    "403": ("403 Forbidden", b"Permission denied", []),
    "404 in HTML": ("404 Not Found", b"<html>no such page</html>", [("Content-Type", "text/html")]),
    "200 in HTML": ("200 OK", b"<html>log in first</html>", [("Content-Type", "text/html")]),
    "200 and cut JSON": ("200 OK", b'[{"Service": {"Address": "127.0.0', []),
    "a redirect": ("302 Found", b"", [("Location", "http://127.0.0.1:1/")]),
}


@pytest.mark.parametrize("fresh", ["connection", "watch"])
@pytest.mark.parametrize("fault", API_FAULTS)
def test_no_request_fails_while_dns_works_and_the_api_answers(
        fault, fresh, consul, backend, pilotfish, service, cleanup, measured):
    server, port = backend(ports=2), free_port()
    for number in server.ports:
        consul.register(service, number)
    consul.await_healthy(service, 2)
    line, body, fields = API_FAULTS[fault]
    api = cleanup(Backend(lambda c, e: c.answer(line, body, fields, method=e.method)))
    sidecar = pilotfish(f"""\
consul: {{http: "http://{api.address}", dns: "127.0.0.1:{consul.dns_port}"}}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: {service}
    fresh: {fresh}
register:
  other: {{port: 1, check: {{ttl: 10s}}}}
""")
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(1)
        asked = api.count
        consul.critical(f"{service}-{server.ports[0]}")
        consul.await_healthy(service, 1)
        wait_for(lambda: len(sidecar.healthy("app")) == 1, 10, "DNS is believed")
        began = time.monotonic()
        time.sleep(1)
        rate = (api.count - asked) / (time.monotonic() - began + 0.1)
    assert not traffic.failed, failed_requests(traffic)
    assert api.count > 0 and rate < 60, f"{rate:.0f} calls a second to an agent that fails"
    consul.deregister(f"{service}-{server.ports[0]}")
    consul.deregister(f"{service}-{server.ports[1]}")
    measured(traffic)


def test_a_running_answer_is_finished_when_its_instance_leaves(
        consul, fleet, pilotfish, service, measured):
    """Removed while in use: nothing new goes there, what runs ends as if nothing had happened."""
    from harness import Client
    from harness.client import build
    leaving, staying, port = fleet.start(), fleet.start(), free_port()
    ident = consul.register(service, leaving.port)
    sidecar = pilotfish(consul_route(consul, service, port))
    with Client(port, receive_buffer=8192, timeout=30) as reader, Client(port) as tunnel:
        reader.send(build("GET", f"/big/{8 << 20}"))
        head = reader.read_head()
        assert tunnel.request("GET", "/ws", [("Connection", "Upgrade"),
                                             ("Upgrade", "echo")]).status == 101
        consul.register(service, staying.port)
        consul.deregister(ident)
        wait_for(lambda: sidecar.healthy("app") == {staying.address}, 10)
        with Traffic(port, rate=50) as traffic:
            time.sleep(1)
        assert traffic.instances() == {str(staying.port)}
        body, _ = reader.read_chunked()
        assert head.status == 200 and len(body) == 8 << 20
        tunnel.send(b"still there")
        assert tunnel.read_exactly(11) == b"still there"
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)


def test_all_instances_gone_is_a_503_at_once(consul, pilotfish, service, fleet):
    one, port = fleet.start(), free_port()
    ident = consul.register(service, one.port)
    pilotfish(consul_route(consul, service, port, "fallback: {hold_empty: 200ms}"))
    assert get(port).status == 200
    consul.deregister(ident)
    wait_for(lambda: get(port).status == 503, 10)
    began = time.monotonic()
    answers = [get(port) for _ in range(20)]
    took = (time.monotonic() - began) / len(answers)
    assert {answer.status for answer in answers} == {503} and took < 0.3
    assert "destination_unavailable" in answers[0].header("proxy-status")
