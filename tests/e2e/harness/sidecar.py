"""The program under test, running."""

import http.client
import json
import os
import re
import signal
import textwrap
from pathlib import Path

from harness.parts import clean_environment, pilotfish_binary
from harness.ports import free_port
from harness.process import SANITIZER_REPORT, Process

_SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Pilotfish:
    """`pilotfish run -c FILE` with this configuration. Where the text says no `admin:`, one on a
    free port is added. Waits for `wait`: "ready", "health" or None. `around` is what runs it;
    `inherit` are descriptors that go along, `arguments` further words of its command line."""

    def __init__(self, config: str, folder: Path, *, wait: str | None = "ready",
                 env: dict | None = None, descriptors: int | None = None, limit: float = 15.0,
                 stdout: int | None = None, around: tuple = (), inherit: tuple = (),
                 arguments: tuple = ()):
        self.admin_port = free_port()
        self.config_path = Path(folder) / f"pilotfish-{self.admin_port}.yaml"
        self.write(config)
        found = re.search(r"^admin: *127\.0\.0\.1:(\d+)", self.config_path.read_text(), re.M)
        if found:
            self.admin_port = int(found[1])
        self.process = Process(
            [*around, pilotfish_binary(), "run", "-c", self.config_path, *arguments],
            Path(folder) / f"pilotfish-{self.admin_port}.log", env=clean_environment(env),
            descriptors=descriptors, stdout=stdout, inherit=inherit)
        self.stopped = False
        if wait:
            self.process.until(lambda: self.admin(f"/{wait}")[0] == 200, limit, f"/{wait} is 200")

    def write(self, config: str) -> None:
        text = textwrap.dedent(config)
        if not re.search(r"^admin:", text, re.M):
            text += f"\nadmin: 127.0.0.1:{self.admin_port}\n"
        workers = os.environ.get("PILOTFISH_WORKERS")  # for what is to be seen with several
        if workers and not re.search(r"^workers:", text, re.M):
            text += f"\nworkers: {workers}\n"
        self.config_path.write_text(text)

    def reload(self, config: str | None = None, *, result: str = "ok", limit: float = 15.0) -> None:
        """Writes the file, where there is a text, sends SIGHUP and waits for the outcome."""
        if config is not None:
            self.write(config)
        before = self.metric("pilotfish_config_reloads_total", result=result)
        self.process.signal(signal.SIGHUP)
        self.process.until(
            lambda: self.metric("pilotfish_config_reloads_total", result=result) > before, limit,
            f"a reload ended with {result!r}")

    def await_log(self, pattern: str, limit: float = 10.0) -> re.Match:
        return self.process.until(lambda: re.search(pattern, self.process.log()), limit,
                                  f"the log says {pattern!r}")

    # --- admin

    def admin(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def upstreams(self) -> list[dict]:
        status, body = self.admin("/upstreams")
        assert status == 200, body
        return json.loads(body)["upstreams"]

    def upstream(self, name: str) -> dict:
        return next(one for one in self.upstreams() if one["name"] == name)

    def instances(self, name: str) -> dict[str, dict]:
        """By address."""
        return {one["address"]: one for one in self.upstream(name)["instances"]}

    def healthy(self, name: str) -> set[str]:
        return {address for address, one in self.instances(name).items()
                if one["state"] == "healthy"}

    def metrics(self) -> list[tuple[str, dict, float]]:
        """(name, labels, value) of every sample."""
        status, body = self.admin("/metrics")
        assert status == 200, body
        samples = []
        for line in body.splitlines():
            if line and not line.startswith("#"):
                match = _SAMPLE.fullmatch(line)
                assert match, f"not a sample: {line!r}"
                samples.append((match[1], dict(_LABEL.findall(match[2] or "")), float(match[3])))
        return samples

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples with these labels; 0 where there are none."""
        return sum(value for found, has, value in self.metrics()
                   if found == name and labels.items() <= has.items())

    # --- the end

    def assert_clean(self) -> None:
        report = SANITIZER_REPORT.search(self.process.log())
        assert not report, self.process.tail(120)

    def stop(self, number: int = signal.SIGTERM, limit: float = 20.0) -> None:
        """Ends it politely: exit code 0 and no sanitizer's report, else the test fails."""
        if self.stopped:
            return
        self.stopped = True
        self.process.signal(number)
        try:
            code = self.process.wait(limit)
        finally:
            self.process.kill()
        self.assert_clean()
        assert code == 0, f"exit code {code}\n{self.process.tail()}"

    def kill(self) -> None:
        self.stopped = True
        self.process.kill()
        self.assert_clean()
