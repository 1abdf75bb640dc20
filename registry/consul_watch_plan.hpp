#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/token_bucket.hpp"

namespace pilotfish::registry {

/// When a service is asked for next by blocking query, and how (Consul's "Blocking Queries" page):
///  - the first query, and each one after a failure, has no index: it answers at once, whatever the
///    agent forgot meanwhile;
///  - an index that goes backwards is reset; one that is missing, 0 or no number cannot be waited
///    on, so that the service is polled once a second;
///  - at most 20 queries a second, burst 10, however fast the agent answers;
///  - after a failure 100 ms doubling to 3 s, jittered; Retry-After is honoured up to a minute.
/// The wait is short (10 s; longer for bodies whose repetition costs something): an unchanged
/// service costs one answer per wait, while a wake-up that the registry lost, an index out of step
/// after a restore, or a connection that only looks alive lasts no longer than that.
/// Pure: time and randomness are arguments. Thread-safety: none; one per service.
class WatchPlan {
 public:
  static constexpr double kPerSecond = 20;
  static constexpr double kBurst = 10;
  static constexpr Duration kBackoffBase = std::chrono::milliseconds(100);
  static constexpr Duration kBackoffMax = std::chrono::seconds(3);
  static constexpr Duration kRetryAfterMax = std::chrono::seconds(60);
  static constexpr Duration kPollEvery = std::chrono::seconds(1);
  static constexpr Duration kShortWait = std::chrono::seconds(10);
  static constexpr Duration kLongWait = std::chrono::seconds(30);
  /// An unchanged body may cost the agent this much a second before the wait grows.
  static constexpr std::size_t kBytesPerSecond = std::size_t{256} * 1024;
  /// For the answer itself, beyond the wait and the sixteenth that Consul adds to it.
  static constexpr Duration kMargin = std::chrono::seconds(10);

  struct Query {
    std::uint64_t index = 0;  ///< 0: none is sent, the answer comes at once
    Duration wait{};          ///< 0 where `index` is
    Duration limit{};         ///< for the whole exchange
  };

  /// When begin() may be called; `now` or earlier: now.
  [[nodiscard]] TimePoint next_at(TimePoint now);
  /// The query to send now; counts against the rate. Requires: next_at(now) <= now.
  [[nodiscard]] Query begin(TimePoint now);

  /// A whole, valid answer came. `index`: of its header, nothing where there is none.
  void answered(std::optional<std::uint64_t> index, std::size_t body_bytes, TimePoint now);
  /// Anything else.
  void failed(std::optional<Duration> retry_after, TimePoint now, Random& random);
  /// The agent is known to answer again: what was waited for is over.
  void retry_now(TimePoint now);

 private:
  TokenBucket bucket_{kPerSecond, kBurst};
  Backoff backoff_{kBackoffBase, kBackoffMax};
  std::uint64_t index_ = 0;
  Duration wait_ = kShortWait;
  TimePoint not_before_{};
};

/// X-Consul-Index: digits alone, 64 bits; nothing where it is anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_index(std::string_view text);
/// Retry-After in seconds; nothing where it is a date or nonsense.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view text);

}  // namespace pilotfish::registry
