"""What a watch may be behind: a client agent answers blocking queries from a view of its own, which
one of three servers feeds."""

import contextlib
import os
import signal
import threading
import time

import pytest
from cluster import Cluster
from conftest import failed_requests
from instances import consul_route

from harness import Consul, Traffic, free_port, wait_for

_BEHIND_DNS = 3.0  # seconds, at most


def put(cluster: Cluster, service: str, address: str, port: int, stopped) -> None:
    """An instance that no agent keeps: written through a server that runs, once one can write."""
    entry = {"Node": "outside", "Address": address, "SkipNodeUpdate": True,
             "Service": {"ID": f"{service}-{port}", "Service": service, "Address": address,
                         "Port": port}}

    def write() -> bool:
        for server in cluster.servers:
            if server is not stopped:
                with contextlib.suppress(OSError):  # the next one may know the new leader
                    server.call("PUT", "/v1/catalog/register", entry)
                    return True
        return False
    wait_for(write, 90, "a server takes the change", 0.1)


class Lags:
    """When a change is seen by each of several, in seconds since it was made."""

    def __init__(self, seers: dict):
        began, self.after = time.monotonic(), {}

        def look(name: str, sees) -> None:
            wait_for(sees, 60, f"{name} sees the change", 0.05)
            self.after[name] = time.monotonic() - began
        self._threads = [threading.Thread(target=look, args=one) for one in seers.items()]
        for thread in self._threads:
            thread.start()

    def result(self) -> dict[str, float]:
        for thread in self._threads:
            thread.join()
        return self.after


def stop(server) -> None:
    os.kill(server.process.pid, signal.SIGSTOP)


def resume(server) -> None:
    os.kill(server.process.pid, signal.SIGCONT)


FAULTS = {
    "stopped": (stop, resume),
    "cut_off": (lambda server: server._node.cut(), lambda server: server._node.heal()),
    "killed": (lambda server: server.kill(), lambda server: server.start(wait=False)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_change_reaches_the_watch_as_soon_as_dns_whichever_server_is(
        fault, tmp_path, network, cleanup, backend, pilotfish, service, measured):
    begin, end = FAULTS[fault]
    cluster = cleanup(Cluster(tmp_path, network))
    server = backend(ports=4, host=network.address)
    put(cluster, service, network.address, server.ports[0], None)
    ports = {fresh: free_port() for fresh in ("connection", "ttl", "watch")}
    sidecars = {fresh: pilotfish(consul_route(cluster.agent, service, port, f"fresh: {fresh}"),
                                 limit=30) for fresh, port in ports.items()}
    for sidecar in sidecars.values():
        wait_for(lambda: len(sidecar.healthy("app")) == 1, 30)  # noqa: B023
    lags = []
    with contextlib.ExitStack() as stack:
        traffics = {fresh: stack.enter_context(Traffic(port, rate=50, threads=8, timeout=20))
                    for fresh, port in ports.items()}
        leader = cluster.leader()  # the last one, as two elections in a row take minutes
        victims = [one for one in cluster.servers if one is not leader] + [leader]
        for number, victim in enumerate(victims, start=1):
            # Without a whole cluster the loss of one more may leave no quorum.
            wait_for(cluster.whole, 120, "three servers vote")
            time.sleep(3)  # the agent's view is at rest
            added = server.ports[number]
            begin(victim)
            try:
                put(cluster, service, network.address, added, victim)
                seers = {fresh: lambda one=sidecar, port=added:
                         f"{network.address}:{port}" in one.healthy("app")
                         for fresh, sidecar in sidecars.items()}
                seers["dns"] = lambda port=added: (
                    port in cluster.agent.srv_ports(f"{service}.service.consul"))
                lags.append(Lags(seers).result())
            finally:
                end(victim)
            wait_for(cluster.leader, 60, "a leader")
            wait_for(lambda: len(cluster.agent.healthy(service)) == number + 1, 60)  # noqa: B023
        time.sleep(2)
    for fresh, traffic in traffics.items():
        assert not traffic.failed, f"{fresh}: {failed_requests(traffic)}"
        measured(traffic, fresh=fresh, seen_after=[f"{one[fresh]:.1f} s, DNS {one['dns']:.1f} s"
                                                   for one in lags])
    assert all(one["watch"] <= one["dns"] + _BEHIND_DNS for one in lags), lags


def test_a_token_that_loses_its_rights_empties_no_set(
        tmp_path, cleanup, backend, pilotfish, service, measured):
    agent = cleanup(Consul(tmp_path, acl=True))
    server, port = backend(ports=2), free_port()
    for number in server.ports:
        agent.register(service, number)
    policy = agent.call("PUT", "/v1/acl/policy", {
        "Name": "reader", "Rules": 'service_prefix "" { policy = "read" } '
                                   'node_prefix "" { policy = "read" }'})
    token = agent.call("PUT", "/v1/acl/token", {"Policies": [{"Name": "reader"}]})["SecretID"]
    sidecar = pilotfish(consul_route(agent, service, port, "fresh: watch\n"
                                     "fallback: {hold_empty: 0s}"),
                        env={"CONSUL_HTTP_TOKEN": token})
    wait_for(lambda: len(sidecar.healthy("app")) == 2, 30)
    with Traffic(port, rate=50, threads=8) as traffic:
        time.sleep(3)  # the view is streamed
        agent.call("PUT", f"/v1/acl/policy/{policy['ID']}", {
            "ID": policy["ID"], "Name": "reader", "Rules": 'node_prefix "" { policy = "read" }'})
        sidecar.await_log("Consul watch failed.*service:read", 60)
        assert len(sidecar.healthy("app")) == 2
        time.sleep(1)
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)
