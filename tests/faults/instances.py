"""Instances that are processes of their own (tests/soak/instance.py): they can be killed, stopped
and put into a namespace."""

import sys
from pathlib import Path

from harness import Process, free_port
from harness.parts import clean_environment
from namespaces import Node

_PROGRAM = Path(__file__).resolve().parents[1] / "soak/instance.py"


class Instance:
    def __init__(self, folder: Path, number: int, node: Node | None):
        self.host = node.address if node else "127.0.0.1"
        self.port, self.tcp_port = free_port(), free_port()
        self._log, self._node, self._number = folder / f"instance-{number}.log", node, number
        self.start()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        argv = [sys.executable, _PROGRAM, self.port, self.tcp_port, self._number, self.host]
        self.process = (self._node.process(argv, self._log) if self._node
                        else Process(argv, self._log, env=clean_environment()))
        self.process.until(lambda: "listening" in self.process.log(), 30, "an instance listens")
        self._log.write_text("")

    def kill(self) -> None:
        self.process.kill()


class Fleet:
    def __init__(self, folder: Path):
        self._folder = folder
        self.instances: list[Instance] = []

    def start(self, node: Node | None = None) -> Instance:
        one = Instance(self._folder, len(self.instances), node)
        self.instances.append(one)
        return one

    def close(self) -> None:
        for one in self.instances:
            one.kill()


def static(port: int, instances: list, options: str = "", root: str = "") -> str:
    """A configuration of one static upstream `app`."""
    listed = ", ".join(f'"{one.address}"' for one in instances)
    lines = options.replace("\n", "\n    ")
    return f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    static: [{listed}]
    {lines}
{root}
"""


def consul_route(agent, service: str, port: int, options: str = "", root: str = "") -> str:
    """A configuration of one upstream `app` of this Consul."""
    lines = options.replace("\n", "\n    ")
    return f"""\
{agent.config}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: {service}
    {lines}
{root}
"""
