"""Every answer of malformed_answers.py, whole and byte by byte: what is broken is a 502 or a visible
cut, what is passed on has one form, and no byte behind an answer ever reaches a client."""

import pytest

from harness import Client, get, wait_for
from harness.backend import normal
from harness.client import Cut, build
from malformed_answers import ROWS
from test_http_refused import assert_own_error

ONE_BY_ONE = 2048  # above that many bytes, in pieces of this size / 2


@pytest.fixture(scope="module")
def shared(module_lane):
    return module_lane(normal, "retry: {attempts: 0}\neject: {consecutive: 0}\nrequest_timeout: 20s")


def sends(row, sliced: bool):
    """The row's bytes; the last of them together with what is behind."""
    data, behind = row.data.encode("latin-1"), row.behind.encode("latin-1")
    size = len(data) or 1 if not sliced else 1 if len(data) <= ONE_BY_ONE else ONE_BY_ONE // 2

    def handler(connection, _):
        pieces = [data[start:start + size] for start in range(0, len(data), size)] or [b""]
        pieces[-1] += behind
        for piece in pieces:
            connection.send(piece)
        return "close" if row.close else None
    return handler


def read(client: Client, row):
    """The answer, or None where it is visibly cut."""
    try:
        return client.read_response(row.method)
    except (Cut, ConnectionResetError):
        assert row.cut
        return None


@pytest.mark.parametrize("sliced", [False, True], ids=["whole", "sliced"])
@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row.name[:40]}" for n, row in enumerate(ROWS)])
def test_a_malformed_answer_ends_as_the_table_says(shared, row, sliced):
    port, server, _ = shared
    server.handler = sends(row, sliced)
    with Client(port) as client:
        client.send(build(row.method))
        answer = read(client, row)
        server.handler = normal
        if answer is None:
            pass
        elif row.status == 502:
            assert answer.status == 502, answer
            if row.method != "HEAD":
                assert_own_error(answer, 502)
        else:
            assert (answer.status, answer.body) == (row.status, row.body.encode("latin-1"))
            for name, value in row.fields.items():
                assert answer.header(name) == value, name
        if answer is not None:
            assert len(answer.interim) <= 16
            assert row.status == 502 or len(answer.interim) == row.interim
            # The connection may go on; then its next answer is the next one.
            if "close" not in (answer.header("connection") or ""):
                following = client.request()
                assert (following.status, following.instance) == (200, str(server.port))
            else:
                assert client.at_end()
    answer = get(port)
    assert (answer.status, answer.body) == (200, f"{server.port}\n".encode())


def test_the_table_has_fifty_rows_of_different_bytes():
    assert len({(row.data, row.method, row.behind) for row in ROWS}) == len(ROWS) >= 50


def test_the_bad_ones_are_counted(shared):
    _, _, sidecar = shared
    wait_for(lambda: sidecar.metric("pilotfish_downstream_requests_total", code="5xx") > 40, 5)
