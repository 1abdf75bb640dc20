"""The fixtures of the end-to-end tests, and network namespaces."""

import importlib.util
import sys
from pathlib import Path

import pytest

_E2E = Path(__file__).resolve().parents[1] / "e2e"
sys.path.insert(0, str(_E2E))

_spec = importlib.util.spec_from_file_location("e2e_fixtures", _E2E / "conftest.py")
_e2e = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_e2e)

pytest_report_header = _e2e.pytest_report_header
service, cleanup = _e2e.service, _e2e.cleanup
pilotfish, backend, lane = _e2e.pilotfish, _e2e.backend, _e2e.lane
consul, own_consul = _e2e.consul, _e2e.own_consul

from instances import Fleet  # noqa: E402
from namespaces import Network  # noqa: E402


@pytest.fixture
def network(cleanup):
    """`network.node(name)`: a namespace of its own behind one bridge."""
    return cleanup(Network())


@pytest.fixture
def fleet(tmp_path, cleanup):
    """`fleet.start(...)`: instances that are processes, to kill."""
    return cleanup(Fleet(tmp_path))


def pytest_collection_modifyitems(items) -> None:
    """The long ones first, so that the short ones run beside them."""
    items.sort(key=lambda item: "minute" not in item.name and "quorum" not in item.name)


def failed_requests(traffic) -> str:
    return "\n".join(f"{sample.status} after {sample.ended - sample.began:.2f} s {sample.error}"
                     for sample in traffic.failed[:10])


@pytest.fixture
def measured(record_property, request):
    """`measured(traffic, ...)` notes requests, failures and the longest one: the table of
    docs/faults.md."""
    def note(traffic, **more) -> None:
        slowest = max((one.ended - one.began for one in traffic.samples), default=0.0)
        figures = {"requests": len(traffic.samples), "failed": len(traffic.failed),
                   "slowest": f"{slowest:.2f} s", **more}
        record_property("measured", figures)
        with open(request.config.rootpath / "build/logs/faults.txt", "a") as sink:
            sink.write(f"{request.node.name}: {figures}\n")
    (request.config.rootpath / "build/logs").mkdir(parents=True, exist_ok=True)
    return note
