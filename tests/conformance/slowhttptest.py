"""slowhttptest: slow heads, slow bodies, slow readers; the other callers must not notice."""

import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from harness import Backend, Pilotfish, Traffic, free_port, get
from suites import Outcome

BIG = b"x" * 4_000_000
ATTACKS = {
    "slow heads (-H)": ["-H", "-i", "1"],
    "slow bodies (-B)": ["-B", "-i", "1", "-s", "8192"],
    "slow readers (-X)": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"],
}


def run() -> Outcome:
    program = shutil.which("slowhttptest")
    if not program:
        return Outcome("slowhttptest", "", blocked="package slowhttptest is not installed")
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "slowhttptest"],
                             capture_output=True, text=True, check=False).stdout
    outcome, port = Outcome("slowhttptest", version), free_port()

    def handler(connection, exchange):
        connection.answer(body=BIG if exchange.target == "/big" else b"fine")
    with tempfile.TemporaryDirectory() as folder, Backend(handler) as backend:
        sidecar = Pilotfish(f"""
            upstreams:
              app:
                listen: 127.0.0.1:{port}
                static: ["{backend.address}"]
                timeouts: {{head: 3s, body: 3s, write: 3s}}
            """, Path(folder))
        for name, words in ATTACKS.items():
            url = f"http://127.0.0.1:{port}/{'big' if '-X' in words else ''}"
            attack = subprocess.Popen(
                [program, "-c", "200", "-r", "100", "-l", "10", "-p", "3", "-u", url, *words],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, text=True)
            with Traffic(port, rate=50, timeout=20) as traffic:
                text, _ = attack.communicate(timeout=120)
            took = sorted(one.ended - one.began for one in traffic.samples)
            p99 = took[int(len(took) * 0.99)] if took else 99.0
            print(f"  {name}: {len(took)} other requests, {len(traffic.failed)} failed, "
                  f"p99 {p99 * 1000:.0f} ms")
            outcome.check(not traffic.failed and len(took) > 100,
                          f"{name}: {len(traffic.failed)} of {len(took)} other requests failed")
            outcome.check(p99 < 1.0, f"{name}: p99 of the others {p99 * 1000:.0f} ms")
            shown = re.findall(r"service available:\s*\S*?(YES|NO)", re.sub(r"\x1b\[\S*?m", "", text))
            outcome.check(not shown or shown[-1] == "YES", f"{name}: slowhttptest says {shown}")
            deadline = time.monotonic() + 15
            while (left := sidecar.metric("pilotfish_downstream_connections")) > 1 and \
                    time.monotonic() < deadline:
                time.sleep(0.2)
            outcome.check(left <= 1, f"{name}: {left:.0f} connections are left")
        outcome.check(get(port).status == 200, "it does not serve afterwards")
        sidecar.stop()
    return outcome
