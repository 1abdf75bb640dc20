#!/usr/bin/env python3
"""The figures we quote, measured side by side on this machine: freshness against the real Consul,
how many of 300 instances get traffic, CPU per request beside HAProxy. Prints, never judges.

    ./dev build && PILOTFISH_BIN=build/release/pilotfish python3 bench/figures.py [fresh|many|cpu ...]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from harness.backend import Backend  # noqa: E402
from harness.client import Client, build  # noqa: E402
from harness.consul import Consul  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.process import Process, wait_for  # noqa: E402
from harness.sidecar import Pilotfish  # noqa: E402
from harness.traffic import Traffic  # noqa: E402

ROUNDS, RATE = 5, 200


def fresh(folder: Path) -> None:
    consul, backend, port = Consul(folder), Backend(ports=3), free_port()
    idents = [consul.register("app", p) for p in backend.ports[:2]]
    sidecar = Pilotfish(f"{consul.config}\nupstreams: {{app: {{listen: '127.0.0.1:{port}', "
                        f"consul: app}}}}", folder)
    gone, come, failed = [], [], 0
    with Traffic(port, rate=RATE, threads=8) as traffic:
        for _ in range(ROUNDS):
            victim = str(backend.ports[0])
            time.sleep(0.5)
            consul.critical(idents[0])
            changed = time.monotonic()
            time.sleep(0.5)
            late = [s.ended for s in traffic.samples if s.instance == victim and s.ended > changed]
            gone.append(max([0.0] + [t - changed for t in late]))
            consul.passing(idents[0])
            time.sleep(0.3)
            newcomer = str(backend.ports[2])
            ident = consul.register("app", backend.ports[2])
            changed = time.monotonic()
            wait_for(lambda: any(s.instance == newcomer and s.ended > changed
                                 for s in list(traffic.samples)), 5, pause=0.005)
            came = min(s.ended for s in list(traffic.samples)
                       if s.instance == newcomer and s.ended > changed)
            come.append(came - changed)
            consul.deregister(ident)
            time.sleep(0.3)
        total, failed = len(traffic.samples), len(traffic.failed)

    def shown(values: list) -> str:
        return " ".join(f"{v * 1000:.1f}" for v in values) + f"  worst {max(values) * 1000:.1f} ms"
    print(f"fresh: a new connection per request at {RATE}/s, real Consul")
    print(f"  check fails -> last request to it: {shown(gone)}")
    print(f"  registered -> first request to it: {shown(come)}")
    print(f"  {total} requests, {failed} failed")
    for thing in (sidecar, consul):
        thing.stop()
    backend.close()


def many(folder: Path, count: int = 300) -> None:
    consul, backend, port = Consul(folder), Backend(ports=count), free_port()
    for p in backend.ports:
        consul.register("app", p)
    sidecar = Pilotfish(f"{consul.config}\nupstreams: {{app: {{listen: '127.0.0.1:{port}', "
                        f"consul: app, balance: round_robin}}}}", folder)
    seen = set()
    client = None
    for _ in range(count * 2):
        client = Client(port)
        client.send(build("GET", "/"))
        seen.add(client.read_response("GET").instance)
        client.close()
    print(f"many: {count} instances in Consul, {len(seen)} got traffic in {count * 2} requests")
    for thing in (sidecar, consul):
        thing.stop()
    backend.close()


def wrk(port: int, seconds: int, connections: int) -> int:
    out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                          f"http://127.0.0.1:{port}/"], capture_output=True, text=True,
                         check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        print(out)
    return int(next(line for line in out.splitlines() if "requests in" in line).split()[0])


def cpu(folder: Path, rounds: int = 7, seconds: int = 3) -> None:
    ports = [free_port() for _ in range(3)]
    listens = " ".join(f"listen 127.0.0.1:{p};" for p in ports)
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "events { worker_connections 4096; }\nhttp { access_log off; keepalive_requests 100000000;"
        f" keepalive_timeout 3600; server {{ {listens} location / {{ return 200 \"{'0' * 100}\"; }}"
        " } }\n")
    front = free_port()
    servers = "\n".join(f"  server s{i} 127.0.0.1:{p}" for i, p in enumerate(ports))
    (folder / "haproxy.cfg").write_text(
        "global\n  nbthread 1\n  maxconn 4000\ndefaults\n  mode http\n  timeout connect 1s\n"
        "  timeout client 1h\n  timeout server 30s\n  option forwardfor\n  http-reuse safe\n"
        f"frontend f\n  bind 127.0.0.1:{front}\n  default_backend b\nbackend b\n"
        f"  balance leastconn\n{servers}\n")
    backends = Process(["nginx", "-c", folder / "nginx.conf", "-e", folder / "nginx.log"],
                       folder / "nginx.out")
    haproxy = Process(["haproxy", "-db", "-f", folder / "haproxy.cfg"], folder / "haproxy.out")
    port = free_port()
    listed = ", ".join(f"'127.0.0.1:{p}'" for p in ports)
    sidecar = Pilotfish(f"upstreams: {{app: {{listen: '127.0.0.1:{port}', static: [{listed}]}}}}",
                        folder)
    figures: dict[str, list[float]] = {"pilotfish": [], "haproxy": []}
    for round_number in range(rounds + 1):
        for name, process, target in (("pilotfish", sidecar.process, port),
                                      ("haproxy", haproxy, front)):
            before = process.cpu_seconds()
            requests = wrk(target, seconds, 64)
            if round_number:  # the first one warms up
                figures[name].append((process.cpu_seconds() - before) / requests * 1e6)
    ours, theirs = (statistics.median(figures[name]) for name in ("pilotfish", "haproxy"))
    ratios = [a / b for a, b in zip(figures["pilotfish"], figures["haproxy"])]
    print("cpu: 64 keep-alive connections, three backends, 100-byte answers, us CPU per request")
    for name, values in figures.items():
        print(f"  {name:10} median {statistics.median(values):.2f}  "
              f"({min(values):.2f} to {max(values):.2f}, {rounds} rounds)")
    print(f"  ratio of medians {ours / theirs:.2f}  (pairs {min(ratios):.2f} to {max(ratios):.2f})")
    for thing in (sidecar, haproxy, backends):
        thing.stop()


def main() -> int:
    os.environ.setdefault("PILOTFISH_BIN", str(ROOT / "build/release/pilotfish"))
    parts = {"fresh": fresh, "many": many, "cpu": cpu}
    wanted = sys.argv[1:] or list(parts)
    if unknown := [name for name in wanted if name not in parts]:
        print(f"unknown: {', '.join(unknown)}; one of {', '.join(parts)}", file=sys.stderr)
        return 64
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="pilotfish-figures-") as folder:
            parts[name](Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
