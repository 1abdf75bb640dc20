"""Instances are killed, frozen, flap; on the real Consul."""

import signal
import time

import pytest
from conftest import failed_requests
from instances import consul_route, static

from harness import Traffic, free_port, wait_for


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept", "new"])
def test_an_instance_killed_and_started_again_and_again_fails_no_request(
        fleet, pilotfish, keep_alive, method, measured):
    port, ours = free_port(), [fleet.start() for _ in range(3)]
    pilotfish(static(port, ours))
    with Traffic(port, rate=80, threads=12, keep_alive=keep_alive, method=method,
                 target="/slow/20") as traffic:
        for turn in range(4):
            time.sleep(0.5)
            ours[turn % 3].kill()
            time.sleep(0.4)
            ours[turn % 3].start()
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_whole_version_killed_while_consul_still_lists_it_fails_no_more_than_attempts_tell(
        count, consul, fleet, pilotfish, service, measured):
    """Every v4 is dead and listed as healthy; v3 is alive. With three tries a request notices up
    to three dead ones; whoever comes after it avoids them."""
    new, old, port = [fleet.start() for _ in range(count)], [fleet.start()], free_port()
    for one, tag in [(one, "v4") for one in new] + [(one, "v3") for one in old]:
        consul.register(service, one.port, tags=[tag])
    consul.await_healthy(service, count + 1)
    sidecar = pilotfish(consul_route(consul, service, port, "prefer: [v4, v3]"))
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(1)
        assert sidecar.upstream("app")["tier"] == 0
        for one in new:
            one.kill()
        time.sleep(2)
        for one in new:
            consul.critical(f"{service}-{one.port}")
        wait_for(lambda: sidecar.upstream("app")["tier"] == 1, 10)
        time.sleep(0.5)
    for one in (*new, *old):
        consul.deregister(f"{service}-{one.port}")
    measured(traffic)
    assert len(traffic.failed) <= (0 if count < 3 else 3), failed_requests(traffic)


@pytest.mark.parametrize("attempts", [2, 9])
def test_nine_of_ten_killed_at_once_fail_no_more_than_attempts_tell(
        attempts, fleet, pilotfish, measured):
    """Nine dead at one moment, each request may notice three of them, or all."""
    port, ours = free_port(), [fleet.start() for _ in range(10)]
    pilotfish(static(port, ours, f"retry: {{attempts: {attempts}}}"))
    with Traffic(port, rate=60, threads=12) as traffic:
        time.sleep(0.7)
        for one in ours[1:]:
            one.kill()
        time.sleep(3)
    measured(traffic)
    assert len(traffic.failed) <= (0 if attempts == 9 else 5), failed_requests(traffic)


def test_a_frozen_instance_delays_what_it_holds_and_fails_nothing(fleet, pilotfish, measured):
    port, ours = free_port(), [fleet.start() for _ in range(3)]
    pilotfish(static(port, ours))
    with Traffic(port, rate=80, threads=40, timeout=30) as traffic:
        time.sleep(0.5)
        ours[0].process.signal(signal.SIGSTOP)
        frozen = time.monotonic()
        time.sleep(2)
        ours[0].process.signal(signal.SIGCONT)
        thawed = time.monotonic()
        time.sleep(0.5)
    assert not traffic.failed, failed_requests(traffic)
    during = [one for one in traffic.samples if frozen + 0.2 < one.began < thawed - 0.2]
    late = [one for one in during if one.ended - one.began > 0.5]
    # least_request sees what is stuck there and sends the rest elsewhere.
    assert len(late) < len(during) * 0.34, f"{len(late)} of {len(during)} waited"
    measured(traffic, late=f"{len(late)} of {len(during)}")


def test_a_minute_of_instances_flapping_every_100_ms_fails_nothing_and_moves_versions_rarely(
        consul, fleet, pilotfish, service, measured):
    """v4 turns critical and back all the time, v3 stays: hysteresis holds the traffic."""
    length = 60
    new, old, port = [fleet.start() for _ in range(2)], [fleet.start() for _ in range(2)], \
        free_port()
    for one, tag in [(one, "v4") for one in new] + [(one, "v3") for one in old]:
        consul.register(service, one.port, tags=[tag])
    consul.await_healthy(service, 4)
    sidecar = pilotfish(consul_route(consul, service, port, "prefer: [v4, v3]"))
    idents = [f"{service}-{one.port}" for one in new]
    ends, turns = time.monotonic() + length, 0
    with Traffic(port, rate=40, threads=12) as kept_new:
        while time.monotonic() < ends:
            began = time.monotonic()
            for ident in idents:
                (consul.passing if turns % 2 else consul.critical)(ident)
            turns += 1
            time.sleep(max(0.0, 0.1 - (time.monotonic() - began)))
        changes = sidecar.metric("pilotfish_upstream_tier_changes_total", upstream="app")
        for ident in idents:
            consul.passing(ident)
        wait_for(lambda: sidecar.upstream("app")["tier"] == 0, 30, "v4 serves again in the end")
    for one in (*new, *old):
        consul.deregister(f"{service}-{one.port}")
    measured(kept_new, turns=turns, tier_changes=int(changes))
    assert turns > length * 5
    assert not kept_new.failed, failed_requests(kept_new)
    assert changes <= 2 + length / 10, f"{changes} tier changes"
