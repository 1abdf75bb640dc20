#include "config/hints.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "config/nearest.hpp"

namespace pilotfish::config {
namespace {

constexpr std::string_view kInstances =
    "where instances are is said by consul: SERVICE, srv: NAME, or static: [10.0.0.1:80]";
constexpr std::string_view kListen =
    "write listen: 127.0.0.1:7001, where the application calls it; the instances' ports come with "
    "their addresses";
constexpr std::string_view kService = "write consul: SERVICE";
constexpr std::string_view kTags = "write prefer: [TAG], ordered tiers of tags, beside consul:";
constexpr std::string_view kBalance = "write balance: least_request, or another of its words";
constexpr std::string_view kRetry = "write retry: {attempts: 2}";
constexpr std::string_view kEject = "write eject: {consecutive: 5}";
constexpr std::string_view kTls =
    "connections are plain so far; protocol: tcp passes an application's own TLS through untouched";
constexpr std::string_view kHttp2 =
    "http is HTTP/1.1 so far; protocol: tcp passes HTTP/2 and gRPC through, balanced per "
    "connection";
constexpr std::string_view kTimeout =
    "write request_timeout, connect_timeout, idle_timeout, or one of timeouts: {...}";
constexpr std::string_view kRoutes = "each upstream has an address of its own, listen:, so far";
constexpr std::string_view kUpstreams = "what the application calls is under upstreams:";
constexpr std::string_view kToken =
    "the token comes from CONSUL_HTTP_TOKEN_FILE or CONSUL_HTTP_TOKEN, never from this file";
constexpr std::string_view kAgent = "write http: http://127.0.0.1:8500 and dns: 127.0.0.1:8600";
constexpr std::string_view kPlainEtcd = "endpoints are asked over http:// without a name so far";
constexpr std::string_view kStop = "write shutdown: {grace: 0s, drain: 10s}";

constexpr std::array kRoot{
    Hint{"gateways", kRoutes, "", true},
    Hint{"containers", "announce services under register: so far", "", true},
    Hint{"tracing", "log.access has a line per request so far", "", true},
    Hint{"tls", kTls, "", true},
    Hint{"gateway", kRoutes, "", true},
    Hint{"routes", kRoutes, "", true},
    Hint{"service", "what is called is under upstreams:, what is announced under register:",
         "upstreams", false},
    Hint{"services", "what is called is under upstreams:, what is announced under register:",
         "upstreams", false},
    Hint{"backends", kUpstreams, "upstreams", false},
    Hint{"backend", kUpstreams, "upstreams", false},
    Hint{"frontends", kUpstreams, "upstreams", false},
    Hint{"clusters", kUpstreams, "upstreams", false},
    Hint{"listeners", kUpstreams, "upstreams", false},
    Hint{"proxies", kUpstreams, "upstreams", false},
    Hint{"servers", kUpstreams, "upstreams", false},
    Hint{"listen", "it belongs to an upstream: upstreams: {NAME: {listen: ...}}", "", false},
    Hint{"port", "it belongs to an upstream: upstreams: {NAME: {listen: 127.0.0.1:PORT}}", "",
         false},
    Hint{"log_level", "write log: {level: info}", "log", false},
    Hint{"loglevel", "write log: {level: info}", "log", false},
    Hint{"access_log", "write log: {access: stdout}", "log", false},
    Hint{"metrics", "they are at /metrics of the admin address: admin: 127.0.0.1:9900", "", false},
    Hint{"prometheus", "metrics are at /metrics of the admin address: admin: 127.0.0.1:9900", "",
         false},
    Hint{"registry", "write consul:, dns: or etcd:", "", false},
    Hint{"nameservers", "write dns: [127.0.0.1:53]", "dns", false},
    Hint{"resolvers", "write dns: [127.0.0.1:53]", "dns", false},
    Hint{"token", kToken, "", false},
    Hint{"drain", kStop, "shutdown", false},
    Hint{"grace", kStop, "shutdown", false},
    Hint{"threads", "write workers:", "workers", false},
    Hint{"max_connections", "write max_clients:", "max_clients", false},
};

constexpr std::array kUpstream{
    Hint{"tls", kTls, "", true},
    Hint{"ssl", kTls, "", true},
    Hint{"https", kTls, "", true},
    Hint{"http2", kHttp2, "", true},
    Hint{"h2", kHttp2, "", true},
    Hint{"grpc", kHttp2, "", true},
    Hint{"proxy_protocol", "instances see the sidecar's address so far", "", true},
    Hint{"routes", kRoutes, "", true},
    Hint{"route", kRoutes, "", true},
    Hint{"path", kRoutes, "", true},
    Hint{"backend", kInstances, "static", false},
    Hint{"backends", kInstances, "static", false},
    Hint{"server", kInstances, "static", false},
    Hint{"servers", kInstances, "static", false},
    Hint{"targets", kInstances, "static", false},
    Hint{"target", kInstances, "static", false},
    Hint{"endpoint", kInstances, "static", false},
    Hint{"endpoints", kInstances, "static", false},
    Hint{"instances", kInstances, "static", false},
    Hint{"nodes", kInstances, "static", false},
    Hint{"members", kInstances, "static", false},
    Hint{"upstream", kInstances, "static", false},
    Hint{"url", kInstances, "static", false},
    Hint{"port", kListen, "", false},
    Hint{"bind", kListen, "listen", false},
    Hint{"bind_port", kListen, "listen", false},
    Hint{"local_bind_port", kListen, "listen", false},
    Hint{"local_bind_address", kListen, "listen", false},
    Hint{"address", kListen, "listen", false},
    Hint{"service", kService, "consul", false},
    Hint{"service_name", kService, "consul", false},
    Hint{"destination_name", kService, "consul", false},
    Hint{"name", "the upstream's name is its key; the service's is said by consul: SERVICE",
         "consul", false},
    Hint{"tag", kTags, "prefer", false},
    Hint{"tags", kTags, "prefer", false},
    Hint{"version", kTags, "prefer", false},
    Hint{"versions", kTags, "prefer", false},
    Hint{"datacenter", "write consul: {service: NAME, datacenter: DC}", "", false},
    Hint{"dc", "write consul: {service: NAME, datacenter: DC}", "", false},
    Hint{"timeout", kTimeout, "", false},
    Hint{"lb", kBalance, "balance", false},
    Hint{"lb_policy", kBalance, "balance", false},
    Hint{"load_balancer", kBalance, "balance", false},
    Hint{"load_balancing", kBalance, "balance", false},
    Hint{"policy", kBalance, "balance", false},
    Hint{"algorithm", kBalance, "balance", false},
    Hint{"strategy", kBalance, "balance", false},
    Hint{"health_check", "write check: {http: /health}", "check", false},
    Hint{"healthcheck", "write check: {http: /health}", "check", false},
    Hint{"retries", kRetry, "retry", false},
    Hint{"max_retries", kRetry, "retry", false},
    Hint{"circuit_breaker", kEject, "eject", false},
    Hint{"outlier_detection", kEject, "eject", false},
    Hint{"max_connections", "write limits: {connections: 1024}", "limits", false},
    Hint{"weight", "write static: [{address: 10.0.0.1:80, weight: 2}]", "", false},
    Hint{"weights", "write static: [{address: 10.0.0.1:80, weight: 2}]", "", false},
    Hint{"mode", "write protocol: http or tcp", "protocol", false},
    Hint{"type", "write protocol: http or tcp", "protocol", false},
    Hint{"nameserver", "write dns: [127.0.0.1:53] beside srv:", "dns", false},
};

constexpr std::array kConsul{
    Hint{"tls", "the agent is asked over http:// or unix:// so far", "", true},
    Hint{"overlay", "a reload (SIGHUP, or run --watch) changes everything so far", "", true},
    Hint{"token", kToken, "", false},
    Hint{"acl_token", kToken, "", false},
    Hint{"token_file", kToken, "", false},
    Hint{"address", kAgent, "http", false},
    Hint{"addr", kAgent, "http", false},
    Hint{"host", kAgent, "http", false},
    Hint{"url", kAgent, "http", false},
    Hint{"port", kAgent, "http", false},
    Hint{"dns_port", kAgent, "dns", false},
    Hint{"datacenter", "it belongs to an upstream: consul: {service: NAME, datacenter: DC}", "",
         false},
    Hint{"service", "it belongs to an upstream: upstreams: {NAME: {consul: SERVICE}}", "", false},
};

constexpr std::array kEtcd{
    Hint{"tls", kPlainEtcd, "", true},
    Hint{"user", kPlainEtcd, "", true},
    Hint{"password_file", kPlainEtcd, "", true},
    Hint{"username", kPlainEtcd, "", true},
    Hint{"password", kPlainEtcd, "", true},
    Hint{"address", "write endpoints: [http://127.0.0.1:2379]", "endpoints", false},
    Hint{"hosts", "write endpoints: [http://127.0.0.1:2379]", "endpoints", false},
    Hint{"url", "write endpoints: [http://127.0.0.1:2379]", "endpoints", false},
};

constexpr std::array kLimits{
    Hint{"streams", "HTTP/1.1 has none", "", true},
    Hint{"max_connections", "write connections:", "connections", false},
    Hint{"queue", "write pending:", "pending", false},
};

constexpr std::array kTimeouts{
    Hint{"stream", "HTTP/1.1 has none; a stalled body has timeouts.body", "", true},
    Hint{"connect", "write connect_timeout: 1s beside timeouts:", "", false},
    Hint{"request", "write request_timeout: 30s beside timeouts:", "", false},
    Hint{"idle", "write idle_timeout: 1h beside timeouts:, or keep_alive, or pool_idle", "", false},
};

constexpr std::array kShutdown{
    Hint{"timeout", "write drain: 10s", "drain", false},
};

constexpr std::array kProtocol{
    Hint{"grpc", kHttp2, "", true},
    Hint{"grpcs", kHttp2, "", true},
    Hint{"http2", kHttp2, "", true},
    Hint{"h2", kHttp2, "", true},
    Hint{"h2c", kHttp2, "", true},
    Hint{"https", kTls, "", true},
    Hint{"tls", kTls, "", true},
    Hint{"ssl", kTls, "", true},
    Hint{"http1", "write http", "", false},
    Hint{"http/1.1", "write http", "", false},
    Hint{"websocket", "write http: it passes upgrades", "", false},
    Hint{"ws", "write http: it passes upgrades", "", false},
    Hint{"udp", "only TCP is carried", "", false},
};

}  // namespace

const Hint* find_hint(Hints hints, std::string_view word) {
  const auto key = key_form(word);
  const auto found = std::ranges::find(hints, std::string_view(key), &Hint::word);
  return found == hints.end() ? nullptr : &*found;
}

Hints root_hints() {
  return kRoot;
}
Hints upstream_hints() {
  return kUpstream;
}
Hints consul_hints() {
  return kConsul;
}
Hints etcd_hints() {
  return kEtcd;
}
Hints limits_hints() {
  return kLimits;
}
Hints timeouts_hints() {
  return kTimeouts;
}
Hints shutdown_hints() {
  return kShutdown;
}
Hints protocol_hints() {
  return kProtocol;
}

}  // namespace pilotfish::config
