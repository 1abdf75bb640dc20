"""Processes of a test: each in its own group, logged to a file, ended by its pid, and never
outliving the test run (the kernel kills them when the run dies)."""

import ctypes
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_libc = ctypes.CDLL("libc.so.6", use_errno=True)
_PR_SET_PDEATHSIG = 1
SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|runtime error:|SUMMARY: \w+Sanitizer"
)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_for(condition: Callable, limit: float = 10.0, what: str = "", pause: float = 0.02):
    """Calls `condition` until it returns something true, which is returned; fails after `limit`
    seconds. An exception counts as "not yet" and is told in the failure."""
    deadline = time.monotonic() + limit
    last: object = None
    while True:
        try:
            last = condition()
            if last:
                return last
        except (OSError, AssertionError, LookupError, ValueError) as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {limit:g} s: {what or condition}; last: {last!r}")
        time.sleep(pause)


class Process:
    """One running program. `log` holds its stdout (unless `stdout` is where to) and its stderr."""

    def __init__(self, argv: list, log: Path, *, env: dict | None = None, cwd: Path | None = None,
                 descriptors: int | None = None, stdout: int | None = None,
                 inherit: tuple = ()):
        self.argv = [str(word) for word in argv]
        self.log_path = Path(log)

        def prepare() -> None:
            _die_with_parent()
            if descriptors is not None:
                import resource
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with open(self.log_path, "ab") as sink:
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=sink if stdout is None else stdout,
                stderr=sink, env=env, cwd=cwd, start_new_session=True, preexec_fn=prepare,
                pass_fds=inherit)

    @property
    def pid(self) -> int:
        return self.popen.pid

    def running(self) -> bool:
        return self.popen.poll() is None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def tail(self, lines: int = 40) -> str:
        text = "\n".join(self.log().splitlines()[-lines:])
        return f"--- log of {' '.join(self.argv[:3])} (pid {self.pid}):\n{text}\n---"

    def signal(self, number: int) -> None:
        if self.running():
            os.kill(self.pid, number)

    def wait(self, limit: float = 10.0) -> int:
        """Its exit code; negative is a signal's number. Fails where it does not end in time."""
        try:
            return self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not exit within {limit:g} s\n{self.tail()}") from None

    def kill(self) -> None:
        """SIGKILL to it and its children, at once."""
        if self.running():
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait(10)

    def stop(self, limit: float = 8.0) -> int:
        """SIGTERM, then SIGKILL after `limit`; its exit code."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.popen.returncode

    def until(self, condition: Callable, limit: float = 15.0, what: str = ""):
        """wait_for, that also gives up when the process is gone; failures tell its log."""
        def alive_and_true():
            if not self.running():
                raise RuntimeError(f"exited with {self.popen.returncode}: {what}\n{self.tail()}")
            return condition()
        try:
            return wait_for(alive_and_true, limit, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.tail()}") from None

    def rss_bytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
