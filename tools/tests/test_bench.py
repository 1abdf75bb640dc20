"""What ./dev bench makes of results: goals, the record, the document."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOOLS))

import bench  # noqa: E402
import benchlib  # noqa: E402

GOAL = {"id": "cpu", "work": "CPU", "part": "steady", "case": "64", "figure": "cpu_us",
        "of": "haproxy", "at_most": 0.9, "tolerance": 0.05}
PART = {"title": "Steady", "arguments": ["steady"],
        "figures": {"cpu_us": {"title": "CPU, us"}, "p99_us": {"title": "p99", "cases": ["half"]}}}
SPEC = {"parts": {"steady": PART, "micro": {"title": "Micro", "arguments": []}},
        "goals": [GOAL, {"id": "x", "work": "by eye", "by_hand": "see above"}]}
ABOUT = {"date": "2026-01-01", "version": "0.1.0 (abc)", "machine": "M", "command": "lab steady"}


def result(**figures):
    """result(pilotfish=[...], haproxy=[...]): cpu_us of each round."""
    return {"measurements": [
        {"contender": who, "case": "64", "round": i, "figures": {"cpu_us": value}}
        for who, values in figures.items() for i, value in enumerate(values, 1)]}


def recorded(value):
    return {"parts": {}, "goals": {"cpu": {"median": value, "low": value, "high": value,
                                           "rounds": 1}}}


def test_a_ratio_is_of_medians_with_the_spread_of_rounds():
    value = benchlib.measure(GOAL, result(pilotfish=[9, 18, 8], haproxy=[10, 20, 10]))
    assert value == {"median": 0.9, "low": 0.8, "high": 0.9, "rounds": 3}


def test_what_is_added_is_divided_by_what_the_other_adds():
    value = benchlib.measure(dict(GOAL, over="direct"),
                             result(pilotfish=[130], haproxy=[150], direct=[100]))
    assert value["median"] == pytest.approx(0.6)


@pytest.mark.parametrize("figures", [{"pilotfish": [9]}, {"haproxy": [9]},
                                     {"pilotfish": [9], "haproxy": [0]}])
def test_a_goal_without_both_sides_is_not_measured(figures):
    assert benchlib.measure(GOAL, result(**figures)) is None


def test_an_absolute_goal_is_of_pilotfish_alone():
    goal = {"case": "64", "figure": "cpu_us", "divide": 2, "at_most": 4}
    value = benchlib.measure(goal, result(pilotfish=[6, 8, 10], haproxy=[1]))
    assert (value["median"], value["low"], value["high"]) == (4, 3, 5)
    assert benchlib.met(goal, 4) and not benchlib.met(goal, 4.01)


def test_micro_goals_take_the_slowest_that_matches():
    output = {"benchmarks": [
        {"name": f"pick/{n}", "run_name": f"pick/{n}", "run_type": "iteration", "cpu_time": t,
         "time_unit": "us"} for n, t in [("a/3", 1), ("a/3", 3), ("b/3", 9), ("a/100", 50)]]
        + [{"name": "pick/b/3_mean", "run_name": "pick/b/3", "run_type": "aggregate",
            "cpu_time": 1e9, "time_unit": "us"}]}
    times = benchlib.micro_times(output)
    assert times["pick/a/3"] == {"median": 2000, "low": 1000, "high": 3000, "rounds": 2}
    value = benchlib.measure({"benchmarks": "^pick/[a-z]+/3$"}, times)
    assert value["name"] == "pick/b/3" and value["median"] == 9000
    assert benchlib.measure({"benchmarks": "^nothing$"}, times) is None


def test_at_least_is_the_other_way_round():
    goal = {"at_least": 0.6, "tolerance": 0.1}
    assert benchlib.met(goal, 0.6) and not benchlib.met(goal, 0.59)
    assert benchlib.regressed(goal, 1.0, 0.89) and not benchlib.regressed(goal, 1.0, 0.91)


@pytest.mark.parametrize("now, good, words", [
    (0.85, True, "pass"), (0.88, True, "pass"), (0.95, False, "fail, WORSE than recorded")])
def test_check_compares_with_limit_and_record(now, good, words):
    measured = dict(recorded(now), parts={"steady": {}})
    lines, verdict = benchlib.check_lines(SPEC, recorded(0.85), measured)
    assert verdict is good
    assert words in lines[1]
    assert len(lines) == 2  # what is judged by hand is not in it


def test_check_says_where_there_is_no_record_or_no_figure():
    lines, good = benchlib.check_lines(SPEC, {}, dict(recorded(0.85), parts={"steady": {}}))
    assert good and "nothing recorded" in lines[1]
    lines, _ = benchlib.check_lines(SPEC, recorded(1), {"parts": {"steady": {}}, "goals": {}})
    assert "not measured" in lines[1]


def test_the_text_has_goals_tables_and_where_they_come_from():
    run = result(pilotfish=[9, 9, 9], haproxy=[10, 11, 12])
    record = {"parts": {"steady": benchlib.record_part("steady", PART, run, ABOUT)},
              "goals": {"cpu": benchlib.measure(GOAL, run)}}
    text = benchlib.figures_text(SPEC, record)
    assert "| CPU | at most 0.9 | 0.82 | 0.75 to 0.90 | met |" in text
    assert "| by eye | | | | see above |" in text
    assert "2026-01-01, 0.1.0 (abc), M. `lab steady`" in text
    assert "| 64 | pilotfish | haproxy |" in text
    assert "| CPU, us | 9.00 | 11.0 (10.0 to 12.0) |" in text
    assert "p99" not in text  # not of this case


def test_sizes_of_a_micro_benchmark_stand_side_by_side():
    lines = benchlib.micro_text({"pick/a/3": [1, 1, 1], "pick/a/10000": [20, 19, 21],
                                 "counter": [2, 2, 2]})
    assert lines[2] == "| | one size | 3 | 10,000 |"
    assert "| `pick/a` |  | 1.00 | 20.0 |" in lines
    assert "| `counter` | 2.00 |  |  |" in lines


def test_only_what_is_between_the_markers_changes():
    document = f"before\n{benchlib.BEGIN}\nold\n{benchlib.END}\nafter\n"
    once = benchlib.replace_figures(document, "new\n")
    assert once == f"before\n{benchlib.BEGIN}\nnew\n{benchlib.END}\nafter\n"
    assert benchlib.replace_figures(once, "new\n") == once


@pytest.mark.parametrize("document", ["", benchlib.BEGIN, f"{benchlib.END} {benchlib.BEGIN}",
                                      f"{benchlib.BEGIN} {benchlib.END} {benchlib.END}"])
def test_a_document_without_its_markers_is_refused(document):
    with pytest.raises(benchlib.Unfit):
        benchlib.replace_figures(document, "")


def test_parts_that_were_not_measured_keep_their_record():
    record = {"parts": {"steady": 1, "micro": 2, "gone": 3}, "goals": {"cpu": {"median": 1},
                                                                       "gone": {"median": 2}}}
    now = {"parts": {"micro": 5}, "goals": {}}
    assert bench.merge(SPEC, record, now) == {"parts": {"steady": 1, "micro": 5},
                                              "goals": {"cpu": {"median": 1}}}
    # Measured without this goal's contender: an old value would be a lie.
    assert bench.merge(SPEC, record, {"parts": {"steady": 7}, "goals": {}})["goals"] == {}


def test_the_goals_of_this_tree_name_parts_and_have_one_limit():
    spec = json.loads((TOOLS.parent / "bench/goals.json").read_text())
    ids = [goal["id"] for goal in spec["goals"]]
    assert len(ids) == len(set(ids))
    for goal in spec["goals"]:
        if "by_hand" not in goal:
            assert goal["part"] in spec["parts"]
            assert ("at_most" in goal) != ("at_least" in goal)
            assert 0 < goal["tolerance"] < 1
            assert "benchmarks" in goal or {"case", "figure"} <= goal.keys()


@pytest.fixture
def tree(tmp_path):
    """A checkout whose programs write a canned result."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "bench").mkdir()
    (tmp_path / "docs/performance.md").write_text(f"Prose.\n{benchlib.BEGIN}\n{benchlib.END}\n")
    build = tmp_path / "release"
    build.mkdir()
    runs = [{"contender": who, "case": f"{n} connections", "round": r,
             "figures": {"cpu_per_request_us": us * (1 + r / 100), "rate_per_s": 1}}
            for who, us in (("pilotfish", 12), ("haproxy", 15), ("nginx", 16), ("envoy", 30))
            for n in (64, 256) for r in (1, 2, 3)]
    (tmp_path / "canned.json").write_text(json.dumps({"version": "9.9", "measurements": runs}))
    lab = build / "pilotfish-lab"
    lab.write_text("#!/bin/sh\nwhile [ \"$1\" != --out ]; do shift; done\n"
                   f"mkdir -p \"$2\" && cp {tmp_path}/canned.json \"$2/result.json\"\n")
    lab.chmod(0o755)
    return tmp_path


def run_tool(tree, *arguments):
    return subprocess.run([sys.executable, TOOLS / "bench.py", "--root", tree, "--build",
                           tree / "release", *arguments], capture_output=True, text=True)


def test_it_writes_the_record_and_the_document_and_then_checks(tree):
    done = run_tool(tree, "--only", "steady")
    assert done.returncode == 0, done.stderr
    text = (tree / "docs/performance.md").read_text()
    assert text.startswith("Prose.\n")
    assert "CPU per request, 64 kept connections: of HAProxy's | at most 0.9 | 0.80" in text
    before = (tree / "bench/ratios.json").read_text()
    again = run_tool(tree, "--check", "--only", "steady")
    assert again.returncode == 0, again.stdout
    assert "pass" in again.stdout
    worse = (tree / "canned.json").read_text().replace('"pilotfish"', '"x"').replace(
        '"nginx"', '"pilotfish"')
    (tree / "canned.json").write_text(worse)
    third = run_tool(tree, "--check", "--only", "steady")
    assert third.returncode == 1
    assert "WORSE" in third.stdout
    assert (tree / "bench/ratios.json").read_text() == before


def test_a_part_that_fails_is_said_and_the_others_go_on(tree):
    done = run_tool(tree, "--only", "micro,steady")  # there is no pilotfish-micro
    assert done.returncode == 1
    assert "micro could not be measured" in done.stderr
    assert "0.80" in (tree / "docs/performance.md").read_text()


def test_an_unknown_part_is_refused(tree):
    done = run_tool(tree, "--only", "steady,speed")
    assert done.returncode == 2
    assert "speed" in done.stderr and "steady" in done.stderr


def test_a_pause_that_a_benchmark_measured_itself_is_held_against_its_goal():
    runs = [{"name": "pause/aside/10000/iterations:20", "cpu_time": 9, "time_unit": "ms",
             "first_us": 200, "longest_us": longest} for longest in (120.0, 80.0, 100.0)]
    times = benchlib.micro_times({"benchmarks": runs})
    goal = {"benchmarks": "^pause/aside/longest/10000$", "divide": 1000, "at_most": 1000}
    value = benchlib.measure(goal, times)
    assert (value["median"], value["low"], value["high"]) == (100, 80, 120)
    rows = benchlib.micro_text({name: [time["median"]] for name, time in times.items()})
    assert not any("iterations" in row for row in rows)
    assert any(row.startswith("| `pause/aside/first`") for row in rows)
