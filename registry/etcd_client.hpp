#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "registry/context.hpp"

namespace pilotfish::registry {

/// etcd through its v3 JSON gateway: endpoints are tried in turn, beginning with the one that
/// answered last; says once when none can be reached, and once when one can again.
/// Ownership: shared by the entries. Thread-safety: none.
class EtcdClient {
 public:
  explicit EtcdClient(std::shared_ptr<RegistrarContext> context);

  /// POST `path` to the first endpoint that answers with less than 500.
  net::Awaitable<http::ClientResult> post(std::string path, std::string body, TimePoint deadline);

  /// The address of this machine on the way to the first endpoint that has a route; empty: none.
  net::Awaitable<std::string> local_address(TimePoint deadline);

 private:
  void note(const http::ClientResult& result);

  std::shared_ptr<RegistrarContext> context_;
  std::vector<http::ClientTarget> targets_;
  std::size_t current_ = 0;
  bool unreachable_ = false;
};

/// What went wrong, for people.
std::string etcd_problem(const http::ClientResult& result);

}  // namespace pilotfish::registry
