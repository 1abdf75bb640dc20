"""Prometheus finds the sidecars by the registries and reads what they export."""

from harness import CoreDns, Prometheus, free_port, get, wait_for


def test_consul_sd_finds_the_registered_sidecar_and_scrapes_it(
        consul, backend, pilotfish, service, tmp_path, cleanup):
    server, port = backend(), free_port()
    sidecar = pilotfish(f"""\
{consul.config}
upstreams: {{app: {{listen: "127.0.0.1:{port}", static: ["{server.address}"]}}}}
register:
  {service}: {{self: true}}
""")
    consul.await_healthy(service, 1)
    for _ in range(5):
        assert get(port).status == 200
    prometheus = cleanup(Prometheus(tmp_path, f"""\
  - job_name: sidecars
    consul_sd_configs:
      - {{server: "127.0.0.1:{consul.http_port}", services: [{service}], refresh_interval: 1s}}
"""))
    found = wait_for(lambda: [one for one in prometheus.query('up{job="sidecars"}') if one[1] == 1],
                     20, "the sidecar is up")
    assert found[0][0]["instance"].endswith(f":{sidecar.admin_port}")
    wait_for(lambda: prometheus.query('pilotfish_downstream_requests_total{code="2xx"}'), 10)
    [(labels, value)] = prometheus.query('pilotfish_downstream_requests_total{code="2xx"}')
    assert labels["upstream"] == "app" and value == 5
    assert prometheus.query("process_resident_memory_bytes")
    assert prometheus.query("histogram_quantile(0.99, pilotfish_upstream_request_duration_seconds"
                            "_bucket)")[0][1] < 5


def test_dns_sd_through_coredns_finds_the_sidecar(
        etcd, backend, pilotfish, service, tmp_path, cleanup):
    server = backend()
    sidecar = pilotfish(f"""\
upstreams: {{app: {{listen: "127.0.0.1:{free_port()}", static: ["{server.address}"]}}}}
""")
    key = f"/skydns/local/prom/{service}/one"
    etcd.put(key, {"host": "127.0.0.1", "port": sidecar.admin_port})
    # Prometheus takes its resolvers from /etc/resolv.conf, which knows no ports.
    cleanup(CoreDns(tmp_path, etcd, host="127.0.0.153", port=53))
    prometheus = cleanup(Prometheus(tmp_path, f"""\
  - job_name: sidecars
    dns_sd_configs:
      - {{names: ["{service}.prom.local"], refresh_interval: 1s}}
""", resolver="127.0.0.153"))
    wait_for(lambda: [one for one in prometheus.query('up{job="sidecars"}') if one[1] == 1], 20,
             "the sidecar is up")
    assert prometheus.query("pilotfish_build_info")[0][0]["instance"].endswith(
        f":{sidecar.admin_port}")
    etcd.delete(key)
