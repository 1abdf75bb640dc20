"""What ./dev bench knows of results: goals, the record, the text of docs/performance.md.

Decides and formats; runs and reads nothing, so that tools/tests can hold it to examples.
"""

from __future__ import annotations

import re
import statistics

BEGIN = "<!-- figures: written by ./dev bench, do not edit -->"
END = "<!-- figures: end -->"


class Unfit(Exception):
    """A result, a record or a document that cannot be used; the text says why."""


def spread(values: list[float]) -> dict:
    return {"median": statistics.median(values), "low": min(values), "high": max(values),
            "rounds": len(values)}


def rounds_of(result: dict, contender: str, case: str, figure: str) -> dict[int, float]:
    """One value per round that has it."""
    return {m["round"]: m["figures"][figure] for m in result.get("measurements", [])
            if m["contender"] == contender and m.get("case", "") == case
            and figure in m.get("figures", {})}


def micro_times(output: dict) -> dict[str, dict]:
    """Nanoseconds of CPU by benchmark, from Google Benchmark's JSON with repetitions; the pauses
    that a benchmark measured itself stand beside them."""
    scale = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    times: dict[str, list[float]] = {}
    for run in output.get("benchmarks", []):
        if run.get("run_type") != "aggregate" and not run.get("error_occurred"):
            name = run.get("run_name", run["name"])
            times.setdefault(name, []).append(run["cpu_time"] * scale[run["time_unit"]])
            # What a benchmark measured itself, in microseconds: pause_one_left/.../longest.
            for key in ("first_us", "longest_us"):
                if key in run:
                    stem = name.split("/iterations:")[0].rpartition("/")
                    times.setdefault(f"{stem[0]}/{key[:-3]}/{stem[2]}", []).append(run[key] * 1e3)
    return {name: spread(values) for name, values in times.items()}


def measure(goal: dict, result: dict) -> dict | None:
    """What a part's result says of a goal; None where it says nothing."""
    if "benchmarks" in goal:
        matching = [(t["median"], name) for name, t in result.items()
                    if re.search(goal["benchmarks"], name)]
        if not matching:
            return None
        slowest = max(matching)[1]
        found = result[slowest]
        scaled = {key: found[key] / goal.get("divide", 1) for key in ("median", "low", "high")}
        return dict(found, **scaled, name=slowest)
    case, figure = goal["case"], goal["figure"]
    ours = rounds_of(result, "pilotfish", case, figure)
    if not ours:
        return None
    if "of" not in goal:
        return spread([v / goal.get("divide", 1) for v in ours.values()])
    theirs = rounds_of(result, goal["of"], case, figure)
    base = rounds_of(result, goal["over"], case, figure) if "over" in goal else {}
    if not theirs or ("over" in goal and not base):
        return None
    floor = statistics.median(base.values()) if base else 0
    below = statistics.median(theirs.values()) - floor
    if below <= 0:
        return None
    ratio = (statistics.median(ours.values()) - floor) / below
    pairs = [(ours[r] - base.get(r, 0)) / (theirs[r] - base.get(r, 0))
             for r in ours.keys() & theirs.keys() if theirs[r] > base.get(r, 0)]
    return {"median": ratio, "low": min([ratio, *pairs]), "high": max([ratio, *pairs]),
            "rounds": len(pairs)}


def met(goal: dict, value: float) -> bool:
    return value <= goal["at_most"] if "at_most" in goal else value >= goal["at_least"]


def regressed(goal: dict, recorded: float, now: float) -> bool:
    """Worse than recorded by more than the goal's tolerance (relative)."""
    if "at_most" in goal:
        return now > recorded * (1 + goal["tolerance"])
    return now < recorded * (1 - goal["tolerance"])


def number(value: float) -> str:
    if value == 0 or abs(value) >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def limit(goal: dict) -> str:
    return f"at most {goal['at_most']:g}" if "at_most" in goal else f"at least {goal['at_least']:g}"


def tables(part: dict, result: dict) -> dict:
    """case -> figure -> contender -> [median, low, high]: what docs/performance.md shows."""
    cases: dict = {}
    for m in result.get("measurements", []):
        case = m.get("case", "")
        for figure, about in part["figures"].items():
            if figure not in m["figures"] or case not in about.get("cases", [case]):
                continue
            values = rounds_of(result, m["contender"], case, figure).values()
            s = spread([v / about.get("divide", 1) for v in values])
            row = cases.setdefault(case, {}).setdefault(figure, {})
            row[m["contender"]] = [float(f"{s[k]:.4g}") for k in ("median", "low", "high")]
    return cases


def record_part(name: str, part: dict, result: dict, about: dict) -> dict:
    """What is kept of a part: who, where, when, and the figures."""
    kept = dict(about)
    if name == "micro":
        kept["times"] = {n: [float(f"{t[k]:.4g}") for k in ("median", "low", "high")]
                         for n, t in result.items()}
    else:
        kept["tables"] = tables(part, result)
    return kept


def cell(values: list[float]) -> str:
    median, low, high = (number(v) for v in values)
    return median if low == high else f"{median} ({low} to {high})"


def part_text(name: str, part: dict, kept: dict) -> list[str]:
    lines = ["", f"### {part['title']}", "", f"{kept['date']}, {kept['version']}, "
             f"{kept['machine']}. `{kept['command']}`", ""]
    if name == "micro":
        return lines + micro_text(kept["times"])
    for case, figures in kept["tables"].items():
        who = list(dict.fromkeys(c for row in figures.values() for c in row))
        lines += [f"| {case or 'median (low to high)'} | " + " | ".join(who) + " |",
                  "| --- |" + " ---: |" * len(who)]
        for figure in part["figures"]:
            if row := figures.get(figure):
                cells = (cell(row[c]) if c in row else "" for c in who)
                lines.append(f"| {part['figures'][figure]['title']} | " + " | ".join(cells) + " |")
        lines.append("")
    return lines[:-1]


def micro_text(times: dict) -> list[str]:
    """Sizes side by side: pick/ring_hash/3, /100 and /10000 are one line."""
    rows: dict[str, dict[str, list[float]]] = {}
    for name, values in times.items():
        if "/iterations:" in name:
            continue  # the time of a whole run of it says nothing
        stem, _, last = name.rpartition("/")
        rows.setdefault(stem if last.isdigit() and stem else name, {})[
            last if last.isdigit() and stem else ""] = values
    sizes = sorted({s for row in rows.values() for s in row if s}, key=int)
    lines = ["Nanoseconds of CPU, medians.", "",
             "| | one size | " + " | ".join(f"{int(s):,}" for s in sizes) + " |",
             "| --- |" + " ---: |" * (len(sizes) + 1)]
    for name, row in sorted(rows.items()):
        cells = (number(row[s][0]) if s in row else "" for s in ["", *sizes])
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return lines


def goals_text(goals: list[dict], record: dict) -> list[str]:
    lines = ["| work | goal | measured | low to high | |", "| --- | --- | ---: | ---: | --- |"]
    for goal in goals:
        if "by_hand" in goal:
            lines.append(f"| {goal['work']} | | | | {goal['by_hand']} |")
            continue
        value = record.get("goals", {}).get(goal["id"])
        if value is None:
            lines.append(f"| {goal['work']} | {limit(goal)} | | | not measured |")
            continue
        verdict = "met" if met(goal, value["median"]) else "**not met**"
        name = f" (`{value['name']}`)" if "name" in value else ""
        lines.append(f"| {goal['work']}{name} | {limit(goal)} | {number(value['median'])} | "
                     f"{number(value['low'])} to {number(value['high'])} | {verdict} |")
    return lines


def figures_text(spec: dict, record: dict) -> str:
    lines = ["", *goals_text(spec["goals"], record)]
    for name, part in spec["parts"].items():
        if kept := record.get("parts", {}).get(name):
            lines += part_text(name, part, kept)
    return "\n".join(lines) + "\n\n"


def replace_figures(document: str, text: str) -> str:
    """The document with `text` between the markers."""
    if document.count(BEGIN) != 1 or document.count(END) != 1:
        raise Unfit(f"needs the lines\n{BEGIN}\n{END}\nonce each, in this order")
    before, rest = document.split(BEGIN)
    if END not in rest:
        raise Unfit(f"has its end marker before its beginning: {END}")
    return before + BEGIN + "\n" + text + END + rest.split(END)[1]


def check_lines(spec: dict, record: dict, now: dict) -> tuple[list[str], bool]:
    """Each goal against its limit and against the record; False where something got worse."""
    width = max(len(goal["work"]) for goal in spec["goals"])
    lines = [f"{'GOAL'.ljust(width)}  {'LIMIT':14} {'RECORDED':>8} {'NOW':>8}"]
    good = True
    for goal in spec["goals"]:
        if "by_hand" in goal or goal["part"] not in now["parts"]:
            continue
        value, before = now["goals"].get(goal["id"]), record.get("goals", {}).get(goal["id"])
        shown = "" if before is None else number(before["median"])
        if value is None:
            lines.append(f"{goal['work'].ljust(width)}  {limit(goal):14} {shown:>8} {'-':>8}  "
                         "not measured")
            continue
        words = ["pass" if met(goal, value["median"]) else "fail"]
        if before is None:
            words.append("nothing recorded")
        elif regressed(goal, before["median"], value["median"]):
            words.append(f"WORSE than recorded by more than {goal['tolerance']:.0%}")
            good = False
        lines.append(f"{goal['work'].ljust(width)}  {limit(goal):14} {shown:>8} "
                     f"{number(value['median']):>8}  {', '.join(words)}")
    return lines, good
