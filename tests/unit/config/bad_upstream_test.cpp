#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

TEST(BadUpstream, SuggestsTheNearestKeyAndWord) {
  expect_reports({
      {upstream("lisen: 127.0.0.1:7002"),
       "f.yaml:5:5: unknown key \"lisen\" in upstreams.billing; did you mean \"listen\"?\n"},
      {upstream("foo: bar"),
       "f.yaml:5:5: unknown key \"foo\" in upstreams.billing; known here: listen, protocol, "
       "required, enabled, drain, consul, prefer, split, choose_by, srv, hosts, dns, static, "
       "fresh, "
       "lookup, fallback, balance, hash_on, sticky, connect_timeout, request_timeout, "
       "idle_timeout, client_half_close, timeouts, host, check, retry, eject, limits, "
       "slow_start\n"},
      {upstream("protocol: HTTP"),
       "f.yaml:5:15: upstreams.billing.protocol: \"HTTP\" is none of http, tcp; did you mean "
       "\"http\"?\n"},
      {upstream("required: 1"),
       "f.yaml:5:15: upstreams.billing.required: \"1\" is not a truth value; write true or "
       "false\n"},
      {upstream("fresh: always"),
       "f.yaml:5:12: upstreams.billing.fresh: \"always\" is none of connection, ttl, watch\n"},
      {upstream("fresh: conection"),
       "f.yaml:5:12: upstreams.billing.fresh: \"conection\" is none of connection, ttl, watch; did "
       "you mean \"connection\"?\n"},
      {upstream("srv: a.b"),
       "f.yaml:5:5: upstreams.billing: only one of consul, srv, hosts and static may be "
       "given; keep one\n"},
      {upstream("static: [10.0.0.1:80]"),
       "f.yaml:5:5: upstreams.billing: only one of consul, srv, hosts and static may be "
       "given; keep one\n"},
      {upstream("dns: [127.0.0.1:53]"),
       "f.yaml:5:5: upstreams.billing: \"dns\" works only with srv: and hosts:; remove it\n"},
  });
}

TEST(BadUpstream, SaysOfWordsThatPeopleTryWhatToUse) {
  expect_reports({
      {upstream("protocol: https"),
       "f.yaml:5:15: upstreams.billing.protocol: \"https\" is not built yet; connections are plain "
       "so far; protocol: tcp passes an application's own TLS through untouched\n"},
      {upstream("protocol: gRPC"),
       "f.yaml:5:15: upstreams.billing.protocol: \"gRPC\" is not built yet; http is HTTP/1.1 so "
       "far; protocol: tcp passes HTTP/2 and gRPC through, balanced per connection\n"},
      {upstream("protocol: udp"),
       "f.yaml:5:15: upstreams.billing.protocol: \"udp\" is none of http, tcp; only TCP is "
       "carried\n"},
      {upstream("tls: true"),
       "f.yaml:5:5: \"tls\" in upstreams.billing is not built yet; connections are plain so far; "
       "protocol: tcp passes an application's own TLS through untouched\n"},
      {upstream("http2: always"),
       "f.yaml:5:5: \"http2\" in upstreams.billing is not built yet; http is HTTP/1.1 so far; "
       "protocol: tcp passes HTTP/2 and gRPC through, balanced per connection\n"},
      {upstream("servers: [10.0.0.1:80]"),
       "f.yaml:5:5: unknown key \"servers\" in upstreams.billing; where instances are is said by "
       "consul: SERVICE, srv: NAME, or static: [10.0.0.1:80]\n"},
      {upstream("Max-Retries: 3"),
       "f.yaml:5:5: unknown key \"Max-Retries\" in upstreams.billing; write retry: {attempts: "
       "2}\n"},
      {upstream("limits: {streams: 100}"),
       "f.yaml:5:14: \"streams\" in upstreams.billing.limits is not built yet; HTTP/1.1 has "
       "none\n"},
      {upstream("port: 80"),
       "f.yaml:5:5: unknown key \"port\" in upstreams.billing; write listen: 127.0.0.1:7001, where "
       "the application calls it; the instances' ports come with their addresses\n"},
      // What is meant is not missing besides.
      {"upstreams:\n  billing: {bind: 127.0.0.1:7001, backend: 10.0.0.1:80}\n",
       "f.yaml:2:13: unknown key \"bind\" in upstreams.billing; write listen: 127.0.0.1:7001, "
       "where "
       "the application calls it; the instances' ports come with their addresses\n"
       "f.yaml:2:35: unknown key \"backend\" in upstreams.billing; where instances are is said by "
       "consul: SERVICE, srv: NAME, or static: [10.0.0.1:80]\n"},
      {"upstreams:\n  billing: {listen: {address: 127.0.0.1:7001, tls: {}}, consul: billing}\n",
       "f.yaml:2:21: upstreams.billing.listen: a map (tls, proxy_protocol, mode) is not built yet; "
       "write an address like 127.0.0.1:7001\n"},
      {"upstreams:\n  billing: {listen: 'unix:/run/a.sock', consul: billing}\n",
       "f.yaml:2:21: upstreams.billing.listen: \"unix:/run/a.sock\" is not built yet; write an "
       "address like 127.0.0.1:7001\n"},
  });
}

TEST(BadUpstream, RefusesBadLookupAndFallback) {
  expect_reports({
      {upstream("lookup: {timeout: 0}"),
       "f.yaml:5:23: upstreams.billing.lookup.timeout: \"0\" must be above 0\n"},
      {upstream("lookup: {timeout: 200}"),
       "f.yaml:5:23: upstreams.billing.lookup.timeout: \"200\" needs a unit; write 200ms, 200s, "
       "200m or 200h\n"},
      {upstream("lookup: {max_rate: 0}"),
       "f.yaml:5:24: upstreams.billing.lookup.max_rate: \"0\" is out of range; write a number from "
       "1 to 1000000\n"},
      {upstream("lookup: {maxrate: 5}"),
       "f.yaml:5:14: unknown key \"maxrate\" in upstreams.billing.lookup; did you mean "
       "\"max_rate\"?\n"},
      {upstream("lookup: 5"),
       "f.yaml:5:13: upstreams.billing.lookup: must be a map of keys, like {timeout: ...}, not "
       "\"5\"\n"},
      {upstream("lookup: []"),
       "f.yaml:5:13: upstreams.billing.lookup: must be a map of keys, like {timeout: ...}, not a "
       "list\n"},
      {upstream("fallback: {min_healthy: 0}"),
       "f.yaml:5:29: upstreams.billing.fallback.min_healthy: \"0\" is neither a number of "
       "instances nor a percentage; write 1 to 65535, or 1% to 100%\n"},
      {upstream("fallback: {min_healthy: 0%}"),
       "f.yaml:5:29: upstreams.billing.fallback.min_healthy: \"0%\" is neither a number of "
       "instances nor a percentage; write 1 to 65535, or 1% to 100%\n"},
      {upstream("fallback: {min_healthy: 101%}"),
       "f.yaml:5:29: upstreams.billing.fallback.min_healthy: \"101%\" is neither a number of "
       "instances nor a percentage; write 1 to 65535, or 1% to 100%\n"},
      {upstream("fallback: {min_healthy: some}"),
       "f.yaml:5:29: upstreams.billing.fallback.min_healthy: \"some\" is neither a number of "
       "instances nor a percentage; write 1 to 65535, or 1% to 100%\n"},
      {upstream("fallback: {fail_back_after: 10}"),
       "f.yaml:5:33: upstreams.billing.fallback.fail_back_after: \"10\" needs a unit; write 10ms, "
       "10s, 10m or 10h\n"},
  });
}

TEST(BadUpstream, RefusesBadActiveChecks) {
  expect_reports({
      {upstream("check: 5"),
       "f.yaml:5:12: upstreams.billing.check: must be a map of keys, like {http: ...}, not "
       "\"5\"\n"},
      {upstream("check: {}"),
       "f.yaml:5:5: upstreams.billing.check: http or tcp is missing; add http: /health or tcp: "
       "true\n"},
      {upstream("check: {interval: 5s}"),
       "f.yaml:5:5: upstreams.billing.check: http or tcp is missing; add http: /health or tcp: "
       "true\n"},
      {upstream("check: {http: /health, tcp: true}"),
       "f.yaml:5:28: upstreams.billing.check: only one of http and tcp may be given; keep one\n"},
      {upstream("check: {grpc: true}"),
       "f.yaml:5:13: upstreams.billing.check: grpc checks are not built yet; write http: PATH or "
       "tcp: true\n"},
      {upstream("check: {tcp: false}"),
       "f.yaml:5:18: upstreams.billing.check: tcp: false checks nothing; write tcp: true, or "
       "remove check\n"},
      {upstream("check: {tcp: 127.0.0.1:80}"),
       "f.yaml:5:18: upstreams.billing.check.tcp: \"127.0.0.1:80\" is not a truth value; write "
       "true or false\n"},
      {upstream("check: {http: health}"),
       "f.yaml:5:19: upstreams.billing.check.http: \"health\" is no path; write one like "
       "/health\n"},
      {upstream("check: {http: 'http://10.0.0.1/health'}"),
       "f.yaml:5:19: upstreams.billing.check.http: \"http://10.0.0.1/health\" is no path; write "
       "one like /health\n"},
      {upstream("check: {http: '/a b'}"),
       "f.yaml:5:19: upstreams.billing.check.http: \"/a b\" cannot be sent as a path; write spaces "
       "and other letters as %20, %C3%A4\n"},
      {upstream("check: {http: '/a#b'}"),
       "f.yaml:5:19: upstreams.billing.check.http: \"/a#b\" cannot be sent as a path; write spaces "
       "and other letters as %20, %C3%A4\n"},
      {upstream("check: {http: /, interval: 0}"),
       "f.yaml:5:32: upstreams.billing.check.interval: \"0\" must be above 0\n"},
      {upstream("check: {http: /, timeout: 1}"),
       "f.yaml:5:31: upstreams.billing.check.timeout: \"1\" needs a unit; write 1ms, 1s, 1m or "
       "1h\n"},
      {upstream("check: {http: /, healthy: 0}"),
       "f.yaml:5:31: upstreams.billing.check.healthy: \"0\" is out of range; write a number from 1 "
       "to 1000000\n"},
      {upstream("check: {http: /, rise: 2}"),
       "f.yaml:5:22: unknown key \"rise\" in upstreams.billing.check; known here: http, tcp, "
       "interval, timeout, healthy, unhealthy\n"},
  });
}

TEST(BadUpstream, RefusesBadHostsAndPauses) {
  expect_reports({
      {upstream("host: 'a b'"),
       "f.yaml:5:11: upstreams.billing.host: \"a b\" is neither keep, instance nor a host; write "
       "one like billing.internal\n"},
      {upstream("host: http://billing"),
       "f.yaml:5:11: upstreams.billing.host: \"http://billing\" is neither keep, instance nor a "
       "host; write one like billing.internal\n"},
      {upstream("host: billing:0"),
       "f.yaml:5:11: upstreams.billing.host: \"billing:0\" is neither keep, instance nor a host; "
       "write one like billing.internal\n"},
      {upstream("protocol: tcp\nhost: instance"),
       "f.yaml:6:5: upstreams.billing: \"host\" works only with protocol: http; remove it\n"},
      {upstream("protocol: tcp\nclient_half_close: serve"),
       "f.yaml:6:5: upstreams.billing: \"client_half_close\" works only with protocol: http; "
       "remove "
       "it (tcp passes a half-close on)\n"},
      {upstream("retry: {backoff: 25}"),
       "f.yaml:5:22: upstreams.billing.retry.backoff: \"25\" needs a unit; write 25ms, 25s, 25m or "
       "25h\n"},
  });
}

TEST(BadUpstream, RefusesBadBalancing) {
  expect_reports({
      {upstream("balance: least-request"),
       "f.yaml:5:14: upstreams.billing.balance: \"least-request\" is none of least_request, "
       "round_robin, random, peak_ewma, ring_hash, maglev; did you mean \"least_request\"?\n"},
      {upstream("balance: best"),
       "f.yaml:5:14: upstreams.billing.balance: \"best\" is none of least_request, round_robin, "
       "random, peak_ewma, ring_hash, maglev\n"},
      {upstream("balance: ring_hash"),
       "f.yaml:5:14: upstreams.billing: \"hash_on\" is missing, which ring_hash and maglev need; "
       "add hash_on: source_ip or hash_on: header:NAME\n"},
      {upstream("balance: maglev"),
       "f.yaml:5:14: upstreams.billing: \"hash_on\" is missing, which ring_hash and maglev need; "
       "add hash_on: source_ip or hash_on: header:NAME\n"},
      {upstream("balance: ring_hash\nhash_on: cookie"),
       "f.yaml:6:14: upstreams.billing.hash_on: \"cookie\" cannot be hashed on; write source_ip, "
       "or header:NAME like header:x-user\n"},
      {upstream("balance: ring_hash\nhash_on: 'header:'"),
       "f.yaml:6:14: upstreams.billing.hash_on: \"header:\" cannot be hashed on; write source_ip, "
       "or header:NAME like header:x-user\n"},
      {upstream("balance: ring_hash\nhash_on: 'header:a b'"),
       "f.yaml:6:14: upstreams.billing.hash_on: \"header:a b\" cannot be hashed on; write "
       "source_ip, or header:NAME like header:x-user\n"},
      {upstream("protocol: tcp\nbalance: maglev\nhash_on: header:x"),
       "f.yaml:7:14: upstreams.billing: a header cannot be hashed on with protocol: tcp; write "
       "source_ip\n"},
  });
}

TEST(BadUpstream, RefusesBadDeadlines) {
  expect_reports({
      {upstream("connect_timeout: 0"),
       "f.yaml:5:22: upstreams.billing.connect_timeout: \"0\" must be above 0\n"},
      {upstream("connect_timeout: 0s"),
       "f.yaml:5:22: upstreams.billing.connect_timeout: \"0s\" must be above 0\n"},
      {upstream("connect_timeout: 10"),
       "f.yaml:5:22: upstreams.billing.connect_timeout: \"10\" needs a unit; write 10ms, 10s, 10m "
       "or 10h\n"},
      {upstream("request_timeout: -5s"),
       "f.yaml:5:22: upstreams.billing.request_timeout: \"-5s\" is not a duration; write a whole "
       "number and a unit, like 250ms, 10s, 1m or 1h\n"},
      {upstream("idle_timeout: forever"),
       "f.yaml:5:19: upstreams.billing.idle_timeout: \"forever\" is not a duration; write a whole "
       "number and a unit, like 250ms, 10s, 1m or 1h\n"},
      {upstream("timeouts: {head: 0}"),
       "f.yaml:5:22: upstreams.billing.timeouts.head: \"0\" must be above 0\n"},
      {upstream("timeouts: {pool_idle: 0s}"),
       "f.yaml:5:27: upstreams.billing.timeouts.pool_idle: \"0s\" must be above 0\n"},
      {upstream("timeouts: {keepalive: 1h}"),
       "f.yaml:5:16: unknown key \"keepalive\" in upstreams.billing.timeouts; did you mean "
       "\"keep_alive\"?\n"},
      {upstream("slow_start: 30"),
       "f.yaml:5:17: upstreams.billing.slow_start: \"30\" needs a unit; write 30ms, 30s, 30m or "
       "30h\n"},
  });
}

TEST(BadUpstream, RefusesBadRetryEjectAndLimits) {
  expect_reports({
      {upstream("retry: {attempts: -1}"),
       "f.yaml:5:23: upstreams.billing.retry.attempts: \"-1\" is not a whole number; write one "
       "from 0 to 100\n"},
      {upstream("retry: {attempts: 101}"),
       "f.yaml:5:23: upstreams.billing.retry.attempts: \"101\" is out of range; write a number "
       "from 0 to 100\n"},
      {upstream("retry: {on: [500]}"),
       "f.yaml:5:18: upstreams.billing.retry.on: \"500\" is none of connect, reset, 502, 503, "
       "504\n"},
      {upstream("retry: {on: [conect]}"),
       "f.yaml:5:18: upstreams.billing.retry.on: \"conect\" is none of connect, reset, 502, 503, "
       "504; did you mean \"connect\"?\n"},
      {upstream("retry: {on: {a: b}}"),
       "f.yaml:5:17: upstreams.billing.retry.on: must be a list, like [a, b], not a map\n"},
      {upstream("retry: {budget: 20}"),
       "f.yaml:5:21: upstreams.billing.retry.budget: \"20\" is not a percentage; write one like "
       "20%\n"},
      {upstream("retry: {budget: 120%}"),
       "f.yaml:5:21: upstreams.billing.retry.budget: \"120%\" is out of range; write 0% to 100%\n"},
      {upstream("retry: {budget: 0.2}"),
       "f.yaml:5:21: upstreams.billing.retry.budget: \"0.2\" is not a percentage; write one like "
       "20%\n"},
      {upstream("eject: {base: 10m}"),
       "f.yaml:5:19: upstreams.billing.eject: max (5m) is below base (10m); raise max or lower "
       "base\n"},
      {upstream("eject: {base: 30s, max: 10s}"),
       "f.yaml:5:29: upstreams.billing.eject: max (10s) is below base (30s); raise max or lower "
       "base\n"},
      {upstream("eject: {max: 10s}"),
       "f.yaml:5:18: upstreams.billing.eject: max (10s) is below base (30s); raise max or lower "
       "base\n"},
      {upstream("eject: {max_share: 50}"),
       "f.yaml:5:24: upstreams.billing.eject.max_share: \"50\" is not a percentage; write one like "
       "20%\n"},
      {upstream("eject: {max_share: 101%}"),
       "f.yaml:5:24: upstreams.billing.eject.max_share: \"101%\" is out of range; write 0% to "
       "100%\n"},
      {upstream("eject: {consecutive: five}"),
       "f.yaml:5:26: upstreams.billing.eject.consecutive: \"five\" is not a whole number; write "
       "one from 0 to 1000000\n"},
      {upstream("limits: {connections: 0}"),
       "f.yaml:5:27: upstreams.billing.limits.connections: \"0\" is out of range; write a number "
       "from 1 to 10000000\n"},
      {upstream("limits: {head: 32kib}"),
       "f.yaml:5:20: upstreams.billing.limits.head: \"32kib\" is not a size; write bytes or a "
       "unit, like 65536, 64KiB or 1MiB\n"},
      {upstream("limits: {head: 1}"),
       "f.yaml:5:20: upstreams.billing.limits.head: \"1\" is out of range; write 256 to 16MiB\n"},
      {upstream("limits: {head: 1GiB}"),
       "f.yaml:5:20: upstreams.billing.limits.head: \"1GiB\" is out of range; write 256 to "
       "16MiB\n"},
      {upstream("limits: {body: -1}"),
       "f.yaml:5:20: upstreams.billing.limits.body: \"-1\" is not a size; write bytes or a unit, "
       "like 65536, 64KiB or 1MiB\n"},
      {upstream("limits: {body: 99999999999999999999}"),
       "f.yaml:5:20: upstreams.billing.limits.body: \"99999999999999999999\" is too large for a "
       "size\n"},
      {upstream("limits: {body: 9999999999GiB}"),
       "f.yaml:5:20: upstreams.billing.limits.body: \"9999999999GiB\" is too large for a size\n"},
      {upstream("limits: {body: 1.5MiB}"),
       "f.yaml:5:20: upstreams.billing.limits.body: \"1.5MiB\" is not a size; write bytes or a "
       "unit, like 65536, 64KiB or 1MiB\n"},
  });
}

}  // namespace
}  // namespace pilotfish::config::test
