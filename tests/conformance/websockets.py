"""Autobahn's WebSocket cases, once to its echo server and once through pilotfish: a proxy must change
no result."""

import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path

from harness import Pilotfish, Process, free_port, wait_for
from harness.parts import clean_environment
from suites import Outcome

# Framing, pings, reserved bits, opcodes, fragments, UTF-8, closing; not the mass and compression
# cases (9, 12, 13), which take an hour.
CASES, LEFT_OUT = ["*"], ["6.*", "9.*", "12.*", "13.*"]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def results(folder: Path, agent: str) -> dict[str, tuple]:
    shown = json.loads((folder / "index.json").read_text())[agent]
    return {case: (one["behavior"], one["behaviorClose"]) for case, one in shown.items()}


def run() -> Outcome:
    program = os.environ.get("PILOTFISH_WSTEST")
    if not program or not os.access(program, os.X_OK):
        return Outcome("autobahntestsuite", "", blocked=(
            "needs Python 2.7 (pyenv install 2.7.18) with autobahntestsuite; ./dev conformance sets "
            "PILOTFISH_WSTEST where it found both"))
    outcome = Outcome("autobahntestsuite", os.environ.get("PILOTFISH_WSTEST_VERSION", "?"))
    direct_port, port, echo_port = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        echo = Process([f"{program}-python", Path(__file__).with_name("ws_echo.py"),
                        f"{direct_port}:{direct_port}", f"{echo_port}:{port}"],
                       folder / "echo.log", env=clean_environment(), cwd=folder)
        sidecar = Pilotfish(f"""
            upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["127.0.0.1:{echo_port}"]}}}}
            """, folder)
        try:
            wait_for(lambda: listens(echo_port), 60, "wstest's echo server listens")
            found = {}
            for agent, where in (("direct", direct_port), ("pilotfish", port)):
                (folder / "spec.json").write_text(json.dumps({
                    "outdir": str(folder / agent), "cases": CASES, "exclude-cases": LEFT_OUT,
                    "exclude-agent-cases": {}, "options": {"failByDrop": False},
                    "servers": [{"agent": agent, "url": f"ws://127.0.0.1:{where}"}]}))
                subprocess.run([program, "-m", "fuzzingclient", "-s", folder / "spec.json"],
                               cwd=folder, env=clean_environment(), timeout=560, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                found[agent] = results(folder / agent, agent)
            for case, direct in found["direct"].items():
                through = found["pilotfish"].get(case)
                outcome.check(through == direct, f"{case}: {direct} direct, {through} through us")
            passed = sum(1 for behavior, _ in found["direct"].values() if behavior == "OK")
            print(f"  {passed} of {len(found['direct'])} cases are OK direct")
        finally:
            sidecar.stop()
            echo.kill()
    return outcome
