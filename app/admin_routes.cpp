#include "app/admin_routes.hpp"

#include <algorithm>
#include <boost/algorithm/string/predicate.hpp>

#include "app/status_json.hpp"
#include "core/ip_address.hpp"

namespace pilotfish::app {
namespace {

constexpr std::string_view kPaths =
    "/metrics    Prometheus text\n"
    "/health     200 while the process works\n"
    "/ready      200 when every upstream has an instance, else 503 and why\n"
    "/upstreams  upstreams, tiers and instances as JSON\n"
    "/config     the effective configuration, secrets redacted\n";

}  // namespace

bool host_is_local(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end != std::string_view::npos && IpAddress::parse(host.substr(1, end - 1)).has_value() &&
           (end + 1 == host.size() || host[end + 1] == ':');
  }
  const std::string_view name = host.substr(0, host.find(':'));
  return boost::algorithm::iequals(name, "localhost") || IpAddress::parse(name).has_value();
}

net::Awaitable<AdminReply> answer_admin(const AdminRequest& request, bool any_host,
                                        AdminSource& source) {
  AdminReply reply;
  const std::string path = request.target.substr(0, request.target.find('?'));
  // What monitors ask holds no secret, and Prometheus names the host as its SRV record does.
  const bool for_monitors = path == "/metrics" || path == "/health" || path == "/ready";
  const bool host_ok = any_host || for_monitors ||
                       (request.host.empty() ? request.http_1_0 : host_is_local(request.host));
  if (!host_ok) {
    reply.status = 403;
    reply.body =
        "Host must be an IP address or localhost here: a name may have been rebound to this "
        "machine by somebody else's DNS. admin_public: true allows any name.\n";
    co_return reply;
  }
  if (request.method != "GET" && request.method != "HEAD") {
    reply.status = 405;
    reply.body = "Only GET and HEAD are allowed.\n";
    co_return reply;
  }
  if (path == "/metrics") {
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    reply.body = co_await source.metrics();
  } else if (path == "/health") {
    reply.body = "ok\n";
  } else if (path == "/ready") {
    if (source.not_ready().empty()) {
      const MergedStatus status = co_await source.summary();
      const Readiness state = readiness(status);
      reply.status = state.ready ? 200 : 503;
      reply.body = state.text;
    }
    // Asked last: a drain may have begun while the workers answered.
    if (const std::string reason = source.not_ready(); !reason.empty()) {
      reply.status = 503;
      reply.body = reason + "\n";
    }
  } else if (path == "/upstreams") {
    const MergedStatus status = co_await source.status();
    reply.content_type = "application/json";
    reply.body = upstreams_json(status, Clock::now());
  } else if (path == "/config") {
    reply.content_type = "text/plain; charset=utf-8";
    reply.body = source.config();
  } else if (path == "/") {
    reply.body = "pilotfish admin\n\n" + std::string(kPaths);
  } else {
    reply.status = 404;
    reply.body = "There is no such page. These are:\n\n" + std::string(kPaths);
  }
  co_return reply;
}

}  // namespace pilotfish::app
