"""As a service of systemd: readiness, status, watchdog, socket activation, unit files."""

import os
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

import pytest

from harness import Client, Pilotfish, Process, Traffic, free_port, get, wait_for
from harness.backend import slow
from harness.client import build
from harness.parts import clean_environment, pilotfish_binary
from harness.systemd import ListeningSockets, NotifySocket, StuckThread


@pytest.fixture
def notify(tmp_path, cleanup):
    return cleanup(NotifySocket(tmp_path))


def lane_config(port: int, server, more: str = "") -> str:
    return f'upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}}}\n{more}'


def test_it_is_ready_once_ports_are_bound_and_lookups_ended(backend, pilotfish, notify):
    server, port = backend(), free_port()
    pilotfish(lane_config(port, server), env={"NOTIFY_SOCKET": str(notify.path)}, wait=None)
    notify.await_line("READY=1")
    assert get(port).status == 200
    assert notify.await_line("STATUS=") == "STATUS=0 client connections; 1 upstream ready"
    assert notify.lines("READY=1") == ["READY=1"]


def test_a_silent_registry_delays_readiness_for_a_moment_only_and_status_says_it(pilotfish, notify):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        began, dns = time.monotonic(), silent.getsockname()[1]
        pilotfish(f"""\
upstreams:
  web: {{listen: "127.0.0.1:{free_port()}", srv: web.test, dns: ["127.0.0.1:{dns}"]}}
""", env={"NOTIFY_SOCKET": str(notify.path)}, wait=None)
        notify.await_line("READY=1")
        assert time.monotonic() - began < 8
        status = notify.await_line("STATUS=0 client connections; 0 of 1 upstream")
        assert "web: tier 0 (web.test)" in status and "timeout" in status


def test_stopping_is_said_with_the_time_it_may_take_and_what_is_left(backend, pilotfish, notify):
    server, port = backend(slow(2.5)), free_port()
    sidecar = pilotfish(lane_config(port, server, "shutdown: {drain: 30s}"),
                        env={"NOTIFY_SOCKET": str(notify.path)})
    with Client(port) as client:
        client.send(build())
        wait_for(lambda: server.count == 1, 5)
        sidecar.process.signal(signal.SIGTERM)
        notify.await_line("STOPPING=1")
        assert notify.await_line("EXTEND_TIMEOUT_USEC=") == "EXTEND_TIMEOUT_USEC=35000000"
        assert notify.await_line("STATUS=draining 1") == "STATUS=draining 1 client connection"
        assert client.read_response().status == 200
    sidecar.process.wait(10)


def test_the_watchdog_is_fed_at_twice_its_rate(backend, pilotfish, notify):
    pilotfish(lane_config(free_port(), backend()),
              env={"NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "1000000"})
    wait_for(lambda: len(notify.lines("WATCHDOG=1")) >= 6, 15)
    times = [at for at, line in notify.said if line == "WATCHDOG=1"]
    gaps = sorted(later - earlier for earlier, later in zip(times, times[1:]))
    assert 0.3 < gaps[len(gaps) // 2] < 0.9, gaps


def test_a_watchdog_for_another_process_is_not_fed(backend, pilotfish, notify):
    pilotfish(lane_config(free_port(), backend()), env={
        "NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"})
    notify.await_line("STATUS=")
    time.sleep(1)
    assert not notify.lines("WATCHDOG=1")


def test_a_stuck_worker_ends_the_pings_until_it_answers(backend, pilotfish, notify):
    sidecar = pilotfish(lane_config(free_port(), backend(), "workers: 3"), env={
        "NOTIFY_SOCKET": str(notify.path), "WATCHDOG_USEC": "600000"})
    notify.await_line("WATCHDOG=1")
    threads = [int(tid) for tid in os.listdir(f"/proc/{sidecar.process.pid}/task")]
    names = {tid: open(f"/proc/{sidecar.process.pid}/task/{tid}/comm").read().strip()
             for tid in threads}
    worker = next(tid for tid in sorted(threads) if names[tid] == "worker 1")
    with StuckThread(worker):
        sidecar.await_log("a worker is stuck: no watchdog pings")
        silent_since = time.monotonic()
        time.sleep(1.5)
        assert not notify.lines("WATCHDOG=1", silent_since)
    again = time.monotonic()
    notify.await_line("WATCHDOG=1", since=again)
    sidecar.await_log("every worker answers again")


# --- socket activation


def activated_config(server, more: str = "") -> str:
    return f'upstreams: {{app: {{listen: "fd:app", static: ["{server.address}"]}}}}\n{more}'


@pytest.mark.parametrize("workers", [1, 3])
def test_no_request_fails_through_restarts_where_systemd_holds_the_socket(
        tmp_path, backend, cleanup, workers, record_property):
    server, held = backend(slow(0.01)), cleanup(ListeningSockets("app"))
    config = activated_config(server, f"workers: {workers}")
    port, restarts = held.port("app"), 5
    sidecar = cleanup(Pilotfish(config, tmp_path, **held.how()))
    with Traffic(port, rate=150, threads=6, timeout=30) as fresh, \
            Traffic(port, rate=150, threads=6, keep_alive=True, timeout=30) as kept:
        for _ in range(restarts):
            time.sleep(0.4)
            sidecar.stop()
            sidecar = cleanup(Pilotfish(config, tmp_path, **held.how()))
        time.sleep(0.4)
    assert not fresh.failed and not kept.failed, (fresh.failed + kept.failed)[:3]
    samples = fresh.samples + kept.samples
    longest = max(one.ended - one.began for one in samples)
    record_property("requests", len(samples))
    record_property("longest_gap_s", round(longest, 3))
    print(f"{restarts} restarts, {workers} workers: {len(samples)} requests, 0 failed, "
          f"longest {longest * 1000:.0f} ms")
    assert len(samples) > 300 and longest < 20


def test_an_inherited_socket_is_still_open_for_others_after_it_ended(tmp_path, backend, cleanup):
    held = cleanup(ListeningSockets("app"))
    sidecar = cleanup(Pilotfish(activated_config(backend()), tmp_path, **held.how()))
    assert get(held.port("app")).status == 200
    sidecar.stop()
    with Client(held.port("app")) as client:  # the kernel still takes it
        client.send(build())
        sidecar = cleanup(Pilotfish(activated_config(backend()), tmp_path, **held.how()))
        assert client.read_response().status == 200


def test_several_sockets_go_to_the_upstreams_that_name_them(tmp_path, backend, cleanup):
    one, two, held = backend(), backend(), cleanup(ListeningSockets("one", "two", "other"))
    cleanup(Pilotfish(f"""\
upstreams:
  a: {{listen: "fd:two", static: ["{two.address}"]}}
  b: {{listen: "fd:one", static: ["{one.address}"]}}
""", tmp_path, **held.how()))
    get(held.port("one"))
    get(held.port("two"))
    assert (one.count, two.count) == (1, 1)


def test_under_systemd_socket_activate_the_first_call_starts_it(tmp_path, backend, cleanup):
    activate = shutil.which("systemd-socket-activate")
    assert activate, "package systemd is missing"
    server, port, admin = backend(), free_port(), free_port()
    file = tmp_path / "activated.yaml"
    file.write_text(activated_config(server, f"admin: 127.0.0.1:{admin}"))
    started = cleanup(Process([activate, "-l", f"127.0.0.1:{port}", "--fdname=app",
                               pilotfish_binary(), "run", "-c", file], tmp_path / "activated.log",
                              env=clean_environment()))
    started.until(lambda: "Listening on" in started.log(), 10)
    assert get(port, timeout=20).status == 200
    started.signal(signal.SIGTERM)
    assert started.wait(15) == 0



# --- rights


def test_it_needs_no_rights_at_all(backend, cleanup):
    """As nobody, without a capability, on a read-only root: calls, metrics, reload, stop."""
    if os.geteuid() != 0:
        pytest.skip("only root may become nobody; whoever is not root proves the point already")
    folder = Path(tempfile.mkdtemp(prefix="pilotfish-nobody-", dir="/tmp"))
    cleanup(RemovedFolder(folder))
    folder.chmod(0o755)
    binary = shutil.copy(pilotfish_binary(), folder / "pilotfish")
    server, port, admin = backend(), free_port(), free_port()
    file = folder / "nobody.yaml"
    file.write_text(lane_config(port, server, f"admin: 127.0.0.1:{admin}\n"))
    running = cleanup(Process(
        ["unshare", "-m", "sh", "-c", 'mount --make-rprivate / && mount -o remount,bind,ro / && '
         'exec "$@"', "sh", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
         "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", binary, "run", "-c", file],
        folder.with_suffix(".log"), env=clean_environment()))
    running.until(lambda: get(port).status == 200, 20)
    status = Path(f"/proc/{running.pid}/status").read_text()
    assert "Uid:\t65534" in status and "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "pilotfish_build_info" in get(admin, "/metrics", host="127.0.0.1").text
    running.signal(signal.SIGHUP)
    running.until(lambda: "reloaded" in running.log(), 10)
    assert get(port).status == 200
    running.signal(signal.SIGTERM)
    assert running.wait(15) == 0
    folder.with_suffix(".log").unlink()


class RemovedFolder:
    def __init__(self, folder: Path):
        self.folder = folder

    def close(self) -> None:
        shutil.rmtree(self.folder)
