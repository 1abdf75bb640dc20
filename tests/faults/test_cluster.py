"""A cluster of three Consul servers loses its leader, then its quorum, and gets it back."""

import time

import pytest
from cluster import Cluster
from conftest import failed_requests
from instances import consul_route

from harness import Traffic, free_port, wait_for


def longest_gap(samples: list) -> float:
    """Seconds without a good answer."""
    ends = sorted(one.ended for one in samples if one.status == 200)
    return max((after - before for before, after in zip(ends, ends[1:], strict=False)), default=0.0)


@pytest.mark.parametrize("fresh", ["connection", "watch"])
def test_leader_loss_and_quorum_loss_fail_no_request(
        fresh, tmp_path, network, cleanup, backend, pilotfish, service, measured):
    cluster = cleanup(Cluster(tmp_path, network))
    agent = cluster.agent
    server, port = backend(ports=3, host=network.address), free_port()
    for number in server.ports:
        agent.register(service, number, address=network.address)
    wait_for(lambda: len(agent.healthy(service)) == 3, 30)
    sidecar = pilotfish(consul_route(agent, service, port, f"fresh: {fresh}"), limit=30)
    with Traffic(port, rate=60, threads=16, timeout=20) as traffic:
        time.sleep(1)
        first = cluster.leader()
        first.kill()
        elected = cluster.await_new_leader(first)
        wait_for(lambda: len(agent.healthy(service)) == 3, 30, "the API answers again")
        agent.critical(f"{service}-{server.ports[0]}")
        wait_for(lambda: len(sidecar.healthy("app")) == 2, 30, "changes arrive with a new leader")
        lost_leader_gap = longest_gap(traffic.samples)

        second = cluster.leader()
        second.kill()  # one of three is left: no quorum
        time.sleep(6)
        first.start(wait=False)
        second.start(wait=False)
        wait_for(cluster.leader, 60, "a leader again")
        wait_for(lambda: len(agent.healthy(service)) == 2, 60, "the API answers again")
        agent.passing(f"{service}-{server.ports[0]}")
        wait_for(lambda: len(sidecar.healthy("app")) == 3, 30, "changes arrive again")
    assert not traffic.failed, failed_requests(traffic)
    gap = longest_gap(traffic.samples)
    assert gap < 3, f"{gap:.1f} s without an answer"
    measured(traffic, elected_after=f"{elected:.1f} s", longest_gap=f"{gap:.2f} s",
             gap_at_leader_loss=f"{lost_leader_gap:.2f} s")
