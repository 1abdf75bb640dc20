#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "balancer/cluster.hpp"
#include "http/head.hpp"

namespace pilotfish::proxy {

/// `sticky:`: which instance a cookie stands for. Its value is a hash of the instance's address and
/// port, begun with the upstream's name: it does not show the address in the clear (it is no
/// secret: whoever knows both can make it), and every worker, sidecar and later run of the same
/// upstream honours it. 0 is no cookie. Pure. Thread-safety: none; one per upstream and worker.
class StickyTable {
 public:
  void add(std::string_view upstream, balancer::InstanceState& instance);
  void remove(std::string_view upstream, const balancer::InstanceState& instance);
  void clear() { instances_.clear(); }
  /// nullptr where nobody known has it.
  [[nodiscard]] balancer::InstanceState* find(std::uint64_t value) const {
    const auto found = value == 0 ? instances_.end() : instances_.find(value);
    return found == instances_.end() ? nullptr : found->second.get();
  }

 private:
  std::unordered_map<std::uint64_t, balancer::InstanceRef> instances_;
};

[[nodiscard]] std::uint64_t sticky_value(std::string_view upstream,
                                         const balancer::InstanceState& instance);

/// The value of our cookie in the request, 0 where it has none that we could have set. It is taken
/// out of the head (it is not the instance's); what is left of a Cookie field is written into
/// `text`, which the head then refers to. Allocates only where `text` has not the room.
std::uint64_t take_sticky_cookie(http::RequestHead& head, std::string_view name, std::string& text);

/// Appends the whole field that sets it, its line end included (RFC 6265 section 4.1).
void write_sticky_cookie(std::string_view name, std::uint64_t value, Duration ttl,
                         std::string& out);

}  // namespace pilotfish::proxy
