"""SIGHUP: what changes while requests run, and what is refused."""

import json
import signal
import socket
import threading
import time

import pytest

from harness import Client, Traffic, free_port, free_ports, get, wait_for
from harness.backend import slow, status
from harness.client import build

ROUNDS = 20


def upstream(name: str, port: int, servers, **options) -> dict:
    listed = [server.address for server in (servers if isinstance(servers, list) else [servers])]
    return {name: {"listen": f"127.0.0.1:{port}", "static": listed, **options}}


def config(*upstreams: dict, **root) -> str:
    root["upstreams"] = {name: options for one in upstreams for name, options in one.items()}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in root.items())


def running(sidecar) -> str:
    """/config without its remarks."""
    lines = sidecar.admin("/config")[1].splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def longest_gap(traffic: Traffic) -> float:
    """Seconds in which not one request was answered, or the longest one took: what a reload costs."""
    ends = sorted(sample.ended for sample in traffic.samples)
    silent = max((b - a for a, b in zip(ends, ends[1:])), default=0.0)
    return max(silent, max(sample.ended - sample.began for sample in traffic.samples))


@pytest.mark.parametrize(("workers", "keep_alive", "protocol"), [
    (1, False, "http"), (1, True, "http"), (3, False, "http"), (3, True, "http"),
    (3, False, "tcp"), (3, True, "tcp")])
def test_reloads_of_every_kind_under_traffic_fail_no_request(
        pilotfish, backend, workers, keep_alive, protocol, record_property):
    one, two, three = backend(), backend(), backend()
    port, others = free_port(), free_ports(3)
    root = {"workers": workers}

    def app(servers, **options):
        return upstream("app", port, servers, protocol=protocol, **options)

    options = [{"balance": "round_robin"}, {"connect_timeout": "2s"}, {"slow_start": "5s"},
               {"retry": {"attempts": 1, "budget": "50%"}}, {"eject": {"consecutive": 9}},
               {"limits": {"connections": 50, "pending": 5000}}, {"lookup": {"timeout": "1s"}},
               {"fallback": {"min_healthy": 2}}, {"balance": "ring_hash", "hash_on": "source_ip"},
               {"timeouts": {"keep_alive": "2h", "pool_idle": "1s"}}]
    kinds = {
        "an option": lambda i: config(app([one, two], **options[i % len(options)]), **root),
        "its instances": lambda i: config(app([[one, two], [two, three], [three]][i % 3]), **root),
        "another upstream comes or goes": lambda i: config(
            app([one, two]), *[upstream(f"extra{n}", others[n], three)
                               for n in range(3) if n != i % 4], **root),
        "its name": lambda i: config(
            upstream(f"app{i % 2}", port, [one, two], protocol=protocol), **root),
        "its protocol": lambda i: config(
            upstream("app", port, [one, two], protocol=["tcp", "http"][i % 2]), **root),
        "nothing": lambda i: config(app([one, two]), **root),
    }
    sidecar = pilotfish(config(app([one, two]), **root))
    gaps = {}
    for kind, text in kinds.items():
        with Traffic(port, rate=150, threads=6, keep_alive=keep_alive) as traffic:
            wait_for(lambda traffic=traffic: len(traffic.samples) > 20, 10)
            for i in range(ROUNDS):
                sidecar.reload(text(i))
            count = len(traffic.samples)
            wait_for(lambda traffic=traffic, count=count: len(traffic.samples) > count + 20, 10)
        assert not traffic.failed, (kind, len(traffic.failed), traffic.failed[:3])
        gaps[kind] = round(longest_gap(traffic) * 1000)
    record_property("longest_gap_ms", gaps)
    print(f"\nlongest gap in ms ({workers} workers, {protocol}, kept: {keep_alive}): {gaps}")
    assert max(gaps.values()) < 5000


@pytest.mark.parametrize("workers", [1, 3])
def test_two_upstreams_swap_their_ports_and_no_request_fails_or_goes_astray(
        pilotfish, backend, workers):
    servers, ports = [backend(), backend()], free_ports(2)

    def text(turn):
        return config(upstream("one", ports[turn], servers[0]),
                      upstream("two", ports[1 - turn], servers[1]), workers=workers)
    sidecar = pilotfish(text(0))
    with Traffic(ports[0], rate=100) as new, Traffic(ports[1], rate=100, keep_alive=True) as kept:
        for i in range(1, ROUNDS + 1):
            sidecar.reload(text(i % 2))
            # From the reload on every new connection is the other upstream's.
            for n in (0, 1):
                assert get(ports[n]).instance == str(servers[(n + i) % 2].port)
        time.sleep(0.2)
    assert not new.failed, new.failed[:3]
    assert not kept.failed, kept.failed[:3]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_listener_moves_and_every_connection_that_was_accepted_is_answered(
        pilotfish, backend, workers):
    server, ports = backend(), free_ports(2)
    sidecar = pilotfish(config(upstream("app", ports[0], server), workers=workers))
    stopping, problems, answered, refused = threading.Event(), [], [], []

    def caller():
        while not stopping.is_set():
            for port in ports:
                try:
                    client = Client(port, timeout=10)
                except ConnectionRefusedError:
                    refused.append(port)  # it has moved: the other port has it
                    continue
                try:
                    client.send(build())
                    answered.append(client.read_response().status)
                except Exception as problem:
                    problems.append(repr(problem))
                client.close()
    threads = [threading.Thread(target=caller) for _ in range(6)]
    for thread in threads:
        thread.start()
    for i in range(1, ROUNDS + 1):
        sidecar.reload(config(upstream("app", ports[i % 2], server), workers=workers))
    stopping.set()
    for thread in threads:
        thread.join(20)
    assert not problems, problems[:3]
    assert set(answered) == {200}
    assert refused


def test_connections_of_a_removed_upstream_finish_and_then_close(pilotfish, backend):
    server, echo = backend(slow(1.0)), backend()
    ports = free_ports(3)
    sidecar = pilotfish(config(upstream("app", ports[0], server), upstream("kept", ports[1], echo),
                               upstream("tunnel", ports[2], echo, protocol="tcp")))
    busy, idle, tunnel = Client(ports[0], timeout=20), Client(ports[1]), Client(ports[2])
    for client in (idle, tunnel):
        client.send(build())
        assert client.read_response().status == 200
    busy.send(build())
    wait_for(lambda: sidecar.instances("app")[server.address]["in_flight"] == 1, 10)
    sidecar.reload(config(upstream("other", free_port(), echo)))
    assert [one["name"] for one in sidecar.upstreams()] == ["other"]
    for port in ports:
        with pytest.raises(OSError):
            Client(port, timeout=5)
    answer = busy.read_response()
    assert (answer.status, answer.header("connection")) == (200, "close")
    # A kept connection is not cut under its client: its next answer is the last one, and says so.
    idle.send(build())
    answer = idle.read_response()
    assert (answer.status, answer.header("connection")) == (200, "close")
    # Bytes have no such word; what runs may run.
    tunnel.send(build())
    answer = tunnel.read_response()
    assert (answer.status, answer.header("connection")) == (200, None)
    tunnel.close()


def test_ejection_and_requests_in_flight_survive_a_reload(pilotfish, backend):
    good, bad, late = backend(), backend(status("503 Broken")), backend(slow(3.0))
    port, slow_port = free_ports(2)

    def text(**more):
        return config(
            upstream("app", port, [good, bad], eject={"consecutive": 2, "base": "5m"}, **more),
            upstream("late", slow_port, late, **more))
    sidecar = pilotfish(text())

    def state():
        return sidecar.instances("app")[bad.address]["state"]

    def ejected():
        get(port)
        return state() == "ejected"
    wait_for(ejected, 20)
    before = sidecar.instances("app")[good.address]["requests"]
    client = Client(slow_port, timeout=20)
    client.send(build())
    wait_for(lambda: sidecar.instances("late")[late.address]["in_flight"] == 1, 10)
    for more in ({"balance": "round_robin"}, {"fresh": "ttl"}, {"connect_timeout": "3s"},
                 {"lookup": {"max_rate": 10}}):
        sidecar.reload(text(**more))
        assert state() == "ejected", more
        assert sidecar.instances("late")[late.address]["in_flight"] == 1
    assert client.read_response().status == 200
    wait_for(lambda: sidecar.instances("late")[late.address]["in_flight"] == 0, 10)
    assert sidecar.instances("app")[good.address]["requests"] >= before
    for _ in range(20):
        assert get(port).instance == str(good.port)


@pytest.mark.parametrize(("damage", "said"), [
    (lambda path, text: path.write_text(text.replace("static:", "statik:")), r":\d+:\d+: .*statik"),
    (lambda path, text: path.write_text(text[:text.index("static:") + 3]), r":\d+:\d+: "),
    (lambda path, text: path.write_text(""), r":1:1: .*upstreams"),
    (lambda path, text: path.unlink(), r":1:1: .*"),
    (lambda path, text: path.write_text("\tno: [yaml"), r":1:\d+: ")],
    ids=["unknown key", "half written", "empty", "missing", "no YAML"])
def test_a_bad_file_changes_nothing_and_is_reported_everywhere(lane, damage, said):
    port, _, sidecar = lane()
    text = sidecar.config_path.read_text()
    before = running(sidecar)
    damage(sidecar.config_path, text)
    sidecar.reload(result="invalid")
    sidecar.await_log(rf"error +\S*{sidecar.config_path.name}{said}")
    shown = sidecar.admin("/config")[1]
    assert running(sidecar) == before
    assert shown.startswith("# the last reload was refused")
    assert sidecar.config_path.name + ":" in shown
    assert get(port).status == 200
    assert sidecar.metric("pilotfish_config_reloads_total", result="ok") == 0
    sidecar.reload(text)
    assert "refused" not in sidecar.admin("/config")[1]
    assert get(port).status == 200


@pytest.mark.parametrize("place", [0, 1, 2, "admin"])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_taken_port_refuses_the_whole_reload_wherever_it_stands(
        pilotfish, backend, place, workers):
    server, port, taken, fresh = backend(), free_port(), free_port(), free_ports(3)
    app = upstream("app", port, server)
    sidecar = pilotfish(config(app, workers=workers))
    admin = f"admin: 127.0.0.1:{taken if place == 'admin' else sidecar.admin_port}\n"
    ports = [taken if n == place else number for n, number in enumerate(fresh)]
    news = [upstream(f"new{n}", number, server) for n, number in enumerate(ports)]
    text = admin + config(upstream("app", port, server, balance="random"), *news, workers=workers)
    with socket.create_server(("127.0.0.1", taken)), Traffic(port, rate=50) as traffic:
        for _ in range(3):
            sidecar.reload(text, result="failed")
        setting = "admin" if place == "admin" else f"upstreams.new{place}.listen"
        sidecar.await_log(rf"reload failed: nothing changed.*{setting}: 127.0.0.1:{taken} is taken")
        assert setting in sidecar.admin("/config")[1].split("\n")[1]
        assert "balance: least_request" in running(sidecar)
        assert [one["name"] for one in sidecar.upstreams()] == ["app"]
        for number in set(ports) - {taken}:
            with pytest.raises(ConnectionRefusedError):
                Client(number)
    assert traffic.samples and not traffic.failed
    sidecar.reload(config(app, *news, workers=workers))
    assert {get(number).status for number in (port, *ports)} == {200}


def test_an_upstream_moves_to_another_service_without_an_error(
        pilotfish, backend, consul, service):
    old, new = backend(), backend()
    consul.register(f"{service}-a", old.port)
    consul.register(f"{service}-b", new.port)
    port = free_port()

    def text(suffix, more=""):
        return f"""\
{consul.config}
workers: 2
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}-{suffix}{more}}}
"""
    sidecar = pilotfish(text("a"))
    with Traffic(port, rate=100) as fresh, Traffic(port, rate=100, keep_alive=True) as kept:
        for i in range(ROUNDS):
            suffix, server = (("b", new), ("a", old))[i % 2]
            sidecar.reload(text(suffix, ["", ", fresh: ttl", ", lookup: {timeout: 2s}"][i % 3]))
            # A connection that comes after the reload is the new service's.
            assert get(port).instance == str(server.port)
    assert not fresh.failed, fresh.failed[:3]
    assert not kept.failed, kept.failed[:3]
    assert set(sidecar.healthy("app")) == {old.address}


@pytest.mark.parametrize("workers", [1, 3])
def test_watched_upstreams_come_change_and_go_without_an_error(
        pilotfish, backend, consul, service, workers):
    one, two, three = backend(), backend(), backend()
    consul.register(f"{service}-a", one.port)
    consul.register(f"{service}-b", two.port)
    port, other = free_ports(2)
    kinds = ["fresh: watch", "fresh: connection", "fresh: watch", "fresh: ttl"]

    def text(suffix, kind, more=""):
        return f"""\
{consul.config}
workers: {workers}
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}-{suffix}, {kind}}}
{more}
"""
    extra = f'  more: {{listen: "127.0.0.1:{other}", consul: {service}-a, fresh: watch}}'
    sidecar = pilotfish(text("a", kinds[0]))
    with Traffic(port, rate=100) as fresh, Traffic(port, rate=100, keep_alive=True) as kept:
        for i in range(ROUNDS):
            sidecar.reload(text("ab"[i // 2 % 2], kinds[i % 4], extra if i % 3 == 0 else ""))
            assert get(port).instance == str((one, two)[i // 2 % 2].port)
            if i % 3 == 0:
                assert get(other).instance == str(one.port)
        # What the watch says reaches the upstream after all that.
        sidecar.reload(text("b", kinds[0]))
        consul.register(f"{service}-b", three.port)
        wait_for(lambda: sidecar.healthy("app") == {two.address, three.address}, 15)
        consul.deregister(f"{service}-b-{two.port}")
        wait_for(lambda: sidecar.healthy("app") == {three.address}, 15)
        assert get(port).instance == str(three.port)
    assert not fresh.failed, fresh.failed[:3]
    assert not kept.failed, kept.failed[:3]


def test_another_agent_is_watched_asked_and_told_after_a_reload(
        pilotfish, backend, consul, own_consul, service):
    here, there, port = backend(), backend(), free_port()
    consul.register(service, here.port)
    own_consul.register(service, there.port)

    def text(agent, fresh):
        return agent.config + "\n" + f"""\
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}, fresh: {fresh}}}
register:
  {service}-me: {{port: 5000, check: {{ttl: 10s}}}}
"""
    for fresh in ("watch", "connection"):
        sidecar = pilotfish(text(consul, fresh))
        announced = f"/v1/catalog/service/{service}-me"
        wait_for(lambda announced=announced: consul.get(announced), 15)
        with Traffic(port, rate=100) as traffic:
            assert get(port).instance == str(here.port)
            sidecar.reload(text(own_consul, fresh))
            wait_for(lambda: get(port).instance == str(there.port), 15)
            wait_for(lambda announced=announced: own_consul.get(announced), 15)
            assert not consul.get(announced)
        assert not traffic.failed, traffic.failed[:3]
        sidecar.stop()


def test_a_source_that_does_not_answer_leaves_the_former_instances_in_service(
        pilotfish, backend, consul, service):
    server, port, nobody = backend(), free_port(), free_port()
    consul.register(service, server.port)
    text = f"""\
{consul.config}
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}}}
"""
    sidecar = pilotfish(text)
    assert get(port).status == 200
    dead = text.replace(f"127.0.0.1:{consul.dns_port}", f"127.0.0.1:{nobody}")
    sidecar.reload(dead)
    assert {get(port).status for _ in range(5)} == {200}
    sidecar.reload(dead.replace(f"consul: {service}", f"consul: {service}-other"))
    assert {get(port).status for _ in range(5)} == {200}
    assert "from before the reload" in sidecar.upstream("app")["reason"]
    assert sidecar.metric("pilotfish_lookup_stale_served_total") >= 5
    sidecar.reload(text)
    assert get(port).status == 200
    assert "before the reload" not in sidecar.upstream("app")["reason"]


def test_a_service_without_instances_counts_after_hold_empty(pilotfish, backend, consul, service):
    server, port = backend(), free_port()
    consul.register(service, server.port)
    text = f"""\
{consul.config}
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}, fallback: {{hold_empty: 2s}}}}
"""
    sidecar = pilotfish(text)
    sidecar.reload(text.replace(f"consul: {service},", f"consul: {service}-typo,"))
    assert get(port).status == 200
    wait_for(lambda: get(port).status == 503, 15)


def test_a_new_upstream_answers_its_first_connections(pilotfish, backend, consul, service):
    server, port = backend(), free_port()
    consul.register(service, server.port)
    base = f"{consul.config}\nupstreams:\n"
    first = f'  app: {{listen: "127.0.0.1:{port}", consul: {service}}}\n'
    sidecar = pilotfish(base + first)
    for i in range(ROUNDS):
        added = free_port()
        sidecar.write(base + first +
                      f'  n{i}: {{listen: "127.0.0.1:{added}", consul: {service}}}\n')
        sidecar.process.signal(signal.SIGHUP)

        def answers(added=added):
            try:
                return get(added)
            except ConnectionRefusedError:
                return None
        assert wait_for(answers, 10).status == 200


def test_of_a_burst_of_reloads_the_last_content_wins(lane, backend):
    port, _, sidecar = lane()
    servers = [backend() for _ in range(5)]
    for i in range(50):
        sidecar.write(config(upstream("app", port, servers[i % 5], connect_timeout=f"{i + 1}s")))
        sidecar.process.signal(signal.SIGHUP)
    wait_for(lambda: "connect_timeout: 50s" in sidecar.admin("/config")[1], 15)
    wait_for(lambda: get(port).instance == str(servers[4].port), 10)


def test_sigterm_during_reloads_still_ends_it_properly(lane, backend):
    port, server, sidecar = lane()
    for i in range(10):
        sidecar.write(config(upstream("app", port, server, connect_timeout=f"{i + 1}s")))
        sidecar.process.signal(signal.SIGHUP)
    sidecar.stop()


def test_logs_and_admin_move_at_a_reload(pilotfish, backend, tmp_path):
    server, port = backend(), free_port()
    sidecar = pilotfish(config(upstream("app", port, server)))
    path = tmp_path / "access.log"
    assert get(port, target="/before").status == 200
    sidecar.reload(config(upstream("app", port, server), log={"access": str(path)}))
    assert get(port, target="/text").status == 200
    wait_for(lambda: path.exists() and "/text" in path.read_text(), 10)
    sidecar.reload(config(upstream("app", port, server),
                          log={"access": str(path), "format": "json"}))
    assert get(port, target="/json").status == 200
    wait_for(lambda: '"/json"' in path.read_text(), 10)
    sidecar.await_log(r'\{"time":.*"message":"reloaded"')
    assert "/before" not in path.read_text()
    former, sidecar.admin_port = sidecar.admin_port, free_port()
    sidecar.write(config(upstream("app", port, server)))
    sidecar.process.signal(signal.SIGHUP)

    def moved():
        try:
            return sidecar.admin("/ready")[0] == 200
        except ConnectionRefusedError:
            return False
    wait_for(moved, 10)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", former), 5)
    sidecar.reload(config(upstream("app", port, server),
                          log={"access": str(tmp_path / "no" / "where")}), result="failed")
    sidecar.await_log("reload failed.*log.access")


def test_what_needs_a_restart_is_said_once_per_key(lane, backend):
    port, server, sidecar = lane(root="workers: 1")
    sidecar.reload(config(upstream("app", port, server), workers=2))
    sidecar.await_log(r"needs a restart.*what=workers")
    shown = sidecar.admin("/config")[1]
    assert "workers: 1" in shown and "# the file has another value for workers" in shown


def test_the_service_manager_is_told_of_a_reload(pilotfish, backend, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(10)
        server, port = backend(), free_port()
        text = config(upstream("app", port, server))
        sidecar = pilotfish(text, env={"NOTIFY_SOCKET": str(path)})

        def told(start: str) -> str:
            while True:
                message = manager.recv(4096).decode()
                if message.startswith(start):
                    return message
        told("READY=1")
        for content in (text, "nonsense: 1"):
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            sidecar.write(content)
            sidecar.process.signal(signal.SIGHUP)
            lines = dict(line.split("=", 1) for line in told("RELOADING=1").splitlines())
            after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            assert before <= int(lines["MONOTONIC_USEC"]) <= after
            told("READY=1")
        sidecar.stop()


def test_announcements_change_with_the_file(pilotfish, backend, consul, service):
    server, port = backend(), free_port()

    def text(name):
        return consul.config + "\n" + config(
            upstream("app", port, server),
            register={name: {"port": 5000, "check": {"ttl": "10s"}}})
    sidecar = pilotfish(text(service))
    wait_for(lambda: consul.get(f"/v1/catalog/service/{service}"), 15)
    sidecar.reload(text(f"{service}-new"))
    wait_for(lambda: consul.get(f"/v1/catalog/service/{service}-new"), 15)
    wait_for(lambda: not consul.get(f"/v1/catalog/service/{service}"), 15)
