"""Every example of examples/ as it lies there; only ports move, by the variables it documents."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time

import pytest

from harness import (CoreDns, Etcd, Process, Traffic, free_port, get, part, pilotfish_binary,
                     pilotfish_cli, wait_for)
from harness.parts import ROOT, clean_environment
from harness.sidecar import Pilotfish
from harness.systemd import ListeningSockets, NotifySocket

EXAMPLES = ROOT / "examples"


@pytest.fixture
def shipped(tmp_path, cleanup):
    """`shipped(FILE, NAME=value...)`: a running sidecar; its ADMIN_PORT is chosen here."""
    def make(file: str, **env):
        admin = free_port()

        class One(Pilotfish):
            def write(self, _config: str) -> None:
                self.config_path = EXAMPLES / file
                self.admin_port = admin
        words = {name: str(value) for name, value in env.items()}
        return cleanup(One("", tmp_path, wait="health", env={**words, "ADMIN_PORT": str(admin)}))
    return make


@pytest.fixture
def script(tmp_path, cleanup):
    """`script(FILE, words, NAME=value...)`: a program of an example, running."""
    def make(file: str, *words: str, **env):
        path = EXAMPLES / file
        argv = [sys.executable, path] if file.endswith(".py") else [path]
        log = tmp_path / f"{path.stem}-{free_port()}.log"
        return cleanup(Process([*argv, *words], log, cwd=path.parent, env=clean_environment(
            {name: str(value) for name, value in env.items()})))
    return make


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def consul_ports(agent) -> dict:
    return {"CONSUL_PORT": agent.http_port, "CONSUL_DNS_PORT": agent.dns_port}


def test_python_consul(own_consul, shipped, script):
    apps, listens, sidecars = [free_port() for _ in range(3)], [], []
    programs = [script("python-consul/app.py", APP_PORT=port) for port in apps]
    for port in apps:
        wait_for(lambda port=port: listening(port), 10)
        listens.append(free_port())
        sidecars.append(shipped("python-consul/sidecar.yaml", APP_PORT=port,
                                LISTEN_PORT=listens[-1], **consul_ports(own_consul)))
    [check] = own_consul.checks_of(wait_for(lambda: own_consul.named("pyTest"), 5)[0]["ID"])
    assert (check["Interval"], check["Timeout"]) == ("10s", "1s")
    own_consul.await_healthy("pyTest", 3, 15)  # Consul spreads first checks over the interval

    readme = (EXAMPLES / "python-consul/README.md").read_text()
    line = re.search(r"dig @127\.0\.0\.1 -p 8600 (\S+ SRV)", readme)[1].split()
    answer = own_consul.dig(*line)
    for port in apps:
        assert re.search(rf"SRV\s+1 1 {port} \S+\.consul\.", answer), answer
    assert answer.count("\tA\t127.0.0.1") == 3 or "A\t127.0.0.1" in answer

    for listen in listens:
        assert {get(listen).text for _ in range(60)} == {f"hello from {port}\n" for port in apps}
    done = pilotfish_cli("resolve", "-c", EXAMPLES / "python-consul/sidecar.yaml", "pyTest",
                         env={name: str(value) for name, value in consul_ports(own_consul).items()})
    assert done.returncode == 0 and f"127.0.0.1:{apps[0]}" in done.stdout

    sidecars[2].stop()
    assert len(own_consul.named("pyTest")) == 2
    assert {get(listens[0]).text for _ in range(30)} == {
        f"hello from {port}\n" for port in apps[:2]}
    programs[1].kill()  # no word to anybody: its callers go on to the other one
    assert {get(listens[0]).text for _ in range(30)} == {f"hello from {apps[0]}\n"}


def unit_commands(setting: str) -> list[list[str]]:
    text = (EXAMPLES / "coredns-etcd/web.service").read_text()
    commands = re.findall(rf"^{setting}=(.+)$", text, re.M)
    return [shlex.split(command.replace("/etc/pilotfish/", f"{EXAMPLES}/coredns-etcd/"))[1:]
            for command in commands]


def test_coredns_etcd(tmp_path, cleanup, shipped, script):
    etcd, dns_port, app_port = cleanup(Etcd(tmp_path)), free_port(), free_port()
    ports = {"ETCD_PORT": str(etcd.port), "DNS_PORT": str(dns_port), "APP_PORT": str(app_port)}
    coredns = cleanup(Process([part("coredns"), "-conf", EXAMPLES / "coredns-etcd/Corefile"],
                              tmp_path / "coredns.log", env=clean_environment(ports)))

    def dig(name: str) -> str:
        return subprocess.run([part("dig"), "@127.0.0.1", "-p", str(dns_port), name, "SRV",
                               "+short", "+tries=1", "+time=2"], capture_output=True, text=True,
                              timeout=10).stdout
    coredns.until(lambda: "error" not in dig("prom.local"), 10)
    assert script("coredns-etcd/announce-etcd.sh", ETCD_PORT=etcd.port,
                  ETCDCTL_API=3).wait(10) == 0
    assert f"10 100 {etcd.port} " in dig("_etcd-client._tcp.prom.local")

    [before] = unit_commands("ExecStartPre")
    [after] = unit_commands("ExecStopPost")
    assert pilotfish_cli(*before, env=ports).returncode == 0
    assert f" {app_port} " in dig("node.prom.local")
    [start] = unit_commands("ExecStart")
    cleanup(Process([sys.executable, *[word.replace("9100", str(app_port)) for word in start]],
                    tmp_path / "web.log", cwd=tmp_path))
    wait_for(lambda: listening(app_port), 10)

    listen, etcd_listen = free_port(), free_port()
    sidecar = shipped("coredns-etcd/web.yaml", LISTEN_PORT=listen, ETCD_LISTEN_PORT=etcd_listen,
                      **ports)
    assert get(listen).status == 200
    through = f"http://127.0.0.1:{etcd_listen}"
    assert "ok" in etcd.ctl("put", "/case", "two", endpoint=through).lower()
    sidecar.stop()
    pilotfish_cli(*before, env=ports)
    assert pilotfish_cli(*after, env=ports).returncode == 0
    assert dig("node.prom.local").strip() == ""


def test_versions(own_consul, shipped, script):
    def b(version: str, mode: str = "write"):
        port = free_port()
        program = script("versions/b.py", APP_PORT=port, VERSION=version, MODE=mode)
        wait_for(lambda: listening(port), 10)
        return program, shipped("versions/b.yaml", APP_PORT=port, VERSION=version, MODE=mode,
                                LISTEN_PORT=free_port(), **consul_ports(own_consul))
    b("v3")
    own_consul.await_healthy("b", 1)
    listen, read = free_port(), free_port()
    shipped("versions/a.yaml", LISTEN_PORT=listen, READ_LISTEN_PORT=read,
            **consul_ports(own_consul))
    wait_for(lambda: get(listen).text == "b v3 write\n", 5)
    assert get(read).text == "b v3 write\n"
    program, v4 = b("v4")
    wait_for(lambda: get(listen).text == "b v4 write\n", 12, "v4 serves")
    b("v3", "read")
    wait_for(lambda: get(read).text == "b v3 read\n", 12, "the replica serves")
    assert {get(listen).text for _ in range(20)} == {"b v4 write\n"}
    v4.stop()
    assert {get(listen).text for _ in range(20)} <= {"b v3 write\n", "b v3 read\n"}
    b("v4")
    wait_for(lambda: get(listen).text == "b v4 write\n", 12, "v4 is back")


def test_rollout(own_consul, shipped, backend):
    v4, drained, v3, v5 = backend(ports=4).ports
    for port, tag in ((v4, "v4"), (drained, "v4"), (v3, "v3"), (v5, "v5")):
        own_consul.register("b", port, tags=[tag])
    own_consul.await_healthy("b", 4)
    listen, old = free_port(), free_port()
    shipped("rollout/sidecar.yaml", LISTEN_PORT=listen, OLD_LISTEN_PORT=old, DRAINED_PORT=drained,
            **consul_ports(own_consul))
    wait_for(lambda: get(listen).status == 200, 10)
    seen = [get(listen).instance for _ in range(100)]
    assert set(seen) == {str(v4), str(v5)}
    assert 7 <= seen.count(str(v5)) <= 13, "a tenth, exact but for one request per worker"
    assert get(listen, headers={"x-version": "v5"}).instance == str(v5)
    assert get(listen, headers={"x-version": "v3"}).instance == str(v3)
    chosen = get(listen, headers={"x-version": "v3"})
    cookie = {"cookie": chosen.header("set-cookie").split(";")[0]}
    assert {get(listen, headers=cookie).instance for _ in range(10)} == {str(v3)}
    off = get(old)
    assert off.status == 503 and "disabled by configuration" in off.text


@pytest.mark.parametrize("kind", ["consul", "dns"])
def test_prometheus(own_consul, tmp_path, cleanup, shipped, backend, kind):
    etcd, app, listen, port = cleanup(Etcd(tmp_path)), backend(), free_port(), free_port()
    sidecar = shipped("prometheus/sidecar.yaml", ETCD_PORT=etcd.port, APP_PORT=app.port,
                      LISTEN_PORT=listen, **consul_ports(own_consul))
    own_consul.await_healthy("pilotfish", 1)
    assert get(listen).status == 200
    around = []
    if kind == "dns":
        cleanup(CoreDns(tmp_path, etcd, host="127.0.0.153", port=53))
        (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.153\n")
        around = ["unshare", *([] if os.geteuid() == 0 else ["-r"]), "-m", "sh", "-c",
                  f'mount --bind {tmp_path}/resolv.conf /etc/resolv.conf && exec "$@"', "sh"]
    cleanup(Process([*around, EXAMPLES / "prometheus/start.sh", kind], tmp_path / "prometheus.log",
                    env=clean_environment({
                        "PROMETHEUS": part("prometheus"), "PROMETHEUS_PORT": str(port),
                        "PROMETHEUS_DATA": str(tmp_path / "prometheus"),
                        "CONSUL_PORT": str(own_consul.http_port)})))

    def up():
        answer = get(port, "/api/v1/query?query=up").text
        return re.search(rf'"instance":"[^"]*:{sidecar.admin_port}".*"1"', answer)
    wait_for(up, 30, "Prometheus scrapes the sidecar", pause=0.2)


def test_dnsmasq(own_consul, shipped, script, backend):
    server, listen, port = backend(ports=2), free_port(), free_port()
    idents = [own_consul.register("web", number) for number in server.ports]
    script("dnsmasq/start.sh", DNSMASQ_PORT=port, CONSUL_DNS_PORT=own_consul.dns_port)
    shipped("dnsmasq/sidecar.yaml", DNSMASQ_PORT=port, LISTEN_PORT=listen,
            CONSUL_PORT=own_consul.http_port)
    wait_for(lambda: get(listen).status == 200, 10)
    assert {get(listen).instance for _ in range(40)} == {str(number) for number in server.ports}
    own_consul.critical(idents[0])
    own_consul.await_healthy("web", 1)
    assert {get(listen).instance for _ in range(20)} == {str(server.ports[1])}


UNITS = EXAMPLES / "systemd"


def systemd_commands(unit: str, setting: str) -> list[list[str]]:
    """The commands of a unit with this build and this folder in place of the installed ones."""
    text = (UNITS / unit).read_text()
    return [shlex.split(command.replace("/etc/pilotfish/", f"{UNITS}/")
                        .replace("/usr/bin/pilotfish", pilotfish_binary()))
            for command in re.findall(rf"^{setting}=(.+)$", text, re.M)]


def test_systemd_units_are_valid(tmp_path):
    analyze = shutil.which("systemd-analyze")
    assert analyze, "package systemd is missing"
    for unit in [*UNITS.glob("*.service"), *UNITS.glob("*.socket")]:
        text = unit.read_text().replace("/usr/bin/pilotfish", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(tmp_path.glob("*.*"))
    done = subprocess.run([analyze, "verify", "--man=no", "--recursive-errors=no", *units],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "Unknown" not in done.stderr, done.stderr


def test_systemd(own_consul, tmp_path, cleanup, backend):
    """pilotfish.socket and pilotfish.service: checked, started, reloaded, restarted under calls."""
    server = backend()
    own_consul.register("billing", server.port)
    own_consul.await_healthy("billing", 1)
    [name] = re.findall(r"^FileDescriptorName=(.+)$", (UNITS / "pilotfish.socket").read_text(), re.M)
    held, notify = cleanup(ListeningSockets(name)), cleanup(NotifySocket(tmp_path))
    port, how = held.port(name), held.how()
    env = clean_environment({
        "ADMIN_PORT": str(free_port()), "STATE_DIRECTORY": str(tmp_path / "state"),
        "NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "10000000",
        **{key: str(value) for key, value in consul_ports(own_consul).items()}})
    (tmp_path / "state").mkdir()
    [check] = systemd_commands("pilotfish.service", "ExecStartPre")
    [start] = systemd_commands("pilotfish.service", "ExecStart")
    [reload] = systemd_commands("pilotfish.service", "ExecReload")
    assert subprocess.run(check, env=env, timeout=30).returncode == 0
    with Traffic(port, rate=60, timeout=30) as traffic:
        for _ in range(3):
            began = time.monotonic()
            running = cleanup(Process([*how["around"], *start], tmp_path / "pilotfish.log", env=env,
                                      inherit=how["inherit"]))
            notify.await_line("READY=1", since=began)
            notify.await_line("WATCHDOG=1", since=began)
            assert subprocess.run([word.replace("$MAINPID", str(running.pid)) for word in reload],
                                  timeout=10).returncode == 0
            running.until(lambda: "reloaded" in running.log(), 10)
            assert running.stop(20) == 0
        running = cleanup(Process([*how["around"], *start], tmp_path / "pilotfish.log", env=env,
                                  inherit=how["inherit"]))
        notify.await_line("READY=1", since=time.monotonic() - 1)
    assert not traffic.failed and traffic.instances() == {str(server.port)}, traffic.failed[:3]
    assert list((tmp_path / "state").iterdir()), "the last good answers are kept"


def test_systemd_announces_once_for_another_service(tmp_path, cleanup):
    """systemd/node-announce.service: case 2 without a script."""
    etcd, dns_port = cleanup(Etcd(tmp_path)), free_port()
    env = clean_environment({"ETCD_PORT": str(etcd.port), "DNS_PORT": str(dns_port)})
    cleanup(Process([part("coredns"), "-conf", EXAMPLES / "coredns-etcd/Corefile"],
                    tmp_path / "coredns.log", env=env))

    def dig() -> str:
        return subprocess.run([part("dig"), "@127.0.0.1", "-p", str(dns_port), "node.prom.local",
                               "SRV", "+short", "+tries=1", "+time=2"], capture_output=True,
                              text=True, timeout=10).stdout
    [start] = systemd_commands("node-announce.service", "ExecStart")
    [stop] = systemd_commands("node-announce.service", "ExecStop")
    assert subprocess.run(start, env=env, timeout=30).returncode == 0
    wait_for(lambda: " 9100 " in dig(), 15)
    assert subprocess.run(stop, env=env, timeout=30).returncode == 0
    wait_for(lambda: dig().strip() == "", 15)


def test_every_example_is_run_here():
    text = open(__file__).read()
    for folder in EXAMPLES.iterdir():
        if folder.is_dir():
            assert f"{folder.name}/" in text, f"{folder.name} is run by no test"


def test_every_configuration_of_an_example_is_valid_as_it_stands():
    assert pilotfish_binary()
    for file in EXAMPLES.glob("*/*.yaml"):
        done = pilotfish_cli("check", "-c", file)
        assert done.returncode == 0, done.stdout + done.stderr
