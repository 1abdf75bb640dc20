#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/backoff.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/token_bucket.hpp"

namespace pilotfish::registry {

/// When a service is asked for next, by blocking query or without an index, and what an answer is
/// worth (Consul's "Blocking Queries" page, and what its agents were seen to do):
///  - the first query, and each one after a failure, has no index: it answers at once, whatever the
///    agent forgot meanwhile;
///  - an index that goes backwards is reset; one that is missing, 0 or no number cannot be waited
///    on, so that the service is polled once a second;
///  - at most 20 queries a second, burst 10, however fast the agent answers;
///  - after a failure 100 ms doubling to 3 s, jittered; Retry-After is honoured up to a minute.
/// The wait is short (10 s; longer for bodies whose repetition costs something): an unchanged
/// service costs one answer per wait, while a wake-up that the registry lost, an index out of step
/// after a restore, or a connection that only looks alive lasts no longer than that.
///
/// "Direct" is a query without an index: the agent asks a server, as its DNS does. An indexed one
/// may be *streamed*: answered from a view of the agent's own, which a server feeds while it can.
///  - A streamed answer proves nothing where it is the same, so that a direct one is asked for
///  every
///    2 s (less often where the body is large), and with little patience.
///  - A streamed answer in which an instance is missing altogether (the view of a token that lost
///    its rights is empty, and says nothing of it) counts once a direct one agrees. One that lists
///    an instance as critical is explicit, and counts at once.
///  - An index below the newest that was believed is a restart, whose catalogue may be replayed by
///    half: a different answer with one counts once it has been told for 2 s.
///  - An indexed query that fails alone, a direct one right behind it being answered, is no failure
///    of the watch. Where that happens twice in a row the service is polled directly, once a
///    second, and an indexed query is tried again after 5 s, doubling to a minute.
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
  /// Between two direct answers while the rest is streamed; for large bodies what they are worth.
  static constexpr Duration kDirectEvery = std::chrono::seconds(2);
  static constexpr std::size_t kDirectBytesPerSecond = std::size_t{1024} * 1024;
  /// For a direct answer that confirms; longer by what a large body is worth.
  static constexpr Duration kDirectLimit = std::chrono::milliseconds(2500);
  static constexpr Duration kDoubtFor = std::chrono::seconds(2);
  static constexpr Duration kDoubtEvery = std::chrono::milliseconds(250);
  static constexpr Duration kBlockingAgainBase = std::chrono::seconds(5);
  static constexpr Duration kBlockingAgainMax = std::chrono::seconds(60);

  struct Query {
    std::uint64_t index = 0;  ///< 0: none is sent, the answer comes at once
    Duration wait{};          ///< 0 where `index` is
    Duration limit{};         ///< for the whole exchange
  };
  /// A whole, valid answer.
  struct Answer {
    std::optional<std::uint64_t> index;  ///< of its header, nothing where there is none
    std::size_t body_bytes = 0;
    bool streamed = false;  ///< it says that it comes from the agent's view
    bool same = false;      ///< lists exactly what was believed last
    bool lost = false;      ///< an instance believed last is not listed at all, in whatever state
  };
  enum class Verdict : std::uint8_t {
    kBelieve,  ///< what it lists holds, and is as new as the answer
    kNothing,  ///< nothing new, and no proof that nothing is
    kDoubt,    ///< what was believed holds until this is confirmed
  };
  enum class Setback : std::uint8_t {
    kNone,   ///< a direct query has to say more: nothing has failed yet
    kPolls,  ///< blocking queries fail: from now on the service is polled
    kDown,   ///< the watch has failed
  };

  /// When begin() may be called; `now` or earlier: now.
  [[nodiscard]] TimePoint next_at(TimePoint now);
  /// The query to send now; counts against the rate. Requires: next_at(now) <= now.
  [[nodiscard]] Query begin(TimePoint now);

  /// The query that was begun was answered.
  [[nodiscard]] Verdict answered(const Answer& answer, TimePoint now);
  /// Anything else. `told_to_wait`: by a 429, or a Retry-After of that length.
  Setback failed(std::optional<Duration> told_to_wait, TimePoint now, Random& random);
  /// The agent is known to answer again: what was waited for is over.
  void retry_now(TimePoint now);
  /// Another agent, whose indexes begin anew.
  void begin_anew(TimePoint now);

 private:
  [[nodiscard]] Verdict judge_streamed(const Answer& answer, TimePoint now);
  [[nodiscard]] Verdict judge_direct(const Answer& answer, TimePoint now);
  [[nodiscard]] bool polls(TimePoint now) const { return now < blocking_again_; }

  TokenBucket bucket_{kPerSecond, kBurst};
  Backoff backoff_{kBackoffBase, kBackoffMax};
  Query query_;  // the one that was begun last
  TimePoint began_{};
  std::uint64_t index_ = 0;
  std::uint64_t believed_ = 0;  // the newest index of an answer that was believed
  Duration wait_ = kShortWait;
  TimePoint not_before_{};
  // What is streamed.
  bool streaming_ = true;  // until an answer to an indexed query says otherwise
  bool confirm_ = false;   // the next query is a direct one
  TimePoint direct_at_{};  // the last direct answer, since the watch serves
  Duration direct_every_ = kDirectEvery;
  Duration direct_limit_ = kDirectLimit;
  std::uint64_t doubted_ = 0;  // the newest index of an answer that was not believed
  std::optional<TimePoint> doubt_since_;
  // Blocking queries that fail alone.
  std::uint32_t blocking_failures_ = 0;
  Backoff blocking_backoff_{kBlockingAgainBase, kBlockingAgainMax};
  TimePoint blocking_again_{};
  std::optional<Duration> wait_cap_;
};

/// X-Consul-Index: digits alone, 64 bits; nothing where it is anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_index(std::string_view text);
/// Retry-After in seconds; nothing where it is a date or nonsense.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view text);

}  // namespace pilotfish::registry
