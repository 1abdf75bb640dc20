#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "balancer/cluster.hpp"
#include "balancer/options.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"

namespace pilotfish::balancer {

/// Retries as a share of the requests of the last 10 s, at least 3 a second (Finagle, Envoy).
/// Pure. Thread-safety: none; one per upstream and worker.
class RetryBudget {
 public:
  explicit RetryBudget(std::uint32_t percent) : percent_(percent) {}
  void on_request(TimePoint now);
  /// Takes one retry from the budget; false where it is spent.
  bool try_spend(TimePoint now);
  void set_percent(std::uint32_t percent) { percent_ = percent; }

 private:
  static constexpr std::size_t kBuckets = 10;  // one second each
  void advance(TimePoint now);
  std::uint32_t percent_;
  std::array<std::uint32_t, kBuckets> requests_{};
  std::array<std::uint32_t, kBuckets> retries_{};
  std::int64_t second_ = 0;
};

/// What ended a try; closed list, the `reason` label of `upstream_retries_total`.
enum class RetryCause : std::uint8_t { kConnect, kReset, k502, k503, k504, kReused };
inline constexpr std::size_t kRetryCauseCount = 6;
[[nodiscard]] std::string_view to_string(RetryCause cause);

/// Everything the decision needs to know about a request whose try has failed.
struct RetryQuestion {
  RetryCause cause{};
  std::uint32_t retries_so_far = 0;  ///< counted against `attempts`; free repeats are not
  bool idempotent = false;           ///< RFC 9110 section 9.2.2
  bool connected = false;            ///< the connection had been established
  bool answer_started = false;       ///< something of the final answer was passed on
  bool body_replayable = true;       ///< what was sent of the body is still kept
  bool reused_connection = false;    ///< pooled, and died before one byte of an answer
  bool reuse_repeat_spent = false;   ///< the one free repeat was taken already
  bool untouched = false;            ///< and nothing of the request can have been acted on
  bool another_instance = true;      ///< an untried eligible instance exists
};

enum class RetryVerdict : std::uint8_t {
  kNo,
  kOtherInstance,    ///< counted
  kFreshConnection,  ///< free: reused connection died; same instance allowed
  kDenied,           ///< would have been allowed, but the budget is spent
};

/// Decides by docs/how-it-decides.md ("When a try fails"). Spends from `budget` where the rules say
/// so.
[[nodiscard]] RetryVerdict decide_retry(const RetryOptions& options, const RetryQuestion& question,
                                        RetryBudget& budget, TimePoint now);

/// Whether a try waits first. `retries`: the counted ones of this request, the coming one among
/// them; a free repeat on a fresh connection never waits.
[[nodiscard]] constexpr bool waits_first(std::uint32_t retries, bool same_instance) {
  return retries >= 2 || (retries == 1 && same_instance);
}
/// How long: `backoff`, doubling with each of the request's pauses `so_far` up to ten times of it,
/// drawn from [1/2, 1] of its step. 0 never waits.
[[nodiscard]] Duration retry_pause(Duration backoff, std::uint32_t so_far, Random& random);

}  // namespace pilotfish::balancer
