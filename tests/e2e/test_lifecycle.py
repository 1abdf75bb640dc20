"""Stop, drain, several workers."""

import os
import signal
import threading
import time

from harness import (UNAVAILABLE, Client, Traffic, free_port, get, is_sanitized, pilotfish_cli,
                     wait_for)
from harness.backend import slow
from harness.client import build


def test_under_load_every_accepted_request_is_answered_when_told_to_stop(lane):
    port, server, sidecar = lane(slow(0.05))
    results, stopping = [], threading.Event()

    def caller():
        while not stopping.is_set():
            try:
                client = Client(port)
            except ConnectionRefusedError:
                return  # the listener is closed: nothing was accepted
            try:
                while True:
                    client.send(build())
                    answer = client.read_response()
                    results.append(answer.status)
                    if answer.header("connection") == "close":
                        break
            except Exception as error:  # any failure of an accepted connection is a finding
                results.append(repr(error))
            client.close()
    threads = [threading.Thread(target=caller) for _ in range(16)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    sidecar.process.signal(signal.SIGTERM)
    sidecar.process.wait(10)
    stopping.set()
    for thread in threads:
        thread.join()
    assert len(results) > 100
    assert set(results) == {200}, [one for one in results if one != 200][:3]
    sidecar.stop()


def test_a_running_request_is_finished_and_ready_fails_while_it_drains(lane):
    port, _, sidecar = lane(slow(1.5))
    with Client(port) as client, Client(port) as idle:
        client.send(build())
        wait_for(lambda: sidecar.metric("pilotfish_upstream_active") == 1, 3)
        began = time.monotonic()
        sidecar.process.signal(signal.SIGTERM)
        wait_for(lambda: sidecar.admin("/ready")[0] == 503, 1.2, "/ready fails")
        assert idle.at_end(), "idle connections are closed"
        answer = client.read_response()
        assert answer.status == 200 and answer.header("connection") == "close"
        sidecar.process.wait(5)
        assert time.monotonic() - began < 4
    sidecar.stop()


def test_the_drain_is_bounded(lane):
    port, _, sidecar = lane(slow(30), root="shutdown: {drain: 1s}")
    with Client(port) as client:
        client.send(build())
        wait_for(lambda: sidecar.metric("pilotfish_upstream_active") == 1, 3)
        began = time.monotonic()
        sidecar.process.signal(signal.SIGTERM)
        assert sidecar.process.wait(5) == 0
        assert 0.8 < time.monotonic() - began < 4
    sidecar.stop()


def test_a_second_signal_exits_at_once(lane):
    port, _, sidecar = lane(slow(30), root="shutdown: {drain: 30s}")
    with Client(port) as client:
        client.send(build())
        wait_for(lambda: sidecar.metric("pilotfish_upstream_active") == 1, 3)
        sidecar.process.signal(signal.SIGTERM)
        time.sleep(0.3)
        assert sidecar.process.running()
        began = time.monotonic()
        sidecar.process.signal(signal.SIGTERM)
        sidecar.process.wait(5)
        assert time.monotonic() - began < 2
    sidecar.stopped = True
    sidecar.assert_clean()


def test_stopping_without_traffic_takes_no_time(lane):
    _, _, sidecar = lane()
    began = time.monotonic()
    sidecar.stop()
    assert time.monotonic() - began < 3


def test_the_end_follows_the_drain_at_once(lane):
    port, _, sidecar = lane()
    get(port)
    sidecar.process.signal(signal.SIGTERM)
    sidecar.await_log("drained: every connection ended")
    began = time.monotonic()
    sidecar.process.wait(30)
    # A sanitizer looks through the whole memory at the end, for as long as it takes.
    assert is_sanitized() or time.monotonic() - began < 0.3
    sidecar.stop()


def test_two_processes_do_not_share_a_state_dir(lane, tmp_path):
    _, _, first = lane(root=f"state_dir: {tmp_path}/state")
    path = tmp_path / "second.yaml"
    path.write_text(f"""\
admin: 127.0.0.1:{free_port()}
state_dir: {tmp_path}/state
upstreams: {{app: {{listen: "127.0.0.1:{free_port()}", static: ["127.0.0.1:1"]}}}}
""")
    done = pilotfish_cli("run", path)
    assert done.returncode == UNAVAILABLE
    assert f"in use by another pilotfish (pid {first.process.pid})" in done.stderr
    first.stop()


def test_a_change_of_the_file_reloads_with_watch(backend, pilotfish):
    one, two, port = backend(), backend(), free_port()
    def text(server):
        return f'upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}}}\n'
    sidecar = pilotfish(text(one), arguments=("--watch",))
    assert get(port).instance == str(one.port)
    sidecar.write(text(two))
    wait_for(lambda: get(port).instance == str(two.port), 10)
    sidecar.write("upstreams: {app: {}}\n")
    sidecar.await_log("the configuration is invalid; the running one stays")
    assert get(port).instance == str(two.port)


def test_two_workers_both_serve_and_their_counters_are_summed(backend, pilotfish):
    server, port = backend(ports=2), free_port()
    listed = ", ".join(f'"127.0.0.1:{number}"' for number in server.ports)
    sidecar = pilotfish(f"""\
workers: 2
upstreams:
  app: {{listen: "127.0.0.1:{port}", static: [{listed}]}}
""")
    with Traffic(port, rate=200, threads=8) as traffic:
        time.sleep(2)
        used = []
        for task in os.listdir(f"/proc/{sidecar.process.pid}/task"):
            with open(f"/proc/{sidecar.process.pid}/task/{task}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
                used.append(int(fields[11]) + int(fields[12]))
    assert not traffic.failed, traffic.failed[:3]
    assert sum(1 for ticks in used if ticks > 0) >= 2, f"CPU ticks by thread: {used}"
    total = len(traffic.samples)
    shown = sidecar.instances("app")
    assert sum(one["requests"] for one in shown.values()) == total
    assert len(shown) == 2
    assert sidecar.metric("pilotfish_downstream_requests_total", code="2xx") == total


def test_two_workers_with_consul_follow_it_both(consul, backend, pilotfish, service):
    server, port = backend(ports=2), free_port()
    idents = [consul.register(service, number) for number in server.ports]
    sidecar = pilotfish(f"""\
{consul.config}
workers: 2
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}}}
""")
    assert {get(port).instance for _ in range(40)} == {str(number) for number in server.ports}
    consul.critical(idents[0])
    consul.await_healthy(service, 1)
    assert {get(port).instance for _ in range(40)} == {str(server.ports[1])}
    wait_for(lambda: sidecar.healthy("app") == {f"127.0.0.1:{server.ports[1]}"}, 12)


def test_nothing_is_left_open_after_traffic(lane):
    port, _, sidecar = lane()
    get(port)
    before = sidecar.process.descriptors()
    with Traffic(port, rate=200, threads=8):
        time.sleep(1)
    wait_for(lambda: sidecar.process.descriptors() <= before + 1, 8, "descriptors are back")


def test_a_stop_in_the_middle_of_everything_is_clean(consul, backend, pilotfish, service):
    """Lookups, retries and registration run while it ends: no report of a sanitizer."""
    server, port = backend(slow(0.01)), free_port()
    consul.register(service, server.port)
    consul.register(service, free_port())
    for _ in range(3):
        sidecar = pilotfish(f"""\
{consul.config}
shutdown: {{drain: 2s}}
upstreams:
  app: {{listen: "127.0.0.1:{port}", consul: {service}, prefer: [v4, any]}}
register:
  {service}-self: {{self: true}}
""", wait="health")
        with Traffic(port, rate=300, threads=8):
            time.sleep(0.4)
            sidecar.stop()
