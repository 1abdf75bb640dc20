"""Three Consul servers and a client agent, each in a network namespace of its own."""

import time
from pathlib import Path

from harness import Consul, wait_for
from namespaces import Network, Node


class Member(Consul):
    def __init__(self, folder: Path, node: Node, name: str, *, server: bool, join: list):
        self.name, self._server_role, self._join = name, server, join
        self.data = folder / f"data-{name}"
        super().__init__(folder, warm=False, node=node)

    def _role(self) -> list:
        # The ports of the members must be the well-known ones: they tell each other nothing else.
        role = ["-node", self.name, "-data-dir", self.data, "-hcl",
                "performance { raft_multiplier = 1 }", "-hcl", "disable_update_check = true",
                "-hcl", "ports { serf_lan = 8301, server = 8300 }"]
        role += ["-server", "-bootstrap-expect", "3"] if self._server_role else []
        for address in self._join:
            role += ["-retry-join", address]
        return role + ["-retry-interval", "1s"]


class Cluster:
    """`agent` is the client agent that the sidecar asks."""

    def __init__(self, folder: Path, network: Network):
        nodes = [network.node() for _ in range(4)]
        join = [node.address for node in nodes[:3]]
        self.servers = [Member(folder, node, f"server{i}", server=True, join=join)
                        for i, node in enumerate(nodes[:3])]
        self.agent = Member(folder, nodes[3], "client", server=False, join=join)
        wait_for(self.leader, 60, "the cluster has a leader")
        wait_for(lambda: self.agent.get("/v1/catalog/node/client"), 60, "the agent is known")

    def leader(self) -> Member | None:
        for one in self.servers:
            if one.process.running():
                try:
                    address = one.get("/v1/status/leader")
                except OSError:
                    continue
                return next((other for other in self.servers if address
                             and address.startswith(other.host + ":")
                             and other.process.running()), None)
        return None

    def whole(self) -> bool:
        """Any one server may fail: three have a vote. One that was away for a while has none until
        it has been there for 10 s."""
        leader = self.leader()
        if leader is None:
            return False
        health = leader.get("/v1/operator/autopilot/health")  # 429 where something is amiss
        return health["Healthy"] and health["FailureTolerance"] == 1

    def await_new_leader(self, old: Member, limit: float = 60) -> float:
        """Seconds until another one leads."""
        began = time.monotonic()
        wait_for(lambda: self.leader() not in (None, old), limit, "another leader")
        return time.monotonic() - began

    def close(self) -> None:
        for one in (*self.servers, self.agent):
            one.stop()
