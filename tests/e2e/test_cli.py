"""The command line: exit codes, messages, check, resolve, version."""

import json
import re
import socket

import pytest

from harness import DATA_ERROR, UNAVAILABLE, USAGE, free_port, pilotfish_cli, wait_for


def write(tmp_path, text: str):
    path = tmp_path / "sidecar.yaml"
    path.write_text(text)
    return path


def good(port: int | None = None) -> str:
    return (f'upstreams:\n  app: {{listen: "127.0.0.1:{port or free_port()}", '
            f'static: ["127.0.0.1:{free_port()}"]}}\n')


def test_check_says_fine_and_contacts_nobody(tmp_path):
    done = pilotfish_cli("check", "-c", write(tmp_path, good()))
    assert done.returncode == 0, done.stderr


def test_check_prints_every_error_with_its_place(tmp_path):
    path = write(tmp_path, """\
admin: 127.0.0.1:9900
workerz: 2
upstreams:
  billing:
    lisen: 127.0.0.1:7001
    consul: billing
    balance: lest_request
    connect_timeout: fast
  both:
    listen: 127.0.0.1:7002
    consul: a
    static: [10.0.0.1:80]
  hashed:
    listen: 127.0.0.1:7003
    consul: c
    balance: maglev
""")
    done = pilotfish_cli("check", "-c", path)
    assert done.returncode == DATA_ERROR
    lines = (done.stdout + done.stderr).splitlines()
    places = [re.match(re.escape(str(path)) + r":(\d+):(\d+): (.+)", line) for line in lines]
    found = {int(match[1]): match for match in places if match}
    assert {2, 5, 7, 8} <= found.keys(), lines
    assert found[2][2] == "1" and "workers" in found[2][3], "the nearest key is suggested"
    assert found[5][2] == "5" and "listen" in found[5][3]
    assert "least_request" in found[7][3]
    assert any(9 <= line <= 12 for line in found), "two sources"
    assert any(13 <= line <= 16 for line in found), "hash_on is missing"


@pytest.mark.parametrize("text", [
    "", "upstreams: [\n", "\t\n", "- a\n", "upstreams:\n  a: 5\n",
    "upstreams:\n  a: {listen: nowhere, static: ['127.0.0.1:1']}\n",
    "upstreams:\n  a: {listen: '127.0.0.1:99999', static: ['127.0.0.1:1']}\n",
    "upstreams:\n  a: {listen: '127.0.0.1:1', static: ['name.example:80']}\n",
    "upstreams:\n  a: {listen: '127.0.0.1:1', static: [], prefer: [v4]}\n",
    "admin: 0.0.0.0:9900\nupstreams:\n  a: {listen: '127.0.0.1:1', static: ['127.0.0.1:1']}\n",
    "upstreams:\n  a: {listen: '127.0.0.1:1', static: ['127.0.0.1:1']}\n"
    "  b: {listen: '127.0.0.1:1', static: ['127.0.0.1:1']}\n",
    "upstreams:\n  a: {listen: '127.0.0.1:1', static: ['127.0.0.1:1'], static: ['127.0.0.1:2']}\n",
    "upstreams:\n  a: {listen: '127.0.0.1:1', static: ['127.0.0.1:1'], prefer: [v4]}\n",
    "upstreams:\n  a: {listen: '${NOT_SET}', static: ['127.0.0.1:1']}\n",
], ids=["empty", "broken YAML", "a tab", "a list", "not a map", "no address",
        "port 99999", "a name in static", "no instance", "public admin", "one port twice",
        "a key twice", "prefer without consul", "an unset variable"])
def test_bad_files_are_refused_with_a_place(tmp_path, text):
    path = write(tmp_path, text)
    for command in ("check", "run"):
        done = pilotfish_cli(command, "-c", path)
        assert done.returncode == DATA_ERROR, (command, done.stdout, done.stderr)
        assert re.search(re.escape(str(path)) + r":\d+:\d+: .", done.stdout + done.stderr)


def test_a_missing_file_is_78(tmp_path):
    done = pilotfish_cli("check", "-c", tmp_path / "absent.yaml")
    assert done.returncode == DATA_ERROR and "absent.yaml" in done.stdout + done.stderr


def test_variables_and_their_defaults_are_expanded(tmp_path):
    path = write(tmp_path, 'upstreams:\n  a: {listen: "127.0.0.1:${PORT:-7001}", '
                           'static: ["${TARGET}"]}\n')
    assert pilotfish_cli("check", "-c", path, env={"TARGET": "127.0.0.1:80"}).returncode == 0
    done = pilotfish_cli("check", "-c", path, env={"TARGET": "127.0.0.1:80", "PORT": "x"})
    assert done.returncode == DATA_ERROR


@pytest.mark.parametrize("words", [[], ["frobnicate"], ["run"], ["check", "--nonsense"],
                                   ["resolve", "-c"], ["run", "-c"]],
                         ids=lambda words: " ".join(words) or "nothing")
def test_wrong_usage_is_64(words):
    done = pilotfish_cli(*words)
    assert done.returncode == USAGE, (done.stdout, done.stderr)
    assert done.stdout + done.stderr


@pytest.mark.parametrize("command", ["", "run", "check", "resolve", "register", "deregister",
                                     "version"])
def test_help_is_everywhere(command):
    done = pilotfish_cli(*command.split(), "--help")
    assert done.returncode == 0 and len(done.stdout) > 40


def test_version_says_what_was_built_with_what():
    done = pilotfish_cli("version")
    assert done.returncode == 0
    assert re.search(r"\d+\.\d+\.\d+", done.stdout)
    for word in ("boost", "c-ares"):
        assert word in done.stdout.lower(), word
    assert re.search(r"gcc|g\+\+|gnu|clang", done.stdout, re.I)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("which", ["upstream", "admin"])
def test_a_taken_port_is_69_and_named(tmp_path, which, workers):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        text = f"workers: {workers}\n" + (
            f"admin: 127.0.0.1:{free_port()}\n{good(taken)}" if which == "upstream"
            else f"admin: 127.0.0.1:{taken}\n{good()}")
        done = pilotfish_cli("run", "-c", write(tmp_path, text))
        assert done.returncode == UNAVAILABLE
        assert str(taken) in done.stdout + done.stderr


def consul_config(consul, service: str) -> str:
    return (f'{consul.config}\nupstreams:\n  app: {{listen: "127.0.0.1:{free_port()}", '
            f'consul: {service}, prefer: [v4, v3]}}\n')


def test_resolve_explains_what_the_registry_says_now(tmp_path, consul, service):
    v4, v3 = free_port(), free_port()
    consul.register(service, v4, tags=["v4"], weights=(7, 1))
    consul.register(service, v3, tags=["v3"])
    consul.await_healthy(service, 2)
    path = write(tmp_path, consul_config(consul, service))
    done = pilotfish_cli("resolve", "-c", path, "app")
    assert done.returncode == 0, done.stderr
    for word in (f"127.0.0.1:{v4}", f"127.0.0.1:{v3}", "7", "v4", "v3"):
        assert word in done.stdout, word
    assert re.search(r"noerror|ok", done.stdout, re.I) and re.search(r"udp|tcp", done.stdout, re.I)

    done = pilotfish_cli("resolve", "-c", path, "app", "--json")
    assert done.returncode == 0
    [shown] = json.loads(done.stdout)["upstreams"]
    assert (shown["name"], shown["tier"]) == ("app", 0)
    by_address = {one["address"]: one for one in shown["instances"]}
    assert by_address[f"127.0.0.1:{v4}"]["weight"] == 7
    assert by_address[f"127.0.0.1:{v4}"]["tier"] == 0
    assert by_address[f"127.0.0.1:{v3}"]["tier"] == 1


def test_resolve_without_an_instance_is_69_and_says_why(tmp_path, consul, service):
    path = write(tmp_path, consul_config(consul, service))
    done = pilotfish_cli("resolve", "-c", path, "app")
    assert done.returncode == UNAVAILABLE
    assert re.search("nxdomain", done.stdout + done.stderr, re.I)
    done = pilotfish_cli("resolve", "-c", path, "app", "--json")
    assert done.returncode == UNAVAILABLE
    assert json.loads(done.stdout)["upstreams"][0]["tier"] == -1


def resolve_reason(tmp_path, config: str) -> str:
    """Of an upstream with no instance; the text says the same as the JSON."""
    path = write(tmp_path, config)
    done = pilotfish_cli("resolve", "-c", path, "app", "--json")
    reason = json.loads(done.stdout)["upstreams"][0]["reason"]
    assert reason in pilotfish_cli("resolve", "-c", path, "app").stdout
    return reason


def test_resolve_tells_unknown_services_unknown_tags_and_critical_instances_apart(
        tmp_path, consul, service):
    config = consul_config(consul, service)
    reason = resolve_reason(tmp_path, config)
    assert f'v4: unknown service "{service}"' in reason, reason
    assert reason.count("unknown service") == 1, reason
    idents = [consul.register(service, number, tags=["v3", "read"]) for number in (8001, 8002)]
    for ident in idents:
        consul.critical(ident)
    consul.await_healthy(service, 0)
    reason = resolve_reason(tmp_path, config)
    assert 'v4: no instance with tag "v4" (there are: read, v3)' in reason, reason
    assert 'v3: all 2 instances with tag "v3" are critical' in reason, reason
    consul.maintenance(idents[0])
    wait_for(lambda: "1 critical, 1 under maintenance" in resolve_reason(tmp_path, config), 10)
    consul.passing(idents[1])
    consul.await_healthy(service, 1)
    done = pilotfish_cli("resolve", "-c", write(tmp_path, config), "app")
    assert done.returncode == 0 and 'no instance with tag "v4"' in done.stdout


def test_resolve_says_politely_that_the_api_cannot_tell(tmp_path, consul, service):
    config = consul_config(consul, service).replace(str(consul.http_port), str(free_port()), 1)
    reason = resolve_reason(tmp_path, config)
    assert "the agent's API cannot tell why" in reason and "refused" in reason, reason


def test_resolve_with_a_dead_registry_is_69_in_time(tmp_path, service):
    path = write(tmp_path, f'consul: {{dns: "127.0.0.1:{free_port()}"}}\nupstreams:\n'
                           f'  app: {{listen: "127.0.0.1:{free_port()}", consul: {service}}}\n')
    assert pilotfish_cli("resolve", "-c", path, "app", limit=15).returncode == UNAVAILABLE


def test_resolve_of_an_unknown_upstream_is_wrong_usage(tmp_path):
    done = pilotfish_cli("resolve", "-c", write(tmp_path, good()), "nobody")
    assert done.returncode == USAGE and "nobody" in done.stdout + done.stderr


def test_resolve_shows_static_instances(tmp_path):
    path = write(tmp_path, good())
    done = pilotfish_cli("resolve", "-c", path, "app", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["upstreams"][0]["instances"][0]["state"] == "healthy"
