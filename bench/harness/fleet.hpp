#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bench/harness/backend.hpp"
#include "bench/harness/loop_thread.hpp"
#include "bench/harness/ports.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

struct FleetOptions {
  std::vector<std::string> versions;  ///< one for each member
  std::size_t body_bytes = 100;
  std::uint64_t seed = 1;  ///< of the ports
};

/// Backends on ports that stay theirs, which remember when each request arrived. Thread-safety:
/// full for what is const; the rest belongs to one thread.
class Fleet {
 public:
  /// Throws Unavailable where ports are missing.
  explicit Fleet(const FleetOptions& options);
  ~Fleet();

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  [[nodiscard]] Endpoint endpoint(std::size_t member) const { return members_[member]->endpoint; }
  [[nodiscard]] std::uint16_t port(std::size_t member) const { return endpoint(member).port; }
  [[nodiscard]] const std::string& name(std::size_t member) const;  ///< `v1 #3`
  [[nodiscard]] const std::string& version(std::size_t member) const;

  /// As SIGKILL does; revive() undoes it and does nothing to one that lives.
  void kill(std::size_t member);
  void revive(std::size_t member);

  /// Forgets the arrivals so far.
  void forget();
  /// When requests arrived at a member since forget(), in order.
  [[nodiscard]] std::vector<TimePoint> arrivals(std::size_t member) const;
  /// The first one at or after a moment, and the last one of all.
  [[nodiscard]] std::optional<TimePoint> first_since(std::size_t member, TimePoint moment) const;
  [[nodiscard]] std::optional<TimePoint> last(std::size_t member) const;

 private:
  struct Member {
    Endpoint endpoint;
    std::unique_ptr<Backend> backend;
    bool alive = true;
    mutable std::mutex mutex;
    std::vector<TimePoint> arrivals;
  };

  LoopThread loop_;
  std::vector<std::unique_ptr<Member>> members_;
};

}  // namespace pilotfish::bench
