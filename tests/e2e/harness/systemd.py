"""What systemd does for a service, as far as a process can tell."""

import ctypes
import os
import socket
import sys
import threading
import time
from pathlib import Path

from harness.process import wait_for

_LAUNCH = """
import fcntl, os, sys
fds, names = [int(fd) for fd in sys.argv[1].split(",")], sys.argv[2]
fds = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]
for place, fd in enumerate(fds, 3):
    os.dup2(fd, place)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.execv(sys.argv[3], sys.argv[3:])
"""


class ListeningSockets:
    """Sockets as a .socket unit holds them; `how()` goes to Pilotfish(...)."""

    def __init__(self, *names: str):
        self.names, self.sockets = names, []
        for _ in names:
            sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
            self.sockets.append(sock)

    def port(self, name: str) -> int:
        return self.sockets[self.names.index(name)].getsockname()[1]

    def how(self) -> dict:
        fds = tuple(sock.fileno() for sock in self.sockets)
        return {"inherit": fds,
                "around": (sys.executable, "-c", _LAUNCH, ",".join(map(str, fds)),
                           ":".join(self.names))}

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()


class NotifySocket:
    """NOTIFY_SOCKET: what was said, and when."""

    def __init__(self, folder: Path):
        self.path = Path(folder) / "notify"
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(self.path))
        self._sock.settimeout(0.1)
        self.said: list[tuple[float, str]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                data = self._sock.recv(65536).decode()
            except TimeoutError:
                continue
            self.said += [(time.monotonic(), line) for line in data.splitlines()]

    def lines(self, start: str = "", since: float = 0.0) -> list[str]:
        return [line for at, line in list(self.said) if line.startswith(start) and at >= since]

    def await_line(self, start: str, limit: float = 15.0, since: float = 0.0) -> str:
        return wait_for(lambda: self.lines(start, since), limit, f"{start} is said")[0]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._sock.close()


class StuckThread:
    """A thread of another process that stands still while the block runs (ptrace)."""

    def __init__(self, tid: int):
        self.tid = tid
        self._libc = ctypes.CDLL("libc.so.6", use_errno=True)
        self._libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                                      ctypes.c_void_p]

    def _ptrace(self, request: int) -> None:
        if self._libc.ptrace(request, self.tid, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        attach = 16
        self._ptrace(attach)
        os.waitpid(self.tid, 0x40000000)  # __WALL
        return self

    def __exit__(self, *_):
        detach = 17
        self._ptrace(detach)
