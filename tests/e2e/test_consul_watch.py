"""`fresh: watch` on the real Consul: one blocking query per service, DNS while the API is away."""

import json
import signal
import time

import pytest

from harness import Traffic, free_port, get, wait_for


@pytest.fixture
def watch(pilotfish, service):
    """`watch(agent, options)` -> (port, sidecar) for the test's service."""
    def make(agent, options: str = "", *, root: str = "", consul: str = "", **how):
        port = free_port()
        lines = options.replace("\n", "\n    ")
        sidecar = pilotfish(f"""\
{consul or agent.config}
{root}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: {service}
    fresh: watch
    {lines}
""", **how)
        return port, sidecar
    return make


def transports(sidecar) -> set[str]:
    """What answered, over all tiers."""
    return {lookup["transport"] for tier in sidecar.upstream("app")["tiers"]
            for lookup in tier["lookups"]}


def served_by_watch(sidecar) -> bool:
    return transports(sidecar) == {"watch"}


def spread(port: int, count: int) -> set[str]:
    seen = set()
    for _ in range(count):
        answer = get(port)
        assert answer.status == 200, answer.text
        seen.add(answer.instance)
    return seen


def ports(*numbers: int) -> set[str]:
    return {str(number) for number in numbers}


def test_a_new_instance_gets_traffic_and_a_removed_one_none(consul, backend, watch, service):
    server = backend(ports=2)
    old, new = server.ports
    consul.register(service, old)
    port, sidecar = watch(consul, "balance: round_robin")
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    asked = sidecar.metric("pilotfish_lookup_duration_seconds_count", upstream="app")
    lags = []
    with Traffic(port, rate=100) as traffic:
        for _ in range(5):
            consul.register(service, new)
            began = time.monotonic()
            wait_for(lambda: str(new) in traffic.instances(began), 10, "the new one gets traffic",
                     0.001)
            lags.append(time.monotonic() - began)
            consul.deregister(f"{service}-{new}")
            wait_for(lambda: len(sidecar.healthy("app")) == 1, 10, "it is gone")
            gone = time.monotonic()
            time.sleep(0.3)
            assert traffic.instances(gone) == ports(old)
    assert not traffic.failed, traffic.failed[:3]
    assert len(traffic.samples) > 100
    print(f"registered -> first answer: {[f'{lag * 1000:.0f} ms' for lag in lags]}")
    assert max(lags) < 2
    assert sidecar.metric("pilotfish_lookup_duration_seconds_count", upstream="app") == asked, \
        "no lookup over DNS while the watch is up"
    assert sidecar.metric("pilotfish_lookup_total", upstream="app", result="ok") >= 5


def test_versions_fall_back_and_return_by_one_watch(consul, backend, watch, service):
    v4, v3 = backend(ports=2), backend(ports=2)
    idents = [consul.register(service, number, tags=["v4", "read"]) for number in v4.ports]
    for number in v3.ports:
        consul.register(service, number, tags=["v3"])
    port, sidecar = watch(consul, "prefer: [[V4, read], v3, any]\n"
                                  "fallback: {fail_back_after: 1s}")
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    assert spread(port, 20) == ports(*v4.ports)
    with Traffic(port, rate=100) as traffic:
        consul.warning(idents[0])
        consul.critical(idents[1])
        wait_for(lambda: spread(port, 10) == ports(v4.ports[0]), 10, "a warning one serves on")
        consul.critical(idents[0])
        wait_for(lambda: spread(port, 10) == ports(*v3.ports), 10, "v3 serves")
        assert sidecar.upstream("app")["tier"] == 1
        for ident in idents:
            consul.passing(ident)
        wait_for(lambda: spread(port, 10) == ports(*v4.ports), 10, "v4 serves again")
    assert not traffic.failed, traffic.failed[:3]
    assert sidecar.metric("pilotfish_upstream_tier", upstream="app") == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_traffic_runs_on_while_the_agent_restarts_empty(
        own_consul, backend, watch, service, workers):
    server = backend(ports=3)
    for number in server.ports:
        own_consul.register(service, number)
    port, sidecar = watch(own_consul, root=f"workers: {workers}")
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    for _ in range(30):  # the index of the new agent will be lower
        own_consul.warning(f"{service}-{server.ports[0]}")
        own_consul.passing(f"{service}-{server.ports[0]}")
    with Traffic(port, rate=100) as traffic:
        time.sleep(0.3)
        own_consul.kill()
        sidecar.await_log("Consul watch failed; lookups over DNS serve until it is back")
        time.sleep(1)
        assert transports(sidecar) <= {"udp", "tcp"}, "DNS is asked, though it is away as well"
        own_consul.start()
        for number in server.ports[:2]:
            own_consul.register(service, number)
        own_consul.await_healthy(service, 2)
        began = time.monotonic()
        wait_for(lambda: served_by_watch(sidecar) and len(sidecar.healthy("app")) == 2, 10,
                 "the watch is back with what is there now")
        print(f"handed back {time.monotonic() - began:.2f} s after the services were")
        time.sleep(0.3)
    assert not traffic.failed, traffic.failed[:3]
    log = sidecar.process.log()
    assert log.count("Consul watch failed") == 1, log
    assert log.count("Consul watch is back") == 1, log


def test_an_agent_that_hangs_is_noticed_and_taken_back_when_it_wakes(
        own_consul, backend, watch, service):
    server = backend(ports=2)
    for number in server.ports:
        own_consul.register(service, number)
    port, sidecar = watch(own_consul)
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    with Traffic(port, rate=50) as traffic:
        own_consul.process.signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            sidecar.await_log("Consul watch failed.*no answer in time", 30)
            print(f"noticed after {time.monotonic() - began:.1f} s")
            time.sleep(1)
        finally:
            own_consul.process.signal(signal.SIGCONT)
        woken = time.monotonic()
        wait_for(lambda: served_by_watch(sidecar), 30, "the watch is back")
        print(f"back {time.monotonic() - woken:.1f} s after it woke")
    assert not traffic.failed, traffic.failed[:3]
    assert max(one.ended - one.began for one in traffic.samples) < 2


def test_dns_serves_where_the_api_is_not_there_and_every_change_is_seen(
        own_consul, backend, watch, service):
    server = backend(ports=2)
    own_consul.register(service, server.ports[0])
    nowhere = free_port()
    port, sidecar = watch(own_consul, consul=(
        f'consul: {{http: "http://127.0.0.1:{nowhere}", '
        f'dns: "127.0.0.1:{own_consul.dns_port}"}}'))
    assert spread(port, 5) == ports(server.ports[0])
    assert transports(sidecar) == {"udp"}
    note = sidecar.upstream("app")["tiers"][0]["lookups"][0]["note"]
    assert "instead of the watch" in note and "refused" in note, note
    own_consul.register(service, server.ports[1])
    wait_for(lambda: len(own_consul.srv_ports(f"{service}.service.consul")) == 2, 10)
    assert spread(port, 30) == ports(*server.ports), "as with fresh: connection"


def test_a_lost_permission_is_a_failure_and_no_empty_service(tmp_path, cleanup, backend, watch,
                                                             service):
    """With ACLs an agent lists what the token may read: [] and 200 for a foreign service."""
    from harness import Consul
    agent = cleanup(Consul(tmp_path, acl=True))
    server = backend()
    agent.register(service, server.port)
    port, sidecar = watch(agent, env={"CONSUL_HTTP_TOKEN": agent.token})
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    powerless = agent.call("PUT", "/v1/acl/token", {})["SecretID"]
    for env in ({}, {"CONSUL_HTTP_TOKEN": powerless}):
        _, stranger = watch(agent, wait="health", env=env)
        stranger.await_log("Consul watch failed.*service:read")
        assert transports(stranger) <= {"udp", "tcp"}
    assert get(port).status == 200


def test_dns_that_may_read_nothing_overrules_no_watch_that_was_refused(
        tmp_path, cleanup, backend, watch, service):
    """NXDOMAIN is what Consul's DNS says of what its token may not read; the API says 403."""
    from harness import Consul
    agent = cleanup(Consul(tmp_path, acl=True))
    server = backend()
    agent.register(service, server.port)
    token = agent.call("PUT", "/v1/acl/token", {"ServiceIdentities": [{"ServiceName": service}]})
    port, sidecar = watch(agent, "fallback: {hold_empty: 500ms}",
                          env={"CONSUL_HTTP_TOKEN": token["SecretID"]})
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    assert "NXDOMAIN" in agent.dig(f"{service}.service.consul")
    agent.call("DELETE", f"/v1/acl/token/{token['AccessorID']}")
    agent.register(service, server.port, tags=("woken",))  # ends the blocking query
    sidecar.await_log("Consul watch failed")
    end = time.monotonic() + 2  # hold_empty several times over
    while time.monotonic() < end:
        assert get(port).status == 200
    lookup = sidecar.upstream("app")["tiers"][0]["lookups"][0]
    assert lookup["result"] == "refused" and "DNS says nxdomain" in lookup["note"], lookup


def test_an_empty_service_is_held_and_then_refused_under_watch(consul, backend, watch, service):
    server = backend()
    ident = consul.register(service, server.port)
    port, sidecar = watch(consul, "fallback: {hold_empty: 1s}")
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    consul.critical(ident)
    wait_for(lambda: sidecar.upstream("app")["tiers"][0]["result"] == "empty", 5)
    assert get(port).status == 200, "held"
    wait_for(lambda: get(port).status == 503, 5, "hold_empty is over")
    consul.passing(ident)
    wait_for(lambda: get(port).status == 200, 5, "it is back")


def test_what_the_watch_knew_survives_a_restart_while_consul_is_down(
        own_consul, backend, watch, service, tmp_path):
    server = backend(ports=2)
    for number in server.ports:
        own_consul.register(service, number)
    state = tmp_path / "state"
    state.mkdir()
    root = f"state_dir: {state}"
    _, first = watch(own_consul, root=root)
    wait_for(lambda: served_by_watch(first), 10, "the watch serves")
    wait_for(lambda: len(json.loads((state / "app.json").read_text())["tiers"][0]["instances"])
             == 2, 10, "the answer is kept")
    first.stop()
    own_consul.kill()
    port, second = watch(own_consul, root=root)
    assert spread(port, 20) == ports(*server.ports)
    assert second.upstream("app")["tier"] == 0


def test_an_idle_watch_asks_little_and_keeps_its_age_low(consul, backend, watch, service):
    server = backend()
    consul.register(service, server.port)
    port, sidecar = watch(consul)
    wait_for(lambda: served_by_watch(sidecar), 10, "the watch serves")
    before = sidecar.metric("pilotfish_lookup_total", upstream="app")
    began = time.monotonic()
    with Traffic(port, rate=50, keep_alive=True) as traffic:
        wait_for(lambda: sidecar.metric("pilotfish_lookup_total", upstream="app") > before, 30,
                 "the wait ends and begins again")
        took = time.monotonic() - began
    assert took > 1, "nothing is polled while nothing changes"
    assert sidecar.metric("pilotfish_lookup_age_seconds", upstream="app") < 10
    assert not traffic.failed, traffic.failed[:3]
    assert "Consul watch failed" not in sidecar.process.log()


def test_many_instances_are_there_at_every_start(consul, watch, service):
    """At a start the watch and DNS bring the same large answer at once; neither may wait for ever
    for the other (4 of 25 starts did)."""
    for number in range(600):
        consul.register(service, 8000, address=f"127.1.{number // 200}.{1 + number % 200}",
                        ident=f"{service}-{number}")
    for _ in range(10):
        _, sidecar = watch(consul)  # ready
        wait_for(lambda: served_by_watch(sidecar), 20, "the watch serves")
        assert len(sidecar.upstream("app")["instances"]) == 600
        sidecar.stop()
