"""Links that are cut, lossy, slow; instances that are half open. On namespaces of their own."""

import time

import pytest
from conftest import failed_requests
from instances import consul_route, static
from namespaces import run

from harness import Client, Consul, Traffic, free_port, wait_for


@pytest.fixture
def far(network, fleet):
    """An instance behind a link of its own: (node, instance)."""
    node = network.node()
    return node, fleet.start(node)


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept", "new"])
def test_an_instance_whose_link_is_cut_under_load_costs_no_get(
        far, fleet, pilotfish, keep_alive, measured):
    """Half open: its connections are established and nothing comes back, not even a RST."""
    node, gone = far
    port = free_port()
    sidecar = pilotfish(static(port, [gone, fleet.start(), fleet.start()], "connect_timeout: 500ms"))
    with Traffic(port, rate=60, threads=12, keep_alive=keep_alive, timeout=20) as traffic:
        time.sleep(1)
        assert sidecar.metric("pilotfish_upstream_requests_total", instance=gone.address) > 0
        node.cut()
        time.sleep(5)
    assert not traffic.failed, failed_requests(traffic)
    slowest = max(one.ended - one.began for one in traffic.samples)
    assert slowest < 5, f"a request hung on a dead link for {slowest:.1f} s"
    measured(traffic)


def test_a_post_lost_with_a_link_is_a_504_never_sent_twice_and_few_follow_it(
        far, fleet, pilotfish, measured):
    """It cannot be repeated; once somebody noticed, no kept connection leads there any more."""
    node, gone = far
    port = free_port()
    pilotfish(static(port, [gone, fleet.start(), fleet.start()],
                     "connect_timeout: 300ms\nrequest_timeout: 2s"))
    with Traffic(port, rate=40, threads=12, keep_alive=True, timeout=20) as gets, \
            Traffic(port, rate=40, threads=12, method="POST", target="/post", timeout=20) as posts:
        time.sleep(1)
        node.cut()
        time.sleep(5)
    assert not gets.failed, failed_requests(gets)
    measured(posts, gets=len(gets.samples))
    assert {one.status for one in posts.failed} <= {504}, failed_requests(posts)
    assert len(posts.failed) <= 8, f"{len(posts.failed)} of {len(posts.samples)}"


def test_instances_whose_address_is_a_black_hole_cost_no_request(
        network, fleet, pilotfish, measured):
    """Nothing answers a SYN: a host that is off, behind a filter that drops."""
    port, off = free_port(), network.node()
    gone = fleet.start(off)
    off.cut()
    sidecar = pilotfish(static(port, [gone, fleet.start(), fleet.start()],
                               "connect_timeout: 300ms"))
    with Traffic(port, rate=60, threads=24, method="GET") as gets, \
            Traffic(port, rate=20, threads=8, method="POST", target="/post") as posts:
        wait_for(lambda: sidecar.metric("pilotfish_upstream_connect_failures_total",
                                        reason="timeout") >= 3, 30)
    assert not gets.failed, failed_requests(gets)
    assert not posts.failed, failed_requests(posts)
    measured(gets, posts=len(posts.samples))


def test_tcp_connections_go_on_elsewhere_when_an_instance_is_a_black_hole(
        network, fleet, pilotfish):
    port, off = free_port(), network.node()
    gone, alive = fleet.start(off), fleet.start()
    off.cut()
    pilotfish(f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    protocol: tcp
    connect_timeout: 300ms
    static: ["{gone.host}:{gone.tcp_port}", "127.0.0.1:{alive.tcp_port}"]
""")
    for _ in range(10):
        with Client(port) as client:
            client.send(b"echo")
            assert client.read_exactly(4) == b"echo"


@pytest.mark.parametrize("keep_alive", [True, False], ids=["kept", "new"])
def test_a_link_that_loses_a_third_of_its_packets_costs_no_get(
        far, fleet, pilotfish, keep_alive, measured):
    node, lossy = far
    port = free_port()
    sidecar = pilotfish(static(port, [lossy, fleet.start()]))
    with Traffic(port, rate=60, threads=30, keep_alive=keep_alive, timeout=40) as traffic:
        time.sleep(0.5)
        node.lose(0.3)
        time.sleep(5)
        node.heal()
        time.sleep(0.5)
    assert not traffic.failed, failed_requests(traffic)
    assert sidecar.metric("pilotfish_upstream_requests_total", instance=lossy.address) > 0
    measured(traffic)


def test_where_every_link_loses_a_tenth_of_its_packets_no_get_fails(
        network, fleet, pilotfish, measured):
    nodes, port = [network.node() for _ in range(2)], free_port()
    pilotfish(static(port, [fleet.start(node) for node in nodes], "eject: {consecutive: 0}"))
    with Traffic(port, rate=60, threads=30, keep_alive=True, timeout=40) as traffic:
        for node in nodes:
            node.lose(0.1)
        time.sleep(5)
        for node in nodes:
            node.heal()
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)


def test_a_thin_line_delays_its_own_answers_alone(far, fleet, pilotfish, measured):
    """Large answers queue on one instance's line; the others' requests do not wait for them."""
    node, thin = far
    port, fast = free_port(), fleet.start()
    node.throttle("512kbit")
    pilotfish(static(port, [thin, fast]))
    with Traffic(port, rate=4, threads=4, target=f"/big/{1 << 17}", timeout=60) as large, \
            Traffic(port, rate=40, threads=12, timeout=60) as small:
        time.sleep(5)
    assert not large.failed, failed_requests(large)
    assert not small.failed, failed_requests(small)
    quick = sum(1 for one in small.samples if one.ended - one.began < 1)
    assert quick > len(small.samples) * 0.8
    measured(small, large=len(large.samples))


def test_resets_of_every_connection_to_an_instance_fail_no_get(far, fleet, pilotfish, measured):
    node, broken = far
    port = free_port()
    pilotfish(static(port, [broken, fleet.start(), fleet.start()]))
    with Traffic(port, rate=60, threads=12, keep_alive=True) as traffic:
        for _ in range(5):
            node.inside("iptables", "-w", "-I", "INPUT", "-i", "eth0", "-p", "tcp", "-j", "REJECT",
                        "--reject-with", "tcp-reset")
            time.sleep(0.4)
            node.heal()
            time.sleep(0.4)
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)


def test_sockets_killed_under_it_fail_no_get(fleet, pilotfish, measured):
    """`ss -K`: established connections to the instances vanish in place, again and again."""
    port, ours = free_port(), [fleet.start(), fleet.start()]
    pilotfish(static(port, ours, "eject: {consecutive: 0}"))
    killed = 0
    with Traffic(port, rate=80, threads=12, keep_alive=True, target="/slow/30") as traffic:
        for _ in range(20):
            time.sleep(0.15)
            for one in ours:
                killed += run("ss", "-K", "-H", "-t", "dst", "127.0.0.1", "dport", "=",
                              one.port).count("ESTAB")
    assert killed > 20, f"only {killed} sockets were killed"
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic, killed=killed)


def test_a_registry_behind_a_lossy_link_fails_no_request(
        network, tmp_path, cleanup, backend, pilotfish, service, measured):
    node = network.node()
    agent = cleanup(Consul(tmp_path, node=node))
    server, port = backend(ports=2, host=network.address), free_port()
    for number in server.ports:
        agent.register(service, number, address=network.address)
    agent.await_healthy(service, 2)
    sidecar = pilotfish(consul_route(agent, service, port))
    with Traffic(port, rate=60, threads=12) as traffic:
        node.lose(0.3)
        time.sleep(4)
        node.heal()
        wait_for(lambda: sidecar.metric("pilotfish_lookup_age_seconds", upstream="app") < 1, 10)
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic)
