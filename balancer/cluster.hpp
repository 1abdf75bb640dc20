#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balancer/check_verdict.hpp"
#include "balancer/drain.hpp"
#include "balancer/options.hpp"
#include "core/clock.hpp"
#include "core/ewma.hpp"
#include "core/instance.hpp"
#include "core/random.hpp"
#include "core/tier_answer.hpp"

namespace pilotfish::balancer {

/// What a shell hangs on an instance (its connection pool, its metric handles). Destroyed with it.
class InstanceAttachment {
 public:
  virtual ~InstanceAttachment() = default;
};

enum class Outcome : std::uint8_t;

/// Live state of one instance, keyed by address:port; survives answers, tiers and reloads.
/// Ownership: shared by the cluster and the requests that run on it, through a count that is not
/// atomic. Thread-safety: none; belongs to one worker.
struct InstanceState {
  explicit InstanceState(Endpoint where) : endpoint(where), name(where.to_string()) {}

  const Endpoint endpoint;
  const std::string name;  ///< "10.0.0.1:80": label of metrics and log lines

  // As the registry's current answer has it.
  std::uint32_t weight = 1;
  std::uint32_t priority = 0;
  std::vector<std::string> tags;  ///< union over the tiers that hold it, sorted
  int tier = -1;                  ///< the best tier that holds it; -1: in no answer any more
  bool apart = false;    ///< a share of `split` is meant for it: the rest takes others first
  bool drained = false;  ///< `drain:` names it: no new requests
  std::string named;     ///< "web-3.example:80", where the answer has a name for it
  /// What it is called towards itself: by its name, else by its address; with the port.
  [[nodiscard]] const std::string& authority() const { return named.empty() ? name : named; }

  // Load and outcomes.
  std::uint32_t in_flight = 0;  ///< streams, not connections
  std::uint32_t tunnels = 0;    ///< of those: protocol switched, without an end in sight
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  PeakEwma latency{0.03, std::chrono::seconds(10)};  ///< seconds
  double failure_load = 0;                           ///< extra load after failed tries; decays
  TimePoint failure_load_at{};
  TimePoint first_seen{};  ///< when it came into an answer (again)
  bool ramps = false;      ///< slow start applies: it was not there from the start

  // Ejection.
  std::uint32_t consecutive_failures = 0;
  Outcome last_failure{};       ///< how the last of them ended
  std::uint32_t ejections = 0;  ///< how often so far: the factor of `base`
  bool ejected = false;
  bool probing = false;  ///< ejection time is over, its one probe request is out or due
  bool probe_in_flight = false;
  TimePoint ejected_until{};
  TimePoint ejected_since{};
  TimePoint returned_at{};  ///< end of its last ejection

  bool unhealthy = false;  ///< an active check says so (Cluster::set_verdicts())
  /// Kept out by what fails, which is ignored where it holds for all.
  [[nodiscard]] bool barred() const { return ejected || unhealthy; }
  /// Not eligible, for one reason or another.
  [[nodiscard]] bool out() const { return barred() || drained; }
  [[nodiscard]] bool eligible() const { return !out(); }

  // Bookkeeping of the cluster alone.
  TimePoint left_at{};           ///< when it left every answer
  std::uint64_t generation = 0;  ///< last membership pass that saw it
  static constexpr std::size_t kNowhere = SIZE_MAX;
  std::size_t place = kNowhere;  ///< among the present ones
  bool suspect = false;          ///< failed lately: in the list of those

  std::unique_ptr<InstanceAttachment> attachment;
  std::uint32_t references = 0;
};
inline void intrusive_ptr_add_ref(InstanceState* state) {
  ++state->references;
}
inline void intrusive_ptr_release(InstanceState* state) {
  if (--state->references == 0) {
    delete state;  // NOLINT(cppcoreguidelines-owning-memory): the count is the owner
  }
}
using InstanceRef = boost::intrusive_ptr<InstanceState>;

/// How one try on an instance ended, judged by the shell after trailers.
enum class Outcome : std::uint8_t {
  kSuccess,
  kConnectFailure,
  kReset,         ///< the connection broke before the answer was whole, or the answer was no HTTP
  kGatewayError,  ///< 502, 503, 504 from the instance
  kTimeout,       ///< no answer in time: counts as a gateway failure
  kNeutral,       ///< the client went away: says nothing about the instance
};
/// For people: "connection refused or unreachable", "no answer in time".
[[nodiscard]] std::string_view describe(Outcome outcome);
[[nodiscard]] constexpr bool is_failure(Outcome outcome) {
  return outcome != Outcome::kSuccess && outcome != Outcome::kNeutral;
}

struct PickContext {
  TimePoint now;
  std::uint64_t hash = 0;                   ///< of the hash key; ring_hash and maglev only
  std::span<InstanceState* const> tried{};  ///< skipped while another eligible one exists
  /// Tiers (bit i: tier i) whose eligible instances come before what the order of tiers gives, the
  /// first of them first: what `split` and `choose_by` said of this request.
  std::uint64_t wanted{};
  /// Taken as long as it is eligible, and in a tier that is `wanted` where any is: `sticky`.
  InstanceState* keep{};
  bool lasting = false;  ///< for what may last as long as the tunnels that run: they count as load
};

/// More tiers than that cannot be wanted.
inline constexpr std::size_t kMostTiers = 64;

/// What tiers are for, beside their order.
struct TierRoles {
  /// So many of them are in order; the rest serve only what a share or a request's wish sends
  /// there.
  std::size_t ordered = SIZE_MAX;
  /// Of each tier, how many of 1000 new requests go there first; none where it ends.
  std::vector<std::uint32_t> shares{};
  friend bool operator==(const TierRoles&, const TierRoles&) = default;
};

/// Why the serving tier changed; closed list, the `reason` label of `upstream_tier_changes_total`.
enum class TierReason : std::uint8_t {
  kStart,      ///< first answer
  kTooFew,     ///< the serving tier fell below min_healthy
  kFailBack,   ///< a better tier stayed healthy for fail_back_after
  kBestOfBad,  ///< no tier has enough: the best that has any
  kAllEmpty,   ///< every tier empty for longer than hold_empty: none serves
  kRecovered,  ///< instances are back after none served
};
inline constexpr std::size_t kTierReasonCount = 6;
[[nodiscard]] std::string_view to_string(TierReason reason);

/// One line of /upstreams and `pilotfish resolve`.
struct InstanceView {
  InstanceRef state;
  /// healthy | unhealthy | ejected | draining (by `drain`, or left) | absent
  std::string_view status;
  std::string why;  ///< what keeps it from being picked; empty where nothing does
};

/// What happened since the shell last asked: for metrics, log lines and pools. Whoever is in both
/// lists came first and left then; gone and back in between leaves no trace.
struct ClusterEvents {
  struct TierChange {
    int from = -1;
    int to = -1;
    TierReason reason{};
    std::string
        text;  ///< for people: "tier 0 (v4) has 0 of 1 healthy instances; tier 1 (v3) serves"
  };
  std::vector<TierChange> tier_changes;
  std::vector<InstanceRef> arrived;   ///< attach pools and metrics, unless they still are there
  std::vector<InstanceRef> departed;  ///< close idle pooled connections
  std::vector<InstanceRef> ejected;
  std::vector<InstanceRef> returned;  ///< un-ejected after a good probe
  /// Drained, or unhealthy: get no requests from now on: close idle connections.
  std::vector<InstanceRef> drained;
  std::vector<InstanceRef> unhealthy;
  std::vector<std::string>
      notes;  ///< e.g. "every tier is empty: holding the last good set for 10 s"
  [[nodiscard]] bool empty() const {
    return tier_changes.empty() && arrived.empty() && departed.empty() && ejected.empty() &&
           returned.empty() && drained.empty() && unhealthy.empty() && notes.empty();
  }
};

struct PreparedTier;  // what follows from a large answer (balancer/tier_table.hpp)

/// Everything that decides which instance of an upstream serves: tiers with hysteresis, ejection,
/// SRV priority and weight, slow start, and the balancing algorithm. Pure: no clock, no I/O.
/// Semantics: docs/how-it-decides.md ("Which instance").
/// Thread-safety: none; one per upstream and worker.
class Cluster {
 public:
  /// `tier_names` are what people read ("v4", "v3+read", "any", or the SRV name), best first.
  Cluster(ClusterOptions options, std::vector<std::string> tier_names, std::uint64_t seed,
          TierRoles roles = {});
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// The whole answer for one tier. A failed one keeps the last good set; empty and NXDOMAIN empty
  /// the tier. An answer equal to the last one changes nothing and costs a comparison.
  /// `prepared` is what prepare() had made for that answer: without it, or where it does not fit
  /// any more, all of a large answer is worked out here, which takes milliseconds.
  void on_answer(std::size_t tier, const TierAnswer& answer, TimePoint now,
                 const std::shared_ptr<const PreparedTier>& prepared = nullptr);

  // Large answers (kLargeAnswer) without a pause of the worker: prepare elsewhere, arrive
  // in steps, on_answer(), work in steps. Each call costs microseconds, or its number of steps.

  /// True where the answer is a large one that changes something, so that preparing pays.
  [[nodiscard]] bool wants_preparing(std::size_t tier, const InstanceSet& answer) const;
  /// What the tier serves from now: prepare() begins with it.
  [[nodiscard]] InstanceSet instances(std::size_t tier) const;
  [[nodiscard]] Algorithm algorithm() const;
  /// Lets at most `most` newcomers of a prepared answer arrive ahead of it: they are present, and
  /// get no traffic yet. True when all have. Whoever prepares something else instead calls it with
  /// that, or on_answer(): those who arrived for nothing leave again.
  bool arrive(std::size_t tier, const std::shared_ptr<const PreparedTier>& prepared, TimePoint now,
              std::size_t most);
  /// Work that may wait (the last rites of many departed instances) waits for work() from now on.
  void defer_work();
  [[nodiscard]] bool has_work() const;
  /// Does at most `most` steps of it.
  void work(std::size_t most);

  /// Lets time pass: fail-back, hold_empty, returns from ejection, slow start. Cheap when not due.
  void tick(TimePoint now);
  /// When tick() next has something to do; TimePoint::max() where nothing is pending.
  [[nodiscard]] TimePoint next_deadline() const;

  /// Chooses an instance for one try; nullptr iff none can serve. Never blocks, never allocates in
  /// steady state. Does not count the try: call started() and finished() around it.
  [[nodiscard]] InstanceState* pick(const PickContext& context);
  void started(InstanceState& instance, TimePoint now);
  /// `latency` from the try's start to the answer's head (or its failure).
  void finished(InstanceState& instance, Outcome outcome, Duration latency, TimePoint now);
  /// For TCP relays, which may end hours later: the connection stands, which is all that can be
  /// seen of such an instance. Ends a run of failures, and a probe well. finished() still follows.
  void reached(InstanceState& instance, TimePoint now);
  /// Whether pick() has an eligible instance that is not in `tried` (the retry's question).
  [[nodiscard]] bool another(std::span<InstanceState* const> tried, std::uint64_t wanted = 0) const;
  /// For each new request once: the tiers `wanted` of the share it belongs to, 0 for those that
  /// follow the order. Exact over many (split.hpp); never allocates.
  [[nodiscard]] std::uint64_t draw_share();
  /// Whether an instance picked a moment ago, for that context, still is one to be picked.
  [[nodiscard]] bool may_serve(const InstanceState& instance, const PickContext& context) const;
  /// The tier that an instance was just picked in, for a context with `wanted` or `keep`.
  [[nodiscard]] int tier_of_pick(const InstanceState& instance, std::uint64_t wanted) const;

  /// Verdicts of an active check, all in one step. An unhealthy instance is not eligible until it
  /// is said to be healthy; where every instance is out the check is ignored, as ejection is. One
  /// that is not here (yet, or any more) is known by its verdict when it comes.
  void set_verdicts(std::span<const CheckVerdict> verdicts, TimePoint now);
  /// Nobody checks any more: as if all were healthy.
  void forget_verdicts(TimePoint now);

  /// Serving tier, -1 where none serves; and the reason, for people.
  [[nodiscard]] int serving_tier() const;
  [[nodiscard]] const std::string& reason() const;
  /// True where one of the tiers [0, last] has at least min_healthy eligible instances, so that no
  /// worse tier need be asked (the freshness gate's question).
  [[nodiscard]] bool enough_up_to(std::size_t last) const;
  /// When the serving tier's answer was asked for (age = now - this); TimePoint{} where none.
  [[nodiscard]] TimePoint serving_asked() const;

  [[nodiscard]] const std::vector<std::string>& tier_names() const;
  /// Every instance in any tier, departed ones that still have requests in flight ("draining"), and
  /// those that left within the last minute ("absent"); sorted by tier and endpoint.
  [[nodiscard]] std::vector<InstanceView> view(TimePoint now) const;
  /// How many of each status there are, without a look at each.
  struct Tally {
    std::size_t healthy = 0, unhealthy = 0, ejected = 0, draining = 0, absent = 0;
  };
  [[nodiscard]] Tally tally(TimePoint now) const;
  /// Why an instance that was just ejected is, for how long, and how many are with it.
  [[nodiscard]] std::string ejection_text(const InstanceState& instance) const;
  /// Hands out what happened since the last call.
  [[nodiscard]] ClusterEvents take_events();
  /// There is something to take, or some work().
  [[nodiscard]] bool has_events() const;

  /// Changes options at run time (reload); keeps all live state.
  void set_options(const ClusterOptions& options, TimePoint now);
  /// Who gets no new requests; what runs there goes on.
  void set_drain(DrainList drain, TimePoint now);
  /// Other shares; as many tiers in order as before.
  void set_shares(std::vector<std::uint32_t> shares, TimePoint now);

  /// One tier of set_tiers(): its name, which of the tiers so far it continues (-1: none; each at
  /// most once), and its answer where one is known already.
  struct NewTier {
    std::string name;
    int from = -1;
    std::optional<TierAnswer> answer;
    std::shared_ptr<const PreparedTier> prepared{};  ///< of a large answer, where it was
  };
  /// Other tiers from now on, best first (reload). All at once: whoever is in the new ones too
  /// keeps its live state, ejection among it; the others depart. A tier that now stands before the
  /// serving one and stood behind it serves at once, without fail_back_after.
  void set_tiers(std::span<const NewTier> tiers, TimePoint now, TierRoles roles = {});
  [[nodiscard]] const TierRoles& roles() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilotfish::balancer
