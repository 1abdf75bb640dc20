"""Registration in the agent: seen by what people look with, kept, renewed, withdrawn."""

import signal
import time

import pytest

from harness import DnsPoll, free_port, pilotfish_cli, wait_for


def announce(agent, service: str, port: int, more: str = "") -> str:
    return f"""\
{agent.config}
upstreams:
  none: {{listen: "127.0.0.1:{free_port()}", static: ["127.0.0.1:{port}"]}}
register:
  web:
    name: {service}
    port: {port}
    address: 127.0.0.1
    tags: [v3, read]
    meta: {{version: "3.2"}}
    weights: {{passing: 10, warning: 1}}
    check: {{http: "http://127.0.0.1:{port}/_checker", interval: 1s, timeout: 1s, deregister_after: 1m}}
  {service}-sidecar: {{self: true}}
{more}"""


def test_the_application_and_the_sidecar_are_registered_with_all_that_was_said(
        consul, backend, pilotfish, service):
    server = backend()
    sidecar = pilotfish(announce(consul, service, server.port))
    ident = f"{service}-127.0.0.1-{server.port}"
    one = wait_for(lambda: consul.services().get(ident), 5, "the application is there")
    assert (one["Service"], one["Port"], one["Address"]) == (service, server.port, "127.0.0.1")
    assert sorted(one["Tags"]) == ["read", "v3"]
    assert one["Meta"]["version"] == "3.2"
    assert one["Weights"] == {"Passing": 10, "Warning": 1}
    consul.await_healthy(service, 1)
    assert [one.target for one in server.exchanges][0] == "/_checker"
    check = consul.checks_of(ident)[0]
    assert check["Definition"].get("Interval", "1s") in ("1s", "0s") and check["Type"] == "http"

    own = wait_for(lambda: consul.named(f"{service}-sidecar"), 5, "the sidecar is there")[0]
    assert own["Port"] == sidecar.admin_port
    consul.await_healthy(f"{service}-sidecar", 1)
    # It is passing before the agent has checked anything itself.
    wait_for(lambda: "/ready" in str(consul.checks_of(own["ID"])[0]), 5, "the agent's check ran")

    line = consul.dig(f"{service}.service.consul", "SRV", "+short").split()
    assert line[:3] == ["1", "10", str(server.port)]
    assert consul.srv_ports(f"v3.{service}.service.consul") == [server.port]
    assert sidecar.metric("pilotfish_registration_up", service=service) == 1
    sidecar.await_log(r"(?i)loopback")  # a Prometheus elsewhere could not reach this admin port


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_everything_is_deregistered_when_told_to_stop(
        consul, backend, pilotfish, service, number):
    server = backend()
    sidecar = pilotfish(announce(consul, service, server.port))
    wait_for(lambda: consul.named(service) and consul.named(f"{service}-sidecar"), 5)
    sidecar.stop(number)
    assert not consul.named(service) and not consul.named(f"{service}-sidecar")


def test_a_ttl_check_is_kept_alive_and_ends_with_the_sidecar(consul, pilotfish, service):
    port = free_port()
    sidecar = pilotfish(f"""\
{consul.config}
upstreams: {{none: {{listen: "127.0.0.1:{free_port()}", static: ["127.0.0.1:{port}"]}}}}
register:
  {service}: {{port: {port}, address: 127.0.0.1, check: {{ttl: 2s}}}}
""")
    consul.await_healthy(service, 1)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        assert len(consul.healthy(service)) == 1, "the check was not kept alive"
        time.sleep(0.1)
    sidecar.kill()
    wait_for(lambda: len(consul.healthy(service)) == 0, 6, "it turns critical")
    for one in consul.named(service):
        consul.deregister(one["ID"])


def test_an_agent_that_forgot_everything_is_told_again(
        own_consul, backend, pilotfish, service):
    server = backend()
    sidecar = pilotfish(announce(own_consul, service, server.port))
    wait_for(lambda: own_consul.named(service), 5)
    own_consul.kill()
    wait_for(lambda: sidecar.metric("pilotfish_registration_up", service=service) == 0, 8,
             "the loss is seen")
    own_consul.start()
    wait_for(lambda: own_consul.named(service) and own_consul.named(f"{service}-sidecar"), 8,
             "registered again")
    wait_for(lambda: sidecar.metric("pilotfish_registration_up", service=service) == 1, 5)


def test_a_service_somebody_removed_is_back_within_three_seconds(
        consul, backend, pilotfish, service):
    server = backend()
    pilotfish(announce(consul, service, server.port))
    one = wait_for(lambda: consul.named(service), 5)[0]
    consul.deregister(one["ID"])
    assert not consul.named(service)
    wait_for(lambda: consul.named(service), 3.5, "noticed and registered again")


def test_an_unreachable_agent_delays_nothing(backend, pilotfish, service):
    class Nobody:
        config = (f'consul: {{http: "http://127.0.0.1:{free_port()}", '
                  f'dns: "127.0.0.1:{free_port()}"}}')
    server = backend()
    began = time.monotonic()
    sidecar = pilotfish(announce(Nobody, service, server.port))
    assert time.monotonic() - began < 4
    assert sidecar.metric("pilotfish_registration_up", service=service) == 0
    began = time.monotonic()
    sidecar.stop()
    assert time.monotonic() - began < 8


def test_register_and_deregister_once_for_unit_files(consul, service, tmp_path):
    port, config = free_port(), tmp_path / "once.yaml"
    config.write_text(announce(consul, service, port))
    done = pilotfish_cli("register", "-c", config)
    assert done.returncode == 0, done.stderr
    assert consul.named(service)[0]["Port"] == port
    assert pilotfish_cli("register", "-c", config).returncode == 0, "twice is no error"
    assert len(consul.named(service)) == 1
    done = pilotfish_cli("deregister", "-c", config)
    assert done.returncode == 0, done.stderr
    assert not consul.named(service)
    assert pilotfish_cli("deregister", "-c", config).returncode == 0, "twice is no error"


def test_register_once_without_an_agent_fails_with_69(service, tmp_path):
    class Nobody:
        config = f'consul: {{http: "http://127.0.0.1:{free_port()}"}}'
    config = tmp_path / "once.yaml"
    config.write_text(announce(Nobody, service, free_port()))
    done = pilotfish_cli("register", "-c", config, limit=30)
    assert done.returncode == 69
    assert done.stderr.strip()


def test_the_environment_overrides_where_the_agent_is(consul, service, tmp_path):
    class Nobody:
        config = f'consul: {{http: "http://127.0.0.1:{free_port()}"}}'
    config = tmp_path / "once.yaml"
    config.write_text(announce(Nobody, service, free_port()))
    env = {"CONSUL_HTTP_ADDR": f"127.0.0.1:{consul.http_port}"}
    assert pilotfish_cli("register", "-c", config, env=env).returncode == 0
    assert consul.named(service)
    assert pilotfish_cli("deregister", "-c", config, env=env).returncode == 0
    assert not consul.named(service)


def test_after_a_hard_kill_the_same_id_is_taken_over(consul, backend, pilotfish, service):
    server = backend()
    config = announce(consul, service, server.port)
    first = pilotfish(config)
    wait_for(lambda: consul.named(service), 5)
    first.kill()
    second = pilotfish(config)
    wait_for(lambda: second.metric("pilotfish_registration_up", service=service) == 1, 5)
    assert len(consul.named(service)) == 1
    second.stop()
    assert not consul.named(service)


def test_two_applications_of_one_name_on_one_host_are_two_instances(
        consul, backend, pilotfish, service):
    servers = [backend(), backend()]
    for server in servers:
        pilotfish(announce(consul, service, server.port).replace(
            f"  {service}-sidecar: {{self: true}}\n", ""))
    consul.await_healthy(service, 2)
    assert consul.srv_ports(f"{service}.service.consul") == sorted(s.port for s in servers)


def alone(agent, service: str, port: int, check: str = "interval: 1s") -> str:
    """Nothing but an announcement: no upstream."""
    return f"""\
{agent.config}
register:
  web:
    name: {service}
    port: {port}
    address: 127.0.0.1
    check: {{http: "http://127.0.0.1:{port}/_checker", {check}}}
"""


def test_a_file_with_an_announcement_alone_checks_and_runs(
        consul, backend, pilotfish, service, tmp_path):
    text = alone(consul, service, backend().port)
    config = tmp_path / "alone.yaml"
    config.write_text(text)
    assert pilotfish_cli("check", "-c", config).returncode == 0
    sidecar = pilotfish(text)
    consul.await_healthy(service, 1)
    assert sidecar.upstreams() == []
    sidecar.reload(text.replace("interval: 1s", "interval: 2s"))
    sidecar.stop()
    assert not consul.named(service)


def test_a_restart_with_overlap_is_no_moment_out_of_dns(
        consul, backend, pilotfish, service, cleanup):
    config = alone(consul, service, backend().port, "interval: 10s")
    first = pilotfish(config)
    consul.await_healthy(service, 1, 3)
    poll = cleanup(DnsPoll(consul.dns_port, f"{service}.service.consul"))
    second = pilotfish(config)
    wait_for(lambda: second.metric("pilotfish_registration_up", service=service) == 1, 5)
    first.stop()
    time.sleep(2)  # the former behaviour withdrew it here
    poll.stop()
    print(f"out of DNS: {len(poll.missing)} of {len(poll.missing) + len(poll.there)} answers, "
          f"longest gap {poll.longest_gap:.3f} s")
    assert poll.there and not poll.missing
    second.stop()
    assert not consul.named(service)


def test_what_an_empty_agent_is_told_is_in_its_dns_within_a_second_and_a_half(
        own_consul, backend, pilotfish, service, cleanup):
    pilotfish(alone(own_consul, service, backend().port, "interval: 10s"))
    own_consul.await_healthy(service, 1, 3)
    own_consul.kill()
    own_consul.start()  # has a leader
    began = time.monotonic()
    poll = cleanup(DnsPoll(own_consul.dns_port, f"{service}.service.consul"))
    wait_for(lambda: poll.there, 5, "in DNS")
    print(f"in DNS {poll.there[0] - began:.3f} s after the agent had a leader")
    assert poll.there[0] - began < 1.5


def test_deregister_after_holds_until_the_application_answers_again(
        consul, backend, pilotfish, service):
    dead = []

    def checked(connection, exchange):
        connection.answer("503 Down" if dead else "200 OK", method=exchange.method)
    sidecar = pilotfish(alone(consul, service, backend(checked).port,
                              "interval: 1s, deregister_after: 3s"))
    consul.await_healthy(service, 1, 3)
    dead.append(True)
    wait_for(lambda: not consul.named(service), 8, "withdrawn")
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        assert not consul.named(service), "our own registration undid it"
        time.sleep(0.1)
    assert sidecar.metric("pilotfish_registration_up", service=service) == 0
    dead.clear()
    consul.await_healthy(service, 1, 2.5)


def test_deregister_beside_a_running_sidecar_says_that_it_is_undone(
        consul, backend, pilotfish, service):
    sidecar = pilotfish(alone(consul, service, backend().port))
    consul.await_healthy(service, 1)
    done = pilotfish_cli("deregister", "-c", sidecar.config_path)
    assert done.returncode == 1
    assert "running sidecar" in done.stderr and "consul maint" in done.stderr
    consul.await_healthy(service, 1, 3)


def test_maintenance_is_no_verdict_about_the_application(consul, backend, pilotfish, service):
    server = backend()
    pilotfish(alone(consul, service, server.port, "interval: 1s, deregister_after: 2s"))
    consul.await_healthy(service, 1)
    consul.maintenance(f"{service}-127.0.0.1-{server.port}")
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        assert consul.named(service) and not consul.healthy(service)
        time.sleep(0.1)
