"""The instances of the soak and what Consul says of them."""

import contextlib
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness import Consul, Process, free_port, wait_for
from harness.parts import clean_environment


@dataclass
class Instance:
    number: int
    version: str
    steady: bool  # never touched: there is always one that can answer
    http_port: int = field(default_factory=free_port)
    tcp_port: int = field(default_factory=free_port)
    process: Process | None = None
    listed: bool = False
    passing: bool = True

    @property
    def name(self) -> str:
        return f"{self.version}-{self.number}"

    def alive(self) -> bool:
        return self.process is not None and self.process.running()


class Fleet:
    """Says to Consul what the churn wants, and remembers when something was broken on purpose."""

    def __init__(self, folder: Path, seed: int):
        self.folder, self.seed = folder, seed
        self.consul = Consul(folder)
        self.instances = [Instance(i, "v4" if i < 4 else "v3", i == 7) for i in range(8)]
        self.broken_at: list[float] = []  # kills and stops: running exchanges may be cut
        self.events: list[tuple[float, str]] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._sink = open(folder / "events.log", "w")  # noqa: SIM115  # open as long as we live
        for one in self.instances:
            self.start(one)
        for one in self.instances:
            self.list(one)

    def say(self, what: str) -> None:
        with self._lock:
            now = time.monotonic()
            self.events.append((now, what))
            self._sink.write(f"{now - self._began:9.3f} {what}\n")
            self._sink.flush()

    def recent(self, began: float, ended: float) -> list[str]:
        """What happened from 3 s before to 1 s after."""
        with self._lock:
            return [f"{at - began:+.2f}s {what}" for at, what in self.events[-400:]
                    if began - 3 < at < ended + 1]

    def broke(self, began: float, ended: float) -> bool:
        """Whether an instance was broken while an exchange ran."""
        return any(began - 1 < at < ended + 0.2 for at in list(self.broken_at))

    # --- processes

    def start(self, one: Instance) -> None:
        one.process = Process(
            [sys.executable, Path(__file__).with_name("instance.py"), one.http_port, one.tcp_port,
             self.seed + one.number], self.folder / f"instance-{one.number}.log",
            env=clean_environment())
        one.process.until(lambda: one.process.log().count("listening"), 30, one.name)
        one.process.log_path.write_text("")
        self.say(f"start {one.name} ({one.http_port})")

    def kill(self, one: Instance) -> None:
        self.say(f"kill {one.name} ({one.http_port}){'' if one.listed else ', not listed'}")
        self.broken_at.append(time.monotonic())
        one.process.kill()

    def freeze(self, one: Instance, seconds: float) -> None:
        self.say(f"freeze {one.name} for {seconds:.1f} s")
        one.process.signal(signal.SIGSTOP)
        time.sleep(seconds)
        one.process.signal(signal.SIGCONT)
        self.say(f"thaw {one.name}")

    # --- Consul

    def list(self, one: Instance) -> None:
        status = "passing" if one.passing else "critical"
        for service, port in (("web", one.http_port), ("relay", one.tcp_port)):
            self.consul.register(service, port, tags=[one.version], status=status,
                                 ident=f"{service}-{one.number}")
        one.listed = True
        self.say(f"register {one.name} {status}")

    def unlist(self, one: Instance) -> None:
        for service in ("web", "relay"):
            self.consul.deregister(f"{service}-{one.number}")
        one.listed = False
        self.say(f"deregister {one.name}")

    def turn(self, one: Instance, passing: bool) -> None:
        for service in ("web", "relay"):
            verb = self.consul.passing if passing else self.consul.critical
            verb(f"{service}-{one.number}")
        one.passing = passing
        self.say(f"{'pass' if passing else 'fail'} {one.name}")

    def restart_consul(self) -> None:
        """Killed and started empty; everything is registered anew, as registrars would."""
        self.say("kill consul")
        self.consul.kill()
        time.sleep(2)
        self.consul.start(wait=False)
        self.consul.process.until(lambda: self.consul.get("/v1/status/leader"), 60, "a leader")
        self.say("consul is back, empty")
        steady_first = sorted(self.instances, key=lambda one: not one.steady)
        for one in steady_first:
            if one.listed and one.alive():
                wait_for(lambda one=one: self.list(one) or True, 30, f"{one.name} registered")

    def close(self) -> None:
        for one in self.instances:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one.process.pid, signal.SIGCONT) if one.alive() else None
            one.process.kill()
        self.consul.stop()
        self._sink.close()
