"""Constant change, one deed after the other, so that what must hold is known at each moment: the
steady instance serves, at most one listed instance is dead, and a tier that is listed as healthy
has a live one."""

import random
import threading
import time
import traceback

from fleet import Fleet, Instance


class Churn:
    def __init__(self, fleet: Fleet, seed: int, *, agent_every: float, outage_every: float):
        self._fleet, self._random = fleet, random.Random(seed)
        self._agent_every, self._outage_every = agent_every, outage_every
        self.deeds = 0
        self.restarts = 0
        self.problems: list[str] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(120)

    def _run(self) -> None:
        agent_at = time.monotonic() + self._agent_every
        outage_at = time.monotonic() + self._outage_every
        while not self._stop.wait(self._random.uniform(0.2, 0.5)):
            try:
                if time.monotonic() > agent_at:
                    self._fleet.restart_consul()
                    self.restarts += 1
                    agent_at = time.monotonic() + self._agent_every
                elif time.monotonic() > outage_at:
                    self._version_outage()
                    outage_at = time.monotonic() + self._outage_every
                else:
                    self._deed()
                self.deeds += 1
            except Exception as problem:  # the soak goes on; the summary tells it
                self.problems.append("".join(traceback.format_exception(problem)))
                self._fleet.say(f"churn: {problem}")

    def _others_serve(self, chosen: Instance) -> bool:
        return any(one is not chosen and one.version == chosen.version and one.listed
                   and one.passing and one.alive() for one in self._fleet.instances)

    def _deed(self) -> None:
        fleet = self._fleet
        one = self._random.choice([one for one in fleet.instances if not one.steady])
        if not one.alive():
            fleet.start(one)
        if not one.listed:
            one.passing = True
            return fleet.list(one)
        if not one.passing:
            return fleet.turn(one, True)
        if not self._others_serve(one):
            return None
        deed = self._random.choice(["fail", "fail", "unlist", "unlist", "leave", "kill", "freeze"])
        if deed == "fail":
            return fleet.turn(one, False)
        if deed == "unlist":
            return fleet.unlist(one)
        if deed == "leave":  # a polite stop: withdrawn, later gone
            fleet.unlist(one)
            self._stop.wait(1.5)
            return fleet.kill(one)
        if deed == "freeze":
            return fleet.freeze(one, self._random.uniform(0.2, 1.5))
        fleet.kill(one)  # dead and listed until its check notices, or it is back at once
        self._stop.wait(self._random.uniform(0.1, 2.0))
        if self._random.random() < 0.5:
            fleet.turn(one, False)
        fleet.start(one)
        return None

    def _version_outage(self) -> None:
        """Every v4 turns critical, for less or more than the holding times, and comes back."""
        new = [one for one in self._fleet.instances if one.version == "v4" and one.listed]
        for one in new:
            self._fleet.turn(one, False)
        self._stop.wait(self._random.uniform(1, 8))
        for one in new:
            if one.alive():
                self._fleet.turn(one, True)
