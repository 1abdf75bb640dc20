"""What it shows: metrics, upstreams, configuration, logs, the start-up screen."""

import json
import re
import time

from harness import Client, free_port, get, wait_for
from harness.backend import reset_before_answer, slow, status

FAMILIES = {
    "upstream_requests_total": {"upstream", "instance", "code"},
    "upstream_request_duration_seconds_bucket": {"upstream", "le"},
    "upstream_connections_total": {"upstream", "instance"},
    "upstream_connect_failures_total": {"upstream", "instance", "reason"},
    "upstream_active": {"upstream"},
    "upstream_bytes_total": {"upstream", "direction"},
    "upstream_instances": {"upstream", "state"},
    "upstream_tier": {"upstream"},
    "upstream_tier_changes_total": {"upstream", "reason"},
    "upstream_retries_total": {"upstream", "reason"},
    "upstream_retries_denied_total": {"upstream"},
    "upstream_ejections_total": {"upstream", "instance"},
    "upstream_overflow_total": {"upstream", "reason"},
    "downstream_requests_total": {"upstream", "code"},
    "lookup_total": {"upstream", "result"},
    "lookup_duration_seconds_bucket": {"upstream", "le"},
    "lookup_age_seconds": {"upstream"},
    "lookup_tcp_total": {"upstream"},
    "lookup_stale_served_total": {"upstream"},
    "registration_up": {"service"},
    "downstream_connections": {"upstream"},
    "config_reloads_total": {"result"},
}


def test_every_family_of_the_contract_appears_once_things_happened(
        consul, backend, pilotfish, service):
    import threading
    good, bad, slow_one = backend(ports=30), backend(reset_before_answer), backend(slow(0.5))
    for number in [*good.ports, *bad.ports, free_port()]:
        consul.register(service, number)
    app, tight = free_port(), free_port()
    sidecar = pilotfish(f"""\
{consul.config}
workers: 1
upstreams:
  app:
    listen: 127.0.0.1:{app}
    consul: {service}
    eject: {{consecutive: 1}}
  tight:
    listen: 127.0.0.1:{tight}
    static: ["{slow_one.address}"]
    limits: {{connections: 1, pending: 1}}
register:
  {service}-self: {{self: true}}
""")
    for _ in range(150):
        assert get(app).status == 200
    threads = [threading.Thread(target=get, args=(tight,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    import signal
    sidecar.process.signal(signal.SIGHUP)
    wait_for(lambda: sidecar.metric("pilotfish_config_reloads_total") >= 1, 10)
    samples = sidecar.metrics()
    labels: dict[str, set] = {}
    for name, has, _ in samples:
        labels.setdefault(name, set()).update(has)
    missing = [name for name in FAMILIES if f"pilotfish_{name}" not in labels]
    assert not missing, missing
    for name, wanted in FAMILIES.items():
        assert labels[f"pilotfish_{name}"] == wanted, name
    assert {"version"} <= labels["pilotfish_build_info"]
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes",
                 "process_open_fds", "process_max_fds", "process_start_time_seconds"):
        assert name in labels, name
    codes = {has["code"] for name, has, _ in samples
             if name == "pilotfish_downstream_requests_total"}
    assert codes <= {"1xx", "2xx", "3xx", "4xx", "5xx"} and {"2xx", "5xx"} <= codes
    assert {has["direction"] for name, has, _ in samples
            if name == "pilotfish_upstream_bytes_total"} == {"sent", "received"}
    assert {has["state"] for name, has, _ in samples
            if name == "pilotfish_upstream_instances"} <= {"healthy", "unhealthy", "ejected",
                                                           "draining", "absent"}


def test_metrics_are_text_that_prometheus_knows(lane):
    port, _, sidecar = lane()
    get(port)
    _, body = sidecar.admin("/metrics")
    assert "# TYPE pilotfish_upstream_request_duration_seconds histogram" in body
    buckets = [has["le"] for name, has, _ in sidecar.metrics()
               if name == "pilotfish_upstream_request_duration_seconds_bucket"]
    assert float(buckets[0]) == 0.0005 and buckets[-1] == "+Inf" and float(buckets[-2]) == 30
    assert sidecar.metric("pilotfish_build_info") == 1


def test_upstreams_has_the_shape_of_the_contract(lane):
    port, server, sidecar = lane()
    for _ in range(3):
        get(port)
    shown = sidecar.upstream("app")
    assert {"name", "tier", "reason", "age_ms", "instances"} <= shown.keys()
    [one] = shown["instances"]
    assert {"address", "weight", "priority", "tags", "tier", "state", "why", "in_flight",
            "requests", "failures"} <= one.keys()
    assert (one["address"], one["requests"], one["failures"]) == (server.address, 3, 0)
    assert (one["state"], one["why"], one["in_flight"], one["tier"]) == ("healthy", "", 0, 0)


def test_in_flight_counts_what_runs_now(lane):
    port, server, sidecar = lane(slow(1))
    with Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for(lambda: sidecar.instances("app")[server.address]["in_flight"] == 1, 2)
        assert sidecar.metric("pilotfish_upstream_active", upstream="app") == 1
        client.read_response()
    wait_for(lambda: sidecar.instances("app")[server.address]["in_flight"] == 0, 2)


def test_config_shows_what_is_in_force_and_no_secret(backend, pilotfish):
    sidecar = pilotfish(f"""\
upstreams: {{app: {{listen: "127.0.0.1:{free_port()}", static: ["{backend().address}"]}}}}
""", env={"CONSUL_HTTP_TOKEN": "s3cret-token"})
    code, body = sidecar.admin("/config")
    assert code == 200
    assert "s3cret-token" not in body
    assert "least_request" in body and "request_timeout" in body, "defaults are shown"
    assert "s3cret-token" not in sidecar.process.log()


def test_unknown_pages_are_404_and_other_methods_are_refused(lane):
    _, _, sidecar = lane()
    assert sidecar.admin("/nothing")[0] == 404
    assert sidecar.admin("/health")[0] == 200
    assert get(sidecar.admin_port, "/health", {"Host": "localhost"}, "DELETE").status == 405


def test_admin_survives_garbage(lane):
    _, _, sidecar = lane()
    for data in (b"\0\0\0\0\r\n\r\n", b"GET /metrics\r\n\r\n", b"x" * 100_000):
        with Client(sidecar.admin_port, timeout=5) as client:
            try:
                client.send(data)
                client.finish_sending()
                client.read_to_end()
            except OSError:
                pass
    assert sidecar.admin("/health")[0] == 200


def test_admin_may_be_switched_off(backend, pilotfish):
    port, server = free_port(), backend()
    sidecar = pilotfish(f"""\
admin: "off"
upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}}}
""", wait=None)
    wait_for(lambda: get(port).status == 200, 10)
    assert sidecar.process.running()


def test_one_screen_at_the_start_says_what_listens_where_and_where_it_routes(
        consul, backend, pilotfish, service):
    first, second, server = free_port(), free_port(), backend()
    consul.register(service, server.port, tags=["v4"])
    sidecar = pilotfish(f"""\
{consul.config}
upstreams:
  billing: {{listen: "127.0.0.1:{first}", consul: {service}, prefer: [v4, any]}}
  fixed: {{listen: "127.0.0.1:{second}", protocol: tcp, static: ["{server.address}"]}}
""")
    log = sidecar.process.log()
    for word in ("billing", f"127.0.0.1:{first}", service, "v4", "fixed", f"127.0.0.1:{second}",
                 f"127.0.0.1:{sidecar.admin_port}"):
        assert word in log, word
    assert len(log.splitlines()) < 40


def access_lines(path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.strip()] if path.exists() else []


def test_the_access_log_says_instance_tier_and_tries_as_json(lane, tmp_path):
    path = tmp_path / "access.log"
    port, server, _ = lane(root=f"log: {{format: json, access: {path}}}")
    get(port, "/some/path?x=1")
    [line] = wait_for(lambda: access_lines(path), 5)
    entry = json.loads(line)
    words = json.dumps(entry)
    assert entry["status"] == 200
    for wanted in ("app", "GET", "/some/path?x=1", server.address, "static"):
        assert wanted in words, wanted
    assert any("tier" in key for key in entry) and any("tries" in key for key in entry)


def test_the_access_log_as_text_is_one_line_whatever_the_request_says(lane, tmp_path):
    path = tmp_path / "access.log"
    port, server, _ = lane(status("404 Not Found"), root=f"log: {{format: text, access: {path}}}")
    get(port, '/"quoted"\\back')
    wait_for(lambda: access_lines(path), 5)
    time.sleep(0.2)
    [line] = access_lines(path)
    assert "404" in line and server.address in line and "app" in line
    assert re.search(r"tier", line) or "static" in line


def test_the_access_log_goes_to_stdout_when_told(lane):
    port, _, sidecar = lane(root="log: {access: stdout}")
    get(port, "/find-me")
    sidecar.await_log("/find-me", 5)


def test_refused_requests_are_logged_as_well(lane, tmp_path):
    path = tmp_path / "access.log"
    port, _, _ = lane(root=f"log: {{format: json, access: {path}}}")
    with Client(port) as client:
        client.send(b"NONSENSE\r\n\r\n")
        assert client.read_response().status == 400
    [line] = wait_for(lambda: access_lines(path), 5)
    assert json.loads(line)["status"] == 400


def test_no_page_changes_anything(lane):
    port, _, sidecar = lane()
    before = sidecar.admin("/config")[1]
    pid = sidecar.process.pid
    for page in ("/metrics", "/health", "/ready", "/upstreams", "/config", "/"):
        for query in ("", "?reload=1", "?drain=1&level=debug"):
            assert sidecar.admin(page + query)[0] == 200
    for page in ("/quitquitquit", "/reload", "/drain", "/shutdown", "/stop", "/logging", "/log",
                 "/config/", "/debug/pprof", "/healthcheck/fail", "/reset_counters", "/../config"):
        assert sidecar.admin(page)[0] == 404, page
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"):
        for page in ("/config", "/upstreams", "/ready"):
            answer = get(sidecar.admin_port, page, {"Host": "localhost"}, method)
            assert (answer.status, answer.header("allow")) == (405, "GET, HEAD"), method
    assert sidecar.admin("/config")[1] == before
    assert sidecar.process.running() and sidecar.process.pid == pid
    assert get(port).status == 200


def test_a_name_that_was_rebound_to_us_reads_neither_configuration_nor_instances(lane):
    _, _, sidecar = lane()
    for page in ("/config", "/upstreams", "/"):
        for host in ("evil.example", "evil.example:9900", "127.0.0.1.evil.example", "localhost.evil.example",
                     "[::1].evil.example", "localhost@evil.example", "0x7f000001", "127.1"):
            assert get(sidecar.admin_port, page, {"Host": host}).status in (400, 403), host
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:9900"):
            assert get(sidecar.admin_port, page, {"Host": host}).status == 200, host
        assert "access-control-allow-origin" not in {
            name.lower() for name, _ in
            get(sidecar.admin_port, page, {"Host": "localhost", "Origin": "http://evil"}).headers}
    for page in ("/metrics", "/health", "/ready"):  # what monitors ask by whatever name they know
        assert get(sidecar.admin_port, page, {"Host": "web.svc.prom.local"}).status == 200


def test_slow_clients_of_the_admin_port_hurt_neither_it_nor_the_data_path(lane):
    port, _, sidecar = lane()
    for _ in range(20):
        get(port)
    before, descriptors = sidecar.process.rss_bytes(), sidecar.process.descriptors()
    crowd = []
    try:
        for number in range(300):
            client = Client(sidecar.admin_port, timeout=30)
            client.send((b"", b"GET /health HT", b"POST /config HTTP/1.1\r\nHost: localhost\r\n"
                         b"Content-Length: 100\r\n\r\n", b"\0")[number % 4])
            crowd.append(client)
        for _ in range(50):
            assert get(port).status == 200
        assert sidecar.process.descriptors() - descriptors < 100, "the rest wait outside"
        assert sidecar.process.rss_bytes() - before < 32 << 20
        # Its small deadlines let the others in, whatever comes.
        wait_for(lambda: sidecar.admin("/health")[0] == 200, 60)
    finally:
        for client in crowd:
            client.close()
    wait_for(lambda: sidecar.admin("/ready")[0] == 200, 20)
