"""pilotfish-lab bench: short runs of each kind; that they end well and write what they promise."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from harness import UNAVAILABLE, USAGE, wait_for
from harness.parts import ROOT, clean_environment, pilotfish_binary
from harness.process import SANITIZER_REPORT, Process

LIMIT = 240  # the machine may be busy, and sanitizers are slow


def lab_binary() -> str:
    return os.environ.get("PILOTFISH_LAB") or str(Path(pilotfish_binary()).with_name("pilotfish-lab"))


def lab_environment(extra: dict | None = None) -> dict:
    return clean_environment({"PILOTFISH_BIN": pilotfish_binary()} | (extra or {}))


def bench(*words, env: dict | None = None, cwd=None) -> subprocess.CompletedProcess:
    done = subprocess.run([lab_binary(), "bench", *map(str, words)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=LIMIT, cwd=cwd,
                          env=lab_environment(env))
    assert not SANITIZER_REPORT.search(done.stderr), done.stderr
    return done


def measure(folder: Path, *words, env: dict | None = None) -> dict:
    done = bench(*words, "--out", folder, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((folder / "result.json").read_text())
    assert result["machine"]["cores"] >= 1 and result["seed"] == 1 and result["options"]
    failed = [one for one in result["measurements"] if one["figures"]["failed"] != 0]
    assert not failed, f"{failed}\n{result['notes']}"
    return result


def figures(result: dict, contender: str, case: str | None = None) -> dict:
    [found] = [one["figures"] for one in result["measurements"]
               if one["contender"] == contender and case in (None, one["case"])]
    return found


def test_steady_compares_cpu_and_latency(tmp_path):
    result = measure(tmp_path, "steady", "--against", "haproxy,direct", "--duration", "300ms",
                     "--rounds", "1", "--connections", "8")
    assert [one["name"] for one in result["contenders"]] == ["pilotfish", "haproxy", "direct"]
    for name in ("pilotfish", "haproxy"):
        loaded = figures(result, name, "8 connections")
        assert loaded["rate_per_s"] > 0 and loaded["cpu_per_request_us"] >= 0
        calm = figures(result, name, "half of saturation")
        assert 0 < calm["p50_us"] <= calm["p99_us"] <= calm["p999_us"]
    assert "cpu_per_request_us" not in figures(result, "direct", "8 connections")
    pilotfish, haproxy, _ = result["contenders"]
    assert "consul: bench" in pilotfish["configuration"]
    assert "2.6" in haproxy["version"] and "balance leastconn" in haproxy["configuration"]


@pytest.mark.parametrize("words, wanted", [
    (["connections", "--against", "haproxy"], "connections_per_s"),
    (["tcp", "--against", "haproxy,direct"], None),
    (["bodies", "--against", "nginx"], "throughput_bytes_per_s"),
    (["steady", "--rate", "200", "--against", "none"], "p99_us"),
], ids=lambda value: value[0] if isinstance(value, list) else "")
def test_each_scenario_of_speed_measures(words, wanted, tmp_path):
    result = measure(tmp_path, *words, "--duration", "300ms", "--rounds", "1")
    assert result["measurements"]
    for one in result["measurements"]:
        assert one["figures"].get(wanted or "failed") is not None, one


def test_idle_measures_memory(tmp_path):
    result = measure(tmp_path, "idle", "--against", "haproxy", "--rounds", "1",
                     "--connections", "200")
    for name in ("pilotfish", "haproxy"):
        assert figures(result, name)["rss_bytes"] > 0
        assert figures(result, name)["memory_per_connection_bytes"] >= 0


def test_the_documented_example_of_another_contender_takes_part(tmp_path):
    page = (ROOT / "docs/benchmarks.md").read_text()
    example = re.search(r"```yaml\n(# plain_nginx\.yaml\n.*?)```", page, re.DOTALL)[1]
    file = tmp_path / "plain_nginx.yaml"
    file.write_text(example)
    result = measure(tmp_path / "out", "steady", "--against", file, "--rate", "100",
                     "--duration", "300ms", "--rounds", "1")
    assert figures(result, "plain-nginx")["p50_us"] > 0
    assert "nginx" in result["contenders"][1]["version"]


def test_what_is_missing_is_an_error_where_it_was_named(tmp_path):
    gone = {"PILOTFISH_HAPROXY": "/nowhere/haproxy"}
    done = bench("steady", "--against", "haproxy", "--out", tmp_path, env=gone)
    assert done.returncode == UNAVAILABLE
    assert "haproxy: the program haproxy is not there: apt-get install haproxy" in done.stderr


def test_a_contender_that_was_not_named_may_be_missing_with_a_note(tmp_path):
    gone = {"PILOTFISH_HAPROXY": "/nowhere/haproxy", "PILOTFISH_ENVOY": "/nowhere/envoy"}
    result = measure(tmp_path, "connections", "--duration", "200ms", "--rounds", "1", env=gone)
    assert [one["name"] for one in result["contenders"]] == ["pilotfish", "nginx", "direct"]
    assert any("took no part: haproxy" in note for note in result["notes"])


@pytest.mark.parametrize("words, says", [
    (["dance"], 'no scenario "dance"'),
    (["steady", "twice"], "one scenario"),
    (["steady", "--against", "traefik"], 'no contender "traefik"'),
    (["steady", "--against", "./nowhere.yaml"], "./nowhere.yaml: cannot be read"),
    (["steady", "--duration", "soon"], '"soon" is not a duration'),
    (["steady", "--fresh", "watch"], "--registry consul"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_usage_says_what_is_wrong(words, says, tmp_path):
    done = bench(*words, cwd=tmp_path)
    assert done.returncode == USAGE
    assert says in done.stderr
    assert not list(tmp_path.iterdir())


def test_list_explains_every_scenario():
    done = bench("list")
    assert done.returncode == 0
    for name in ("steady", "connections", "tcp", "bodies", "idle"):
        assert f"\n{name}: " in "\n" + done.stdout


def test_an_interrupted_run_reports_what_it_has(tmp_path):
    run = Process([lab_binary(), "bench", "steady", "--against", "haproxy", "--duration", "300ms",
                   "--rounds", "500", "--connections", "4", "--out", tmp_path / "out"],
                  tmp_path / "log", env=lab_environment())
    try:
        wait_for(lambda: "round 2/500" in (tmp_path / "log").read_text(), LIMIT)
        run.popen.send_signal(signal.SIGINT)
        assert run.popen.wait(60) == 1
    finally:
        run.stop()
    result = json.loads((tmp_path / "out/result.json").read_text())
    assert result["measurements"]
    assert any("interrupted" in note for note in result["notes"])
