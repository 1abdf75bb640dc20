"""Machines of a test: network namespaces behind one bridge, each with an address and a packet
filter of its own, so that a link can be cut, lossy or slow without touching this machine's."""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

from harness.parts import clean_environment
from harness.process import Process

_LOCK = "/tmp/pilotfish-faults.lock"
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def run(*words) -> str:
    """One command of iproute2 or iptables; fails with what it said."""
    tool = shutil.which(str(words[0]), path=_PATH)
    assert tool, f"{words[0]} is missing: apt-get install iproute2 iptables, or use ./dev test"
    done = subprocess.run([tool, *map(str, words[1:])], capture_output=True, text=True)
    assert done.returncode == 0, (
        f"{' '.join(map(str, words))}: {done.stderr.strip()}\nThe fault tests need root and the "
        "right to make network namespaces (CAP_NET_ADMIN, CAP_SYS_ADMIN)")
    return done.stdout


class Node:
    def __init__(self, network: "Network", number: int):
        self.network, self.number = network, number
        self.namespace = f"{network.bridge}n{number}"
        self.address = f"{network.prefix}.{number + 10}"
        self._link = f"{network.bridge}v{number}"
        self.processes: list[Process] = []
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns",
            self.namespace)
        run("ip", "link", "set", self._link, "master", network.bridge, "up")
        self.inside("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "link", "set", "lo", "up")

    def inside(self, *words) -> str:
        return run("ip", "netns", "exec", self.namespace, *words)

    def process(self, argv: list, log: Path, **how) -> Process:
        """A program in this namespace; its pid is the program's own."""
        ip = shutil.which("ip", path=_PATH)
        process = Process([ip, "netns", "exec", self.namespace, *argv], log,
                          env=clean_environment(), **how)
        self.processes.append(process)
        return process

    # --- faults

    def cut(self, port: int | None = None) -> None:
        """Every packet vanishes, both ways, without a word: a pulled cable. With `port`, only
        what goes to that port here and comes from it."""
        if port is None:
            for chain in ("INPUT", "OUTPUT"):
                self.inside("iptables", "-w", "-I", chain, "-i" if chain == "INPUT" else "-o",
                            "eth0", "-j", "DROP")
            return
        for kind in ("tcp", "udp"):
            for chain, side, end in (("INPUT", "-i", "--dport"), ("OUTPUT", "-o", "--sport")):
                self.inside("iptables", "-w", "-I", chain, side, "eth0", "-p", kind, end, port,
                            "-j", "DROP")

    def heal(self) -> None:
        self.inside("iptables", "-w", "-F")

    def lose(self, share: float) -> None:
        """This share of all packets vanishes, each way."""
        for chain, side in (("INPUT", "-i"), ("OUTPUT", "-o")):
            self.inside("iptables", "-w", "-I", chain, side, "eth0", "-m", "statistic", "--mode",
                        "random", "--probability", share, "-j", "DROP")

    def throttle(self, rate: str) -> None:
        """A thin line, whose queue delays what is sent."""
        self.inside("tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate, "burst",
                    "3000", "latency", "2s")

    def close(self) -> None:
        for process in self.processes:
            process.kill()
        with contextlib.suppress(AssertionError):
            run("ip", "link", "del", self._link)
        run("ip", "netns", "del", self.namespace)


class Network:
    """A bridge with this machine's end at `address`."""

    def __init__(self):
        with open(_LOCK, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            taken = set(re.findall(r"inet 10\.214\.(\d+)\.", run("ip", "-4", "address")))
            taken |= set(re.findall(r"pfl(\d+)\b", run("ip", "-o", "link")))
            free = next(number for number in range(1, 250) if str(number) not in taken)
            self.bridge, self.prefix = f"pfl{free}", f"10.214.{free}"
            self.address = f"{self.prefix}.1"
            run("ip", "link", "add", self.bridge, "type", "bridge")
        self.nodes: list[Node] = []
        run("ip", "address", "add", f"{self.address}/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")

    def node(self) -> Node:
        node = Node(self, len(self.nodes) + 1)
        self.nodes.append(node)
        return node

    def close(self) -> None:
        for node in self.nodes:
            with contextlib.suppress(AssertionError):
                node.close()
        run("ip", "link", "del", self.bridge)
