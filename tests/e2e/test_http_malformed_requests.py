"""Every request of malformed_requests.py, whole and byte by byte, each with a good request behind it:
what is refused never reaches an instance as a request, nor does what follows; what is taken arrives in
exactly one form, and what follows is read as it was meant."""

import pytest

from harness import Client, get
from harness.backend import normal
from malformed_requests import ROWS
from test_http_refused import assert_own_error

AFTER = b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n"
ONE_BY_ONE = 2048  # above that many bytes, in pieces of this size / 2


@pytest.fixture(scope="module")
def shared(module_lane):
    return module_lane(normal, "limits: {head: 16KiB, body: 1MiB}\ntimeouts: {head: 20s}")


def send(client: Client, data: bytes, sliced: bool) -> None:
    size = len(data) if not sliced else 1 if len(data) <= ONE_BY_ONE else ONE_BY_ONE // 2
    try:
        for start in range(0, len(data), size):
            client.send(data[start:start + size])
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before all was sent: the answer is there to be read


def assert_taken(exchange, wanted) -> None:
    assert (exchange.method, exchange.target, exchange.version) == (
        wanted.method, wanted.target, "HTTP/1.1")
    assert exchange.body == wanted.body.encode("latin-1")
    assert not exchange.trailers, "two servers of HTTP/1.1 take them for something else"
    assert len(exchange.all("host")) == 1
    assert len(exchange.all("content-length")) + len(exchange.all("transfer-encoding")) <= 1
    for name, value in wanted.fields.items():
        assert exchange.header(name) == value, name


@pytest.mark.parametrize("sliced", [False, True], ids=["whole", "sliced"])
@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row.name[:40]}" for n, row in enumerate(ROWS)])
def test_a_malformed_request_ends_as_the_table_says(shared, row, sliced):
    port, server, _ = shared
    server.forget()
    with Client(port) as client:
        send(client, row.data.encode("latin-1") + AFTER, sliced)
        for wanted in row.takes:
            answer = client.read_response(wanted.method)
            assert answer.status == 200, answer.text
        if row.status is not None:
            assert_own_error(client.read_response(), row.status)
        elif not row.closes:
            assert client.read_response().status == 200
        if row.status is not None or row.closes:
            assert client.at_end(), "the connection is closed"
    seen = list(server.exchanges)
    if row.status is None and not row.closes:
        after = seen.pop()
        assert (after.method, after.target, after.body) == ("GET", "/after", b"")
    else:
        # Nothing behind it is read as a request; inside a body it is data, and only there.
        assert b"/after" not in server.bytes_received()
    assert len(seen) == len(row.takes)
    for exchange, wanted in zip(seen, row.takes):
        assert_taken(exchange, wanted)


def test_after_all_that_the_next_client_is_served(shared):
    assert get(shared[0]).status == 200


def test_the_table_has_a_hundred_rows_of_different_bytes():
    assert len({row.data for row in ROWS}) == len(ROWS) >= 100
