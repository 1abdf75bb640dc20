#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "balancer/cluster.hpp"
#include "balancer/retry.hpp"
#include "proxy/connection.hpp"
#include "proxy/options.hpp"
#include "proxy/preparer.hpp"
#include "proxy/selection.hpp"
#include "proxy/sticky.hpp"
#include "proxy/upstream_metrics.hpp"
#include "proxy/worker.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::proxy {

/// What an arriving connection or request may wait for: lookups begun no earlier than it came.
struct Claim {
  resolver::ServiceResolver::Ticket ticket;
  std::size_t last_tier = 0;
  std::uint32_t epoch = 0;  ///< of the source it was asked of
};

/// Why no connection was had.
enum class OpenError : std::uint8_t {
  kConnect,       ///< refused, unreachable, reset while connecting
  kTimeout,       ///< connect_timeout
  kQueueFull,     ///< limits.pending
  kQueueTimeout,  ///< waited connect_timeout for limits.connections
  kDescriptors,   ///< none left in this process
  kNoLocalPort,   ///< none left on this host towards the instance, whose doing it is not
  kInstanceLost,  ///< it left or is out meanwhile: pick again, the place in line is kept
  kCalledOff,
};

/// One request's way to a connection: what a pick that has to be repeated keeps (its place), and
/// how its session calls it off. Outlives open().
class Opening {
 public:
  /// From now on only new connections will do.
  void want_fresh(bool fresh) { fresh_ = fresh; }
  /// What cannot be repeated keeps off connections that the instance may be about to close.
  void take_care(bool careful) { careful_ = careful; }
  /// No further try follows: whoever is next in line need not wait for the end of this request.
  void give_up() { slot_ = {}; }
  /// Nobody wants it any more: open() ends soon, the place in line is free at once.
  void call_off();

 private:
  friend class Upstream;
  Slot slot_;
  ConnectionSlots* slots_ = nullptr;
  ConnectionSlots::Waiter* waiter_ = nullptr;
  UpstreamStream* stream_ = nullptr;
  bool fresh_ = false;
  bool careful_ = false;
  bool called_off_ = false;
};

struct Opened {
  ConnectionPtr connection;
  OpenError error{};
  std::string text;  ///< of a failed connect: "Connection refused"
};

/// One upstream in one worker: the only place where resolver and balancer meet. Feeds answers into
/// the cluster, lets sessions claim fresh lookups, picks instances, opens and pools connections.
/// Ownership: shared by the proxy and the sessions that use it. Thread-safety: none.
class Upstream : public std::enable_shared_from_this<Upstream> {
 public:
  Upstream(Worker& worker, resolver::DnsService& dns, UpstreamOptions options);
  ~Upstream();
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  [[nodiscard]] const UpstreamOptions& options() const { return options_; }
  /// Before start(): what a former run last knew of each tier. Static sources take none.
  void seed(const std::vector<TierAnswer>& tiers);
  void start();
  void stop();

  // --- reload --------------------------------------------------------------------------------
  /// Other options from now on; running requests go on. Live state of instances stays, keyed by
  /// address:port. Another source, or another server to ask (`registry_changed`), is asked at once
  /// and arrivals wait for it as at start; until it has answered with an instance the former set
  /// serves, an answer without any counts after fallback.hold_empty.
  void reconfigure(UpstreamOptions options, bool registry_changed);
  /// Removed: what runs finishes, nothing is pooled any more.
  void leave();
  [[nodiscard]] bool unused() const { return clients == 0 && active == 0 && arriving == 0; }
  /// Gone: its series go too, those of its instances even where an upstream of its name returns.
  void retire_series(TimePoint now);
  void join_lookups_again() { resolver_->join_again(dns_); }

  // --- freshness -----------------------------------------------------------------------------
  /// A claim for whoever arrives now; starts or joins lookups of the better tiers and the serving
  /// one (all of them while none serves).
  [[nodiscard]] Claim claim(TimePoint now);
  /// True where covered() would return at once.
  [[nodiscard]] bool is_covered(const Claim& claim) const;
  /// Waits for the claim; asks worse tiers, also fresh, as long as the better ones fall short. Ends
  /// soon after `gone` says that nobody is left to wait for; it outlives the coroutine.
  [[nodiscard]] net::Awaitable<void> covered(Claim claim, const bool& gone);
  /// A request came on a kept connection: keeps a lookup going at least once a second.
  void request_flows(TimePoint now);
  [[nodiscard]] net::Awaitable<void> wait_first_lookups(TimePoint deadline) {
    return resolver_->wait_first_round(deadline);
  }

  // --- active checks (upstream_checks.cpp) ---------------------------------------------------
  void take_verdicts(std::span<const balancer::CheckVerdict> verdicts);

  // --- choosing and connecting ---------------------------------------------------------------
  [[nodiscard]] balancer::InstanceState* pick(const balancer::PickContext& context);
  /// A try became a tunnel, or that tunnel ended (before try_finished()).
  static void tunnel_began(balancer::InstanceState& instance) { ++instance.tunnels; }
  static void tunnel_ended(balancer::InstanceState& instance) { --instance.tunnels; }
  /// True where an instance picked a moment ago is still one that serves.
  [[nodiscard]] bool may_serve(const balancer::InstanceState& instance,
                               const balancer::PickContext& context) const {
    return options_.enabled && cluster_.may_serve(instance, context);
  }
  /// Whether a retry would find an instance that is not in `tried`.
  [[nodiscard]] bool another(std::span<balancer::InstanceState* const> tried,
                             std::uint64_t wanted) const {
    return cluster_.another(tried, wanted);
  }
  /// For log lines: the tier an instance was just picked in, and what led there: the wish only
  /// where it came true.
  [[nodiscard]] Picked picked(const balancer::InstanceState& instance, const Asked& asked) const;
  /// For each new request once, where nobody named a tier: its share of `split`, as `wanted`.
  [[nodiscard]] std::uint64_t draw_share() { return cluster_.draw_share(); }
  /// The tiers that a value of the header of `choose_by` names, as `wanted`; 0: unknown.
  [[nodiscard]] std::uint64_t named(std::string_view value) const { return names_.named(value); }
  /// `split`, `choose_by` or `sticky` is in use, so that requests differ.
  [[nodiscard]] bool selects() const { return selects_; }
  /// The instance of a sticky cookie while it is eligible.
  [[nodiscard]] balancer::InstanceState* kept(std::uint64_t cookie) const {
    auto* instance = sticky_.find(cookie);
    return instance == nullptr || instance->tier < 0 || instance->out() ? nullptr : instance;
  }
  /// Changes with the tiers: what was `wanted` of other ones means nothing.
  [[nodiscard]] std::uint32_t tiers_turn() const { return tiers_turn_; }
  [[nodiscard]] ConnectionPtr take_idle(balancer::InstanceState& instance, InstanceLink::Care care,
                                        TimePoint now) {
    return link_of(instance).take(care, now);
  }
  /// Opens a connection, waiting in line where limits.connections is reached; a kept connection of
  /// this instance that is free when its turn comes is taken instead.
  [[nodiscard]] net::Awaitable<Opened> open(balancer::InstanceState& instance, Opening& opening);
  /// For the next request: the first who waits, or the pool.
  void keep(balancer::InstanceState& instance, ConnectionPtr connection, TimePoint now);

  void try_started(balancer::InstanceState& instance, TimePoint now);
  void try_finished(balancer::InstanceState& instance, balancer::Outcome outcome, Duration latency,
                    TimePoint now);
  /// A TCP connection stands: that is what a probe wanted to know, long before its session ends.
  void reached(balancer::InstanceState& instance, TimePoint now);
  [[nodiscard]] balancer::RetryVerdict decide_retry(const balancer::RetryQuestion& question,
                                                    TimePoint now);

  // --- sight ---------------------------------------------------------------------------------
  [[nodiscard]] UpstreamMetrics& metrics() { return metrics_; }
  [[nodiscard]] balancer::RetryBudget& budget() { return budget_; }
  [[nodiscard]] const balancer::Cluster& cluster() const { return cluster_; }
  [[nodiscard]] UpstreamStatus status(TimePoint now, bool with_instances = true) const;
  void refresh_gauges(TimePoint now);
  /// Why that tier serves, or why nothing could be picked, with what explain() told of it.
  [[nodiscard]] std::string reason() const;
  /// What somebody found out about why instances are missing; forgotten when that changes.
  void explain(std::string cause);

  /// A try that ended, for whoever debugs.
  struct TryLine {
    std::uint32_t number = 1;
    int tier = -1;  ///< in which the instance was picked
    int status = 0;
    balancer::Outcome outcome{};
    Duration took{};
    std::string_view method;
    std::string_view target;
  };
  void log_try(const balancer::InstanceState& instance, const TryLine& line) const;
  /// For the access log: the instance (nullptr: none), the tier that it was picked in and why that
  /// one serves. `room` holds a text that is made for it.
  void describe_pick(AccessRecord& record, const balancer::InstanceState* instance, Picked picked,
                     std::string& room) const;

  std::size_t active = 0;    ///< requests or TCP connections running
  std::size_t clients = 0;   ///< client connections
  std::size_t arriving = 0;  ///< closed listeners that still take what the kernel accepted

 private:
  /// Once per half second: pools, and what the cluster does with time.
  class Sweep;

  /// A source that a reload brought and that has not answered with an instance yet.
  struct Pending {
    std::vector<std::string> identities;
    std::vector<balancer::Cluster::NewTier> tiers;
    TimePoint since;
    TierNames names{};
  };
  [[nodiscard]] std::unique_ptr<resolver::ServiceResolver> make_resolver();
  void change_source(TimePoint now);
  /// True where the new source serves from now on.
  bool settle_pending(TimePoint now);
  void apply_limits();
  // upstream_open.cpp
  [[nodiscard]] bool take_slot(Opening& opening);
  [[nodiscard]] net::Awaitable<std::optional<OpenError>> wait_in_line(
      balancer::InstanceState& instance, Opening& opening, Opened& out);
  /// Tiers of the newest source that serve by their order.
  [[nodiscard]] std::size_t ordered_tiers() const;
  [[nodiscard]] bool has_share(std::size_t tier) const {
    return tier < roles_.shares.size() && roles_.shares[tier] > 0;
  }
  void take_tiers(Pending& fresh, TimePoint now);
  void warn_of_nodes();
  void set_selects(TimePoint now);

  void on_answer(std::size_t tier, const TierAnswer& answer);
  // upstream_large.cpp: large answers, without a pause of the worker.
  [[nodiscard]] static net::Awaitable<void> prepare(std::weak_ptr<Upstream> weak,
                                                    net::Executor executor, Preparer& preparer,
                                                    std::size_t tier, InstanceSet answer);
  [[nodiscard]] static net::Awaitable<void> work(std::weak_ptr<Upstream> weak,
                                                 net::Executor executor);
  void start_work();
  [[nodiscard]] balancer::PreparedTierPtr take_prepared(std::size_t tier);
  void log_lookups(std::size_t tier, const TierAnswer& answer, TimePoint now);
  /// Asks why, where the answer says that instances are missing.
  void note_absence(std::size_t tier, const TierAnswer& answer, TimePoint now);
  void log_ejection(const balancer::InstanceState& instance);
  void log_return(const balancer::InstanceState& instance);
  void log_drained(const balancer::InstanceState& instance);
  void publish_events();
  [[nodiscard]] bool is_checked() const;
  /// Whether there is a check may have changed: tells who is to be checked, or that nobody is.
  void check_anew();
  void tell_checks(const balancer::ClusterEvents& events);
  void log_tier_change(const balancer::ClusterEvents::TierChange& change);

  Worker& worker_;
  resolver::DnsService& dns_;
  UpstreamOptions options_;
  UpstreamMetrics metrics_;
  balancer::Cluster cluster_;
  balancer::RetryBudget budget_;
  std::shared_ptr<ConnectionSlots> slots_;
  std::unique_ptr<resolver::ServiceResolver> resolver_;
  std::unique_ptr<Sweep> sweep_;
  PoolList pools_;                            ///< instances that may have idle connections
  std::vector<std::string> tier_identities_;  ///< of the cluster's tiers
  std::optional<Pending> pending_;
  std::vector<balancer::PreparedTierPtr> prepared_;  ///< per tier, for the answer that comes next
  std::vector<std::uint64_t> preparing_;  ///< per tier, counts the preparations: the newest goes on
  bool working_ = false;                  ///< work() runs
  balancer::TierRoles roles_;             ///< of the newest source's tiers
  TierNames names_;                       ///< of the cluster's tiers
  std::uint32_t tiers_turn_ = 0;
  bool selects_ = false;
  StickyTable sticky_;
  DrainedNodes drained_;
  std::uint32_t epoch_ = 0;
  bool leaving_ = false;
  std::unordered_set<Endpoint> checked_;                    ///< whom the check was told of
  std::vector<std::optional<LookupResult>> failing_tiers_;  ///< whose last lookup failed, and how
  LookupResult last_failure_{};                             ///< that the log has
  /// Per tier: how its newest answer says that there is no instance; nothing where it has some.
  std::vector<std::optional<LookupResult>> absent_tiers_;
  TimePoint absence_told_{};
  std::string cause_;  ///< of the absence, by explain()
  TimePoint failing_since_{};
  std::uint64_t failed_lookups_ = 0;  ///< since then
  std::uint64_t stale_served_ = 0;    ///< since then
};

}  // namespace pilotfish::proxy
