"""Calm when the registry is not: Consul killed, restarted, absent, behind dnsmasq."""

import time

from harness import Dnsmasq, Traffic, free_port, get, wait_for


def sidecar_config(agent, service: str, port: int, options: str = "", consul: str = "") -> str:
    lines = options.replace("\n", "\n    ")
    return f"""\
{consul or agent.config}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: {service}
    {lines}
"""


def test_no_request_fails_while_consul_is_dead(own_consul, backend, pilotfish, service):
    server, port = backend(ports=3), free_port()
    for number in server.ports:
        own_consul.register(service, number)
    sidecar = pilotfish(sidecar_config(own_consul, service, port))
    with Traffic(port, rate=50) as traffic:
        time.sleep(0.5)
        own_consul.kill()
        killed = time.monotonic()
        time.sleep(4)
        assert sidecar.metric("pilotfish_lookup_age_seconds", upstream="app") > 2
        assert sidecar.metric("pilotfish_lookup_stale_served_total", upstream="app") > 0
        began = time.monotonic()
        own_consul.start()
        for number in server.ports[:2]:
            own_consul.register(service, number)
        own_consul.await_healthy(service, 2)
        back = time.monotonic()
        wait_for(lambda: len(sidecar.healthy("app")) == 2, 5, "the new answer is used")
        assert time.monotonic() - back < 3
    assert not traffic.failed, traffic.failed[:3]
    assert len(traffic.instances(killed)) == 3
    slowest = max(one.ended - one.began for one in traffic.samples if one.began < began)
    assert slowest < 1.5, f"a request waited {slowest:.2f} s for a dead registry"
    assert sidecar.metric("pilotfish_lookup_total", upstream="app", result="ok") > 0


def test_connections_stop_waiting_for_a_registry_that_hangs(
        own_consul, backend, pilotfish, service):
    import signal
    server, port = backend(), free_port()
    own_consul.register(service, server.port)
    sidecar = pilotfish(sidecar_config(own_consul, service, port))
    assert get(port).status == 200
    own_consul.process.signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert get(port).status == 200
        assert time.monotonic() - began < 1, "one connection waits lookup.timeout at most"
        for _ in range(6):
            assert get(port).status == 200
        began = time.monotonic()
        for _ in range(20):
            assert get(port).status == 200
        assert time.monotonic() - began < 1.5, "after 3 timeouts nobody waits any more"
        assert sidecar.metric("pilotfish_lookup_total", upstream="app", result="timeout") >= 3
    finally:
        own_consul.process.signal(signal.SIGCONT)
    before = sidecar.metric("pilotfish_lookup_total", upstream="app", result="ok")

    def fresh_again():
        assert get(port).status == 200
        return sidecar.metric("pilotfish_lookup_total", upstream="app", result="ok") > before
    wait_for(fresh_again, 10, "lookups work again")


def test_it_starts_without_a_registry_and_serves_when_it_comes(
        own_consul, backend, pilotfish, service):
    server, port = backend(), free_port()
    own_consul.kill()
    began = time.monotonic()
    sidecar = pilotfish(sidecar_config(own_consul, service, port), wait="health")
    assert time.monotonic() - began < 5
    answer = get(port)
    assert answer.status == 503 and answer.header("proxy-status")

    def not_ready_for_want_of_app():
        status, reason = sidecar.admin("/ready")
        return status == 503 and "app" in reason
    wait_for(not_ready_for_want_of_app, 5, "until the first lookups ended it says just that")
    own_consul.start()
    own_consul.register(service, server.port)
    wait_for(lambda: get(port).status == 200, 15, "it serves without a restart")
    wait_for(lambda: sidecar.admin("/ready")[0] == 200, 12)


def test_the_state_directory_carries_a_restart_over_an_outage(
        own_consul, backend, pilotfish, service, tmp_path):
    server, port = backend(), free_port()
    own_consul.register(service, server.port)
    config = sidecar_config(own_consul, service, port) + f"state_dir: {tmp_path}/state\n"
    (tmp_path / "state").mkdir()
    first = pilotfish(config)
    assert get(port).status == 200
    first.stop()
    own_consul.kill()
    second = pilotfish(config, wait="health")
    wait_for(lambda: get(port).status == 200, 5, "the kept answer serves")
    wait_for(lambda: second.admin("/ready")[0] == 200, 5, "it is ready with the kept answer")
    assert second.metric("pilotfish_lookup_stale_served_total", upstream="app") > 0
    assert 0 < second.metric("pilotfish_lookup_age_seconds", upstream="app") < 60
    second.stop()
    pilotfish(config, wait="health")
    wait_for(lambda: get(port).status == 200, 5, "failed lookups leave it for one more restart")
    newer = backend()
    own_consul.start()
    own_consul.register(service, newer.port)
    wait_for(lambda: get(port).instance == str(newer.port), 15, "a real answer replaces it")


def test_it_works_through_dnsmasq(consul, backend, pilotfish, service, tmp_path, cleanup):
    """Case: dnsmasq forwards `consul` to the agent, the sidecar asks dnsmasq."""
    dnsmasq = cleanup(Dnsmasq(tmp_path, "consul", consul.dns_port))
    server, port = backend(ports=30), free_port()
    idents = [consul.register(service, number, tags=["v4"]) for number in server.ports]
    consul.await_healthy(service, 30)
    sidecar = pilotfish(sidecar_config(
        consul, service, port, "prefer: [v4]\nbalance: round_robin",
        f'consul: {{http: "http://127.0.0.1:{consul.http_port}", '
        f'dns: "127.0.0.1:{dnsmasq.port}"}}'))
    assert len(sidecar.healthy("app")) == 30
    assert len({get(port).instance for _ in range(90)}) == 30
    for ident in idents[1:]:
        consul.critical(ident)
    consul.await_healthy(service, 1)
    assert {get(port).instance for _ in range(10)} == {str(server.ports[0])}
    for ident in idents:
        consul.deregister(ident)


def test_lookups_are_shared_and_paced(consul, backend, pilotfish, service):
    server, port = backend(), free_port()
    consul.register(service, server.port)
    sidecar = pilotfish(sidecar_config(consul, service, port, "lookup: {max_rate: 20}"))
    before = sidecar.metric("pilotfish_lookup_total", upstream="app")
    began = time.monotonic()
    with Traffic(port, rate=200, threads=16) as traffic:
        time.sleep(2)
    took = time.monotonic() - began
    asked = sidecar.metric("pilotfish_lookup_total", upstream="app") - before
    assert not traffic.failed, traffic.failed[:3]
    assert len(traffic.samples) > 150
    assert asked <= 20 * took + 25, f"{asked} lookups in {took:.1f} s"
