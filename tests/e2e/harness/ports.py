"""Ports nobody else uses. Below the kernel's ephemeral range, so that no outgoing connection of
this machine takes one between the moment it is chosen and the moment a program binds it."""

import os
import random
import re
import socket
import threading

_FIRST, _LAST = 12000, 32000
_lock = threading.Lock()


def _start() -> int:
    """Somewhere of this process's own: tests that run at once would else choose the same port
    before either has bound it."""
    worker = re.search(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))
    if not worker:
        return random.randrange(_FIRST, _LAST)
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    # The same offset for all workers of one run.
    offset = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID")).randrange(_LAST - _FIRST)
    share = (_LAST - _FIRST) // count
    return _FIRST + (offset + int(worker[0]) * share) % (_LAST - _FIRST)


_next = _start()


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_port() -> int:
    """A port free for TCP and UDP on 127.0.0.1; never the same one twice in a run."""
    global _next
    with _lock:
        for _ in range(_LAST - _FIRST):
            _next = _next + 1 if _next + 1 < _LAST else _FIRST
            if _is_free(_next):
                return _next
    raise RuntimeError("no free port")


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]
