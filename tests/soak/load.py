"""Mixed traffic at a modest constant rate, every failure kept with what happened around it."""

import collections
import random
import threading
import time
from dataclasses import dataclass

from fleet import Fleet
from kinds import KINDS, OUTCOMES, Kept


@dataclass
class Ports:
    http: int
    tcp: int


class Load:
    """`rate` exchanges a second in all. `lost`: failures that must not be; `excused`: exchanges
    that cannot be repeated and met an instance broken on purpose."""

    def __init__(self, ports: Ports, fleet: Fleet, *, rate: float, seed: int, threads: int = 20):
        self._ports, self._fleet, self._pause = ports, fleet, threads / rate
        self.requests: collections.Counter = collections.Counter()
        self.excused: collections.Counter = collections.Counter()
        self.lost: collections.Counter = collections.Counter()
        self.slowest = 0.0  # seconds, among the kept GETs and the new connections
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._sink = open(fleet.folder / "failures.log", "w")  # noqa: SIM115
        self._threads = [threading.Thread(target=self._run, daemon=True,
                                          args=(random.Random(seed * 1000 + i), i / rate))
                         for i in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        self._sink.close()

    def _run(self, chance: random.Random, offset: float) -> None:
        kept = Kept(self._ports.http)
        names, weights = list(KINDS), [weight for weight, _, _ in KINDS.values()]
        due = time.monotonic() + offset
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + self._pause, time.monotonic() - 1)
            self._once(chance.choices(names, weights)[0], chance, kept)
        kept.drop()

    def _once(self, name: str, chance: random.Random, kept: Kept) -> None:
        _, kind, safe = KINDS[name]
        began = time.monotonic()
        try:
            made = kind(self._ports, chance, kept)
            with self._lock:
                self.requests[name] += made
                if name in ("kept", "new"):
                    self.slowest = max(self.slowest, time.monotonic() - began)
        except OUTCOMES as problem:
            kept.drop()
            self._failed(name, safe, began, problem)

    def _failed(self, name: str, safe: bool, began: float, problem: Exception) -> None:
        ended = time.monotonic()
        if name == "aborted":
            return
        excused = not safe and self._fleet.broke(began, ended)
        cause = f"{name}: {type(problem).__name__}"
        time.sleep(1)  # what followed belongs to the story
        around = "; ".join(self._fleet.recent(began, ended))
        with self._lock:
            self.requests[name] += 1
            (self.excused if excused else self.lost)[cause] += 1
            self._sink.write(f"{'excused' if excused else 'LOST'} {time.strftime('%H:%M:%S')} "
                             f"after {ended - began:.3f} s {name}: {problem!r}\n    {around}\n")
            self._sink.flush()
