"""One-shot commands of the program under test."""

import subprocess

from harness.parts import clean_environment, pilotfish_binary
from harness.process import SANITIZER_REPORT

USAGE, UNAVAILABLE, DATA_ERROR = 64, 69, 78  # exit codes of the contract


def pilotfish_cli(*words, env: dict | None = None, cwd=None,
                  limit: float = 20.0) -> subprocess.CompletedProcess:
    """Runs `pilotfish WORDS` to its end; fails on a sanitizer's report or when it does not end."""
    done = subprocess.run([pilotfish_binary(), *map(str, words)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=limit, cwd=cwd,
                          env=clean_environment(env))
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    assert done.returncode >= 0, f"killed by signal {-done.returncode}: {done.stderr}"
    return done
