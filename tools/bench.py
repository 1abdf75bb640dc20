#!/usr/bin/env python3
"""./dev bench: runs the micro benchmarks and the speed scenarios and writes down what came out.

Without arguments it rewrites bench/ratios.json and the figures in docs/performance.md; with
--check it measures again, compares with the record and changes nothing. What is run and what the
goals are is in bench/goals.json.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import benchlib

ROOT = Path(__file__).resolve().parent.parent


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def commit(root: Path) -> str:
    try:
        return subprocess.run(["git", "-C", root, "rev-parse", "--short=12", "HEAD"], check=True,
                              capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def run_micro(build: Path, arguments: list[str], folder: Path) -> tuple[dict, str]:
    out = folder / "micro.json"
    command = [build / "pilotfish-micro", *arguments, f"--benchmark_out={out}",
               "--benchmark_out_format=json"]
    with (folder / "micro.log").open("w") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log)
    return benchlib.micro_times(json.loads(out.read_text())), ""


def run_scenario(build: Path, arguments: list[str], folder: Path) -> tuple[dict, str]:
    out = folder / arguments[0]
    environment = dict(os.environ, PILOTFISH_BIN=str(build / "pilotfish"))
    subprocess.run([build / "pilotfish-lab", "bench", *arguments, "--out", out], check=True,
                   env=environment, stdout=sys.stderr)
    result = json.loads((out / "result.json").read_text())
    return result, result.get("version", "")


def run_part(name: str, part: dict, build: Path, folder: Path) -> tuple[dict, dict]:
    """The result, and what is said about where it comes from."""
    load = os.getloadavg()[0]
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    runner = run_micro if name == "micro" else run_scenario
    result, version = runner(build, part["arguments"], folder)
    program = "pilotfish-micro" if name == "micro" else "pilotfish-lab bench"
    machine = (f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
               f"load {load:.1f} before")
    return result, {"date": date, "version": version or f"commit {commit(ROOT)}",
                    "machine": machine, "command": " ".join([program, *part["arguments"]])}


def measure_all(spec: dict, names: list[str], build: Path, folder: Path) -> tuple[dict, list[str]]:
    now: dict = {"parts": {}, "goals": {}}
    broken = []
    for name in names:
        print(f"bench: {name}", file=sys.stderr)
        try:
            result, about = run_part(name, spec["parts"][name], build, folder)
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            print(f"bench: {name} could not be measured: {error}", file=sys.stderr)
            broken.append(name)
            continue
        now["parts"][name] = benchlib.record_part(name, spec["parts"][name], result, about)
        for goal in spec["goals"]:
            if goal.get("part") == name:
                if (value := benchlib.measure(goal, result)) is not None:
                    now["goals"][goal["id"]] = value
    return now, broken


def merge(spec: dict, record: dict, now: dict) -> dict:
    """The record, with all of what was measured now in place of what was there."""
    goals = {goal["id"]: goal.get("part") for goal in spec["goals"]}
    kept = {i: v for i, v in record.get("goals", {}).items()
            if i in goals and goals[i] not in now["parts"]}
    return {"parts": {n: now["parts"].get(n) or record["parts"][n] for n in spec["parts"]
                      if n in now["parts"] or n in record.get("parts", {})},
            "goals": {i: (now["goals"].get(i) or kept.get(i)) for i in goals
                      if i in now["goals"] or i in kept}}


def parse(arguments: list[str], parts: list[str]) -> argparse.Namespace:
    p = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    p.add_argument("--check", action="store_true",
                   help="compare with the record instead of replacing it; 1 where something is "
                        "worse by more than its tolerance")
    p.add_argument("--only", type=lambda text: text.split(","), default=parts, metavar="PART,...",
                   help="parts to measure, the others keep their record: " + ", ".join(parts))
    p.add_argument("--render", action="store_true",
                   help="measure nothing, write docs/performance.md from the record")
    p.add_argument("--build", type=Path, default=ROOT / "build/release")
    p.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    options = p.parse_args(arguments)
    if unknown := [name for name in options.only if name not in parts]:
        p.error(f"--only {','.join(unknown)}: the parts are {', '.join(parts)}")
    return options


def main(arguments: list[str]) -> int:
    spec = json.loads((ROOT / "bench/goals.json").read_text())
    options = parse(arguments, list(spec["parts"]))
    ratios = options.root / "bench/ratios.json"
    document = options.root / "docs/performance.md"
    record = json.loads(ratios.read_text()) if ratios.is_file() else {"parts": {}, "goals": {}}
    folder = options.root / "build/bench"
    folder.mkdir(parents=True, exist_ok=True)
    now, broken = ({"parts": {}, "goals": {}}, []) if options.render else \
        measure_all(spec, options.only, options.build, folder)
    if options.check:
        lines, good = benchlib.check_lines(spec, record, now)
        print("\n".join(lines))
        return 0 if good and not broken else 1
    merged = merge(spec, record, now)
    try:
        text = benchlib.replace_figures(document.read_text(), benchlib.figures_text(spec, merged))
    except benchlib.Unfit as error:
        print(f"{document}: {error}", file=sys.stderr)
        return 1
    ratios.write_text(json.dumps(merged, indent=1) + "\n")
    document.write_text(text)
    print("\n".join(benchlib.goals_text(spec["goals"], merged)))
    print(f"written: {ratios.relative_to(options.root)}, {document.relative_to(options.root)}; "
          f"reports in {folder.relative_to(options.root)}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
