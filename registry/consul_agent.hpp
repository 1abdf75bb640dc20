#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/tier_answer.hpp"
#include "http/client.hpp"
#include "registry/context.hpp"

namespace pilotfish::registry {

/// A request to Consul's agent with the token, if there is one.
http::ClientRequest consul_request(const ConsulHttp& options, std::string method, std::string path,
                                   std::string body = {});

/// The agent as the registrar's entries see it: says once when it cannot be reached, and once when
/// it can again. Ownership: shared by the entries. Thread-safety: none.
class ConsulAgent {
 public:
  explicit ConsulAgent(std::shared_ptr<RegistrarContext> context);

  net::Awaitable<http::ClientResult> call(std::string method, std::string path, std::string body,
                                          TimePoint deadline);

  /// Stands for the address in the id of a service that names none: the address the agent
  /// advertises (Member.Addr of /v1/agent/self), so that every process on this machine arrives at
  /// the same id; where the token may not read that, or the agent has refused to say it for
  /// RegistrarOptions::patience (429, 5xx), the local end of the route to the agent: an
  /// announcement under another id is better than none. Asked until known, then kept. Empty
  /// address: `why` says what failed.
  struct NodeAddress {
    std::string address;
    std::string why;
    http::ClientResult result{};  ///< of the question, where it failed
  };
  net::Awaitable<NodeAddress> node_address(TimePoint deadline);

 private:
  void note(const http::ClientResult& result);

  std::shared_ptr<RegistrarContext> context_;
  std::optional<http::ClientTarget> target_;
  std::string node_address_;
  std::optional<TimePoint> refused_since_;
  bool unreachable_ = false;
};

/// The same as the result of a lookup. Requires: not ok().
[[nodiscard]] LookupResult consul_failure(const http::ClientResult& result);

/// The agent takes no more connections from this address (limits.http_max_conns_per_client); its
/// other 429 is about the rate of requests.
bool is_crowded(const http::ClientResult& result);

/// What went wrong, for people: the transport's error, or the status with the agent's own words
/// and, where the token is the reason, what to do: it needs `right` for the service.
std::string consul_problem(const http::ClientResult& result, const std::string& service,
                           std::string_view right = "service:write");

}  // namespace pilotfish::registry
