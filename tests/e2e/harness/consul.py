"""A real Consul agent (server, development mode) on ports of its own."""

import http.client
import json
import subprocess
import urllib.parse
from pathlib import Path

from harness.parts import clean_environment, part
from harness.ports import free_port
from harness.process import Process, wait_for


class Consul:
    """`http_port` and `dns_port` stay the same over kill() and start(). With `node`, a machine of the
    fault tests, it runs there and listens at its address. With `acl` nothing may be read or written
    without `token`."""

    def __init__(self, folder: Path, *, warm: bool = True, node=None, acl: bool = False):
        self.folder, self._node = Path(folder), node
        self.host = node.address if node else "127.0.0.1"
        self.token = "11111111-2222-3333-4444-555555555555" if acl else ""
        self.http_port, self.dns_port = free_port(), free_port()
        self._serf, self._server = free_port(), free_port()
        self.process: Process | None = None
        self.start(warm)

    def start(self, wait: bool = True) -> None:
        argv = [part("consul"), "agent", "-client", self.host, "-bind", self.host,
                "-http-port", self.http_port, "-dns-port", self.dns_port, "-grpc-port", "-1",
                "-grpc-tls-port", "-1", "-serf-lan-port", self._serf, "-serf-wan-port", "-1",
                "-server-port", self._server, "-log-level", "warn", *self._role(),
                *self._acl()]
        log = self.folder / f"consul-{self.http_port}.log"
        self.process = (self._node.process(argv, log) if self._node
                        else Process(argv, log, env=clean_environment()))
        if wait:
            self.process.until(self._has_leader, 30, "Consul has a leader")

    def _role(self) -> list:
        return ["-dev", "-node", "lab"]

    def _acl(self) -> list[str]:
        if not self.token:
            return []
        tokens = f'initial_management = "{self.token}" agent = "{self.token}"'
        return ["-hcl", f'acl {{ enabled = true default_policy = "deny" tokens {{ {tokens} }} }}']

    def kill(self) -> None:
        """SIGKILL: everything the development agent knew is gone."""
        self.process.kill()

    def stop(self) -> None:
        # A polite leave of the development server takes seconds, and nothing is worth keeping.
        self.process.kill()

    def _has_leader(self) -> bool:
        return bool(self.get("/v1/status/leader")) and bool(self.get("/v1/catalog/node/lab"))

    @property
    def config(self) -> str:
        """The line of a pilotfish configuration that points at this agent."""
        return (f'consul: {{http: "http://{self.host}:{self.http_port}", '
                f'dns: "{self.host}:{self.dns_port}"}}')

    # --- HTTP API

    def call(self, method: str, path: str, body=None):
        connection = http.client.HTTPConnection(self.host, self.http_port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"X-Consul-Token": self.token} if self.token else {})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status >= 300:
                raise OSError(f"{method} {path}: {answer.status} {data[:200]!r}")
            return json.loads(data) if data.strip()[:1] in (b"{", b"[", b'"', b"n") else data
        finally:
            connection.close()

    def get(self, path: str):
        return self.call("GET", path)

    def register(self, name: str, port: int, *, tags=(), address: str = "127.0.0.1",
                 weights: tuple[int, int] | None = None, ident: str | None = None,
                 status: str = "passing", meta: dict | None = None) -> str:
        """Registers with a check that only the test turns; returns the id."""
        ident = ident or f"{name}-{port}"
        body = {"ID": ident, "Name": name, "Port": port, "Address": address, "Tags": list(tags),
                "Check": {"TTL": "1h", "Status": status}}
        if weights:
            body["Weights"] = {"Passing": weights[0], "Warning": weights[1]}
        if meta:
            body["Meta"] = meta
        self.call("PUT", "/v1/agent/service/register", body)
        return ident

    def deregister(self, ident: str) -> None:
        self.call("PUT", f"/v1/agent/service/deregister/{urllib.parse.quote(ident)}")

    def _check(self, verb: str, ident: str) -> None:
        self.call("PUT", f"/v1/agent/check/{verb}/service:{urllib.parse.quote(ident)}")

    def passing(self, ident: str) -> None:
        self._check("pass", ident)

    def warning(self, ident: str) -> None:
        self._check("warn", ident)

    def critical(self, ident: str) -> None:
        self._check("fail", ident)

    def maintenance(self, ident: str, enable: bool = True) -> None:
        self.call("PUT", f"/v1/agent/service/maintenance/{urllib.parse.quote(ident)}"
                         f"?enable={'true' if enable else 'false'}")

    def services(self) -> dict:
        """What the agent knows, by id."""
        return self.get("/v1/agent/services")

    def named(self, name: str) -> list[dict]:
        return [one for one in self.services().values() if one["Service"] == name]

    def checks_of(self, ident: str) -> list[dict]:
        return [one for one in self.get("/v1/agent/checks").values() if one["ServiceID"] == ident]

    def healthy(self, name: str) -> list[dict]:
        """What the catalogue serves as healthy (warning included): [{Service..., Checks...}]."""
        entries = self.get(f"/v1/health/service/{name}")
        return [one for one in entries
                if all(check["Status"] in ("passing", "warning") for check in one["Checks"])]

    def await_healthy(self, name: str, count: int, limit: float = 10) -> None:
        wait_for(lambda: len(self.healthy(name)) == count, limit,
                 f"{count} healthy instances of {name}")

    # --- DNS

    def dig(self, name: str, kind: str = "SRV", *options: str) -> str:
        """What people type: dig @127.0.0.1 -p PORT NAME SRV."""
        return subprocess.run([part("dig"), f"@{self.host}", "-p", str(self.dns_port), name, kind,
                               "+tries=1", "+time=3", *options],
                              capture_output=True, text=True, timeout=10).stdout

    def srv_ports(self, name: str) -> list[int]:
        return sorted(int(line.split()[2])
                      for line in self.dig(name, "SRV", "+short", "+tcp").splitlines()
                      if len(line.split()) == 4)
