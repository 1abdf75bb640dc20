#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_http.hpp"

namespace pilotfish::test {

/// The parts of etcd's v3 JSON gateway that registration uses, over a store in memory. Leases end
/// only when the test ends them. Base64 is decoded by the code under test (link pf_registry).
class FakeEtcd {
 public:
  explicit FakeEtcd(net::IoContext& io) : http(io, [this](auto& r) { return answer(r); }) {}

  struct Value {
    std::string value;
    std::int64_t lease = 0;
  };

  [[nodiscard]] std::size_t count(const std::string& path) const;
  /// The lease ends, as after a pause longer than it: its records go.
  void expire(std::int64_t lease);

  std::map<std::string, Value> records;
  std::map<std::int64_t, std::int64_t> leases;  ///< id -> TTL in seconds
  std::optional<FakeReply> always;
  std::vector<FakeRequest> requests;

 private:
  FakeReply answer(const FakeRequest& request);
  std::int64_t next_lease_ = 7587000000000000001;

 public:
  FakeHttp http;
};

}  // namespace pilotfish::test
