"""What clients, operators and the machine do to the process itself."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from conftest import failed_requests
from instances import static

from harness import Client, Traffic, free_port, get, is_sanitized, wait_for
from harness.client import build


def test_clients_that_reset_in_every_phase_harm_no_instance_and_nobody_else(
        fleet, pilotfish, measured):
    """Their upstream connections end, no instance is blamed, and the others notice nothing."""
    port, one = free_port(), fleet.start()
    sidecar = pilotfish(static(port, [one], "eject: {consecutive: 3}"))
    requests = {
        "in the request's head": b"POST / HTTP/1.1\r\nHo",
        "in the request's body": build("POST", "/x", [("Content-Length", "100000")]) + b"x" * 9000,
        "before the answer": build("GET", "/slow/400"),
        "in the answer": build("GET", f"/big/{8 << 20}"),
    }
    with Traffic(port, rate=40, keep_alive=True) as traffic:
        for _ in range(10):
            for phase, data in requests.items():
                client = Client(port, receive_buffer=8192)
                client.send(data)
                if phase == "in the answer":
                    client.sock.recv(4096)
                client.reset()
        began = time.monotonic()
        wait_for(lambda: sidecar.metric("pilotfish_upstream_active") <= 4, 10)
    wait_for(lambda: sidecar.metric("pilotfish_upstream_active") == 0, 10)
    shown = sidecar.instances("app")[one.address]
    assert shown["state"] == "healthy" and shown["failures"] == 0 and shown["in_flight"] == 0
    assert not traffic.failed, failed_requests(traffic)
    measured(traffic, gone_after=f"{time.monotonic() - began:.2f} s")


def test_a_sidecar_stopped_for_five_seconds_answers_everything_late(fleet, pilotfish, measured):
    """SIGSTOP and SIGCONT: no storm of timeouts for what was not really late."""
    port, ours = free_port(), [fleet.start(), fleet.start()]
    sidecar = pilotfish(static(port, ours, "request_timeout: 3s\ntimeouts: {head: 3s}"))
    with Traffic(port, rate=40, threads=40, timeout=30) as new, \
            Traffic(port, rate=20, threads=8, keep_alive=True, timeout=30) as kept:
        time.sleep(0.7)
        sidecar.process.signal(signal.SIGSTOP)
        time.sleep(5)
        sidecar.process.signal(signal.SIGCONT)
        time.sleep(1.5)
    assert not new.failed, failed_requests(new)
    assert not kept.failed, failed_requests(kept)
    assert {one["state"] for one in sidecar.upstream("app")["instances"]} == {"healthy"}
    measured(new, kept=len(kept.samples))


@pytest.mark.parametrize("jump", ["+1h", "-1h"])
def test_a_jump_of_the_wall_clock_changes_nothing(
        jump, fleet, pilotfish, tmp_path, measured):
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert library, "libfaketime is missing: apt-get install libfaketime, or use ./dev test"
    clock, port, ours = tmp_path / "clock", free_port(), [fleet.start(), fleet.start()]
    clock.write_text("+0\n")
    # Sanitizers want to be loaded first; without being asked they say so and go on.
    sidecar = pilotfish(static(port, ours), limit=40, env={
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "ASAN_OPTIONS": "verify_asan_link_order=0:exitcode=99:detect_leaks=0"})
    before = sidecar.metric("process_start_time_seconds")
    with Traffic(port, rate=40, threads=12, timeout=20) as new, \
            Traffic(port, rate=20, keep_alive=True, timeout=20) as kept:
        time.sleep(0.7)
        clock.write_text(jump + "\n")
        time.sleep(2)
        stamp = sidecar.admin("/metrics")  # still answers
        clock.write_text("+0\n")
        time.sleep(1)
    assert stamp[0] == 200 and before > 0
    for traffic in (new, kept):
        assert not traffic.failed, failed_requests(traffic)
        assert max(one.ended - one.began for one in traffic.samples) < 3
    measured(new, kept=len(kept.samples))


def test_an_access_log_nobody_reads_stops_no_request_and_is_counted(fleet, pilotfish, measured):
    """stdout is a pipe that is full."""
    port, one = free_port(), fleet.start()
    read_end, write_end = os.pipe()
    sidecar = pilotfish(static(port, [one], root="log: {access: stdout}"), stdout=write_end)
    os.close(write_end)
    try:
        with Traffic(port, rate=100, threads=8, target="/" + "x" * 4000) as traffic:
            wait_for(lambda: sidecar.metric("pilotfish_access_log_dropped_total") > 0, 60)
            time.sleep(1)
        assert not traffic.failed, failed_requests(traffic)
        assert max(sample.ended - sample.began for sample in traffic.samples) < 2
        measured(traffic, dropped=int(sidecar.metric("pilotfish_access_log_dropped_total")))
        sidecar.stop()
    finally:
        os.close(read_end)


def test_a_full_disk_stops_no_request_and_is_counted(
        fleet, pilotfish, tmp_path, cleanup, measured):
    """The access log lies on a file system of 64 KiB."""
    disk, port, one = tmp_path / "disk", free_port(), fleet.start()
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], check=True)
    try:
        sidecar = pilotfish(static(port, [one], root=f"log: {{access: {disk}/access.log}}"))
        with Traffic(port, rate=100, threads=8, target="/" + "x" * 2000) as traffic:
            wait_for(lambda: sidecar.metric("pilotfish_access_log_dropped_total") > 0, 60)
            time.sleep(1)
        assert not traffic.failed, failed_requests(traffic)
        written = (disk / "access.log").read_bytes()
        assert len(written) > 30_000
        measured(traffic, dropped=int(sidecar.metric("pilotfish_access_log_dropped_total")))
        sidecar.stop()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=False)


def test_scrapers_that_never_read_stop_nobody(fleet, pilotfish, measured):
    """Forty connections to the admin port that ask for everything and read nothing."""
    port, one = free_port(), fleet.start()
    sidecar = pilotfish(static(port, [one]))
    scrapers = []
    try:
        for _ in range(40):
            scraper = socket.socket()
            scraper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            scraper.connect(("127.0.0.1", sidecar.admin_port))
            scraper.sendall(build("GET", "/metrics", host=f"127.0.0.1:{sidecar.admin_port}") * 20)
            scrapers.append(scraper)
        with Traffic(port, rate=60, threads=8) as traffic:
            for _ in range(10):
                assert sidecar.admin("/health")[0] == 200
                time.sleep(0.2)
    finally:
        for scraper in scrapers:
            scraper.close()
    assert not traffic.failed, failed_requests(traffic)
    wait_for(lambda: sidecar.admin("/ready")[0] == 200, 5)
    measured(traffic)


def test_a_hundred_greedy_clients_stay_within_bounded_memory(fleet, pilotfish, measured):
    """Large heads that never end, large answers nobody reads: what one may hold is bounded."""
    port, one = free_port(), fleet.start()
    sidecar = pilotfish(static(port, [one]))
    get(port)
    before = sidecar.process.rss_bytes()
    greedy = []
    for i in range(100):
        client = Client(port, receive_buffer=4096)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 30_000 if i % 2
                    else build("GET", f"/big/{64 << 20}"))
        greedy.append(client)
    with Traffic(port, rate=40, threads=8) as traffic:
        time.sleep(2)
    grown = (sidecar.process.rss_bytes() - before) / (1 << 20)
    for client in greedy:
        client.reset()
    assert not traffic.failed, failed_requests(traffic)
    assert grown < (100 if is_sanitized() else 32), f"{grown:.0f} MiB for 100 clients"
    measured(traffic, grown=f"{grown:.1f} MiB")
