"""Which instances a request may go to, on the real Consul: tiers as maps, split, choose_by, sticky, enabled, drain."""

import json
from collections import Counter

import pytest

from harness import UNAVAILABLE, Client, free_port, get, pilotfish_cli, wait_for


@pytest.fixture
def fleet(consul, backend, service):
    """Four instances behind the real Consul, their ports by name."""
    server = backend(ports=4)
    names = dict(zip(("v4", "v3", "canary", "v5"), server.ports))
    consul.register(service, names["v4"], tags=["v4"])
    consul.register(service, names["v3"], tags=["v3"], meta={"stage": "prod"})
    consul.register(service, names["canary"], tags=["v3", "canary"], meta={"stage": "prod"})
    consul.register(service, names["v5"], tags=["v5"])
    consul.await_healthy(service, 4)
    return {name: str(port) for name, port in names.items()}


def config_of(consul, service, port: int, options: str) -> str:
    lines = options.replace("\n", "\n    ")
    return (f"{consul.config}\nupstreams:\n  app:\n    listen: 127.0.0.1:{port}\n"
            f"    consul: {service}\n    {lines}\n")


@pytest.fixture
def app(pilotfish, consul, service):
    """`app(options)` -> (port, sidecar, text(options) for a reload)."""
    port = free_port()

    def text(options: str) -> str:
        return config_of(consul, service, port, options)

    def make(options: str, **how):
        return port, pilotfish(text(options), **how), text
    return make


def served(port: int, count: int, headers=None) -> Counter:
    seen = Counter()
    with Client(port) as client:
        for _ in range(count):
            answer = client.request(headers=headers)
            assert answer.status == 200, answer.text
            seen[answer.instance] += 1
    return seen


@pytest.mark.parametrize("fresh", ["connection", "watch"])
def test_a_split_is_exact_and_a_header_chooses(consul, service, fleet, app, fresh):
    port, sidecar, _ = app(f"fresh: {fresh}\nprefer: [v4, v3]\nsplit: {{v5: 5%}}\n"
                           "choose_by: header:x-version\nbalance: round_robin")
    wait_for(lambda: len(sidecar.healthy("app")) == 4, 10, "all are known")
    seen = served(port, 2000)
    assert set(seen) == {fleet["v4"], fleet["v5"]}
    assert abs(seen[fleet["v5"]] - 100) <= 4
    assert set(served(port, 20, {"x-version": "v5"})) == {fleet["v5"]}
    assert set(served(port, 20, {"x-version": "v3"})) == {fleet["v3"], fleet["canary"]}
    consul.critical(f"{service}-{fleet['v5']}")
    wait_for(lambda: set(served(port, 20, {"x-version": "v5"})) == {fleet["v4"]}, 10,
             "without an eligible instance prefer serves")
    sidecar.assert_clean()


def test_tiers_leave_out_by_tag_and_by_meta(consul, service, fleet, app):
    port, sidecar, _ = app("fresh: watch\nprefer: [{tags: v9}, {tags: [v3], not: [canary], "
                           "meta: {stage: prod}}, any]")
    wait_for(lambda: sidecar.upstream("app")["tier"] == 1, 10, "the second tier serves")
    assert set(served(port, 30)) == {fleet["v3"]}
    tiers = [tier["name"] for tier in sidecar.upstream("app")["tiers"]]
    assert tiers == ["v9", "v3 not canary stage=prod", "any"]
    consul.register(service, int(fleet["v3"]), tags=["v3"], meta={"stage": "test"})
    wait_for(lambda: sidecar.upstream("app")["tier"] == 2, 10, "its meta says otherwise now")


def test_sticky_outlives_a_restart(pilotfish, fleet, app):
    options = "prefer: any\nfresh: watch\nsticky: {cookie: keep, ttl: 1h}"
    port, sidecar, text = app(options)
    wait_for(lambda: len(sidecar.healthy("app")) == 4, 10, "all are known")
    first = get(port)
    cookie = first.header("set-cookie").split(";")[0]
    assert cookie.startswith("keep=") and first.instance not in cookie
    assert set(served(port, 20, {"cookie": cookie})) == {first.instance}
    sidecar.stop()
    again = pilotfish(text(options))
    wait_for(lambda: len(again.healthy("app")) == 4, 10, "all are known")
    assert set(served(port, 20, {"cookie": cookie})) == {first.instance}


def test_drain_and_enabled_by_reload(consul, service, fleet, app):
    port, sidecar, text = app("fresh: watch\nprefer: [v4, v3]")
    wait_for(lambda: set(served(port, 10)) == {fleet["v4"]}, 10, "v4 serves")
    v4 = f"127.0.0.1:{fleet['v4']}"
    sidecar.reload(text(f"fresh: watch\nprefer: [v4, v3]\ndrain: ['{v4}']"))
    assert set(served(port, 20)) == {fleet["v3"], fleet["canary"]}
    assert sidecar.instances("app")[v4]["state"] == "draining"
    assert "drain" in sidecar.instances("app")[v4]["why"]

    sidecar.reload(text("fresh: watch\nprefer: [v3, v4]"))
    assert set(served(port, 20)) == {fleet["v3"], fleet["canary"]}, "a new order counts at once"

    node = consul.get("/v1/agent/self")["Config"]["NodeName"]
    sidecar.reload(text(f"fresh: watch\nprefer: any\ndrain: ['node:{node}']"))
    wait_for(lambda: get(port).status == 503, 10, "all run on that node")
    assert "drained by configuration" in get(port).text

    sidecar.reload(text("fresh: watch\nprefer: any\nenabled: false"))
    answer = get(port)
    assert answer.status == 503
    assert "disabled by configuration" in answer.text
    assert "error=" in answer.header("proxy-status")
    assert sidecar.admin("/ready")[0] == 200
    assert "disabled by configuration" in sidecar.upstream("app")["reason"]
    sidecar.reload(text("fresh: watch\nprefer: any"))
    assert len(served(port, 40)) > 1


def test_resolve_judges_as_the_sidecar_would(tmp_path, consul, service, fleet):
    def resolve(options: str, edit=lambda text: text) -> tuple[int, dict]:
        path = tmp_path / "sidecar.yaml"
        path.write_text(edit(config_of(consul, service, free_port(), options)))
        done = pilotfish_cli("resolve", "-c", path, "app", "--json", limit=20)
        assert done.stdout, done.stderr
        [shown] = json.loads(done.stdout)["upstreams"]
        return done.returncode, shown

    picky = "fresh: watch\nprefer: [{tags: [v3], not: [canary], meta: {stage: prod}}]\n"
    code, shown = resolve(picky + "split: {v5: 5%}")
    assert (code, shown["tier"]) == (0, 0), shown["reason"]
    assert {one["address"] for one in shown["instances"]} == {
        f"127.0.0.1:{fleet['v3']}", f"127.0.0.1:{fleet['v5']}"}
    assert [tier["name"] for tier in shown["tiers"]] == ["v3 not canary stage=prod", "split v5"]
    assert "split: 5 %" in shown["reason"] and "SERVFAIL" not in shown["reason"]

    node = consul.get("/v1/agent/self")["Config"]["NodeName"]
    code, shown = resolve(picky + f"drain: ['node:{node}']")
    assert (code, shown["tier"]) == (UNAVAILABLE, -1)
    assert [one["state"] for one in shown["instances"]] == ["draining"]

    code, shown = resolve("fresh: watch\nprefer: any\nenabled: false")
    assert (code, shown["tier"]) == (UNAVAILABLE, -1)
    assert shown["reason"].startswith("disabled by configuration")

    code, shown = resolve("fresh: watch\nprefer: [{tags: [v3], meta: {stage: none}}]")
    assert code == UNAVAILABLE
    assert 'no instance with tag "v3" and with meta stage=none' in shown["reason"]

    code, shown = resolve(picky, lambda text: text.replace(str(consul.http_port),
                                                           str(free_port()), 1))
    assert code == UNAVAILABLE
    assert "DNS cannot tell not and meta" in shown["reason"] and "refused" in shown["reason"]
    assert "SERVFAIL" not in shown["reason"]


def test_the_state_directory_keeps_the_instances_of_a_share(own_consul, backend, pilotfish,
                                                            service, tmp_path):
    v4, v5 = backend(ports=2).ports
    own_consul.register(service, v4, tags=["v4"])
    own_consul.register(service, v5, tags=["v5"])
    own_consul.await_healthy(service, 2)
    port = free_port()
    config = (config_of(own_consul, service, port, "prefer: [v4]\nsplit: {v5: 50%}")
              + f"state_dir: {tmp_path}/state\n")
    first = pilotfish(config)
    wait_for(lambda: len(first.healthy("app")) == 2, 10, "both are known")
    assert set(served(port, 20)) == {str(v4), str(v5)}
    first.stop()
    own_consul.kill()
    second = pilotfish(config, wait="health")
    wait_for(lambda: len(second.healthy("app")) == 2, 10, "both are kept")
    assert set(served(port, 20)) == {str(v4), str(v5)}
