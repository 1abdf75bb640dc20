"""Scripted conversations (varnishtest's VTC language) with pilotfish between client and server."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from harness import free_port
from harness.parts import clean_environment, pilotfish_binary
from suites import Outcome

VTC = Path(__file__).with_name("vtc")


def run() -> Outcome:
    program = shutil.which("varnishtest")
    if not program:
        return Outcome("varnishtest", "", blocked="package varnish is not installed")
    shown = subprocess.run(["varnishd", "-V"], capture_output=True, text=True, check=False)
    version = re.search(r"varnish-([\d.]+)", shown.stderr + shown.stdout)
    outcome = Outcome("varnishtest", version[1] if version else "?")
    for file in sorted(VTC.glob("*.vtc")):
        port, admin = free_port(), free_port()
        with tempfile.TemporaryDirectory() as folder:
            env = clean_environment({
                "PF_PORT": str(port), "PF_ADMIN": str(admin), "TMPDIR": folder,
                "PILOTFISH_BIN": pilotfish_binary(),
                "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
            done = subprocess.run(
                [program, "-t", "60", f"-Dport={port}", f"-Dstart={VTC / 'start.sh'}",
                 f"-Dready={VTC / 'ready.sh'}", str(file)],
                capture_output=True, text=True, env=env, timeout=120, check=False)
        text = done.stdout + done.stderr
        hints = [line for line in text.splitlines() if line.startswith("----") or "FAIL" in line]
        outcome.check(done.returncode == 0, f"{file.stem}: {' | '.join(hints[:3])}")
    return outcome
