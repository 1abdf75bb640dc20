"""etcd, CoreDNS over it, and dnsmasq: the other real registries and resolvers."""

import json
import os
import subprocess
from pathlib import Path

from harness.parts import clean_environment, part
from harness.ports import free_port
from harness.process import Process, wait_for


class Etcd:
    def __init__(self, folder: Path):
        self.port, peer = free_port(), free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        peer_url = f"http://127.0.0.1:{peer}"
        self.process = Process(
            [part("etcd"), "--data-dir", folder / f"etcd-{self.port}",
             "--listen-client-urls", self.endpoint, "--advertise-client-urls", self.endpoint,
             "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
             "--initial-cluster", f"default={peer_url}", "--logger", "zap",
             "--log-level", "warn"],
            folder / f"etcd-{self.port}.log", env=clean_environment())
        self.process.until(lambda: self.ctl("endpoint", "health"), 20, "etcd answers")

    def ctl(self, *words: str, endpoint: str | None = None) -> str:
        """etcdctl's output; raises OSError where it fails."""
        done = subprocess.run(
            [part("etcdctl"), "--endpoints", endpoint or self.endpoint, "--dial-timeout", "3s",
             "--command-timeout", "5s", *words], capture_output=True, text=True, timeout=15,
            env={**os.environ, "ETCDCTL_API": "3"})
        if done.returncode != 0:
            raise OSError(f"etcdctl {words}: {done.stderr}")
        return done.stdout or "ok"

    def put(self, key: str, value: dict) -> None:
        self.ctl("put", key, json.dumps(value))

    def delete(self, key: str) -> None:
        self.ctl("del", "--prefix", key)

    def records(self, prefix: str) -> dict[str, dict]:
        """key -> value under a prefix."""
        lines = self.ctl("get", "--prefix", prefix).splitlines()
        return {key: json.loads(value) for key, value in zip(lines[::2], lines[1::2])}

    def stop(self) -> None:
        self.process.stop()


class CoreDns:
    """Serves zone prom.local from etcd, without cache. Another `host` and port 53 are for those
    who can only ask a resolver of /etc/resolv.conf (that takes root)."""

    def __init__(self, folder: Path, etcd: Etcd, host: str = "127.0.0.1", port: int | None = None):
        self.host, self.port = host, port or free_port()
        corefile = folder / f"Corefile-{self.port}"
        corefile.write_text(
            f"prom.local:{self.port} {{\n"
            f"    bind {self.host}\n"
            "    etcd prom.local {\n"
            "        path /skydns\n"
            f"        endpoint {etcd.endpoint}\n"
            "    }\n"
            "    errors\n"
            "}\n")
        self.process = Process([part("coredns"), "-conf", corefile],
                               folder / f"coredns-{self.port}.log", env=clean_environment())
        self.process.until(lambda: "status:" in self.dig("prom.local", "SOA"), 15, "CoreDNS answers")

    def dig(self, name: str, kind: str = "SRV", *options: str) -> str:
        return subprocess.run([part("dig"), f"@{self.host}", "-p", str(self.port), name, kind,
                               "+tries=1", "+time=2", *options],
                              capture_output=True, text=True, timeout=10).stdout

    def srv(self, name: str) -> list[tuple[int, int, int, str]]:
        """(priority, weight, port, target) of each record."""
        rows = [line.split() for line in self.dig(name, "SRV", "+short").splitlines()]
        return sorted((int(r[0]), int(r[1]), int(r[2]), r[3]) for r in rows if len(r) == 4)

    def stop(self) -> None:
        self.process.stop()


class Dnsmasq:
    """Forwards one domain to another server, as /etc/dnsmasq.d/10-consul does."""

    def __init__(self, folder: Path, domain: str, server_port: int):
        self.port = free_port()
        self.process = Process(
            [part("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv",
             "--no-hosts", "--user=", "--group=", "--pid-file=", "--log-facility=-",
             f"--port={self.port}", "--listen-address=127.0.0.1", "--bind-interfaces",
             f"--server=/{domain}/127.0.0.1#{server_port}"],
            folder / f"dnsmasq-{self.port}.log", env=clean_environment())
        wait_for(self._answers, 10, "dnsmasq answers")

    def _answers(self) -> bool:
        done = subprocess.run([part("dig"), "@127.0.0.1", "-p", str(self.port), "consul", "SOA",
                               "+tries=1", "+time=2"], capture_output=True, text=True, timeout=10)
        return "status:" in done.stdout

    def stop(self) -> None:
        self.process.stop()
