"""Fixtures: what a test starts is ended, by pid, when the test ends; what is slow to start and
harmless to share (a Consul, an etcd with CoreDNS) is shared by the run under unique names."""

import itertools

import pytest

from harness import Backend, Consul, CoreDns, Etcd, Pilotfish, free_port
from harness.backend import echo
from harness.parts import pilotfish_binary

_names = itertools.count(1)


def pytest_report_header() -> str:
    try:
        return f"pilotfish: {pilotfish_binary()}"
    except FileNotFoundError as missing:
        return f"pilotfish: {missing}"


@pytest.fixture
def service() -> str:
    """A service name nobody else uses."""
    return f"svc{next(_names)}"


def ending():
    things = []

    def add(thing):
        things.append(thing)
        return thing

    yield add
    problems = []
    for thing in reversed(things):
        try:
            (getattr(thing, "stop", None) or thing.close)()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


def open_lane(folder, add, handler=echo, options: str = "", root: str = "", **how):
    server, port = add(Backend(handler, **how)), free_port()
    lines = options.replace("\n", "\n    ")
    sidecar = add(Pilotfish(f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    static: ["{server.address}"]
    {lines}
{root}
""", folder))
    return port, server, sidecar


@pytest.fixture
def cleanup():
    """`cleanup(thing)` ends it after the test (last first) with its stop() or close()."""
    yield from ending()


@pytest.fixture
def pilotfish(tmp_path, cleanup):
    """`pilotfish(config_text, ...)`: a running sidecar, ended with SIGTERM, exit code 0 expected."""
    return lambda config, **how: cleanup(Pilotfish(config, tmp_path, **how))


@pytest.fixture
def backend(cleanup):
    """`backend(handler, ...)`: a scripted server."""
    return lambda *args, **how: cleanup(Backend(*args, **how))


@pytest.fixture
def lane(tmp_path, cleanup):
    """`lane(handler, options)` -> (port to call, backend, sidecar): one static upstream."""
    return lambda *args, **how: open_lane(tmp_path, cleanup, *args, **how)


@pytest.fixture(scope="module")
def module_cleanup():
    yield from ending()


@pytest.fixture(scope="module")
def module_lane(tmp_path_factory, module_cleanup):
    """As `lane`, for tables of many small cases: what it starts serves the whole file."""
    return lambda *args, **how: open_lane(tmp_path_factory.mktemp("lane"), module_cleanup, *args,
                                          **how)


@pytest.fixture(scope="session")
def consul(tmp_path_factory):
    agent = Consul(tmp_path_factory.mktemp("consul"))
    yield agent
    agent.stop()


@pytest.fixture
def own_consul(tmp_path, cleanup):
    """An agent of the test's own, to kill."""
    return cleanup(Consul(tmp_path))


@pytest.fixture(scope="session")
def etcd(tmp_path_factory):
    server = Etcd(tmp_path_factory.mktemp("etcd"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def coredns(tmp_path_factory, etcd):
    server = CoreDns(tmp_path_factory.mktemp("coredns"), etcd)
    yield server
    server.stop()


