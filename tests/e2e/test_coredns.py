"""CoreDNS over etcd: SRV upstreams, and registration as SkyDNS records under a lease."""

import time

import pytest

from harness import free_port, get, pilotfish_cli, wait_for


def record(port: int, priority: int = 10, weight: int = 100) -> dict:
    return {"host": "127.0.0.1", "port": port, "priority": priority, "weight": weight}


@pytest.fixture
def zone(etcd, coredns, service):
    """(put, name): put(id, value) stores a record of this test's name; all are removed after."""
    prefix = f"/skydns/local/prom/{service}"
    yield (lambda ident, value: etcd.put(f"{prefix}/{ident}", value)), f"{service}.prom.local"
    etcd.delete(prefix)


def srv_config(coredns, name: str, port: int, options: str = "", protocol: str = "http") -> str:
    lines = options.replace("\n", "\n    ")
    return f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    protocol: {protocol}
    srv: {name}
    dns: ["127.0.0.1:{coredns.port}"]
    {lines}
"""


def test_records_in_etcd_are_the_instances(coredns, etcd, zone, backend, pilotfish):
    put, name = zone
    server, port = backend(ports=3), free_port()
    for number in server.ports:
        put(f"i{number}", record(number))
    sidecar = pilotfish(srv_config(coredns, name, port))
    assert len(sidecar.healthy("app")) == 3
    assert {get(port).instance for _ in range(60)} == {str(number) for number in server.ports}


def test_a_change_in_etcd_is_seen_by_the_next_connection(coredns, etcd, zone, backend, pilotfish):
    put, name = zone
    server, port = backend(ports=2), free_port()
    put("one", record(server.ports[0]))
    pilotfish(srv_config(coredns, name, port))
    assert get(port).instance == str(server.ports[0])
    put("two", record(server.ports[1]))
    etcd.delete(f"/skydns/local/prom/{name.split('.')[0]}/one")
    assert {get(port).instance for _ in range(10)} == {str(server.ports[1])}


def test_lower_priority_numbers_come_first_and_weights_are_shares(
        coredns, zone, backend, pilotfish):
    put, name = zone
    server, port = backend(ports=3), free_port()
    heavy, light, spare = server.ports
    put("heavy", record(heavy, 1, 90))
    put("light", record(light, 1, 10))
    put("spare", record(spare, 20, 100))
    sidecar = pilotfish(srv_config(coredns, name, port, "balance: round_robin"))
    assert sidecar.instances("app")[f"127.0.0.1:{spare}"]["priority"] == 20
    seen = [get(port).instance for _ in range(100)]
    assert str(spare) not in seen
    assert 4 <= seen.count(str(light)) <= 16


def test_a_dead_first_priority_costs_nothing_but_a_try(coredns, zone, backend, pilotfish):
    put, name = zone
    server, port, dead = backend(), free_port(), free_port()
    put("dead", record(dead, 1))
    put("spare", record(server.port, 2))
    sidecar = pilotfish(srv_config(coredns, name, port))
    for _ in range(20):
        assert get(port).instance == str(server.port)
    assert sidecar.metric("pilotfish_upstream_connect_failures_total", upstream="app") > 0


def test_ordered_names_are_tiers(coredns, zone, backend, pilotfish):
    put, name = zone
    server, port = backend(), free_port()
    put("only", record(server.port))
    sidecar = pilotfish(srv_config(coredns, f"[absent-{name}, {name}]", port))
    assert get(port).instance == str(server.port)
    assert sidecar.upstream("app")["tier"] == 1


def test_etcdctl_works_through_the_sidecar(coredns, etcd, pilotfish):
    """Case: the clients of etcd itself are found by _etcd-client._tcp.prom.local."""
    port = free_port()
    etcd.put("/skydns/local/prom/_tcp/_etcd-client/one", record(etcd.port))
    try:
        assert coredns.srv("_etcd-client._tcp.prom.local")[0][2] == etcd.port
        sidecar = pilotfish(srv_config(coredns, "_etcd-client._tcp.prom.local", port,
                                       protocol="tcp"))
        through = f"http://127.0.0.1:{port}"
        etcd.ctl("put", "/through", "the sidecar", endpoint=through)
        assert etcd.ctl("get", "--print-value-only", "/through",
                        endpoint=through).strip() == "the sidecar"
        assert sidecar.metric("pilotfish_upstream_bytes_total", upstream="app") > 0
    finally:
        etcd.delete("/skydns/local/prom/_tcp/_etcd-client")
        etcd.delete("/through")


def registering(etcd, service: str, port: int, check_port: int | None = None) -> str:
    check = f', check: {{tcp: "127.0.0.1:{check_port}", interval: 500ms}}' if check_port else ""
    return f"""\
etcd: {{endpoints: ["{etcd.endpoint}"]}}
upstreams: {{none: {{listen: "127.0.0.1:{free_port()}", static: ["127.0.0.1:{port}"]}}}}
register:
  {service}: {{in: etcd, srv: _{service}._tcp.prom.local, port: {port}, address: 127.0.0.1, lease: 5s{check}}}
"""


def prefix_of(service: str) -> str:
    return f"/skydns/local/prom/_tcp/_{service}/"


def test_a_record_under_a_lease_is_served_by_coredns_and_withdrawn_on_stop(
        coredns, etcd, pilotfish, service):
    port = free_port()
    sidecar = pilotfish(registering(etcd, service, port))
    wait_for(lambda: etcd.records(prefix_of(service)), 5, "the record is there")
    [(key, value)] = etcd.records(prefix_of(service)).items()
    assert key == f"{prefix_of(service)}{service}-127-0-0-1-{port}", "dots of the id are dashes"
    assert (value["host"], value["port"]) == ("127.0.0.1", port)
    assert {"priority", "weight"} <= value.keys()
    assert coredns.srv(f"_{service}._tcp.prom.local")[0][2] == port
    assert '"lease":' in etcd.ctl("get", key, "-w", "json")
    assert sidecar.metric("pilotfish_registration_up", service=service) == 1
    time.sleep(7)  # longer than the lease: it is kept alive
    assert etcd.records(prefix_of(service))
    sidecar.stop()
    assert not etcd.records(prefix_of(service))


def test_after_a_hard_kill_the_lease_cleans_up(coredns, etcd, pilotfish, service):
    sidecar = pilotfish(registering(etcd, service, free_port()))
    wait_for(lambda: etcd.records(prefix_of(service)), 5)
    sidecar.kill()
    wait_for(lambda: not etcd.records(prefix_of(service)), 15, "the lease ran out")
    assert not coredns.srv(f"_{service}._tcp.prom.local")


def test_the_record_follows_the_check(etcd, backend, pilotfish, service):
    server = backend()
    port = server.port
    pilotfish(registering(etcd, service, port, port))
    wait_for(lambda: etcd.records(prefix_of(service)), 5)
    server.close()
    wait_for(lambda: not etcd.records(prefix_of(service)), 8, "withdrawn when the check fails")
    backend(port=port)
    wait_for(lambda: etcd.records(prefix_of(service)), 8, "back when it passes")


def test_a_lost_lease_is_granted_anew(etcd, pilotfish, service):
    pilotfish(registering(etcd, service, free_port()))
    wait_for(lambda: etcd.records(prefix_of(service)), 5)
    for line in etcd.ctl("lease", "list").splitlines()[1:]:
        etcd.ctl("lease", "revoke", line.strip())
    wait_for(lambda: etcd.records(prefix_of(service)), 8, "the record is back")


def test_one_shot_register_puts_and_deregister_deletes(coredns, etcd, service, tmp_path):
    port, config = free_port(), tmp_path / "once.yaml"
    config.write_text(registering(etcd, service, port))
    assert pilotfish_cli("register", "-c", config).returncode == 0
    assert coredns.srv(f"_{service}._tcp.prom.local")[0][2] == port
    time.sleep(0.1)
    assert pilotfish_cli("deregister", "-c", config).returncode == 0
    assert not etcd.records(prefix_of(service))


def test_what_one_sidecar_announces_another_one_uses(coredns, etcd, backend, pilotfish, service):
    server, port = backend(), free_port()
    pilotfish(registering(etcd, service, server.port))
    pilotfish(srv_config(coredns, f"_{service}._tcp.prom.local", port), wait="health")
    wait_for(lambda: get(port).status == 200, 5)


def test_without_a_free_endpoint_the_next_one_is_tried(etcd, pilotfish, service):
    config = registering(etcd, service, free_port()).replace(
        f'["{etcd.endpoint}"]', f'["http://127.0.0.1:{free_port()}", "{etcd.endpoint}"]')
    pilotfish(config)
    wait_for(lambda: etcd.records(prefix_of(service)), 8)
