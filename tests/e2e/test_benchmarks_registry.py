"""pilotfish-lab bench, the scenarios around a changing registry: short runs whose result.json must say
what is true of the product: nothing failed, everybody got traffic. Timings decide nothing."""

import pytest

from harness import UNAVAILABLE, USAGE
from test_benchmarks import bench, figures, measure

SHORT = ("--rounds", "1", "--duration", "2s", "--against", "none")


def timeline(result: dict, contender: str = "pilotfish", case: str = "") -> dict:
    [found] = [one for one in result["timelines"]
               if one["contender"] == contender and one["case"] == case]
    lengths = {len(counts) for counts in found["requests"].values()}
    assert len(lengths) == 1, "all of one length"
    return found


def events(found: dict) -> list[str]:
    assert [one["at_ms"] for one in found["events"]] == sorted(
        one["at_ms"] for one in found["events"])
    return [one["what"] for one in found["events"]]


def reached_all(seen: dict) -> bool:
    return seen["instances_reached"] == seen["instances"] and seen["changes_missed"] == 0


@pytest.mark.parametrize("words", [
    ("--registry", "embedded", "--fresh", "connection"),
    ("--registry", "embedded", "--fresh", "ttl"),
    ("--registry", "consul", "--fresh", "connection"),
    ("--registry", "consul", "--fresh", "watch"),
    ("--registry", "coredns"),
], ids=lambda words: "-".join(words[1::2]))
def test_every_new_instance_gets_requests(tmp_path, words):
    result = measure(tmp_path, "scale-up", *SHORT, *words, "--instances", "2")
    seen = figures(result, "pilotfish")
    assert reached_all(seen) and seen["instances"] == 6 and seen["changes"] == 4
    for stage in ("accepted", "answer", "snapshot", "first_request"):
        assert seen[f"change_to_{stage}_ms"] >= 0
    assert seen["change_to_first_request_worst_ms"] >= seen["change_to_first_request_ms"]
    assert (seen["lookups_per_s"] > 0) or "watch" in words
    found = timeline(result)
    assert events(found) == [f"v1 #{number} registered" for number in (3, 4, 5, 6)]
    assert set(found["requests"]) == {f"v1 #{number}" for number in range(1, 7)}
    assert result["options"]["registry"] == words[1] and result["options"]["registry_version"]


def test_peers_that_follow_a_registry_are_measured_alike(tmp_path):
    result = measure(tmp_path, "scale-up", *SHORT[:4], "--against", "haproxy", "--instances", "2")
    for name in ("pilotfish", "haproxy"):
        seen = figures(result, name)
        assert seen["instances"] == 6 and seen["change_to_answer_ms"] >= 0
        assert seen["questions_per_s"] > 0
        assert timeline(result, name)["events"]
    assert "change_to_snapshot_ms" not in figures(result, "haproxy")
    assert "server-template" in result["contenders"][1]["configuration"]


def test_those_that_cannot_follow_it_leave_a_note_or_an_error(tmp_path):
    refused = bench("scale-up", *SHORT[:4], "--against", "nginx", "--out", tmp_path / "refused")
    assert refused.returncode == UNAVAILABLE and "resolves no SRV records" in refused.stderr
    still = measure(tmp_path / "kill", "kill", *SHORT[:4], "--against", "nginx")
    assert figures(still, "nginx")["requests"] > 0


def test_deregistered_instances_get_no_more_requests(tmp_path):
    result = measure(tmp_path, "scale-down", *SHORT, "--instances", "2")
    seen = figures(result, "pilotfish")
    assert seen["changes"] == 4 and seen["change_to_last_request_ms"] >= 0
    assert "change_to_first_request_ms" not in seen
    last = timeline(result)["requests"]["v1 #3"]
    assert sum(last) > 0 and sum(last[-4:]) == 0, "it was the last one to go"


@pytest.mark.parametrize("registry", ["embedded", "consul"])
def test_killed_instances_cost_no_request(tmp_path, registry):
    result = measure(tmp_path, "kill", *SHORT, "--registry", registry)
    seen = figures(result, "pilotfish")
    assert reached_all(seen) and seen["retries"] > 0
    assert seen["changes"] == 9, "three times: dies, is noticed, is back"
    assert events(timeline(result))[:4] == [
        "v1 #1 dies", "v1 #1 fails its check", "v1 #1 runs again", "v1 #1 passes"]


def test_a_flapping_check_is_followed(tmp_path):
    seen = figures(measure(tmp_path, "flap", *SHORT), "pilotfish")
    assert seen["changes"] >= 4
    assert seen["change_to_first_request_ms"] >= 0 and seen["change_to_last_request_ms"] >= 0


@pytest.mark.parametrize("registry", ["embedded", "coredns"])
def test_v3_takes_over_from_v4_and_gives_back(tmp_path, registry):
    result = measure(tmp_path, "fallback", *SHORT, "--registry", registry)
    seen = figures(result, "pilotfish")
    assert seen["changes"] == 4 and reached_all(seen)
    assert seen["return_to_first_request_ms"] >= 1000, "fail_back_after is in it"
    assert seen["change_to_first_request_ms"] >= 0 and seen["change_to_snapshot_ms"] >= 0
    assert {name[:2] for name in timeline(result)["requests"]} == {"v3", "v4"}


@pytest.mark.parametrize("registry", ["embedded", "consul"])
def test_an_outage_of_the_registry_costs_no_request(tmp_path, registry):
    result = measure(tmp_path, "registry-outage", *SHORT, "--registry", registry)
    for case in ("silent", "gone"):
        seen = figures(result, "pilotfish", case)
        assert reached_all(seen) and seen["outage_p99_us"] > 0 and seen["before_p50_us"] > 0
        assert f"registry {case}" in events(timeline(result, case=case))


def test_all_of_three_hundred_instances_get_traffic(tmp_path):
    result = measure(tmp_path, "trim", "--rounds", "1", "--duration", "4s", "--rate", "1500",
                     "--against", "none")
    seen = figures(result, "pilotfish")
    assert seen["instances"] == seen["instances_reached"] == 300
    assert seen["answer_udp_instances"] == 3, "as Consul trims"
    assert seen["answer_edns_instances"] < 300 == seen["answer_tcp_instances"]
    assert 300 <= seen["requests_until_all"] <= seen["requests"]


@pytest.mark.parametrize("words", [
    ("--registry", "embedded"), ("--registry", "consul", "--fresh", "watch")],
    ids=["embedded", "consul-watch"])
def test_churn_has_percentiles(tmp_path, words):
    seen = figures(measure(tmp_path, "churn", *SHORT, *words), "pilotfish")
    assert seen["changes"] >= 5
    for what in ("first_request", "last_request", "answer", "snapshot"):
        lags = [seen[f"change_to_{what}_{which}_ms"] for which in ("p50", "p99", "max")]
        assert lags == sorted(lags) and lags[0] >= 0


def test_what_is_missing_or_meaningless_is_said(tmp_path):
    gone = bench("kill", *SHORT, "--registry", "consul", "--out", tmp_path,
                 env={"PILOTFISH_CONSUL": "/nowhere/consul"})
    assert gone.returncode == UNAVAILABLE and "/nowhere/consul" in gone.stderr
    wrong = bench("kill", *SHORT, "--fresh", "watch", "--out", tmp_path)
    assert wrong.returncode == USAGE and "--registry consul" in wrong.stderr
