#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// Instances that cost as little as possible: many listeners, one thread, raw sockets, answers that
/// are made once. What instances do to a proxy (die, stall, say 503) is Backend's business.
struct FarmOptions {
  enum class Kind : std::uint8_t {
    kHttp,    ///< `GET /N`: N bytes, with X-Instance; request bodies by Content-Length are dropped
    kEcho,    ///< what comes in goes out
    kSource,  ///< sends for as long as the connection stands
    kSink,    ///< reads for as long as the connection stands
  };
  Kind kind = Kind::kHttp;
  std::size_t instances = 3;
};

/// Thread-safety: full. Its thread runs where the thread that makes it may run (see OnProcessor).
class Farm {
 public:
  /// Throws std::system_error where nothing can be bound.
  explicit Farm(const FarmOptions& options);
  ~Farm();
  Farm(const Farm&) = delete;
  Farm& operator=(const Farm&) = delete;

  [[nodiscard]] const std::vector<Endpoint>& endpoints() const;
  /// Answers, or for bytes: reads.
  [[nodiscard]] std::uint64_t requests() const;
  /// For this long nothing is read, answered or accepted.
  void stall(Duration duration);

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::thread thread_;
};

}  // namespace pilotfish::bench
