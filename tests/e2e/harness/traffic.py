"""Steady traffic in the background: open loop, so that a stall shows as late answers."""

import threading
import time
from dataclasses import dataclass

from harness.client import Client, build


@dataclass
class Sample:
    began: float
    ended: float
    status: int | None
    instance: str | None
    error: str = ""


class Traffic:
    """`rate` requests a second in all over `threads`; a new connection each unless
    `keep_alive`. A failed request is any but a 200."""

    def __init__(self, port: int, *, rate: float = 100, threads: int = 4, keep_alive: bool = False,
                 method: str = "GET", target: str = "/", timeout: float = 10.0):
        self.port, self.keep_alive, self.timeout = port, keep_alive, timeout
        self.method, self._bytes = method, build(method, target)
        self._pause = threads / rate
        self.samples: list[Sample] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i / rate,), daemon=True)
                         for i in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(self.timeout + 5)

    @property
    def failed(self) -> list[Sample]:
        return [sample for sample in list(self.samples) if sample.status != 200]

    def instances(self, since: float = 0.0) -> set[str]:
        return {sample.instance for sample in list(self.samples) if sample.began >= since}

    def _run(self, offset: float) -> None:
        client, due = None, time.monotonic() + offset
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += self._pause
            began, answer, error = time.monotonic(), None, ""
            try:
                client = client or Client(self.port, timeout=self.timeout)
                client.send(self._bytes)
                answer = client.read_response(self.method)
            except Exception as problem:  # any failure is a sample, none ends the traffic
                error = f"{type(problem).__name__}: {problem}"
            self.samples.append(Sample(began, time.monotonic(), answer and answer.status,
                                       answer and answer.instance, error))
            if client and (not self.keep_alive or error or answer.header("connection") == "close"):
                client.close()
                client = None
        if client:
            client.close()
