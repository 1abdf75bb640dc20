#!/usr/bin/env python3
"""A long run of mixed traffic under constant churn on the real Consul. Nothing may fail that could
have been saved, and what the sidecar holds must not grow. `./dev soak` builds what this needs."""

import argparse
import csv
import re
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from churn import Churn  # noqa: E402
from fleet import Fleet  # noqa: E402
from load import Load, Ports  # noqa: E402

from harness import Pilotfish, free_port, is_sanitized, wait_for  # noqa: E402
from harness.process import SANITIZER_REPORT  # noqa: E402

UNITS = {"s": 1, "m": 60, "h": 3600}
# What an invalid file on reload and an agent that is away may say at level error.
EXPECTED_ERRORS = re.compile(r"\.yaml:\d+:\d+: |configuration is invalid|not (de)?registered")


def seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smh]?)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r}: say 90s, 30m or 1h")
    return int(match[1]) * UNITS[match[2] or "s"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--for", dest="length", type=seconds, default=1800.0, metavar="30m")
    parser.add_argument("--rate", type=float, default=60, help="exchanges a second in all (60)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="for logs and the CSV (default: a new one)")
    parser.add_argument("--agent-every", type=float, default=180, help="s between agent restarts")
    parser.add_argument("--outage-every", type=float, default=45, help="s between outages of v4")
    parser.add_argument("--no-reload", action="store_true", help="no SIGHUP every 5 s")
    parser.add_argument("--no-watch", action="store_true", help="no upstream with fresh: watch")
    return parser.parse_args()


class Soak:
    def __init__(self, args: argparse.Namespace, folder: Path):
        self.args, self.folder = args, folder
        self.fleet = Fleet(folder, args.seed)
        self.ports = Ports(free_port(), free_port())
        self.began = time.monotonic()
        self.samples: list[tuple] = []
        self.reloads = self.scrapes = 0
        self.problems: list[str] = []
        self.counters: dict[str, dict[str, int]] = {}
        self._extra_port = free_port()
        quarantine = "exitcode=99:detect_leaks=1:detect_stack_use_after_return=0:quarantine_size_mb=16"
        self.sidecar = Pilotfish(self.config(), folder, env={"ASAN_OPTIONS": quarantine}, limit=60)

    def config(self, variant: str = "same") -> str:
        """`same`, `tuned` (options of an upstream differ), `extra` (one upstream more) or
        `invalid`."""
        attempts = 3 if variant == "tuned" else 2
        fresh = "connection" if self.args.no_watch else "watch"
        text = f"""\
workers: 2
log: {{level: info}}
{self.fleet.consul.config}
upstreams:
  web:
    listen: 127.0.0.1:{self.ports.http}
    consul: web
    prefer: [v4, v3]
    request_timeout: 20s
    retry: {{attempts: {attempts}}}
    fallback: {{fail_back_after: 3s}}
  relay:
    listen: 127.0.0.1:{self.ports.tcp}
    protocol: tcp
    consul: relay
    fresh: {fresh}
"""
        if variant == "extra":
            text += f"""\
  extra:
    listen: 127.0.0.1:{self._extra_port}
    consul: web
    required: false
"""
        if variant == "invalid":
            text += "    no_such_key: 1\n"
        return text

    # --- beside the traffic

    def reload_now(self) -> None:
        variant = ("same", "invalid", "tuned", "extra", "invalid")[self.reloads % 5]
        self.sidecar.write(self.config(variant))
        self.fleet.say(f"reload ({variant})")
        self.sidecar.process.signal(signal.SIGHUP)
        self.reloads += 1

    def scrape(self) -> None:
        for path in ("/metrics", "/upstreams", "/ready", "/health", "/config"):
            status, _ = self.sidecar.admin(path)
            if status != 200:
                self.problems.append(f"{path}: {status} at {self.elapsed():.0f} s")
        self.scrapes += 1

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def sample(self, load: Load, writer) -> None:
        process = self.sidecar.process
        threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
        row = (round(self.elapsed()), process.rss_bytes() // 1024, process.descriptors(), threads,
               sum(load.requests.values()), sum(load.lost.values()), sum(load.excused.values()),
               round(process.cpu_seconds(), 1))
        self.samples.append(row)
        writer.writerow(row)

    def run(self) -> tuple[Load, Churn]:
        args = self.args
        with (open(self.folder / "samples.csv", "w", buffering=1) as sink,
              # Ends last: the kernel kills what the churn's thread started along with it.
              Churn(self.fleet, args.seed, agent_every=args.agent_every,
                    outage_every=args.outage_every) as churn,
              Load(self.ports, self.fleet, rate=args.rate, seed=args.seed) as load):
            writer = csv.writer(sink)
            writer.writerow(("seconds", "rss_kib", "descriptors", "threads", "requests", "lost",
                             "excused", "cpu_seconds"))
            self.began = time.monotonic()
            tick = threading.Event()
            for step in range(1, int(args.length) // 5 + 1):
                tick.wait(max(0.0, self.began + 5 * step - time.monotonic()))
                if not self.sidecar.process.running():
                    self.problems.append("the sidecar is gone")
                    break
                self.scrape()
                if not args.no_reload:
                    self.reload_now()
                if step % 2 == 0:
                    self.sample(load, writer)
                    self.progress(load, churn)
        return load, churn

    def progress(self, load: Load, churn: Churn) -> None:
        at, rss, descriptors, threads, requests, lost, excused, cpu = self.samples[-1]
        print(f"{at:5} s  {requests} requests, {lost} lost, {excused} excused; {churn.deeds} changes; "
              f"rss {rss} KiB, {descriptors} descriptors, {threads} threads, cpu {cpu} s", flush=True)

    # --- the end

    def quiesce(self) -> None:
        """Without traffic nothing may stay counted as running."""
        if not self.sidecar.process.running():
            return
        self.counters = {name: self.tally(f"pilotfish_{name}", label) for name, label in (
            ("config_reloads_total", "result"), ("upstream_retries_total", "reason"),
            ("upstream_tier_changes_total", "reason"), ("lookup_total", "result"))}
        names = ("pilotfish_upstream_active", "pilotfish_downstream_connections")
        for name in names:
            try:
                wait_for(lambda name=name: self.sidecar.metric(name) == 0, 30, name)
            except AssertionError as problem:
                self.problems.append(f"after the traffic: {problem}")
        time.sleep(6)  # pool_idle and a sweep

    def tally(self, metric: str, label: str) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, labels, value in self.sidecar.metrics():
            if name == metric and value:
                found[labels[label]] = found.get(labels[label], 0) + int(value)
        return found

    def close(self) -> None:
        try:
            if self.sidecar.process.running():
                self.sidecar.stop(limit=60)
        except AssertionError as problem:
            self.problems.append(str(problem))
        finally:
            self.sidecar.process.kill()
            self.fleet.close()


def growth(samples: list[tuple], column: int) -> tuple:
    """At minute 5 (or a third, in a shorter run) and at the end: medians of a minute."""
    def median(rows: list) -> int:
        ordered = sorted(row[column] for row in rows)
        return ordered[len(ordered) // 2] if ordered else 0
    last = samples[-1][0] if samples else 0
    start = min(300, last // 3)
    return (median([row for row in samples if start - 30 <= row[0] <= start + 30]),
            median([row for row in samples if row[0] > last - 60]))


def report(soak: Soak, load: Load, churn: Churn) -> bool:
    log = soak.sidecar.process.log()
    errors = [line for line in log.splitlines()
              if re.match(r"\S+ (error|critical) ", line) and not EXPECTED_ERRORS.search(line)]
    sanitizer = SANITIZER_REPORT.findall(log)
    rss, descriptors = growth(soak.samples, 1), growth(soak.samples, 2)
    grown = rss[1] > rss[0] * 1.10 + 4096 or descriptors[1] > descriptors[0] * 1.3 + 40
    print(f"\n{sum(load.requests.values())} requests in {soak.elapsed():.0f} s: "
          + ", ".join(f"{n} {name}" for name, n in sorted(load.requests.items())))
    print(f"{sum(load.lost.values())} lost {dict(load.lost) or ''}")
    print(f"{sum(load.excused.values())} excused (not repeatable, their instance was broken): "
          f"{dict(load.excused)}")
    print(f"{churn.deeds} changes, {churn.restarts} agent restarts, {soak.reloads} reloads, "
          f"{soak.scrapes} scrapes; slowest kept or new request {load.slowest:.2f} s")
    for name, values in soak.counters.items():
        print(f"{name}: " + ", ".join(f"{value} {label}" for label, value in values.items()))
    print(f"rss {rss[0]} KiB at minute 5, {rss[1]} KiB at the end; "
          f"descriptors {descriptors[0]}, {descriptors[1]}{'  GROWN' if grown else ''}")
    print(f"{len(sanitizer)} sanitizer reports, {len(errors)} unexpected error lines")
    for line in errors[:20] + soak.problems + churn.problems:
        print(f"  {line}")
    print(f"logs: {soak.folder}")
    wrong = load.lost or sanitizer or errors or soak.problems or churn.problems
    # Under ASan what is freed is not given back: growth is judged in the release build alone.
    return not wrong and not (grown and not is_sanitized())


def main() -> int:
    args = arguments()
    folder = args.folder or Path(tempfile.mkdtemp(prefix="pilotfish-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    soak = Soak(args, folder)
    print(f"{soak.sidecar.process.argv[0]}, seed {args.seed}, {args.length:.0f} s at "
          f"{args.rate:g}/s; logs: {folder}", flush=True)
    try:
        load, churn = soak.run()
        soak.quiesce()
    finally:
        soak.close()
    return 0 if report(soak, load, churn) else 1


if __name__ == "__main__":
    sys.exit(main())
