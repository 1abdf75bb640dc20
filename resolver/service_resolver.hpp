#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/tier_answer.hpp"
#include "net/asio.hpp"
#include "resolver/absence.hpp"
#include "resolver/background.hpp"
#include "resolver/options.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::resolver {

/// What the agent's HTTP API knows better than DNS: the whole of an answer that even TCP trims, and
/// whether instances that DNS denies are really gone. Implemented in registry/, handed in by app/;
/// the resolver itself never speaks HTTP.
class Completer {
 public:
  virtual ~Completer() = default;
  /// Every instance of `service` that carries all of `tags` and is not critical, normalised and
  /// without tags, as from DNS; nullopt: failed. Linear work is done beside the worker.
  virtual net::Awaitable<std::optional<InstanceList>> complete(const ConsulSource& source,
                                                               const std::vector<std::string>& tags,
                                                               TimePoint deadline) = 0;
  /// DNS says that `source` has no instance with all of `tags`; asked where some were known.
  virtual net::Awaitable<AbsenceVerdict> confirm_absence(const ConsulSource& source,
                                                         const std::vector<std::string>& tags,
                                                         TimePoint deadline);
};

/// One worker's DNS: c-ares channels on the worker's loop, shared by its upstreams, and the state
/// per name (at most one lookup in flight and one waiting behind it; pacing; TCP-first memory).
/// Thread-safety: none; lives on one worker's executor. Must outlive its ServiceResolvers.
class DnsService {
 public:
  /// `background`: where large answers are worked on; null: on the worker, at once.
  DnsService(net::IoContext& io, ConsulDns consul, std::uint32_t worker_count, Logger& logger,
             Completer* completer, std::uint64_t seed, Background* background = nullptr);
  ~DnsService();
  DnsService(const DnsService&) = delete;
  DnsService& operator=(const DnsService&) = delete;

  /// What the process's watch of a service says now; kept for resolvers that come later, and told
  /// to those with `fresh: watch`. Null: the service is watched no more.
  void push(const WatchKey& key, WatchStatePtr state);

  /// Resolvers made from now on ask this server. Lookup limits of names in use count anew: those of
  /// the next resolver that is made or joins again, then the strictest, as ever. Make or
  /// join_again() every resolver that stays.
  void begin_reload(ConsulDns consul);

  class Impl;
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::shared_ptr<Impl> impl_;  // shared with lookups that end after it
};

/// Looks one upstream's tiers up, on behalf of arriving connections and of itself (all tiers once
/// at start and every 10 s when idle). Answers are pushed through `on_answer`, always before the
/// waiters for that lookup resume. With `fresh: watch` the tiers are answered from what
/// DnsService::push() brings and nothing is looked up or waited for, while the watch is up; while
/// it is down, and at start, all is as in `fresh: connection`; but tiers with `not` or `meta` are
/// waited for until the watch has said something, if only that it failed. Semantics:
/// docs/how-it-decides.md ("When it looks", "What an answer means"). Static sources answer at start
/// and never wait. Thread-safety: none; one per upstream and worker, on the worker's executor.
class ServiceResolver {
 public:
  struct Hooks {
    std::function<void(std::size_t tier, const TierAnswer&)> on_answer;
    /// Each finished lookup of a name, for lookup_total and lookup_duration_seconds.
    std::function<void(const NameAnswer&)> on_lookup;
    /// A connection was routed by the last good answer because the registry did not answer in time.
    std::function<void()> on_stale;
    /// A watch's state (`fresh: watch`) before the tiers are answered from it.
    std::function<void(const WatchKey&, const WatchState&)> on_watch{};
    /// Where there is a Background, ahead of on_answer() for a large answer that may be new to the
    /// tier: time to prepare for it. Lookups and waiters behind them wait for that, too.
    std::function<net::Awaitable<void>(std::size_t tier, InstanceSet instances)> prepare;
  };

  ServiceResolver(DnsService& dns, Source source, Freshness freshness, LookupOptions lookup,
                  Hooks hooks);
  ~ServiceResolver();
  ServiceResolver(const ServiceResolver&) = delete;
  ServiceResolver& operator=(const ServiceResolver&) = delete;

  [[nodiscard]] std::size_t tier_count() const;

  /// A good answer is known from elsewhere: routing without a fresh one counts as stale from now
  /// on, also while no lookup has succeeded yet.
  void assume_good();
  void start();
  /// Ends background work; waiters resume at once. Idempotent.
  void stop();
  /// See DnsService::begin_reload().
  void join_again(DnsService& dns);

  /// A claim on lookups of tiers [first, last] that begin no earlier than the claim. A value.
  struct Ticket {
    struct Need {
      std::uint32_t name = 0;
      std::uint64_t generation = 0;
    };
    static constexpr std::size_t kInline = 4;
    std::vector<Need> needs;  ///< empty: nothing to wait for
    TimePoint deadline{};
  };
  /// Marks an arrival now: starts a lookup, or joins the one that waits. Never suspends. With `ttl`
  /// the ticket is empty while the record's TTL has not run out.
  [[nodiscard]] Ticket arrive(std::size_t first, std::size_t last, TimePoint now);

  /// True where wait() would return kFresh at once; false also where the last good answer has to
  /// do, so that wait() gets to count it.
  [[nodiscard]] bool satisfied(const Ticket& ticket) const;

  enum class Wait : std::uint8_t {
    kFresh,  ///< each lookup ended with an answer (also an empty one)
    kStale,  ///< failed, timed out or not waited for: the last good answer has to do
  };
  /// Waits until the lookups of the ticket ended, or its deadline, or, soon after, until `gone`
  /// says that nobody is left to wait for (kFresh then). Ticket and `gone` must outlive it.
  [[nodiscard]] net::Awaitable<Wait> wait(const Ticket& ticket, const bool& gone = kNobodyGone);

  /// When the newest lookup of any tier began; drives "at least once a second while requests flow".
  /// TimePoint::max() while a watch makes lookups unnecessary.
  [[nodiscard]] TimePoint last_lookup_started() const;

  /// True once every tier has had one lookup end, either way, or the watch answered.
  [[nodiscard]] bool first_round_done() const;
  /// Waits for first_round_done() or the deadline.
  [[nodiscard]] net::Awaitable<void> wait_first_round(TimePoint deadline);

  /// The newest answer of each tier, failures included; for /upstreams and `pilotfish resolve`.
  [[nodiscard]] const std::vector<TierAnswer>& last_answers() const;

 private:
  static constexpr bool kNobodyGone = false;
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with waiters that resume after it
};

}  // namespace pilotfish::resolver
