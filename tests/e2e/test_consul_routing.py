"""Routing by the real Consul: fresh, complete, by version."""

import time

import pytest

from harness import Client, Traffic, free_port, get, wait_for


@pytest.fixture
def route(consul, pilotfish, service):
    """`route(options)` -> (port, sidecar) for the test's service."""
    def make(options: str = "", agent=consul, **how):
        port = free_port()
        lines = options.replace("\n", "\n    ")
        sidecar = pilotfish(f"""\
{agent.config}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: {service}
    {lines}
""", **how)
        return port, sidecar
    return make


def spread(port: int, count: int) -> dict[str, int]:
    """How many of `count` requests, each on a connection of its own, each instance answered."""
    seen: dict[str, int] = {}
    for _ in range(count):
        answer = get(port)
        assert answer.status == 200, answer.text
        seen[answer.instance] = seen.get(answer.instance, 0) + 1
    return seen


def ports(*numbers: int) -> set[str]:
    return {str(number) for number in numbers}


def test_registered_instances_share_the_traffic(consul, backend, route, service):
    server = backend(ports=3)
    for number in server.ports:
        consul.register(service, number)
    port, sidecar = route()
    assert set(spread(port, 60)) == ports(*server.ports)
    assert sidecar.healthy("app") == {f"127.0.0.1:{number}" for number in server.ports}
    assert sidecar.metric("pilotfish_lookup_total", upstream="app", result="ok") >= 60


def test_a_connection_after_the_check_failed_never_reaches_the_instance(
        consul, backend, route, service):
    server = backend(ports=2)
    bad, good = server.ports
    idents = {number: consul.register(service, number) for number in server.ports}
    port, _ = route()
    for _ in range(5):
        wait_for(lambda: set(spread(port, 20)) == ports(bad, good), 5, "both serve")
        consul.critical(idents[bad])
        wait_for(lambda: consul.srv_ports(f"{service}.service.consul") == [good], 5,
                 "the registry says so")
        assert set(spread(port, 20)) == ports(good)
        consul.passing(idents[bad])
        consul.await_healthy(service, 2)


def test_underscores_before_service_and_tag_reach_no_other_service(
        consul, backend, pilotfish, service):
    """_primary._web would be service "primary" with tag "web" to Consul's DNS (RFC 2782)."""
    server, port = backend(ports=2), free_port()
    consul.register(f"_{service}", server.ports[0], tags=("_primary",))
    consul.register("primary", server.ports[1], tags=(service,))
    pilotfish(f"""\
{consul.config}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: _{service}
    prefer: [_primary]
""")
    assert set(spread(port, 10)) == ports(server.ports[0])


def test_a_new_instance_is_used_by_the_next_connections(consul, backend, route, service):
    server = backend(ports=2)
    consul.register(service, server.ports[0])
    port, _ = route("balance: round_robin")
    assert set(spread(port, 5)) == ports(server.ports[0])
    consul.register(service, server.ports[1])
    wait_for(lambda: len(consul.srv_ports(f"{service}.service.consul")) == 2, 5)
    assert set(spread(port, 20)) == ports(*server.ports)


def test_a_kept_connection_moves_on_when_its_instance_leaves(consul, backend, route, service):
    server = backend(ports=2)
    idents = [consul.register(service, number) for number in server.ports]
    port, _ = route()
    with Client(port) as client:
        wait_for(lambda: {client.request().instance for _ in range(5)} == ports(*server.ports), 5)
        consul.deregister(idents[0])
        began = time.monotonic()
        while client.request().instance == str(server.ports[0]) or time.monotonic() - began < 1.5:
            time.sleep(0.02)
        for _ in range(50):
            assert client.request().instance == str(server.ports[1])
    wait_for(lambda: server.open_connections() == 1, 2, "its idle connections are closed")


@pytest.mark.parametrize("count", [60, 300])
def test_every_one_of_many_instances_gets_traffic(consul, backend, route, service, count):
    server = backend(ports=count)
    for number in server.ports:
        consul.register(service, number)
    consul.await_healthy(service, count, 30)
    port, sidecar = route("balance: round_robin")
    assert len(sidecar.instances("app")) == count
    seen = set()
    for _ in range(count * 10):
        seen.add(get(port).instance)
        if len(seen) == count:
            break
    assert seen == ports(*server.ports), f"{len(seen)} of {count}"
    for number in server.ports:
        consul.deregister(f"{service}-{number}")


def test_the_best_version_serves_and_the_next_one_when_it_fails(consul, backend, route, service):
    v4, v3 = backend(ports=2), backend(ports=2)
    idents = [consul.register(service, number, tags=["v4"]) for number in v4.ports]
    for number in v3.ports:
        consul.register(service, number, tags=["v3"])
    port, sidecar = route("prefer: [v4, v3]\nfallback: {fail_back_after: 1s}")
    assert set(spread(port, 20)) == ports(*v4.ports)
    assert sidecar.upstream("app")["tier"] == 0
    with Traffic(port, rate=50) as traffic:
        consul.critical(idents[0])
        time.sleep(0.3)
        consul.critical(idents[1])
        wait_for(lambda: sidecar.upstream("app")["tier"] == 1, 5, "v3 serves")
        assert set(spread(port, 20)) == ports(*v3.ports)
        assert sidecar.upstream("app")["reason"]
        changed = time.monotonic()
        consul.passing(idents[0])
        wait_for(lambda: sidecar.upstream("app")["tier"] == 0, 10, "v4 serves again")
        assert time.monotonic() - changed > 0.9, "it comes back only after fail_back_after"
        assert set(spread(port, 20)) == ports(v4.ports[0])
    assert not traffic.failed, traffic.failed[:3]
    assert sidecar.metric("pilotfish_upstream_tier", upstream="app") == 0
    assert sidecar.metric("pilotfish_upstream_tier_changes_total", upstream="app") >= 2


def test_a_better_version_that_flaps_does_not_get_the_traffic_back(
        consul, backend, route, service):
    v4, v3 = backend(), backend()
    ident = consul.register(service, v4.port, tags=["v4"], status="critical")
    consul.register(service, v3.port, tags=["v3"])
    port, sidecar = route("prefer: [v4, v3]\nfallback: {fail_back_after: 2s}")
    assert set(spread(port, 5)) == ports(v3.port)
    with Traffic(port, rate=50):
        for _ in range(4):
            consul.passing(ident)
            time.sleep(0.6)
            consul.critical(ident)
            time.sleep(0.2)
    assert v4.count == 0
    assert sidecar.upstream("app")["tier"] == 1


def test_several_tags_are_intersected(consul, backend, route, service):
    both, v3, read = backend(), backend(), backend()
    ident = consul.register(service, both.port, tags=["v3", "read"])
    consul.register(service, v3.port, tags=["v3"])
    consul.register(service, read.port, tags=["read"])
    port, sidecar = route("prefer: [[v3, read], v3]")
    assert set(spread(port, 20)) == ports(both.port)
    consul.critical(ident)
    wait_for(lambda: set(spread(port, 5)) == ports(v3.port), 5, "falls back to v3 alone")
    assert sidecar.upstream("app")["tier"] == 1


@pytest.mark.parametrize("tag", ["tcp", "v1.2", "v4-beta_1"])
def test_odd_tags_filter_as_any_other(consul, backend, route, service, tag):
    tagged, other = backend(), backend()
    consul.register(service, tagged.port, tags=[tag])
    consul.register(service, other.port, tags=["x"])
    port, _ = route(f'prefer: ["{tag}"]')
    assert set(spread(port, 20)) == ports(tagged.port)


def test_min_healthy_moves_to_the_next_version_before_the_last_one_is_gone(
        consul, backend, route, service):
    v4, v3 = backend(ports=3), backend(ports=2)
    idents = [consul.register(service, number, tags=["v4"]) for number in v4.ports]
    for number in v3.ports:
        consul.register(service, number, tags=["v3"])
    port, sidecar = route("prefer: [v4, v3]\nfallback: {min_healthy: 2, fail_back_after: 30s}")
    consul.critical(idents[0])
    consul.await_healthy(service, 4)
    assert set(spread(port, 20)) <= ports(*v4.ports)
    consul.critical(idents[1])
    wait_for(lambda: set(spread(port, 5)) <= ports(*v3.ports), 5)
    assert sidecar.upstream("app")["tier"] == 1


def test_warning_instances_serve_with_their_warning_weight(consul, backend, route, service):
    server = backend(ports=2)
    warned, passing = server.ports
    ident = consul.register(service, warned, weights=(10, 1))
    consul.register(service, passing, weights=(9, 1))
    consul.warning(ident)
    port, sidecar = route("balance: round_robin")
    wait_for(lambda: sidecar.instances("app")[f"127.0.0.1:{warned}"]["weight"] == 1, 15)
    seen = spread(port, 100)
    assert 4 <= seen.get(str(warned), 0) <= 16, seen


def test_maintenance_takes_an_instance_out(consul, backend, route, service):
    server = backend(ports=2)
    idents = [consul.register(service, number) for number in server.ports]
    port, _ = route()
    consul.maintenance(idents[0])
    consul.await_healthy(service, 1)
    assert set(spread(port, 20)) == ports(server.ports[1])


def test_when_all_are_critical_the_last_ones_serve_for_hold_empty_then_503(
        consul, backend, route, service):
    server = backend()
    ident = consul.register(service, server.port)
    port, sidecar = route("fallback: {hold_empty: 2s}")
    assert get(port).status == 200
    consul.critical(ident)
    began = time.monotonic()
    consul.await_healthy(service, 0)
    assert get(port).status == 200, "an empty answer is held"
    wait_for(lambda: get(port).status == 503, 8, "then nothing serves")
    assert time.monotonic() - began > 1.8
    answer = get(port)
    assert answer.header("proxy-status").startswith("pilotfish; error=")
    assert sidecar.upstream("app")["tier"] == -1
    assert sidecar.admin("/ready")[0] == 503
    consul.passing(ident)
    wait_for(lambda: get(port).status == 200, 5, "and it comes back")
    wait_for(lambda: sidecar.admin("/ready")[0] == 200, 12)


def test_ttl_freshness_follows_within_seconds(consul, backend, route, service):
    server = backend(ports=2)
    idents = [consul.register(service, number) for number in server.ports]
    port, sidecar = route("fresh: ttl")
    assert set(spread(port, 20)) == ports(*server.ports)
    before = sidecar.metric("pilotfish_lookup_total", upstream="app")
    spread(port, 100)
    assert sidecar.metric("pilotfish_lookup_total", upstream="app") - before < 20
    consul.critical(idents[0])
    wait_for(lambda: set(spread(port, 10)) == ports(server.ports[1]), 5)


def test_upstreams_and_ready_are_true_before_any_traffic(consul, backend, route, service):
    server = backend()
    consul.register(service, server.port, tags=["v4"])
    _, sidecar = route("prefer: [v4, any]")
    shown = sidecar.upstream("app")
    assert shown["tier"] == 0
    assert sidecar.healthy("app") == {server.address}
    assert server.count == 0
