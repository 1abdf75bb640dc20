"""Asks a name server the same thing again and again, to see for how long it has no answer."""

import socket
import struct
import threading
import time


class DnsPoll:
    """SRV of `name` every 20 ms from construction to `stop`. `missing` are the times (monotonic) at
    which there was an answer without records; what was not answered within 1 s counts as neither."""

    def __init__(self, port: int, name: str, host: str = "127.0.0.1"):
        self.missing: list[float] = []
        self.there: list[float] = []
        labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
        self._question = labels + b"\0" + struct.pack("!HH", 33, 1)
        self._server, self._stopping = (host, port), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(1)
            sock.connect(self._server)
            while not self._stopping.wait(0.02):
                number = (number + 1) & 0xFFFF
                try:
                    sock.send(struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + self._question)
                    answer = sock.recv(4096)
                except OSError:  # nobody listens, or nobody answers
                    continue
                ident, _, _, records = struct.unpack("!4H", answer[:8])
                if ident == number:
                    (self.there if records else self.missing).append(time.monotonic())

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    @property
    def longest_gap(self) -> float:
        """The longest time without an answer that had records, in seconds."""
        return max((b - a for a, b in zip(self.there, self.there[1:])), default=0.0)
