"""check: the sidecar itself asks each instance whether it is well. host: what it calls them."""

import time

from harness import free_port, get, wait_for
from harness.backend import normal


class Ward:
    """A backend's handler: /health is answered with what `sick` has for the port, else with 200."""

    def __init__(self):
        self.sick, self.probes, self.hosts = {}, {}, set()

    def __call__(self, connection, exchange):
        if exchange.target != "/health":
            return normal(connection, exchange)
        self.probes[connection.port] = self.probes.get(connection.port, 0) + 1
        self.hosts.add(exchange.header("host"))
        status = self.sick.get(connection.port, "200 OK")
        if status == "silence":
            connection.backend.stopping.wait(5)
            return "close"
        connection.answer(status)
        return "close"


def checked(servers, port: int, options: str, root: str = "") -> str:
    listed = ", ".join(f'"127.0.0.1:{number}"' for number in servers)
    lines = options.replace("\n", "\n    ")
    return f"""\
{root}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    static: [{listed}]
    {lines}
"""


CHECK = "check: {http: /health, interval: 100ms, timeout: 300ms, healthy: 2, unhealthy: 2}"


def test_an_instance_that_fails_gets_nothing_and_returns(backend, pilotfish):
    ward, port = Ward(), free_port()
    server = backend(ward, ports=3)
    bad = server.ports[0]
    sidecar = pilotfish(checked(server.ports, port, CHECK, root="workers: 2"))
    address = f"127.0.0.1:{bad}"
    wait_for(lambda: len(ward.probes) == 3, 5, "each is probed")

    def is_out(why: str):
        seen = sidecar.instances("app")[address]
        return seen["state"] == "unhealthy" and seen["why"] == why

    for answer, why in (("503 Service Unavailable", "GET /health: 503"),
                        ("301 Moved Permanently", "GET /health: 301"),
                        ("silence", "no answer in 300ms")):
        ward.sick[bad] = answer
        wait_for(lambda: is_out(why), 10, f"it is out: {why}")
    wait_for(lambda: sidecar.metric("pilotfish_upstream_instances", upstream="app",
                                    state="unhealthy") == 1, 5, "metrics")
    assert {get(port).instance for _ in range(60)} == {str(other) for other in server.ports[1:]}
    sidecar.reload(checked(server.ports, port, CHECK + "\nrequest_timeout: 9s", root="workers: 2"))
    assert sidecar.instances("app")[address]["state"] == "unhealthy", "a reload keeps verdicts"
    del ward.sick[bad]
    wait_for(lambda: sidecar.instances("app")[address]["state"] == "healthy", 10, "it is back")
    wait_for(lambda: get(port).instance == str(bad), 10, "it serves again")
    assert ward.hosts == {f"127.0.0.1:{number}" for number in server.ports}


def test_a_probe_is_made_once_for_all_workers(backend, pilotfish):
    ward, port = Ward(), free_port()
    server = backend(ward)
    pilotfish(checked(server.ports, port, CHECK.replace("100ms", "1h"), root="workers: 4"))
    for _ in range(20):
        assert get(port).status == 200
    wait_for(lambda: ward.probes, 5, "it is probed")
    time.sleep(0.5)  # others would have come within 0.2 s
    assert ward.probes == {server.port: 1}


def test_where_all_fail_the_check_is_ignored(backend, pilotfish):
    ward, port = Ward(), free_port()
    server = backend(ward, ports=2)
    ward.sick = {number: "500 Oops" for number in server.ports}
    sidecar = pilotfish(checked(server.ports, port, CHECK))
    wait_for(lambda: {one["state"] for one in sidecar.instances("app").values()} == {"unhealthy"},
             10, "all are unhealthy")
    assert {get(port).instance for _ in range(40)} == {str(number) for number in server.ports}
    assert "although all are unhealthy" in sidecar.upstream("app")["reason"]


def test_a_service_of_consul_is_checked_too(backend, pilotfish, consul, service):
    ward, port = Ward(), free_port()
    server = backend(ward, ports=2)
    idents = [consul.register(service, number) for number in server.ports]
    consul.await_healthy(service, 2)
    ward.sick[server.ports[0]] = "503 No"
    sidecar = pilotfish(f"""\
{consul.config}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: {service}
    host: billing.internal
    {CHECK}
""")
    address = f"127.0.0.1:{server.ports[0]}"
    wait_for(lambda: sidecar.instances("app")[address]["state"] == "unhealthy", 10, "it is out")
    assert {get(port).instance for _ in range(20)} == {str(server.ports[1])}
    assert ward.hosts == {"billing.internal"}
    consul.deregister(idents[0])
    wait_for(lambda: get(port) and sidecar.instances("app").get(address, {"state": "absent"})
             ["state"] == "absent", 10, "it left")
    before = ward.probes[server.ports[0]]
    wait_for(lambda: ward.probes[server.ports[1]] > 10 + before, 10, "the other is probed on")
    assert ward.probes[server.ports[0]] <= before + 1


def test_config_shows_what_runs(backend, pilotfish):
    server, port = backend(), free_port()
    sidecar = pilotfish(checked(server.ports, port, CHECK + "\nhost: instance"))
    status, text = sidecar.admin("/config")
    assert status == 200 and "host: instance" in text and "http: /health" in text
    assert get(port, headers={"Host": "else.example"}).status == 200
    seen = [one for one in server.exchanges if one.target != "/health"]
    assert seen[-1].all("host") == [f"127.0.0.1:{server.port}"]
