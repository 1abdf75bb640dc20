#pragma once

namespace pilotfish::config::test {

// clang-format off
/// The contract's own example: every kind of entry, most keys.
inline constexpr auto* kFull = R"(admin: 127.0.0.1:9900
workers: 1
max_clients: 10000
state_dir: /var/lib/pilotfish
log: {level: info, format: text, access: off}
shutdown: {drain: 10s}
consul:
  http: http://127.0.0.1:8500
  dns: 127.0.0.1:8600
  domain: consul
dns: [127.0.0.1:53]
etcd: {endpoints: [http://127.0.0.1:2379], prefix: /skydns}

upstreams:
  billing:
    listen: 127.0.0.1:7001
    protocol: http
    required: true
    consul: billing
    prefer: [v4, [v3, read], any]
    fresh: connection
    lookup: {timeout: 200ms, max_rate: 1000}
    fallback: {min_healthy: 1, fail_back_after: 10s, hold_empty: 10s}
    balance: least_request
    hash_on: header:x-user
    connect_timeout: 1s
    request_timeout: 30s
    idle_timeout: 1h
    timeouts: {head: 10s, body: 60s, write: 60s, keep_alive: 1h, pool_idle: 4s}
    retry: {attempts: 2, on: [connect, reset, 502, 503, 504], budget: 20%}
    eject: {consecutive: 5, base: 30s, max: 5m, max_share: 50%}
    limits: {connections: 1024, pending: 1024, head: 32KiB, body: 0}
    slow_start: 0s
  etcd:
    listen: 127.0.0.1:7002
    protocol: tcp
    srv: [_etcd-client._tcp.prom.local, _etcd-backup._tcp.prom.local]
    dns: [127.0.0.1:5353]
  fixed:
    listen: 127.0.0.1:7003
    static: [10.0.0.1:80, {address: "10.0.0.2:80", weight: 2, priority: 1}]

register:
  web:
    port: 5000
    name: web
    address: 127.0.0.1
    tags: [v3, read]
    meta: {version: "3.2"}
    weights: {passing: 10, warning: 1}
    check: {http: http://127.0.0.1:5000/_checker, interval: 10s, timeout: 1s, deregister_after: 1m}
  web-sidecar: {self: true}
  web-dns:
    in: etcd
    srv: _web._tcp.prom.local
    port: 5000
    lease: 30s
    check: {tcp: 127.0.0.1:5000, interval: 5s}
)";
// clang-format on

}  // namespace pilotfish::config::test
