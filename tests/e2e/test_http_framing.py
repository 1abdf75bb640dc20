"""HTTP/1.1 as both sides see it: framing, bodies, interim answers, connections."""

import hashlib
import re
import time

from harness import Client, get, is_sanitized, send_raw, wait_for
from harness.backend import echo
from harness.client import build


def test_a_request_reaches_the_instance_and_its_answer_comes_back(lane):
    port, server, _ = lane(lambda c, e: c.answer("201 Made", b"hello", [("X-Own", "yes")]))
    answer = get(port, "/path?query=1", method="POST", body=b"ping")
    assert (answer.status, answer.body, answer.header("x-own")) == (201, b"hello", "yes")
    exchange = server.exchanges[0]
    assert (exchange.method, exchange.target, exchange.version) == (
        "POST", "/path?query=1", "HTTP/1.1")
    assert exchange.body == b"ping"


def test_one_client_connection_carries_many_requests_and_the_pool_reuses_the_upstream_one(lane):
    port, server, _ = lane()
    with Client(port) as client:
        for number in range(20):
            assert client.request("POST", "/", body=str(number).encode()).text == str(number)
    assert server.count == 20
    assert len(server.received) == 1, "one upstream connection is enough"


def test_pipelined_requests_are_answered_in_order(lane):
    port, server, _ = lane()
    with Client(port) as client:
        client.send(b"".join(build("POST", "/", body=str(n).encode()) for n in range(50)))
        assert [client.read_response().text for _ in range(50)] == [str(n) for n in range(50)]
    assert server.count == 50


def test_chunked_bodies_stream_both_ways_and_only_answers_keep_their_trailers(lane):
    def chunked(connection, exchange):
        assert exchange.body == b"hello world"
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                        b"5\r\nfirst\r\n6;ext=1\r\nsecond\r\n0\r\nX-Sum: 11\r\n\r\n")
    port, server, _ = lane(chunked)
    with Client(port) as client:
        for _ in range(2):
            client.send(build("POST", "/", [("Transfer-Encoding", "chunked"), ("Trailer", "X-In")])
                        + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-In: yes\r\n\r\n")
            answer = client.read_response()
            assert answer.body == b"firstsecond"
            assert ("X-Sum", "11") in answer.trailers
    assert not server.problems
    assert [(e.trailers, e.header("Trailer")) for e in server.exchanges] == [([], None)] * 2
    assert server.exchanges[1].body == b"hello world"


def test_a_chunk_is_passed_on_before_the_next_one_arrives(lane):
    def relay(connection, exchange):
        connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            line = connection.read_line()
            data = connection.read_exactly(int(line, 16))
            connection.read_exactly(2)
            connection.send(b"%x\r\n%s\r\n" % (len(data), data))
        connection.read_line()
        connection.read_line()
        connection.send(b"0\r\n\r\n")
    port, _, _ = lane(relay, read_body=False)
    with Client(port, timeout=5) as client:
        client.send(build("POST", "/", [("Transfer-Encoding", "chunked")]))
        for word in (b"one", b"two", b"three"):
            client.send(b"%x\r\n%s\r\n" % (len(word), word))
            if word == b"one":
                assert client.read_head().status == 200
            assert client.read_exactly(int(client.read_line(), 16)) == word
            client.read_exactly(2)
        client.send(b"0\r\n\r\n")
        assert client.read_line() == b"0"


def test_head_204_and_304_answers_have_no_body_and_keep_the_connection(lane):
    def by_target(connection, exchange):
        if exchange.target == "/head":
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        elif exchange.target == "/304":
            connection.send(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n")
        else:
            connection.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    port, _, _ = lane(by_target)
    with Client(port) as client:
        head = client.request("HEAD", "/head")
        assert (head.status, head.header("content-length")) == (200, "1000")
        assert client.request("GET", "/204").status == 204
        assert client.request("GET", "/304").status == 304
        assert client.request("HEAD", "/head").status == 200


def test_an_answer_without_length_ends_with_the_connection_and_arrives_whole(lane):
    body = b"x" * 100_000
    port, _, _ = lane(lambda c, e: (c.send(b"HTTP/1.1 200 OK\r\n\r\n" + body), "close")[1])
    assert get(port).body == body
    old = send_raw(port, b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    assert old.body == body and not old.header("transfer-encoding")


def test_interim_answers_pass_up_to_sixteen(lane):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    port, _, _ = lane(lambda c, e: c.send(early * int(e.header("x-count")) +
                                          b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    answer = get(port, headers={"X-Count": "3"})
    assert [one.status for one in answer.interim] == [103] * 3
    assert answer.interim[0].header("link") == "</a>" and answer.text == "ok"
    assert len(get(port, headers={"X-Count": "16"}).interim) == 16
    flood = get(port, headers={"X-Count": "1000"})
    assert flood.status == 502 and len(flood.interim) <= 16


def test_expect_100_continue_waits_for_the_instance(lane):
    def handler(connection, exchange):
        if exchange.target == "/no":
            connection.answer("417 Expectation Failed", b"no")
            return "close"
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.read_body(exchange)
        return echo(connection, exchange)
    port, server, _ = lane(handler, read_body=False)
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    with Client(port) as client:
        client.send(build("POST", "/yes", fields))
        assert client.read_head().status == 100
        client.send(b"hello")
        assert client.read_response().body == b"hello"
    with Client(port) as client:
        client.send(build("POST", "/no", fields))
        answer = client.read_response()
        assert answer.status == 417 and not answer.interim
    assert b"hello" not in server.bytes_received().split(b"/no HTTP")[1]


def test_an_http_1_0_client_gets_no_chunked_coding_and_a_close(lane):
    port, server, _ = lane(lambda c, e: c.send(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    with Client(port) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        answer = client.read_response()
        assert not answer.header("transfer-encoding") and answer.body == b"hello"
        assert client.at_end()
    assert server.exchanges[0].version == "HTTP/1.1"


def test_an_http_1_0_client_may_ask_to_keep_the_connection(lane):
    port, _, _ = lane()
    with Client(port) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        answer = client.read_response()
        assert answer.header("content-length") == "0"
        if (answer.header("connection") or "").lower() == "keep-alive":
            client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
            assert client.read_response().status == 200
        assert client.at_end()


def test_connection_close_of_the_client_is_honoured(lane):
    port, _, _ = lane()
    with Client(port) as client:
        answer = client.request(headers={"Connection": "close"})
        assert answer.status == 200 and answer.header("connection") == "close"
        assert client.at_end()


def test_a_request_in_one_byte_pieces_is_understood(lane):
    port, server, _ = lane()
    with Client(port) as client:
        for byte in build("POST", "/slow", [("Transfer-Encoding", "chunked")]) + \
                b"5\r\nhello\r\n0\r\nA: b\r\n\r\n":
            client.send(bytes([byte]))
        assert client.read_response().body == b"hello"
    assert server.count == 1


def test_a_client_that_half_closes_after_its_request_gets_the_answer(lane):
    port, _, _ = lane(options="client_half_close: serve")
    with Client(port) as client:
        client.send(build("POST", "/", body=b"all"))
        client.finish_sending()
        assert client.read_response().body == b"all"
        assert client.at_end()


def test_a_client_that_goes_away_before_its_answer_ends_its_request(lane):
    heard = []

    def silent(connection, _):
        connection.sock.settimeout(10)
        heard.append("asked")
        heard.append(connection.sock.recv(1))
    port, server, _ = lane(silent)
    for leave in (Client.close, Client.finish_sending, Client.reset):
        heard.clear()
        client = Client(port)
        client.send(build("POST", "/", body=b"all"))
        wait_for(lambda: heard, 5, "the instance has the request")
        leave(client)
        wait_for(lambda: len(heard) == 2, 2, "the instance sees the end")
        wait_for(lambda: server.open_connections() == 0, 2, "the connection is closed")


def test_a_client_that_goes_away_mid_body_leaves_no_upstream_connection_behind(lane):
    port, server, _ = lane()
    client = Client(port)
    client.send(build("POST", "/", [("Content-Length", "1000")]) + b"half")
    wait_for(lambda: b"half" in server.bytes_received(), 5, "the half body arrived")
    client.reset()
    wait_for(lambda: server.open_connections() == 0, 3, "the upstream connection is closed")


def test_a_large_body_streams_both_ways_in_bounded_memory(lane):
    size = (64 if is_sanitized() else 1024) << 20
    block = b"0123456789abcdef" * 4096

    def reflect(connection, exchange):
        left = int(exchange.header("content-length"))
        digest = hashlib.sha256()
        while left:
            data = connection.buffer or connection.sock.recv(1 << 18)
            connection.buffer = b""
            left -= len(data)
            digest.update(data)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Digest: %s\r\n\r\n"
                        % (size, digest.hexdigest().encode()))
        for _ in range(size // len(block)):
            connection.send(block)
    port, server, sidecar = lane(reflect, read_body=False)
    before, peak = sidecar.process.rss_bytes(), 0
    digest = hashlib.sha256()
    with Client(port, timeout=60) as client:
        client.send(build("POST", "/", [("Content-Length", str(size))]))
        for number in range(size // len(block)):
            client.send(block)
            if number % 512 == 0:
                peak = max(peak, sidecar.process.rss_bytes())
        for _ in range(size // len(block)):
            digest.update(block)
        answer = client.read_head()
        assert answer.header("x-digest") == digest.hexdigest()
        left, received = size - len(client.buffer), hashlib.sha256(client.buffer)
        number = 0
        while left:
            data = client.sock.recv(min(left, 1 << 18))
            assert data, "cut"
            left -= len(data)
            received.update(data)
            number += 1
            if number % 512 == 0:
                peak = max(peak, sidecar.process.rss_bytes())
    assert received.hexdigest() == digest.hexdigest()
    if not is_sanitized():
        assert peak - before < 20 << 20, f"grew by {(peak - before) >> 20} MiB"


def test_an_own_error_answer_is_short_and_says_why_in_proxy_status(lane):
    port, _, _ = lane()
    answer = send_raw(port, b"GARBAGE\r\n\r\n")
    assert answer.status == 400
    assert 0 < len(answer.body) < 500
    assert re.match(r"pilotfish; error=[a-z_]+", answer.header("proxy-status"))


def test_a_paused_body_is_not_a_dead_one(lane):
    port, _, _ = lane(options="timeouts: {body: 2s}")
    with Client(port) as client:
        client.send(build("POST", "/", [("Content-Length", "4")]))
        for byte in b"slow":
            client.send(bytes([byte]))
            time.sleep(0.3)
        assert client.read_response().body == b"slow"
