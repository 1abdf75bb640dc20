"""hosts: the A and AAAA records of a name are the instances."""

import subprocess

import pytest

from harness import DnsServer, free_port, get, pilotfish_cli, wait_for
from harness.backend import echo
from harness.dns_server import A, NXDOMAIN, message, record
from harness.parts import clean_environment, part
from harness.process import Process


def config(name: str, dns_port: int, listen: int, options: str = "") -> str:
    lines = options.replace("\n", "\n    ")
    return f"""\
upstreams:
  app:
    listen: 127.0.0.1:{listen}
    hosts: {name}
    dns: ["127.0.0.1:{dns_port}"]
    {lines}
"""


@pytest.fixture
def zone(tmp_path, cleanup):
    """A real dnsmasq with app.internal on 127.0.0.1 and ::1, far.internal on a dead address."""
    port = free_port()
    cleanup(Process(
        [part("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
         "--no-hosts", "--user=", "--group=", "--pid-file=", "--log-facility=-", f"--port={port}",
         "--listen-address=127.0.0.1", "--bind-interfaces", "--local=/internal/",
         "--host-record=app.internal,127.0.0.1,::1,60", "--host-record=far.internal,127.0.0.9"],
        tmp_path / "dnsmasq.log", env=clean_environment()))

    def answers():
        done = subprocess.run([part("dig"), "@127.0.0.1", "-p", str(port), "app.internal",
                               "+tries=1", "+time=1"], capture_output=True, text=True, timeout=10)
        return "127.0.0.1" in done.stdout
    wait_for(answers, 10, "dnsmasq answers")
    return port


def test_a_real_resolver_names_the_instances(zone, backend, pilotfish):
    server, port = backend(echo), free_port()
    text = config(f"[app.internal:{server.port}, far.internal:{server.port}]", zone, port,
                  "host: instance\nretry: {attempts: 3}")
    sidecar = pilotfish(text)
    assert set(sidecar.instances("app")) >= {f"127.0.0.1:{server.port}", f"[::1]:{server.port}"}
    for _ in range(10):
        assert get(port).status == 200  # nobody listens on ::1, which a retry makes good
    assert server.exchanges[-1].header("host") == f"app.internal:{server.port}"
    upstream = sidecar.upstream("app")
    assert [tier["name"] for tier in upstream["tiers"]] == [f"app.internal:{server.port}",
                                                             f"far.internal:{server.port}"]
    done = pilotfish_cli("resolve", "-c", sidecar.config_path, "app")
    assert done.returncode == 0 and f"127.0.0.1:{server.port}" in done.stdout, done.stdout


def test_a_change_is_seen_by_the_next_connection_and_nxdomain_empties(backend, pilotfish, cleanup):
    server, port = backend(ports=1), free_port()
    state = {"name": "app.internal"}

    def answer(query):
        if query.name != state["name"]:
            return message(query, rcode=NXDOMAIN)
        rows = [record(b"\xc0\x0c", A, bytes([127, 0, 0, 1]))] if query.kind == A else []
        return message(query, rows)
    dns = cleanup(DnsServer(answer))
    sidecar = pilotfish(config(f"[app.internal:{server.port}, spare.internal:{server.port}]",
                               dns.port, port))
    assert get(port).status == 200
    assert sidecar.upstream("app")["tier"] == 0
    state["name"] = "spare.internal"
    assert get(port).status == 200
    assert sidecar.upstream("app")["tier"] == 1
