"""What a proxy may and may not change in a head: hop-by-hop fields, Via, X-Forwarded-For, Host,
the target; and upgrades."""

import pytest

from harness import Client, get, send_raw, wait_for
from harness.backend import normal
from harness.client import Cut, build


@pytest.fixture(scope="module")
def shared(module_lane):
    return module_lane(normal)


def seen(shared, data: bytes):
    """What the instance saw of this request."""
    port, server, _ = shared
    server.forget()
    answer = send_raw(port, data)
    assert answer.status == 200, answer.text
    assert server.count == 1
    return server.exchanges[0]


def test_hop_by_hop_fields_end_here(shared):
    exchange = seen(shared, build(headers=[
        ("Connection", "X-Secret, keep-alive"), ("X-Secret", "1"), ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"), ("TE", "gzip"), ("X-Kept", "yes")]))
    for name in ("X-Secret", "Keep-Alive", "Proxy-Connection"):
        assert exchange.header(name) is None, name
    assert exchange.header("TE") in (None, "trailers")
    assert exchange.header("X-Kept") == "yes"


def test_hop_by_hop_fields_of_the_answer_end_here(lane):
    port, _, _ = lane(lambda c, e: c.answer(headers=[
        ("Connection", "X-Inner"), ("X-Inner", "1"), ("Keep-Alive", "timeout=9"),
        ("Proxy-Authenticate", "x"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]))
    answer = get(port)
    assert answer.header("x-inner") is None and answer.header("keep-alive") is None
    assert answer.all("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("named", ["Content-Length", "Host", "X-Forwarded-For", "Via"])
def test_connection_cannot_name_framing_or_our_own_fields_away(shared, named):
    port, server, _ = shared
    server.forget()
    answer = send_raw(port, build("POST", "/", [("Connection", f"close, {named}")], b"hello"))
    assert answer.status in (200, 400)
    if answer.status == 200:
        exchange = server.exchanges[0]
        assert exchange.body == b"hello" and exchange.all("host") == ["test"]
        assert exchange.header("via") and "127.0.0.1" in exchange.header("x-forwarded-for")
    else:
        assert server.count == 0


def test_via_and_x_forwarded_for_are_added_to_what_is_there(shared):
    exchange = seen(shared, build())
    assert exchange.header("via").startswith("1.1 ")
    assert exchange.header("x-forwarded-for") == "127.0.0.1"
    exchange = seen(shared, build(headers=[("Via", "1.0 fred"), ("X-Forwarded-For", "10.1.2.3")]))
    assert exchange.header("via").startswith("1.0 fred, 1.1 ")
    assert exchange.header("x-forwarded-for").replace(" ", "") == "10.1.2.3,127.0.0.1"


def test_host_is_kept_as_it_came(shared):
    assert seen(shared, build(host="shop.example:8443")).all("host") == ["shop.example:8443"]
    padded = b"GET / HTTP/1.1\r\nHost: \t a.example \t\r\n\r\n"
    assert b"a.example\r\n" in seen(shared, padded).raw_head


def test_the_authority_of_an_absolute_target_replaces_host(shared):
    exchange = seen(shared, build(target="http://real.example:81/a?b=c", host="other.example"))
    assert exchange.all("host") == ["real.example:81"]
    assert exchange.target == "/a?b=c"
    assert seen(shared, build(target="http://real.example", host="x")).target == "/"


def test_options_star_is_passed_on(shared):
    assert seen(shared, build("OPTIONS", "*")).target == "*"


@pytest.mark.parametrize("target", [
    "/a%2f..%2fb", "/a//b/../c", "/%00", "/?q=a%0d%0ab", "/a;b=c,d", "/~!$&'()*+,;=:@"])
def test_targets_are_passed_on_untouched(shared, target):
    assert seen(shared, build(target=target)).target == target


def test_unknown_methods_are_passed_on(shared):
    assert seen(shared, build("PURGE", "/x")).method == "PURGE"


def test_end_to_end_fields_keep_their_order_spelling_and_repetition(shared):
    fields = [("x-B", "2"), ("X-a", "1"), ("x-B", "3"), ("Cookie", "a=1; b=2"), ("Accept", "")]
    exchange = seen(shared, build(headers=fields))
    wanted = {name.lower() for name, _ in fields}
    assert [f for f in exchange.headers if f[0].lower() in wanted] == fields


# --- upgrades

def websocket(connection, exchange):
    if exchange.target == "/refuse":
        return connection.answer("200 OK", b"plain")
    connection.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                    b"Upgrade: %s\r\n\r\n" % exchange.header("upgrade").encode())
    while True:
        data = connection.buffer or connection.sock.recv(65536)
        connection.buffer = b""
        if not data:
            connection.send(b"bye")
            return "close"
        connection.send(data[::-1])


UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]


@pytest.mark.parametrize("token", ["websocket", "custom/2"])
def test_an_upgrade_opens_a_tunnel_after_101(lane, token):
    port, server, _ = lane(websocket)
    with Client(port) as client:
        answer = client.request(headers=[("Connection", "upgrade"), ("Upgrade", token)])
        assert answer.status == 101 and answer.header("upgrade") == token
        assert "upgrade" in answer.header("connection").lower()
        for word in (b"abc", b"\0\r\n\r\nGET", b"x" * 100_000):
            client.send(word)
            got = b""
            while len(got) < len(word):
                got += client.read_exactly(1) + client.buffer
                client.buffer = b""
            assert sorted(got) == sorted(word)
        client.finish_sending()
        assert client.read_to_end() == b"bye"
    assert server.exchanges[0].header("upgrade") == token


def test_bytes_sent_with_the_upgrade_are_not_lost(lane):
    port, _, _ = lane(websocket)
    with Client(port) as client:
        client.send(build(headers=UPGRADE) + b"early")
        assert client.read_response().status == 101
        assert client.read_exactly(5) == b"ylrae"


def test_no_tunnel_where_the_instance_answers_200(lane):
    port, server, _ = lane(websocket)
    with Client(port) as client:
        client.send(build(target="/refuse", headers=UPGRADE) + build(target="/refuse"))
        assert client.read_response().text == "plain"
        if not client.at_end():  # either the connection ends, or the next is a request like any
            assert client.read_response().text == "plain"
    assert server.exchanges[0].target == "/refuse"
    assert all(one.header("via") for one in server.exchanges), "every request passed the proxy"


def test_h2c_is_removed(lane):
    port, server, _ = lane(normal)
    answer = get(port, headers=[("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                                ("HTTP2-Settings", "AAMAAABkAAQAAP__")])
    assert answer.status == 200
    exchange = server.exchanges[0]
    assert exchange.header("upgrade") is None and exchange.header("http2-settings") is None


def test_a_101_nobody_asked_for_is_a_bad_answer(lane):
    port, _, _ = lane(lambda c, e: (c.send(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nevil"),
        "close")[1])
    answer = get(port)
    assert answer.status == 502 and b"evil" not in answer.body


def test_a_tunnel_ends_for_both_when_one_side_resets(lane):
    port, server, _ = lane(websocket)
    client = Client(port)
    assert client.request(headers=UPGRADE).status == 101
    client.reset()
    wait_for(lambda: server.open_connections() == 0, 3, "the instance's side ends")


def test_an_idle_tunnel_is_closed_after_idle_timeout(lane):
    port, server, _ = lane(websocket, "idle_timeout: 500ms")
    with Client(port, timeout=5) as client:
        assert client.request(headers=UPGRADE).status == 101
        try:
            assert client.read_to_end() in (b"", b"bye")
        except (ConnectionResetError, Cut):
            pass
    wait_for(lambda: server.open_connections() == 0, 3, "the instance's side ends")
