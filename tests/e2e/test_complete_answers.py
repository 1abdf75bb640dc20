"""Every registered instance is used, however the registry trims its answers."""

import http.client
import json
import threading
import time

import pytest

from harness import Consul, DnsServer, free_port, get, srv_answer, wait_for

COUNTS = (300, 1000, 2000)


def by_address(connection, exchange) -> None:
    """Tells the address it was called at: one wildcard backend stands for all of 127.0.0.0/8."""
    host, port = connection.sock.getsockname()
    connection.answer(body=f"{host}:{port}".encode(), method=exchange.method)


def address(number: int) -> str:
    return f"127.7.{number // 250}.{number % 250 + 1}"


def in_threads(count: int, work) -> None:
    threads = [threading.Thread(target=work, args=(number,), daemon=True)
               for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, module_cleanup):
    """(Consul, backend's port): 2,000 instances of `crowd`, of which tags name the first 300..."""
    from harness import Backend
    agent = module_cleanup(Consul(tmp_path_factory.mktemp("crowd")))
    port = module_cleanup(Backend(by_address, host="0.0.0.0")).port
    began = time.monotonic()

    def register(share: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", agent.http_port, timeout=30)
        for number in range(share, COUNTS[-1], 4):
            tags = [f"first{count}" for count in COUNTS if number < count]
            connection.request("PUT", "/v1/agent/service/register", json.dumps(
                {"ID": f"crowd{number}", "Name": "crowd", "Port": port, "Tags": tags,
                 "Address": address(number)}))
            assert connection.getresponse().read() == b""
        connection.close()
    in_threads(4, register)
    wait_for(lambda: len(agent.get("/v1/health/service/crowd?stale")) == COUNTS[-1], 60,
             "all are registered", 0.5)
    print(f"{COUNTS[-1]} registered in {time.monotonic() - began:.1f} s")
    return agent, port


def use_all(port: int, expected: set[str], limit: float = 50.0) -> dict[str, int]:
    """Requests on connections of their own, many at a time, until each instance had one."""
    seen: dict[str, int] = {}
    failed = []
    until = time.monotonic() + limit

    def caller(_: int) -> None:
        while seen.keys() < expected and time.monotonic() < until and not failed:
            answer = get(port, timeout=20)
            if answer.status != 200:
                failed.append(answer.text)
            seen[answer.text] = seen.get(answer.text, 0) + 1
    in_threads(128, caller)
    assert not failed, failed[0]
    assert seen.keys() == expected, f"{len(seen)} of {len(expected)}"
    return seen


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("fresh", ["connection", "watch"])
def test_every_one_of_many_instances_in_consul_gets_traffic(crowd, pilotfish, fresh, count):
    agent, backend_port = crowd
    port = free_port()
    sidecar = pilotfish(f"""\
{agent.config}
upstreams:
  app:
    listen: 127.0.0.1:{port}
    consul: crowd
    prefer: [first{count}]
    fresh: {fresh}
    balance: round_robin
    lookup: {{timeout: 5s}}
""", limit=30)
    began = time.monotonic()
    seen = use_all(port, {f"{address(number)}:{backend_port}" for number in range(count)})
    [lookup] = sidecar.upstream("app")["tiers"][0]["lookups"]
    print(f"{count} by {lookup['transport']}: {sum(seen.values())} requests in "
          f"{time.monotonic() - began:.1f} s; a lookup took {lookup['took_ms']:.0f} ms")
    assert lookup["records"] == count
    if fresh == "watch":
        assert lookup["transport"] == "watch"
    else:
        assert lookup["transport"] == ("tcp" if count < 900 else "api"), lookup


def test_ten_thousand_instances_come_through_a_watch(backend, pilotfish):
    """An agent that lists them; each entry as large as Consul's own."""
    count = 10_000
    port, listen = backend(by_address, host="0.0.0.0").port, free_port()
    padding = "x" * 1200
    entries = ",".join(json.dumps({
        "Node": {"Node": "lab", "Address": "127.0.0.1", "Meta": {"filler": padding}},
        "Service": {"ID": f"s{number}", "Service": "crowd", "Tags": ["v4"], "Port": port,
                    "Address": address(number), "Weights": {"Passing": 1, "Warning": 1}},
        "Checks": [{"CheckID": "serfHealth", "Status": "passing"}]}) for number in range(count))
    body = f"[{entries}]".encode()

    def agent(connection, exchange):
        if "index=" in exchange.target:
            connection.backend.stopping.wait(10)
        connection.answer(body=body, headers=[("X-Consul-Index", "7"), ("Connection", "close")])
        return "close"
    api = backend(agent)
    sidecar = pilotfish(f"""\
consul: {{http: "http://{api.address}", dns: "127.0.0.1:{free_port()}"}}
upstreams:
  app: {{listen: "127.0.0.1:{listen}", consul: crowd, prefer: [v4], fresh: watch}}
""", limit=60)
    wait_for(lambda: sidecar.metric("pilotfish_upstream_instances", upstream="app",
                                    state="healthy") == count, 60)
    assert len({get(listen).text for _ in range(50)}) > 45
    print(f"{len(body) >> 20} MiB, resident {sidecar.process.rss_bytes() >> 20} MiB")


def of_server(dns, port: int, options: str = "") -> str:
    return f"""\
upstreams:
  app:
    listen: 127.0.0.1:{port}
    srv: web.test
    dns: ["{dns.address}"]
    balance: round_robin
    {options}
"""


def test_a_server_that_sets_tc_and_refuses_tcp_has_failed_once_more_was_known(
        backend, pilotfish, cleanup):
    """The part that came serves only while nothing else is known; it never thins out a set."""
    server, port = backend(ports=12), free_port()
    whole = True

    def answer(query):
        if whole:
            return srv_answer(query, server.ports)
        return srv_answer(query, server.ports[:3], flags=0x8600)
    dns = cleanup(DnsServer(answer, tcp=False))
    sidecar = pilotfish(of_server(dns, port))
    every = {str(number) for number in server.ports}
    assert {get(port).instance for _ in range(36)} == every
    whole = False
    assert {get(port).instance for _ in range(36)} == every
    assert sidecar.metric("pilotfish_lookup_total", upstream="app", result="unreachable") > 0
    assert len(sidecar.healthy("app")) == 12


def test_at_the_start_the_part_from_a_server_that_refuses_tcp_is_better_than_nothing(
        backend, pilotfish, cleanup):
    server, port = backend(ports=5), free_port()
    dns = cleanup(DnsServer(lambda q: srv_answer(q, server.ports[:3], flags=0x8600), tcp=False))
    sidecar = pilotfish(of_server(dns, port))
    assert {get(port).instance for _ in range(20)} == {str(one) for one in server.ports[:3]}
    [lookup] = sidecar.upstream("app")["tiers"][0]["lookups"]
    assert "truncated" in lookup["note"] and lookup["result"] == "unreachable", lookup


def test_a_trim_without_tc_that_tcp_cannot_confirm_is_kept_and_noted(
        backend, pilotfish, cleanup):
    """Nothing says that it was trimmed, so it has to count."""
    server, port = backend(ports=3), free_port()
    dns = cleanup(DnsServer(lambda q: srv_answer(q, server.ports, edns=False), tcp=False))
    sidecar = pilotfish(of_server(dns, port))
    assert {get(port).instance for _ in range(20)} == {str(one) for one in server.ports}
    [lookup] = sidecar.upstream("app")["tiers"][0]["lookups"]
    assert "looks trimmed" in lookup["note"] and lookup["result"] == "ok", lookup


def test_a_thousand_records_of_a_server_without_an_api_are_used_with_a_note(
        backend, pilotfish, cleanup):
    port, listen = backend(by_address, host="0.0.0.0").port, free_port()
    from harness.dns_server import A, SRV, encode_name, message, record, srv_rdata

    def answer(query):
        if query.transport == "udp":
            return message(query, flags=0x8600)
        answers, additional = [], []
        for number in range(1000):
            target = f"i{number}"
            answers.append(record(b"\xc0\x0c", SRV, srv_rdata(port, target)))
            octets = bytes(int(part) for part in address(number).split("."))
            additional.append(record(encode_name(target), A, octets))
        return message(query, answers, additional)
    dns = cleanup(DnsServer(answer))
    sidecar = pilotfish(of_server(dns, listen, "lookup: {timeout: 2s}"), limit=30)
    use_all(listen, {f"{address(number)}:{port}" for number in range(1000)})
    [lookup] = sidecar.upstream("app")["tiers"][0]["lookups"]
    assert "may be incomplete" in lookup["note"], lookup
